"""`travesia provision`: one way at a time, a plan a person can read, an update set as files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector import cli, provisioning
from connector.messages import speaking
from connector.provision import Artefact, Provisioning, Scope, Step
from connector.provision.wanted import ORDER

SETTINGS = '[instance]\nurl = "https://example.service-now.com"\nuser = "u"\n'
COLUMN = Artefact("sys_dictionary", "a" * 32, {"name": "incident", "element": "u_journey_why"})
CHOICE = Artefact(
    "sys_choice",
    "b" * 32,
    {"name": "incident", "element": "u_journey_step", "value": "usar", "language": "es"},
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "travesia.toml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path


def answer(result: Provisioning, asked: list[tuple[Scope, bool]]) -> Callable[..., Provisioning]:
    def act(_config: Any, _environment: Any, scope: Scope, *, apply: bool) -> Provisioning:
        asked.append((scope, apply))
        return result

    return act


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--apply", "--remove"], "only one of --apply, --remove at a time"),
        (["--plan", "--update-set", "x.xml"], "only one of --plan, --update-set at a time"),
        (["--yes"], "--yes goes with --remove"),
        (["--update-set", ""], "--update-set needs the name of a file"),
    ],
)
def test_one_way_at_a_time(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["provision", *options]) == 64
    assert said in capsys.readouterr().err


def test_a_short_plan_is_told_name_by_name_with_what_was(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = (
        Step("update", CHOICE, "c" * 32, {"label": "Usar"}, {"label": "Uso"}),
        Step("create", COLUMN, COLUMN.sys_id, COLUMN.fields),
    )
    plan = Provisioning(steps, (), (), ("sys_process_flow",), ("incident.u_journey_step = old",))
    monkeypatch.setattr(provisioning, "provision", answer(plan, []))
    assert cli.run(["provision", "--plan"]) == 0
    out = capsys.readouterr().out
    assert "~ sys_choice: incident.u_journey_step = usar (es) (label: 'Uso' → 'Usar')" in out
    assert "+ sys_dictionary: incident.u_journey_why" in out
    assert "closes them to us: sys_process_flow" in out
    assert "records may hold them: incident.u_journey_step = old" in out
    assert cli.run(["provision", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["steps"][0]["changed"] == {"label": "Usar"}


def test_access_controls_are_counted_by_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    controls = [
        Artefact("sys_security_acl", f"{n:032x}", {"name": name, "operation": "write"})
        for n, name in enumerate(("incident.u_journey_why", "incident.u_journey_step", "u_journey"))
    ]
    steps = tuple(Step("create", one, one.sys_id, one.fields) for one in controls)
    monkeypatch.setattr(provisioning, "provision", answer(Provisioning(steps), []))
    assert cli.run(["provision"]) == 0
    assert "incident (2), u_journey (1)" in capsys.readouterr().out


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_kind_has_a_name_for_people(
    language: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("connector.cli.provision.NAMED", 0)
    fields = {"name": "u_journey", "target_table": "incident"}
    every = [Artefact(table, f"{n:032x}", fields) for n, table in enumerate(ORDER)]
    steps = tuple(Step("create", one, one.sys_id, one.fields) for one in every)
    monkeypatch.setattr(provisioning, "provision", answer(Provisioning(steps), []))
    with speaking(language):
        assert cli.run(["provision"]) == 0
    out = capsys.readouterr().out
    assert [table for table in ORDER if table in out] == []
    assert {"en": "Colours of values", "es": "Colores de valores"}[language] in out


@pytest.mark.parametrize("skipped", [(), ("sys_report",)])
def test_everything_is_there_only_as_far_as_it_could_be_seen(
    skipped: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = Provisioning((), skipped=skipped)
    monkeypatch.setattr(provisioning, "provision", answer(plan, []))
    assert cli.run(["provision"]) == 0
    narrow = "everything that this account can see: nothing to make"
    assert (narrow in capsys.readouterr().out) is bool(skipped)


def test_removal_shows_first_and_removes_only_with_yes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[Scope, bool]] = []
    plan = Provisioning((Step("delete", COLUMN, COLUMN.sys_id),))
    monkeypatch.setattr(provisioning, "unprovision", answer(plan, asked))
    assert cli.run(["provision", "--remove"]) == 0
    assert "- sys_dictionary: incident.u_journey_why" in (out := capsys.readouterr().out)
    assert "Nothing was removed yet" in out
    assert cli.run(["provision", "--remove", "--yes"]) == 0
    assert "1 thing of ours was taken out." in capsys.readouterr().out
    assert [is_done for _scope, is_done in asked] == [False, True]


def test_nothing_of_ours_is_said_only_where_all_could_be_seen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for skipped in ((), ("sys_report",)):
        plan = Provisioning((), skipped=skipped)
        monkeypatch.setattr(provisioning, "unprovision", answer(plan, []))
        assert cli.run(["provision", "--remove"]) == 0
        out = capsys.readouterr().out
        assert ("Nothing of ours is in the instance." in out) is (not skipped)
        assert ("closes them to us: sys_report" in out) is bool(skipped)
        assert ("nothing of ours that this account can see" in out) is bool(skipped)


def test_tables_and_protection_are_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Scope, bool]] = []
    monkeypatch.setattr(provisioning, "provision", answer(Provisioning(()), asked))
    assert cli.run(["provision", "--table", "problem", "--editable"]) == 0
    assert cli.run(["provision", "--apply"]) == 0
    (narrow, _), (usual, is_done) = asked
    assert (narrow.tables, narrow.protect) == (("problem",), False)
    assert usual.protect
    assert is_done
    assert "incident" in usual.tables


def test_a_table_named_twice_is_taken_once_in_its_order(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Scope, bool]] = []
    monkeypatch.setattr(provisioning, "provision", answer(Provisioning(()), asked))
    twice = [f"--table={name}" for name in ("problem", "incident", "problem")]
    assert cli.run(["provision", *twice]) == 0
    named = 'tables = ["sc_task", "incident", "sc_task"]\n'
    (home / "travesia.toml").write_text(f"{SETTINGS}[write_back]\n{named}", encoding="utf-8")
    assert cli.run(["provision"]) == 0
    taken = [scope.tables for scope, _is_done in asked]
    assert taken == [("problem", "incident"), ("sc_task", "incident")]
    assert cli.run(["provision", "--update-set", "once.xml", "--table", "incident"]) == 0
    assert cli.run(["provision", "--update-set", "x.xml", *(["--table", "incident"] * 2)]) == 0
    assert (home / "x.xml").read_bytes() == (home / "once.xml").read_bytes()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("sys_user", "sys_user is only ever read"),
        ("task_sla", "task_sla is only ever read"),
        ("u_journey", "u_journey is a table of ours"),
        ("u_journey_in_incident", "u_journey_in_incident is a table of ours"),
        ("task", "a column of task is on every table that extends it"),
        ("incident^x", "'incident^x' is no table name"),
        ("", "'' is no table name"),
    ],
)
@pytest.mark.parametrize("way", ["--plan", "--apply", "--update-set=x.xml"])
def test_a_table_that_is_never_written_is_refused_before_anything_is_asked(
    table: str, said: str, way: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["provision", way, "--table", "incident", "--table", table]) == 2
    assert f"--table: {said}" in capsys.readouterr().err
    assert not (home / "x.xml").exists()


def test_an_update_set_is_written_with_a_sheet_in_each_language_and_asks_nobody(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["provision", "--update-set", "journey.xml"]) == 0
    assert "journey.es.md" in capsys.readouterr().out
    first = (home / "journey.xml").read_bytes()
    assert b"sn_customerservice_case" not in first, "tables of plug-ins only where they are named"
    assert b"<name>sys_dictionary_problem_u_journey_step</name>" in first
    assert "## Back-out" in (home / "journey.en.md").read_text(encoding="utf-8")
    assert "## Vuelta atrás" in (home / "journey.es.md").read_text(encoding="utf-8")
    assert cli.run(["provision", "--update-set", "journey.xml"]) == 0
    assert (home / "journey.xml").read_bytes() == first
    assert cli.run(["provision", "--update-set", "d.xml", "--table", "dmn_demand"]) == 0
    assert b"sys_dictionary_dmn_demand_u_journey_step" in (home / "d.xml").read_bytes()


def test_a_folder_that_cannot_be_written_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("taken").write_text("a file", encoding="utf-8")
    assert cli.run(["provision", "--update-set", "taken/x.xml", "--table", "incident"]) == 1
    assert "taken/x.xml cannot be written" in capsys.readouterr().err
