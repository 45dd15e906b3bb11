"""Rows of our own table, shown on the records at rest; a record's update, sent as its row's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.itsm.base import RecordUpdate
from connector.journey import fields
from connector.journey.rows import TABLE, row_id
from connector.store import beside, records
from connector.store.database import Store, open_store
from connector.write_back.beside import about, read_records, send_rows
from tests.fakes import FakeInstance

NOW = datetime(2026, 11, 1, tzinfo=UTC)
OWN = (fields.STEP, fields.OVERRIDE)
A, B, C = "a" * 32, "b" * 32, "c" * 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "s.duckdb", 112) as opened:
        yield opened


def land(store: Store, table: str, rows: list[dict[str, str]]) -> None:
    columns = sorted({name for row in rows for name in row})
    records.ensure_table(store, table, columns)
    records.land(store, table, columns, rows, "r1")
    records.merge(store, table, NOW, is_by_key=True)


def version(sys_id: str, **values: str) -> dict[str, str]:
    moment = "2026-10-01 08:00:00"
    return {"sys_id": sys_id, "sys_updated_on": moment, "sys_mod_count": "1", **values}


def row(table: str, sys_id: str, **values: str) -> dict[str, str]:
    return version(row_id(table, sys_id), u_table=table, u_record=sys_id, **values)


def shown(store: Store) -> dict[str, tuple[str | None, ...]]:
    columns = ", ".join(OWN)
    return {
        one.pop("sys_id"): tuple(one.values())
        for one in store.read(f"SELECT sys_id, {columns} FROM current.incident ORDER BY 1")
    }


def show(store: Store) -> None:
    beside.show_on_records(store, TABLE, ("u_table", "u_record"), ["incident", "absent"], OWN)


def test_a_record_shows_its_row_and_without_one_nothing(store: Store) -> None:
    old = {fields.STEP: "left by another mode"}
    land(store, "incident", [version(A, **old), version(B, **old), version(C, **old)])
    here = row("incident", A, **{fields.STEP: "usar", fields.OVERRIDE: ""})
    other = row("problem", B, **{fields.STEP: "explorar", fields.OVERRIDE: ""})
    hidden = row("incident", C, **{fields.STEP: "usar"})  # its override is not answered
    land(store, TABLE, [here, other, hidden])
    show(store)
    assert shown(store) == {A: ("usar", ""), B: ("", ""), C: ("usar", None)}
    before = shown(store)
    show(store)
    assert shown(store) == before


def test_an_update_becomes_its_row_and_the_reply_the_records() -> None:
    known = row("incident", A, **{fields.STEP: "explorar"})
    instance = FakeInstance(NOW, {TABLE: [known], "incident": [version(A), version(B)]})
    updates = [RecordUpdate("incident", one, {fields.STEP: "usar"}) for one in (A, B)]
    told = {one.sys_id: about(one, "INC1", is_task=True) for one in updates}
    replies = {reply.sys_id: reply for reply in send_rows(instance, updates, told, "batch")}
    assert {(r.table, r.status) for r in replies.values()} == {("incident", "written")}
    assert all(reply.values == {fields.STEP: "usar"} for reply in replies.values())
    assert [(u.table, u.sys_id, u.values) for u in instance.sent] == [
        (TABLE, row_id("incident", A), {fields.STEP: "usar"})
    ]
    (made,) = instance.created
    assert made == (
        TABLE,
        {
            "sys_id": row_id("incident", B),
            "u_number": "INC1",
            "u_table": "incident",
            "u_record": B,
            "u_task": B,
            fields.STEP: "usar",
        },
    )


def test_what_is_read_again_takes_our_columns_from_the_row() -> None:
    known = row("incident", A, **{fields.STEP: "usar"})
    stale = {fields.STEP: "stands on the ticket since another mode"}
    instance = FakeInstance(
        NOW, {TABLE: [known], "incident": [version(A, **stale), version(B, **stale)]}
    )
    found = read_records(instance, "incident", [A, B], ["sys_id", "sys_mod_count", fields.STEP])
    assert found == [
        {"sys_id": A, "sys_mod_count": "1", fields.STEP: "usar"},
        {"sys_id": B, "sys_mod_count": "1", fields.STEP: ""},
    ]


def test_what_is_no_task_is_not_referred_to_as_one() -> None:
    update = RecordUpdate("interaction", A, {})
    assert "u_task" not in about(update, "IMS1", is_task=False)
