"""`travesia check`: what each table allows as a table, what to do under it, and the sheet."""

import io
import re
import textwrap
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector import cli, log, pipeline, services
from connector.check import Aspect, Effect, Effects, Finding, annex, sheet
from connector.check.load import QUIET, Job, measured, measured_text
from connector.check.sheet import Nights
from connector.config import Config
from connector.config.settings import InstanceSettings, StoreSettings, WriteBackSettings
from connector.messages import _, speaking
from connector.results import Options
from connector.store import outcomes
from connector.store.database import open_store
from tests.unit.test_pipeline import Site, mapping

FINDINGS = [
    Finding("ok", "clock", "in order"),
    Finding("ok", "incident", "40 columns can be read", aspect="read"),
    Finding("error", "incident", "may not sort", "give it query_range", "query"),
    Finding("ok", "incident", "all there", aspect="write"),
    Finding("warn", "incident", "one is read only", "mend it", "write"),
    Finding("ok", "problem", "12 columns can be read", aspect="read"),
    Finding("warn", "problem", "one is read only", "mend it", "write"),
]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    text = '[instance]\nurl = "http://127.0.0.1:1"\nuser = "svc"\n'
    (tmp_path / "travesia.toml").write_text(text, encoding="utf-8")
    with speaking("en"):
        yield tmp_path
    log.configure()


def test_the_rights_on_each_table_stand_in_one_line_and_what_to_do_below(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(services, "check", lambda *_: FINDINGS)
    assert cli.run(["check"]) == 2
    said = capsys.readouterr().out.splitlines()
    lines = [line.split() for line in said]
    assert ["Table", "Reads", "Queries", "Fields", "Writes", "Effects", "To", "do"] in lines
    assert ["incident", "✓", "✗", "—", "!", "—", "1", "2"] in lines
    assert ["problem", "✓", "—", "—", "!", "—", "2"] in lines
    assert not [line for line in lines if "40" in line], "what is in order is a mark, no sentence"
    start = said.index(" 1 → give it query_range")
    assert said[start + 1 : start + 4] == [
        "   incident: may not sort",
        " 2 → mend it",
        "   incident, problem: one is read only",
    ]


@pytest.mark.parametrize("language", ["en", "es"])
def test_at_80_columns_no_name_is_broken_and_no_line_is_longer(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("interaction_related_record", "sn_customerservice_case", "im_idea_core")
    aspects: tuple[Aspect, ...] = ("read", "query", "columns", "write", "effects")
    found = [Finding("ok", _("clock"), _("The instance's clock agrees with this machine's"))]
    found += [
        Finding("warn", name, "word " * 40, "https://example.com/" + "x" * 90, aspect)
        for name in names
        for aspect in aspects
    ]
    monkeypatch.setattr(services, "check", lambda *_: found)
    monkeypatch.setenv("COLUMNS", "80")
    screen = io.StringIO()
    screen.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdout", screen)
    with speaking(language):
        assert cli.run(["check"]) == 0
    lines = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()).splitlines()
    for name in names:
        (row,) = [line for line in lines if line.startswith(name)]
        assert row.split()[1:6] == ["!"] * 5
        assert row.rstrip().endswith("1 2 3 4 5")
    longer = [line for line in lines if len(line) > 80]
    assert len(longer) == len(aspects), "only an address, which nobody could follow if it were cut"
    assert all("https://" in line for line in longer)


def test_the_sheet_is_asked_for_in_a_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def write(_config: Any, _environment: Any, language: str, *, is_annex: bool) -> str:
        asked.append(language + " annex" * is_annex)
        return "# Page\n"

    monkeypatch.setattr(services, "sheet", write)
    assert cli.run(["check", "--sheet", "--lang", "es"]) == 0
    assert cli.run(["check", "--sheet"]) == 0
    assert cli.run(["check", "--annex"]) == 0
    assert asked == ["es", "en", "en annex"]
    assert capsys.readouterr().out == "# Page\n" * 3


@pytest.mark.parametrize("words", [["--sheet", "--json"], ["--lang", "es"], ["--sheet", "--annex"]])
def test_options_that_do_not_go_together_are_refused(words: list[str]) -> None:
    assert cli.run(["check", *words]) == 64


# ── the page itself ──────────────────────────────────────────────────────────────────────────


RULES = Effects(
    (
        Effect("rule", "task", "Close | children", "after", "state=6"),
        Effect("flow", "incident", "Tell"),
    ),
    ("sysevent_email_action",),
)


def page(nights: Nights = Nights(), language: str = "en", **write_back: Any) -> str:  # noqa: B008 - frozen
    config = Config(
        instance=InstanceSettings(url="https://example.service-now.com", user="svc"),
        write_back=WriteBackSettings(enabled=True, **write_back),
    )
    reads = {"incident": ("sys_id", "number", "state")}
    with speaking(language):
        return sheet(config, reads, ("idea",), {"incident": RULES}, nights)


def test_the_page_names_all_that_is_read_written_and_set_off() -> None:
    text = page()
    assert "1 tables, 3 columns; travesia check --annex names each." in text
    assert "| business rule | Close \\| children | after state=6 | incident |" in text
    assert "| flow | Tell |  | incident |" in text
    assert "**Not seen**, because the account may not read them: sysevent_email_action." in text
    assert "Asked for and not there: idea." in text


def test_the_annex_names_every_column_and_every_effect() -> None:
    config = Config(instance=InstanceSettings(url="https://example.service-now.com", user="svc"))
    text = annex(config, {"incident": ("sys_id", "number", "state")}, {"incident": RULES})
    assert "| incident | sys_id, number, state |" in text
    assert "- u_journey_step (choice)" in text
    assert "| incident | business rule | Close \\| children | after state=6 |" in text
    assert "| incident | flow | Tell |  |" in text


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("via", ["batch", "import_set"])
def test_the_change_request_is_one_page_whatever_the_instance_holds(
    language: str, via: str
) -> None:
    """An A4 page takes some 70 lines of 100 letters in a small print."""
    config = Config(
        instance=InstanceSettings(url="https://example.service-now.com", user="svc"),
        write_back=WriteBackSettings(enabled=True, via=via, window="20:00-06:00"),  # type: ignore[arg-type]
    )
    more = ("sys_user", "sys_user_group", "cmdb_ci_service", "interaction_related_record")
    tables = [*config.extract.tables, *more, *(f"u_table_number_{n}" for n in range(8))]
    reads = {table: [f"column_{n}" for n in range(25)] for table in tables}
    many = Effects(
        tuple(Effect("rule", "task", f"A rule with number {n}", "before") for n in range(60)),
        ("sysevent_email_action",),
    )
    effects = dict.fromkeys(config.write_back.tables, many)
    with speaking(language):
        text = sheet(config, reads, ("idea",), effects, Nights(3, 6000.0, 41.0))
    lines = [row for line in text.splitlines() for row in textwrap.wrap(line, 100) or [""]]
    assert len(lines) <= 72
    assert "travesia check --annex" in text


def test_figures_that_nobody_measured_are_the_limits_and_called_so() -> None:
    text = page(max_records_per_run=700)
    assert "Nothing was measured yet" in text
    assert "| ≤ 700 |" in text


def test_measured_figures_replace_the_limits() -> None:
    text = page(Nights(3, 6000.4, 41.6), batch_size=10)
    assert "| 6000 | 42 |" in text
    # what is always asked, 1 for the table, 2 pages, 2 × 41 for the history, 5 batches
    assert f"| ≈ {measured().fixed + 1 + 2 + 82 + 5} |" in text


def test_the_weekly_requests_are_reckoned_from_the_same_counted_figures() -> None:
    weekly = measured().reconcile_fixed + measured().reconcile_per_table
    assert f"| ≈ {weekly}; all keys every 4 times |" in page()


def test_counted_figures_are_kept_as_they_are_read() -> None:
    load = measured()
    text = measured_text(load, "# What it is.")
    kept = tomllib.loads(text)
    assert kept["tables"] == load.tables
    assert {name: Job(**job) for name, job in kept["jobs"].items()} == load.jobs
    assert 0 < load.fixed < load.jobs[QUIET].requests
    assert load.reconcile_per_table >= 2


def test_the_mean_of_runs_is_called_so() -> None:
    text = page(Nights(3, 6000.4, 41.6), batch_size=10)
    assert "mean of the last 3 whole runs" in text


def test_a_quiet_way_is_told_with_its_tables_and_its_role() -> None:
    text = page(via="import_set", window="20:00-06:00")
    assert "u_journey_in_incident" in text
    assert "import_transformer" in text
    assert "only within 20:00-06:00" in text


def test_the_page_is_written_in_spanish_too() -> None:
    text = page(language="es")
    assert text.startswith("# Solicitud de cambio: Travesía en https://example.service-now.com")
    assert "## Cómo detenerlo" in text


def test_the_figures_come_from_the_last_runs_of_the_store(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for night in range(3):
        site.run()
        site.spoil()
        site.instance.tables["incident"][0]["state"] = str(night + 2)
    assert services._nights(site.config) == Nights(2, 1.0, 1.0)
    past = services._past(site.config)["incident"]
    assert (past.confirmed, past.refused, past.kept) == (2, 0, ())
    assert services._past(Config(store=StoreSettings(path=tmp_path / "none.duckdb"))) == {}


def test_a_refusal_is_remembered_with_its_reason(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.instance.refuse = {"a" * 32}
    site.instance.silent_fields = {"u_journey_band"}
    pipeline.run(site.config, site.instance, mapping(), Options(), threading.Event())
    with open_store(site.config.store.path) as store:
        (found,) = outcomes.list_outcomes(store)
    assert (found.confirmed, found.refused) == (1, 1)
    assert found.kept == ("u_journey_band",)
    assert found.reason == "a business rule said no"
