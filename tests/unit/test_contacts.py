"""Contacts that no tool records: a file that people keep becomes records like any other."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import contacts
from connector.check import check_contacts
from connector.classify import classify
from connector.errors import ConfigError
from connector.journey.contacts import (
    TEMPLATES,
    Line,
    contact_touchpoints,
    decode,
    keys_of,
    read_contacts,
)
from connector.store import records, tombstones
from tests.journey_kit import NOW, Kit, schema, shipped

TOUCHPOINTS = contact_touchpoints(shipped())
HEAD = "date,department,touchpoint,promise_due,promise_kept\n"


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    made = Kit(tmp_path)
    for table, *names in (
        ("cmn_department", "Finance", "Legal", "Sales", "Sales"),
        ("core_company", "Acme"),
        ("cmdb_ci_service", "E-mail"),
    ):
        records.ensure_table(made.store, table, ["sys_id", "name"])
        for number, name in enumerate(names):
            made.store.execute(
                f"INSERT INTO current.{table} (sys_id, name) VALUES ($id, $name)",
                id=f"{table}{number}",
                name=name,
            )
    yield made
    made.store.close()


def read(text: str) -> tuple[Line, ...]:
    found = read_contacts(text, "c.csv", TOUCHPOINTS)
    assert found.problems == ()
    return found.lines


def problems(text: str) -> tuple[str, ...]:
    found = read_contacts(text, "c.csv", TOUCHPOINTS)
    assert found.lines == ()
    return found.problems


def take(kit: Kit, folder: Path, text: str) -> contacts.Taken:
    file = folder / "contacts.csv"
    file.write_text(text, encoding="utf-8")
    return contacts.take_file(kit.store, shipped(), file, NOW, "r1")


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_template_is_a_file_that_can_be_read(language: str) -> None:
    (line,) = read(TEMPLATES[language])
    assert (line.date, line.touchpoint) == ("2026-11-05", "service_review")
    assert (line.promise_due, line.kept) == ("2026-12-01", "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_file_from_a_spanish_excel_is_read_as_it_comes(encoding: str) -> None:
    text = TEMPLATES["es"].replace("\n", "\r\n").replace("Finanzas", "Formación")
    (line,) = read(decode(text.encode(encoding)))
    assert line.department == "Formación"
    assert line.number == 2


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="not text"):
        decode(b"PK\x03\x04\x00\x00")


def test_every_fault_is_told_at_once_with_its_line() -> None:
    text = (
        HEAD
        + "2026-13-01,Finance,complaint,,\n"
        + "\n"
        + "2026-11-01,,complaint,,\n"
        + "01/11/2026,Finance,complaynt,31/02/2026,perhaps\n"
        + "2026-11-01,Finance,compliment,,,more\n"
    )
    found = problems(text)
    assert [problem.split(" ", 1)[0] for problem in found] == [
        "c.csv:2:",
        "c.csv:4:",
        *["c.csv:5:"] * 3,
        "c.csv:6:",
    ]
    assert "did you mean complaint?" in " ".join(found)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("date,departmnt,touchpoint", "did you mean department?"),
        ("date,department", "the column touchpoint is missing"),
        ("date,fecha,department,touchpoint", "stands twice"),
        ("", "empty"),
    ],
)
def test_a_wrong_head_is_told_before_anything_else(head: str, said: str) -> None:
    assert said in " ".join(problems(head + "\nx,y,z\n" if head else " \n"))


def test_a_text_over_two_lines_does_not_move_the_numbers() -> None:
    head = "date,department,touchpoint,summary\n"
    text = head + '2026-11-01,Finance,complaint,"two\nlines"\n2026-11-02,Finance,nothing,\n'
    assert problems(text)[0].startswith("c.csv:4:")


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    found = read_contacts(text, "c.csv", TOUCHPOINTS)
    assert not (found.lines and found.problems)


def test_ids_stay_when_a_promise_is_kept_and_lines_change_places() -> None:
    first = read(HEAD + "2026-11-01,Finance,complaint,2026-11-10,\n2026-11-02,Legal,training,,\n")
    later = read(HEAD + "2/11/2026,legal,training,,\n1/11/2026,Finance,complaint,10/11/2026,sí\n")
    assert keys_of(first) == keys_of(later)[::-1]


def test_two_equal_lines_are_two_contacts() -> None:
    line = "2026-11-01,Finance,complaint,,\n"
    assert len(set(keys_of(read(HEAD + line + line)))) == 2


def test_check_reads_the_file_too(tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    assert check_contacts(file, shipped())[0].level == "error"
    file.write_text(TEMPLATES["es"], encoding="cp1252")
    (fine,) = check_contacts(file, shipped())
    assert (fine.level, fine.sentence) == ("ok", "1 contact can be read")
    file.write_text(HEAD + "soon,Finance,complaint,,\n", encoding="utf-8")
    (fault,) = check_contacts(file, shipped())
    assert fault.level == "error"
    assert "contacts.csv:2:" in fault.sentence


def test_lines_become_records_with_the_tools_own_ids(kit: Kit, tmp_path: Path) -> None:
    text = "date,department,company,service,touchpoint\n2026-11-02,Finance,,E-mail,complaint\n"
    assert take(kit, tmp_path, text) == contacts.Taken(1, 1, 0)
    row = kit.store.read("SELECT * FROM current.u_journey_contact")[0]
    assert row["u_customer"] == "cmn_department0"
    assert row["u_service"] == "cmdb_ci_service0"
    assert row["u_company"] == ""
    assert row["sys_id"].startswith("csv")


def test_nothing_of_the_texts_is_kept(kit: Kit, tmp_path: Path) -> None:
    text = "date,department,touchpoint,summary,promise\n2026-11-02,Finance,complaint,Ann wept,Tea\n"
    take(kit, tmp_path, text)
    row = kit.store.read("SELECT * FROM current.u_journey_contact")[0]
    assert not {"Ann wept", "Tea"} & set(row.values())


def test_a_name_that_the_tool_lacks_or_has_twice_is_refused(kit: Kit, tmp_path: Path) -> None:
    text = HEAD + "2026-11-02,Finanse,complaint,,\n2026-11-02,Sales,complaint,,\n"
    with pytest.raises(ConfigError) as refused:
        take(kit, tmp_path, text)
    first, second = refused.value.problems
    assert first.startswith("contacts.csv:2:")
    assert "did you mean Finance?" in first
    assert second.startswith("contacts.csv:3: 2 records")


def test_a_faulty_file_changes_nothing(kit: Kit, tmp_path: Path) -> None:
    take(kit, tmp_path, HEAD + "2026-11-02,Finance,complaint,,\n")
    with pytest.raises(ConfigError):
        take(kit, tmp_path, HEAD + "2026-11-02,Nobody,complaint,,\n")
    assert kit.store.value("SELECT count(*) FROM current.u_journey_contact") == 1


def test_a_line_that_is_gone_takes_its_contact_away(kit: Kit, tmp_path: Path) -> None:
    lines = ["2026-11-02,Finance,complaint,,\n", "2026-11-03,Legal,training,,\n"]
    kept = "toolsown"
    records.ensure_table(kit.store, contacts.TABLE, contacts.COLUMNS)
    kit.store.execute(
        f"INSERT INTO current.{contacts.TABLE} (sys_id, u_date) VALUES ($id, '2026-11-01')", id=kept
    )
    take(kit, tmp_path, HEAD + "".join(lines))
    assert take(kit, tmp_path, HEAD + lines[1]) == contacts.Taken(1, 0, 1)
    dates = kit.store.read("SELECT u_date FROM current.u_journey_contact ORDER BY 1")
    assert [row["u_date"] for row in dates] == ["2026-11-01", "2026-11-03"]
    assert take(kit, tmp_path, HEAD) == contacts.Taken(0, 0, 1)


def test_reading_the_same_file_again_changes_nothing(kit: Kit, tmp_path: Path) -> None:
    text = HEAD + "2026-11-02,Finance,complaint,2026-11-30,\n"
    take(kit, tmp_path, text)
    before = kit.store.read("SELECT * FROM current.u_journey_contact")
    assert take(kit, tmp_path, text) == contacts.Taken(1, 0, 0)
    assert kit.store.read("SELECT * FROM current.u_journey_contact") == before


def test_the_sweep_does_not_take_lines_of_a_file_for_deletions(kit: Kit, tmp_path: Path) -> None:
    take(kit, tmp_path, HEAD + "2026-11-02,Finance,complaint,,\n")
    tombstones.begin(kit.store)
    assert tombstones.list_missing(kit.store, contacts.TABLE) == []


def test_contacts_are_placed_and_a_promise_fails_by_time_alone(kit: Kit, tmp_path: Path) -> None:
    text = HEAD + (
        "2026-11-02,Finance,relationship_meeting,2026-11-25,\n"
        "2026-11-03,Finance,service_review,2026-11-10,yes\n"
        "2026-12-24,Finance,training,,\n"
    )
    take(kit, tmp_path, text)
    assert placed(kit, NOW) == [
        ("2026-11-02", "entender", "relationship_meeting", ""),
        ("2026-11-03", "medir", "service_review", ""),
        ("2026-12-24", None, "", ""),
    ]
    assert placed(kit, NOW + timedelta(days=6))[0][3] == "failed"
    assert placed(kit, NOW + timedelta(days=34))[2][1] == "preparar"


def placed(kit: Kit, now: datetime) -> list[tuple[str, str | None, str, str]]:
    classify(kit.store, shipped(), {**schema(), **contacts.schema()}, now, "r1", "Europe/Madrid")
    rows = kit.store.read(
        "SELECT u_date, c.steps['travesia'] AS step, touchpoint, outcome FROM classified c"
        " JOIN current.u_journey_contact r USING (sys_id) ORDER BY 1"
    )
    return [(r["u_date"], r["step"], r["touchpoint"], r["outcome"]) for r in rows]
