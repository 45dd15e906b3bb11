"""Extraction: cursors move with their pages, nothing is lost or doubled, and it can be stopped."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.context import Run
from connector.errors import ConfigError, InterruptedRunError, UnavailableError
from connector.extract import (
    Extracted,
    Reading,
    extract_table,
    stored_schema,
)
from connector.extract_record import extract_records
from connector.itsm.base import Cursor, Page
from connector.journey.model import Edge, Mapping
from connector.store import runs
from connector.store.database import Store, open_store
from tests.fakes import FakeInstance

MARK = datetime(2026, 11, 20, 12, tzinfo=UTC)
COLUMNS = ("sys_id", "sys_updated_on", "sys_mod_count", "number", "state")
READING = Reading(lag=timedelta(minutes=10))


def row(sys_id: str, minute: int, **values: str) -> dict[str, str]:
    return {
        "sys_id": sys_id,
        "sys_updated_on": f"2026-11-20 10:{minute:02}:00",
        "sys_mod_count": "0",
        "number": f"INC{sys_id}",
        "state": "1",
        **values,
    }


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "s.duckdb") as opened:
        yield opened


def run_on(store: Store, instance: FakeInstance) -> Run:
    return Run(store, instance, "r1", threading.Event())


def read(run: Run, reading: Reading = READING, columns: tuple[str, ...] = COLUMNS) -> Extracted:
    return extract_table(run, "incident", columns, MARK, reading)


def held(store: Store) -> list[str]:
    return [r["sys_id"] for r in store.read("SELECT sys_id FROM current.incident ORDER BY 1")]


def test_a_second_reading_starts_the_lag_under_the_cursor_and_finds_nothing_new(
    store: Store,
) -> None:
    instance = FakeInstance(MARK, {"incident": [row("a", 1), row("b", 30), row("c", 31)]})
    run = run_on(store, instance)
    assert read(run).new == 3
    again = read(run)
    assert instance.read[-1][1] == Cursor("2026-11-20 10:21:00")
    assert (again.read, again.landed, again.new, again.changed) == (2, 0, 0, 0)


def test_an_update_is_read_and_nothing_else_is_new(store: Store) -> None:
    instance = FakeInstance(MARK, {"incident": [row("a", 1), row("b", 2)]})
    run = run_on(store, instance)
    read(run)
    instance.tables["incident"][0].update(
        state="6", sys_updated_on="2026-11-20 11:00:00", sys_mod_count="1"
    )
    assert read(run).changed == 1
    assert held(store) == ["a", "b"]


class BreaksAfter(FakeInstance):
    """Answers some pages, then the connection is gone."""

    pages = 1

    def list_pages(self, *args: object, **kwargs: object) -> Iterator[Page]:
        for n, page in enumerate(super().list_pages(*args, **kwargs)):  # type: ignore[arg-type]  # passed through
            if n == self.pages:
                raise UnavailableError("gone", method="GET", path="/api/now/table/incident")
            yield page


def test_what_landed_before_a_failure_stays_and_the_next_run_goes_on_there(store: Store) -> None:
    rows = [row(i, n) for n, i in enumerate("abcdef")]
    broken = BreaksAfter(MARK, {"incident": rows})
    with pytest.raises(UnavailableError):
        read(run_on(store, broken))
    cursor = runs.read_cursor(store, "incident")
    assert cursor is not None
    assert (cursor.sys_id, cursor.is_complete) == ("b", False)
    healthy = FakeInstance(MARK, {"incident": rows})
    read(run_on(store, healthy), Reading(lag=timedelta(0)))
    assert healthy.read[0][1].updated_on == "2026-11-20 10:01:00"
    assert held(store) == list("abcdef")


def test_a_stop_takes_effect_between_two_pages(store: Store) -> None:
    run = run_on(store, FakeInstance(MARK, {"incident": [row(i, 1) for i in "abcde"]}))
    run.stop.set()
    with pytest.raises(InterruptedRunError):
        read(run)
    assert store.value("SELECT count(*) FROM landing.incident") == 2


def test_a_newly_needed_column_reads_the_table_from_the_start(store: Store) -> None:
    rows = [row("a", 1, category="network"), row("b", 40, category="")]
    instance = FakeInstance(MARK, {"incident": rows})
    run = run_on(store, instance)
    read(run)
    read(run, columns=(*COLUMNS, "category"))
    assert instance.read[-1][1] == Cursor()
    values = store.read("SELECT category FROM current.incident ORDER BY sys_id")
    assert [v["category"] for v in values] == ["network", ""]


def test_our_columns_are_read_on_every_record_once_they_are_provisioned(store: Store) -> None:
    instance = FakeInstance(MARK, {"incident": [row("a", 1), row("b", 40)]})
    run = run_on(store, instance)
    read(run)
    for record in instance.tables["incident"]:
        record["u_journey_step"] = ""
    read(run, columns=(*COLUMNS, "u_journey_step"))
    assert instance.read[-1][1] == Cursor()
    assert store.value("SELECT count(u_journey_step) FROM current.incident") == 2


def test_since_only_ever_reads_more_and_full_reads_everything(store: Store) -> None:
    instance = FakeInstance(MARK, {"incident": [row("a", 1), row("b", 40)]})
    run = run_on(store, instance)
    late = Reading(lag=timedelta(0), since=datetime(2026, 11, 20, 10, 30, tzinfo=UTC))
    assert read(run, late).new == 2
    read(run, Reading(lag=timedelta(0), since=datetime(2026, 11, 20, 10, tzinfo=UTC)))
    assert instance.read[-1][1] == Cursor("2026-11-20 10:00:00")
    read(run, Reading(lag=timedelta(0), since=datetime(2026, 11, 20, 11, tzinfo=UTC)))
    assert instance.read[-1][1] == Cursor("2026-11-20 10:40:00")
    cursor = runs.read_cursor(store, "incident")
    assert cursor is not None
    assert cursor.sys_id == "b"
    read(run, Reading(lag=timedelta(0), full=True))
    assert instance.read[-1][1] == Cursor()


def hide(instance: FakeInstance, column: str) -> None:
    instance.tables["incident"] = [
        {k: v for k, v in record.items() if k != column} for record in instance.tables["incident"]
    ]


def test_a_column_that_is_never_answered_is_noted_as_hidden(store: Store) -> None:
    instance = FakeInstance(MARK, {"incident": [row("a", 1), row("b", 2)]})
    hide(instance, "state")
    store.execute(
        "INSERT INTO dictionary VALUES ('incident', 'state', 'integer', '', '', false, false)"
    )
    read(run_on(store, instance))
    assert runs.mark_hidden(store, ["incident"]) == {"incident": ["state"]}
    assert stored_schema(store) == {}


def test_a_column_that_is_taken_away_stops_its_table_and_empties_nothing(store: Store) -> None:
    instance = FakeInstance(MARK, {"incident": [row("a", 1), row("b", 40)]})
    run = run_on(store, instance)
    read(run)
    hide(instance, "state")
    for _night in range(2):
        found = read(run)
        assert found.lost_columns == ("state",)
        assert store.value("SELECT count(state) FROM current.incident") == 2
    assert read(run, Reading(lag=timedelta(0), full=True)).lost_columns == ()
    assert store.value("SELECT count(state) FROM current.incident") == 0


def test_a_column_that_comes_back_is_read_on_every_record(store: Store) -> None:
    instance = FakeInstance(MARK, {"incident": [row("a", 1), row("b", 40)]})
    shown = [dict(record) for record in instance.tables["incident"]]
    hide(instance, "state")
    run = run_on(store, instance)
    read(run)
    instance.tables["incident"] = shown
    read(run)
    assert store.value("SELECT count(state) FROM current.incident") == 2


def test_a_row_that_hides_a_column_for_itself_stops_nothing(store: Store) -> None:
    instance = FakeInstance(MARK, {"incident": [row("a", 1), row("b", 40)]})
    run = run_on(store, instance)
    read(run)
    secret = row("c", 50)
    del secret["state"]
    instance.tables["incident"].append(secret)
    assert read(run, Reading(lag=timedelta(0))).lost_columns == ()
    assert store.value("SELECT count(*) FROM current.incident") == 3


MAPPING = Mapping({}, {}, (), {}, {}, (Edge("sc_task", "request_item", "sc_req_item"),), (), "h")
WANTED = {
    "sc_req_item": COLUMNS,
    "sc_task": (*COLUMNS, "request_item"),
}


def test_one_record_comes_with_its_relatives_and_leaves_the_cursors_alone(store: Store) -> None:
    instance = FakeInstance(
        MARK,
        {
            "sc_req_item": [row("p", 1, number="RITM1"), row("q", 2, number="RITM2")],
            "sc_task": [row("t", 3, number="SCTASK1", request_item="p")],
        },
    )
    run = run_on(store, instance)
    asked = extract_records(run, WANTED, MAPPING, ["SCTASK1"], MARK)
    assert asked.found == {"SCTASK1": ("sc_task", "t")}
    rows = store.read("SELECT number FROM current.sc_req_item")
    assert [r["number"] for r in rows] == ["RITM1"]
    assert runs.read_cursor(store, "sc_task") is None


def test_a_number_that_is_nowhere_is_a_clear_error(store: Store) -> None:
    run = run_on(store, FakeInstance(MARK, {"sc_req_item": [], "sc_task": []}))
    with pytest.raises(ConfigError, match="No table that is read has a record NOPE1"):
        extract_records(run, WANTED, MAPPING, ["NOPE1"], MARK)
    with pytest.raises(ConfigError, match="is not a record number"):
        extract_records(run, WANTED, MAPPING, ["x^NQactive=true"], MARK)


def test_several_records_are_asked_for_together_and_of_those_not_there_it_is_said(
    store: Store,
) -> None:
    rows = {
        "sc_req_item": [row("p", 1, number="RITM1"), row("q", 2, number="RITM2")],
        "sc_task": [row("t", 3, number="SCTASK1", request_item="q")],
    }
    instance = FakeInstance(MARK, rows)
    numbers = ["SCTASK1", "RITM1", "NOPE1", ""]
    asked = extract_records(run_on(store, instance), WANTED, MAPPING, numbers, MARK)
    assert asked.found == {"SCTASK1": ("sc_task", "t"), "RITM1": ("sc_req_item", "p")}
    assert asked.problems == {
        "NOPE1": "No table that is read has a record NOPE1; check the number",
        "": "'' is not a record number",
    }
    assert [query for _table, query in instance.queries if "number" in query] == [
        "numberINSCTASK1,RITM1,NOPE1",
        "numberINSCTASK1,NOPE1",
    ]
    found = store.read("SELECT number FROM current.sc_req_item ORDER BY 1")
    assert [r["number"] for r in found] == ["RITM1", "RITM2"], "the parent came along"
