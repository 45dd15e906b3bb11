"""Journal and audit entries: of the records that changed, by key, and never a text."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.context import Run
from connector.extract_history import HistoryRead, Source, read_history
from connector.itsm.base import Record
from connector.journey.model import History
from connector.store import history, records
from connector.store.database import Store, open_store
from tests.fakes import FakeInstance

MARK = datetime(2026, 11, 20, 12, tzinfo=UTC)
JOURNAL = Source(
    History("sys_journal_field", "element_id"),
    ("sys_id", "name", "element_id", "element", "sys_created_on", "sys_created_by"),
    "elementINcomments,work_notes",
)
AUDIT = Source(
    History("sys_audit", "documentkey", "tablename"),
    ("sys_id", "documentkey", "tablename", "fieldname", "oldvalue", "newvalue", "sys_created_on"),
    "fieldnameINstate",
)
COLUMNS = ("active", "closed_at")


def entry(sys_id: str, record: str, when: str = "2026-11-20 09:00:00") -> Record:
    return {
        "sys_id": sys_id,
        "name": "incident",
        "element_id": record,
        "element": "comments",
        "value": "my password is hunter2",
        "sys_created_on": when,
        "sys_created_by": "ana",
    }


def change(sys_id: str, record: str, field: str = "state", table: str = "incident") -> Record:
    return {
        "sys_id": sys_id,
        "documentkey": record,
        "tablename": table,
        "fieldname": field,
        "oldvalue": "1",
        "newvalue": "2",
        "sys_created_on": "2026-11-20 09:00:00",
    }


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "s.duckdb") as opened:
        records.ensure_table(opened, "incident", COLUMNS)
        yield opened


def put(store: Store, sys_id: str, count: int = 1, **values: str) -> None:
    row = {"active": "true", "closed_at": "", **values}
    store.execute("DELETE FROM current.incident WHERE sys_id = $id", id=sys_id)
    store.execute(
        "INSERT INTO current.incident (sys_id, sys_updated_on, sys_mod_count, active, closed_at)"
        " VALUES ($id, $on, $count, $active, $closed)",
        id=sys_id,
        on=f"2026-11-20 10:{count:02}:00",
        count=str(count),
        active=row["active"],
        closed=row["closed_at"],
    )


class Told(FakeInstance):
    """An instance whose journal and audit are given."""

    def __init__(self, journal: list[Record], audit: list[Record] | None = None) -> None:
        tables = {"sys_journal_field": journal, "sys_audit": audit or [], "incident": []}
        super().__init__(MARK, tables)

    def asked(self) -> int:
        """Requests since the last look."""
        count = len(self.queries)
        self.queries.clear()
        return count


def read(
    store: Store, instance: FakeInstance, *sources: Source, only: Sequence[tuple[str, str]] = ()
) -> HistoryRead:
    run = Run(store, instance, "r1", threading.Event())
    kept = timedelta(days=180)
    return read_history(run, sources or (JOURNAL,), ["incident"], MARK, kept, only)


def entries(store: Store, table: str = "sys_journal_field") -> list[str]:
    return [r["sys_id"] for r in store.read(f"SELECT sys_id FROM current.{table} ORDER BY 1")]


def test_only_records_that_changed_are_asked_for_again(store: Store) -> None:
    instance = Told([entry("e1", "a"), entry("e2", "b")])
    put(store, "a")
    put(store, "b")
    read(store, instance)
    assert entries(store) == ["e1", "e2"]
    instance.asked()
    read(store, instance)
    assert instance.asked() == 0
    instance.tables["sys_journal_field"].append(entry("e3", "b"))
    put(store, "b", count=2)
    read(store, instance)
    assert instance.queries == [
        (
            "sys_journal_field",
            "elementINcomments,work_notes^element_idINb^sys_created_on<=2026-11-20 12:00:00",
        )
    ]
    assert entries(store) == ["e1", "e2", "e3"]


def test_keys_go_in_few_requests(store: Store) -> None:
    instance = Told([entry("e1", "r0001")])
    for n in range(301):
        put(store, f"r{n:04}")
    read(store, instance)
    # A look whether anything shows must not ask for all at once: no server takes such an address.
    assert max(query.count("r0") for _table, query in instance.queries) <= 150
    assert instance.asked() <= 4  # one look whether anything shows, then 150, 150 and 1


def test_no_text_is_ever_asked_for_or_kept(store: Store) -> None:
    greedy = Source(JOURNAL.spec, JOURNAL.columns, JOURNAL.where)
    put(store, "a")
    read(store, Told([entry("e1", "a")]), greedy)
    assert "hunter2" not in str(store.read("FROM current.sys_journal_field"))


def test_only_the_fields_that_the_mapping_names_are_read_of_the_audit(store: Store) -> None:
    put(store, "a")
    rows = [change("c1", "a"), change("c2", "a", "description"), change("c3", "a", table="task")]
    read(store, Told([], rows), AUDIT)
    assert entries(store, "sys_audit") == ["c1"]


def test_an_entry_later_than_the_mark_comes_with_the_version_that_it_made(store: Store) -> None:
    late = entry("e2", "a", "2026-11-20 12:00:01")
    instance = Told([entry("e1", "a"), late])
    put(store, "a")
    read(store, instance)
    assert entries(store) == ["e1"]


def test_a_version_after_the_mark_is_read_again_by_the_next_run(store: Store) -> None:
    instance = Told([entry("e1", "a")])
    put(store, "a")
    store.execute("UPDATE current.incident SET sys_updated_on = '2026-11-20 12:00:01'")
    read(store, instance, only=[("incident", "a")])
    assert store.value("SELECT count(*) FROM history_read") == 1, "known as far as it was read"
    instance.asked()
    read(store, instance)
    assert instance.asked() == 1


def test_what_is_closed_long_ago_is_neither_read_nor_kept(store: Store) -> None:
    instance = Told([entry("e1", "a"), entry("e2", "b")])
    put(store, "a")
    put(store, "b", active="false", closed_at="2026-01-01 00:00:00")
    read(store, instance)
    assert entries(store) == ["e1"]
    put(store, "a", count=2, active="false", closed_at="2026-01-01 00:00:00")
    read(store, instance)
    assert entries(store) == []


def test_the_history_of_a_record_that_is_no_more_goes_with_it(store: Store) -> None:
    instance = Told([entry("e1", "a"), entry("e2", "b")])
    put(store, "a")
    put(store, "b")
    read(store, instance)
    records.remove(store, "incident", ["a"])
    read(store, instance)
    assert entries(store) == ["e2"]
    assert store.value("SELECT count(*) FROM history_read") == 1


def test_a_source_that_may_not_be_read_is_one_line_and_the_other_works(store: Store) -> None:
    instance = Told([entry("e1", "a")], [change("c1", "a")])
    instance.hidden.add("sys_audit")
    put(store, "a")
    store.execute("INSERT INTO dictionary (table_name, element) VALUES ('sys_audit', 'user')")
    found = read(store, instance, AUDIT, JOURNAL)
    assert len(found.messages) == 1
    assert found.messages[0].startswith("sys_audit cannot be read (403)")
    assert found.entries == {"sys_journal_field": 1}
    assert store.value("SELECT is_hidden FROM dictionary")
    instance.hidden.clear()
    assert read(store, instance, AUDIT, JOURNAL).messages == []
    assert entries(store, "sys_audit") == ["c1"]


def test_a_source_that_shows_no_row_is_not_taken_for_an_empty_one(store: Store) -> None:
    instance = Told([])
    put(store, "a")
    assert "shows no entry" in read(store, instance).messages[0]
    instance.tables["sys_journal_field"].append(entry("e1", "a"))
    assert read(store, instance).messages == []
    assert entries(store) == ["e1"]


def test_our_own_write_asks_for_nothing_but_a_foreign_one_beside_it_does(store: Store) -> None:
    instance = Told([entry("e1", "a"), entry("e2", "b")])
    put(store, "a")
    put(store, "b")
    read(store, instance)
    instance.asked()
    replies = [
        {"sys_id": "a", "sys_updated_on": "2026-11-20 12:00:05", "sys_mod_count": "2"},
        {"sys_id": "b", "sys_updated_on": "2026-11-20 12:00:05", "sys_mod_count": "3"},
    ]
    history.follow(store, "incident", replies)
    records.take_seen(store, "incident", ["sys_updated_on", "sys_mod_count"], replies)
    read(store, instance)
    assert [query for _table, query in instance.queries] == [
        "elementINcomments,work_notes^element_idINb^sys_created_on<=2026-11-20 12:00:00"
    ]
