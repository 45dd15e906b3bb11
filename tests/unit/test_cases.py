"""The organisation's own cases: what a mapping says of records that somebody describes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.cases import Difference, Outcome, faults, run_cases
from connector.classify import save_classification
from connector.errors import ConfigError
from connector.journey.cases import read_cases
from connector.store import runs
from tests.journey_kit import NOW, Kit, schema, shipped

CALL = """
[[case]]
name = "a call"
table = "incident"
record = { active = true, state = 2, contact_type = "phone" }
expect = { touchpoint = "phone", step = "usar", steps = { itil4 = "co_create" } }
"""


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    made = Kit(tmp_path)
    yield made
    made.store.close()


def run(
    tmp_path: Path, text: str, name: str = "cases.toml", kit: Kit | None = None
) -> list[Outcome]:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    found = read_cases([file])
    assert not found.problems
    assert not faults(shipped(), found.cases, "travesia")
    store = kit.store if kit else None
    return run_cases(shipped(), found.cases, "travesia", "Europe/Madrid", store)


def problems(tmp_path: Path, text: str, name: str = "cases.toml") -> list[str]:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    found = read_cases([file])
    return [*found.problems, *faults(shipped(), found.cases, "travesia")]


def test_a_case_that_comes_to_its_place_passes(tmp_path: Path) -> None:
    (outcome,) = run(tmp_path, CALL)
    assert outcome.passed
    assert outcome.rule_id == "incident-by-phone"


def test_a_case_that_does_not_says_what_decided_and_what_almost_did(tmp_path: Path) -> None:
    (outcome,) = run(tmp_path, CALL.replace("state = 2", "state = 3, hold_reason = 1"))
    assert not outcome.passed
    assert outcome.differences[0] == Difference("touchpoint", "phone", "wait_for_user")
    assert outcome.rule_id == "incident-waiting-for-user"
    assert all(tested.holds for tested in outcome.conditions)
    assert outcome.almost


def test_a_csv_from_a_spreadsheet_says_the_same(tmp_path: Path) -> None:
    text = (
        "name;table;active;state;contact_type;hold_reason;expect.touchpoint;expect.steps.itil4\n"
        "a call;incident;true;2;phone;;phone;co_create\n"
        "waits;incident;true;3;phone;1;phone;\n"
    )
    first, second = run(tmp_path, text, "cases.csv")
    assert first.passed
    assert not second.passed
    assert second.source == "cases.csv:3"


def test_what_no_rule_decides_is_unclassified(tmp_path: Path) -> None:
    text = CALL.replace('"incident"', '"sysapproval_approver"')
    text = text.split("record")[0] + 'record = { state = "strange" }\nexpect = { rule = "{}" }\n'
    (outcome,) = run(tmp_path, text.replace("{}", "unclassified"))
    assert outcome.passed


def test_a_record_is_tried_by_its_number(tmp_path: Path, kit: Kit) -> None:
    times = {"opened_at": "2026-11-10 08:00:00", "sys_updated_on": "2026-11-10 08:00:00"}
    kit.put("incident", {"sys_id": "a", "number": "INC7", "state": "7", "active": "false", **times})
    columns = [
        {"table_name": t, "element": c, "type": info.type, "label": "", "reference": info.reference}
        | {"is_choice": False, "is_hidden": False}
        for (t, c), info in schema().items()
    ]
    runs.save_dictionary(kit.store, columns, [])
    kit.classify()
    save_classification(kit.store, "r1")
    kit.finish("r1", NOW)
    text = '[[case]]\nnumber = "INC7"\nexpect = { step = "medir", touchpoint = "phone" }\n'
    (outcome,) = run(tmp_path, text, kit=kit)
    assert [one.what for one in outcome.differences] == ["touchpoint"]
    with pytest.raises(ConfigError, match="INC8"):
        run(tmp_path, text.replace("INC7", "INC8"), kit=kit)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("contact_type", "contct_type", "did you mean contact_type?"),
        ('"phone", step', '"fone", step', "there is no touchpoint fone; did you mean phone?"),
        ('step = "usar"', 'step = "usra"', "did you mean usar?"),
        ('"incident"', '"incidnt"', "did you mean incident?"),
        ("expect =", "expected =", "cases.toml:6: unknown key expected; did you mean expect?"),
        ("itil4", "itil5", "did you mean itil4?"),
        ('table = "incident"', 'number = "INC1"\ntable = "incident"', "give the number"),
        ("[[case]]", 'as_of = "soon"\n[[case]]', "as_of is 'soon'"),
        ("[[case]]", "[[case]", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_case_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    found = " ".join(problems(tmp_path, CALL.replace(old, new)))
    assert said in found
    assert "cases.toml" in found


def test_a_case_that_expects_nothing_is_refused(tmp_path: Path) -> None:
    text = CALL.split("expect", maxsplit=1)[0] + "expect = {}\n"
    assert "nothing is expected" in problems(tmp_path, text)[0]


def test_the_head_of_a_csv_is_checked(tmp_path: Path) -> None:
    text = "table,state,expect.touchpiont\nincident,1,phone\n"
    found = problems(tmp_path, text, "c.csv")
    assert found[0].startswith("c.csv:1:")
    assert "did you mean expect.touchpoint?" in found[0]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "No such file" in read_cases([tmp_path / "none.toml"]).problems[0]


@given(text=st.text(max_size=120), name=st.sampled_from(["c.csv", "c.toml"]))
def test_no_text_makes_the_reader_fail(
    tmp_path_factory: pytest.TempPathFactory, text: str, name: str
) -> None:
    file = tmp_path_factory.getbasetemp() / name
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    read_cases([file])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cases.toml", ""),
        ("cases.toml", 'as_of = "2026-11-20 12:00:00"\n'),
        ("cases.csv", ""),
        ("cases.csv", "name,table,state,expect.touchpoint\n"),
    ],
)
def test_a_file_without_a_case_does_not_pass(tmp_path: Path, name: str, text: str) -> None:
    assert problems(tmp_path, text, name) == [f"{name}: there is no case in it"]


def test_a_line_of_a_csv_that_is_too_long_is_told(tmp_path: Path) -> None:
    text = "table,state,expect.step\nincident,2,usar,\nincident,2,usar,phone\n"
    assert problems(tmp_path, text, "cases.csv") == [
        "cases.csv:3: it has more cells than the head has columns"
    ]
