from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.sandbox.database import Database
from connector.sandbox.engine import SandboxError
from connector.sandbox.refusals import DuplicateKeyError, RefusedError
from tests.sandbox_instance import NOW, USER, incident_id, make_instance


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = make_instance(tmp_path).database
    yield database
    database.close()


def audit(database: Database) -> list[tuple[str, ...]]:
    return database.engine.rows(
        "SELECT tablename, documentkey, fieldname, oldvalue, newvalue, user, record_checkpoint "
        "FROM sys_audit ORDER BY rowid"
    )


def test_the_task_hierarchy_is_one_physical_table(database: Database) -> None:
    physical = {t.physical for n, t in database.catalogue.items() if "task" in t.lineage}
    assert physical == {"task"}
    assert set(database.table("task").classes) == {"task", "incident", "sc_task"}
    assert database.engine.rows("SELECT DISTINCT sys_class_name FROM task") == [("incident",)]


def test_loading_keeps_the_given_system_fields_and_leaves_no_audit(database: Database) -> None:
    record = database.get(database.table("incident"), incident_id(3))
    assert record is not None
    assert record["sys_updated_on"] == "2026-11-03 08:00:00"
    assert (record["sys_updated_by"], record["sys_mod_count"]) == ("someone", "0")
    assert audit(database) == []


@pytest.mark.parametrize(
    ("table", "record", "sentence"),
    [
        ("nosuch", {"sys_id": "1"}, "Table nosuch does not exist"),
        ("incident", {"sys_id": "1", "bogus": "x"}, "Table incident has no column bogus"),
        ("incident", {"sys_id": incident_id(1)}, "Table incident was given a sys_id"),
    ],
)
def test_a_seed_that_does_not_fit_is_named(
    database: Database, table: str, record: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SandboxError, match=sentence):
        database.load(table, [{"sys_id": "f" * 32}, record])
    assert database.get(database.table("incident"), "f" * 32) is None


def test_each_changed_field_of_an_audited_table_leaves_a_row(database: Database) -> None:
    table = database.table("incident")
    changes = {"state": "3", "priority": "4", "active": "true"}
    database.update(table, incident_id(1), changes, USER)
    assert audit(database) == [
        ("incident", incident_id(1), "state", "2", "3", USER, "1"),
        ("incident", incident_id(1), "priority", "2", "4", USER, "1"),
    ]


def test_an_audited_record_changed_through_its_base_table_is_audited_as_itself(
    database: Database,
) -> None:
    database.update(database.table("task"), incident_id(1), {"state": "3"}, USER)
    assert audit(database)[0][:3] == ("incident", incident_id(1), "state")


def test_tables_that_are_not_audited_leave_none(database: Database) -> None:
    made = database.insert(database.table("task_sla"), {"task": incident_id(1)}, USER)
    database.update(database.table("task_sla"), made["sys_id"], {"has_breached": "1"}, USER)
    stored = database.get(database.table("task_sla"), made["sys_id"])
    assert stored is not None
    assert stored["has_breached"] == "true", "booleans are kept in the platform's spelling"
    assert audit(database) == []


def test_numbers_go_on_from_the_highest_and_are_not_given_twice(database: Database) -> None:
    table = database.table("incident")
    first = database.insert(table, {}, USER)
    database.delete(table, first["sys_id"], USER)
    assert first["number"] == "INC0000026"
    assert database.insert(table, {}, USER)["number"] == "INC0000027"
    assert database.insert(table, {"number": "MINE1"}, USER)["number"] == "MINE1"
    assert database.insert(database.table("sc_task"), {}, USER)["number"] == "SCTASK0010001"


def test_a_record_made_in_the_base_table_takes_the_class_it_names(database: Database) -> None:
    values = {"sys_class_name": "incident", "priority": "1"}
    made = database.insert(database.table("task"), values, USER)
    assert (made["sys_class_name"], made["priority"]) == ("incident", "1")
    assert made["number"].startswith("INC")


def test_a_record_may_change_class_within_its_hierarchy_only(database: Database) -> None:
    table = database.table("incident")
    database.update(table, incident_id(1), {"sys_class_name": "sys_user"}, USER)
    assert database.get(table, incident_id(1)) is not None
    database.update(table, incident_id(1), {"sys_class_name": "sc_task"}, USER)
    assert database.get(table, incident_id(1)) is None
    assert database.get(database.table("sc_task"), incident_id(1)) is not None


def test_a_broken_transaction_leaves_nothing_not_even_a_column(database: Database) -> None:
    column = {"name": "incident", "element": "u_x", "internal_type": "string"}

    def break_off() -> None:
        with database.transaction():
            database.insert(database.table("sys_dictionary"), column, USER)
            database.update(database.table("incident"), incident_id(1), {"u_x": "1"}, USER)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert "u_x" not in database.table("incident").columns
    database.insert(database.table("sys_dictionary"), column, USER)
    record = database.get(database.table("incident"), incident_id(1))
    assert record is not None
    assert (record["u_x"], record["sys_mod_count"]) == ("", "0")


def test_a_failed_insert_inside_a_transaction_keeps_the_rest(database: Database) -> None:
    table = database.table("incident")
    with database.transaction():
        database.update(table, incident_id(1), {"priority": "1"}, USER)
        with pytest.raises(DuplicateKeyError):
            database.insert(table, {"sys_id": incident_id(2), "comments": "lost"}, USER)
    record = database.get(table, incident_id(1))
    assert record is not None
    assert record["priority"] == "1"
    assert database.engine.rows("SELECT * FROM sys_journal_field") == []


def test_a_column_that_exists_in_the_hierarchy_is_refused(database: Database) -> None:
    column = {"name": "incident", "element": "short_description", "internal_type": "string"}
    with pytest.raises(RefusedError, match=r"incident\.short_description already exists"):
        database.insert(database.table("sys_dictionary"), column, USER)


def test_an_inactive_column_is_not_there(database: Database) -> None:
    rows = database.engine.rows(
        "SELECT sys_id FROM sys_dictionary WHERE name = 'incident' AND element = 'priority'"
    )
    database.update(database.table("sys_dictionary"), rows[0][0], {"active": "false"}, USER)
    assert "priority" not in database.table("incident").columns


def test_reopened_it_goes_on_as_it_was(tmp_path: Path) -> None:
    first = make_instance(tmp_path).database
    first.insert(
        first.table("sys_dictionary"),
        {"name": "incident", "element": "u_x", "internal_type": "string"},
        USER,
    )
    first.clock.advance(NOW + timedelta(hours=5))
    first.update(first.table("incident"), incident_id(1), {"u_x": "kept"}, USER)
    first.engine.close()  # as when the process is killed: nothing is said to the database

    again = Database(tmp_path / "instance.db")
    assert not again.is_new
    assert again.clock.text() == "2026-11-20 17:00:00"
    assert again.clock.frozen
    record = again.get(again.table("incident"), incident_id(1))
    assert record is not None
    assert (record["u_x"], record["sys_updated_on"]) == ("kept", "2026-11-20 17:00:00")
    again.close()


def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "instance.db"
    path.write_text("not a database " * 100, encoding="utf-8")
    with pytest.raises(SandboxError, match=r"instance\.db is not a usable sandbox database"):
        Database(path)


def test_keyset_pages_use_the_index(database: Database) -> None:
    plan = database.engine.rows(
        "EXPLAIN QUERY PLAN SELECT sys_id FROM task AS t WHERE t.sys_class_name IN ('incident') "
        "AND t.sys_updated_on >= '2026-11-05' ORDER BY t.sys_updated_on, t.sys_id LIMIT 5"
    )
    text = " ".join(str(row[3]) for row in plan)
    assert "task_by_class" in text
    assert "TEMP B-TREE" not in text


def test_words_in_a_journal_become_entries_with_author_time_and_the_record_s_own_class(
    database: Database,
) -> None:
    made = database.insert(database.table("incident"), {"comments": "it broke"}, USER)
    said = {"comments": "we are on it"}
    database.update(database.table("task"), made["sys_id"], said, "agent")
    entries = database.engine.records("SELECT * FROM sys_journal_field ORDER BY value DESC")
    told = [(e["name"], e["element"], e["value"], e["sys_created_by"]) for e in entries]
    assert told == [
        ("incident", "comments", "we are on it", "agent"),
        ("incident", "comments", "it broke", USER),
    ]
    assert {e["element_id"] for e in entries} == {made["sys_id"]}
    assert {e["sys_created_on"] for e in entries} == {database.clock.text()}
    record = database.get(database.table("incident"), made["sys_id"])
    assert record is not None
    assert (record["comments"], record["sys_mod_count"]) == ("", "1")


@pytest.mark.parametrize("table", ["task", "incident"])
def test_a_new_column_stands_where_the_dictionary_read_anew_puts_it(
    database: Database, table: str
) -> None:
    row = {"name": table, "element": "u_new", "internal_type": "integer", "column_label": "New"}
    database.insert(database.table("sys_dictionary"), row, USER)
    grown = {name: known.column_names for name, known in database.catalogue.items()}
    columns = dict(database.table("incident").columns)
    database.refresh()
    assert {name: known.column_names for name, known in database.catalogue.items()} == grown
    assert dict(database.table("incident").columns) == columns
    database.insert(database.table("incident"), {"u_new": "7", "number": "INC8"}, USER)
    query = "SELECT u_new FROM task WHERE number = 'INC8'"
    assert database.engine.rows(query) == [("7",)]
