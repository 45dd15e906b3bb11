"""The commands of those who own the mapping: what is asked reaches the bench, answers are told."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector import cli, log, services, workbench
from connector.cases import Difference, Outcome
from connector.contacts import Taken
from connector.coverage import Coverage, FieldValue, Group, RuleHits, StepCoverage, TableCoverage
from connector.errors import ConfigError
from connector.journey import nearly
from connector.journey.model import Mapping, Text
from connector.preview import Preview, Writes
from connector.store.moves import Compared, Moved
from tests.journey_kit import shipped

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MOVE = Moved(
    "incident", "phone", "usar", "complaint", "usar", "incident-by-phone", "ours", 7, ("INC1",)
)
PREVIEW = Preview(
    hash="1a2b3c4d5e6f",
    in_force="feedfeedfeed",
    state="waiting",
    as_of=NOW,
    counted=Compared(100, 7, 2, 3, 1),
    moves=(MOVE,),
    writes=(Writes("incident", 9, 30),),
    is_writing=True,
    records_per_run=5000,
    off=(),
)
VALUE = FieldValue("state", "9", "Odd", 6, 8)
COVERAGE = Coverage(
    hash="1a2b3c4d5e6f",
    as_of=NOW,
    minimum_group=5,
    tables=(TableCoverage("incident", 100, 6, 2),),
    steps=(
        StepCoverage("explorar", Text("Explore", "Explorar"), None),
        StepCoverage("usar", Text("Use", "Usar"), 94),
    ),
    rules=(
        RuleHits("incident", "by-phone", 94, 2, 1, ""),
        RuleHits("incident", "by-fax", 0, 0, 0, "no such column"),
    ),
    values=(("incident", (VALUE,)),),
    groups=(Group("incident", (VALUE,), "state=9", 6, 8),),
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with settings; the mapping is the shipped one, whatever folder is named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    settings = '[instance]\nurl = "http://127.0.0.1:9"\nuser = "u"\n'
    (tmp_path / "travesia.toml").write_text(settings, encoding="utf-8")
    monkeypatch.setattr(services, "mapping_of", lambda *_: shipped())
    yield tmp_path
    log.configure()


def answer(monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> list[tuple[Any, ...]]:
    """Let the bench answer `value`; answers what it is asked."""
    asked: list[tuple[Any, ...]] = []

    def say(*arguments: Any) -> Any:
        asked.append(arguments)
        if isinstance(value, Exception):
            raise value
        return value

    monkeypatch.setattr(workbench, name, say)
    return asked


def test_plan_shows_moves_writes_and_the_hash_to_accept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, "plan", PREVIEW)
    assert cli.run(["plan"]) == 0
    told = capsys.readouterr().out
    for words in (
        "Phone call to the desk (Provide and use)",
        "Complaint or escalation",
        "incident-by-phone → ours",
        "INC1",
        "7 of 100 records would move",
        "Unclassified: 3 → 1",
        "30 fields on 9 records",
        "travesia plan --accept 1a2b3c4d5e6f",
    ):
        assert words in told


def test_plan_says_so_where_nothing_moves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    still = replace(PREVIEW, counted=Compared(100, 0, 0, 0, 0), moves=(), writes=())
    answer(monkeypatch, "plan", replace(still, state="in_force"))
    assert cli.run(["plan"]) == 0
    told = capsys.readouterr().out
    assert "No record would move (100 compared)." in told
    assert "Nothing would have to be written." in told
    assert "This mapping is in force." in told


def test_plan_as_json_has_everything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, "plan", PREVIEW)
    assert cli.run(["plan", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["hash"] == PREVIEW.hash
    assert told["moves"][0]["sample"] == ["INC1"]


def test_a_word_reaches_the_store_with_the_mapping_of_the_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    folders: list[Any] = []

    def mapping_of(_config: Any, folder: Path | None = None) -> Mapping:
        folders.append(folder)
        return shipped()

    monkeypatch.setattr(services, "mapping_of", mapping_of)
    asked = answer(monkeypatch, "accept", None)
    assert cli.run(["plan", "--mappings", str(home / "ours"), "--accept", "1a2b"]) == 0
    assert folders == [home / "ours"]
    assert asked[0][1:] == (shipped(), "1a2b")
    assert "The next sync puts it in force." in capsys.readouterr().out


def test_a_wrong_word_is_a_matter_of_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "accept", ConfigError("--accept", ["not that"]))
    assert cli.run(["plan", "--accept", "beef"]) == 2


FAILED = Outcome(
    "a call",
    "cases.toml:2",
    passed=False,
    rule_id="by-fax",
    differences=(Difference("touchpoint", "phone", ""),),
    conditions=(nearly.Tested("state=2", (("state", "2"),), holds=True),),
    almost=(
        nearly.Considered(
            "by-phone", Text("p", "t"), (nearly.Tested("kind=phone", (("kind", ""),), holds=False),)
        ),
    ),
)


def test_a_failed_case_ends_with_1_and_tells_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = answer(monkeypatch, "try_cases", [FAILED, replace(FAILED, passed=True, name="good")])
    assert cli.run(["mappings", "test", "a.toml", "b.csv"]) == 1
    assert asked[0][2] == [Path("a.toml"), Path("b.csv")]
    out, err = capsys.readouterr()
    assert "✓ good" in out
    assert "✗ a call" in out
    assert "cases.toml:2" in out
    assert "touchpoint: expected phone, found —" in out
    assert "by-phone almost did, but for kind=phone (kind = —)" in out
    assert "1 of 2 cases failed" in err


def test_cases_that_pass_end_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "try_cases", [replace(FAILED, passed=True)])
    assert cli.run(["mappings", "test", "a.toml"]) == 0


def test_coverage_shows_what_the_next_rule_could_ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, "coverage", COVERAGE)
    assert cli.run(["mappings", "coverage"]) == 0
    told = capsys.readouterr().out
    for words in ("6 (6.0%)", "no such column", "9 (Odd)", "state=9", "no source in this tool"):
        assert words in told


def test_rules_are_told_whole_at_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    hits = RuleHits("sn_customerservice_case", "case-waiting-for-customer", 12345, 7, 3, "")
    answer(monkeypatch, "coverage", replace(COVERAGE, rules=(hits,)))
    assert cli.run(["mappings", "coverage"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "case-waiting-for-customer (low" in told
    assert "overruled: 3" in told


def test_coverage_as_csv_is_a_line_for_each_thing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, "coverage", COVERAGE)
    assert cli.run(["mappings", "coverage", "--csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["kind"] for row in rows] == [
        "table",
        "step",
        "step",
        "rule",
        "rule",
        "value",
        "group",
    ]
    assert rows[-1]["rule_or_query"] == "state=9"


def test_coverage_takes_one_form_only() -> None:
    assert cli.run(["mappings", "coverage", "--csv", "--json"]) == 64


def test_contacts_are_taken_over_and_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = answer(monkeypatch, "import_contacts", Taken(3, 2, 1))
    assert cli.run(["contacts", "import", "c.csv"]) == 0
    assert asked[0][2] == Path("c.csv")
    assert "3 contacts, 2 of them new or changed; 1 went" in capsys.readouterr().out


@pytest.mark.parametrize(("language", "head"), [("en", "date,"), ("es", "fecha;")])
def test_the_template_opens_well_in_a_spreadsheet(
    capsys: pytest.CaptureFixture[str], language: str, head: str
) -> None:
    assert cli.run(["contacts", "template", "--lang", language]) == 0
    assert capsys.readouterr().out.startswith("\ufeff" + head)
