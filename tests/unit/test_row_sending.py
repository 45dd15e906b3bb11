"""Rows of our own tables are paced, held back and set aside as records are."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector import engagement_rows, relationships
from connector.context import Run
from connector.engagement_rows import TABLE, leave_out, send_rows
from connector.itsm.base import RecordUpdate, UpdateReply
from connector.off_hours import OffHours
from connector.pacing import FIRST_SIZE
from connector.row_sending import RowChange, RowsSent, Terms
from connector.store import set_aside
from connector.store.database import Store, open_store
from connector.write_back import settings_of
from tests.fakes import FakeInstance
from tests.unit.test_pipeline import Site

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TERMS = Terms(1, 50, None, 3, timedelta(days=32), NOW)
NIGHT = OffHours.parse("20:00-06:00", "Europe/Madrid")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "s.duckdb") as found:
        yield found


class Tool(FakeInstance):
    """Counts the rows of each request; answers one only when `at_once` of them are waiting."""

    def __init__(self, at_once: int = 1) -> None:
        super().__init__(NOW, {TABLE: []})
        self.sizes: list[int] = []
        self.barrier = threading.Barrier(at_once, timeout=20)

    def create_records(self, table: str, records: Sequence[Mapping[str, str]]) -> list[UpdateReply]:
        self.barrier.wait()
        self.sizes.append(len(records))
        return [replace(one, milliseconds=20.0) for one in super().create_records(table, records)]


def new(n: int) -> list[RowChange]:
    return [RowChange(f"{i:032x}", f"row {i}", {"u_score": "50"}, None) for i in range(n)]


def changed(n: int, *fields: str) -> list[RowChange]:
    wanted = dict.fromkeys(fields or ("u_score",), "51")
    return [replace(one, values=wanted, seen={"u_score": "50"}) for one in new(n)]


def send(
    store: Store, tool: FakeInstance, rows: Sequence[RowChange], terms: Terms = TERMS
) -> RowsSent:
    return send_rows(Run(store, tool, "r", threading.Event()), rows, terms)


def holding(n: int) -> Tool:
    tool = Tool()
    tool.tables[TABLE] = [
        {"sys_id": one.sys_id, "sys_mod_count": "0", "u_score": "50"} for one in new(n)
    ]
    return tool


def rests(store: Store, rows: Sequence[RowChange], nights: int) -> bool:
    return leave_out(store, rows, NOW + timedelta(days=nights)) == []


def test_the_first_batch_is_small_and_the_next_as_large_as_the_instance_is_quick(
    store: Store,
) -> None:
    tool = Tool()
    assert send(store, tool, new(60)).written == 60
    assert tool.sizes == [FIRST_SIZE, 2 * FIRST_SIZE, 30]


def test_two_workers_have_two_batches_on_their_way(store: Store) -> None:
    tool = Tool(at_once=2)
    assert send(store, tool, new(4), replace(TERMS, workers=2, batch_size=2)).written == 4


def test_when_the_hours_are_over_nothing_more_goes_out(store: Store) -> None:
    tool = Tool()  # 13:00 in Madrid, as if the hours had ended while records were written
    sent = send(store, tool, new(2), replace(TERMS, off_hours=NIGHT))
    assert (sent.written, sent.refused, tool.created) == (0, 0, [])
    assert "hours for writing are over" in sent.messages[0]


def test_an_instance_that_stops_answering_is_left_alone(store: Store) -> None:
    tool = holding(4)
    tool.lose_answers = True
    sent = send(store, tool, changed(4), replace(TERMS, batch_size=2))
    assert (sent.written, sent.refused, len(tool.sent)) == (0, 2, 2)
    assert "stopped answering" in sent.messages[0]
    assert set_aside.count_set_aside(store) == 0


def test_a_missing_right_blames_no_row(store: Store) -> None:
    tool = holding(4)
    tool.forbids = True
    for _night in range(3):
        sent = send(store, tool, changed(4))
    assert "may not write u_journey_engagement" in sent.messages[0]
    assert not rests(store, changed(4), 0)


def test_a_poisoned_row_is_set_aside_tried_again_after_a_night_and_forgiven(store: Store) -> None:
    tool, rows = holding(2), changed(2)
    tool.refuse = {rows[0].sys_id}
    for _night in range(3):
        sent = send(store, tool, rows)
        assert (sent.written, sent.refused) == (1, 1)
    assert "was set aside until 2026-11-21 08:00:00 UTC: a business rule said no" in str(
        sent.messages
    )
    assert leave_out(store, rows, NOW) == rows[1:]
    assert leave_out(store, rows, NOW + timedelta(days=1)) == rows
    tool.refuse = set()
    send(store, tool, rows)
    assert leave_out(store, rows, NOW) == rows
    tool.refuse = {rows[0].sys_id}
    send(store, tool, rows)
    assert not rests(store, rows[:1], 0), "a row that took a write begins anew"


def test_a_field_that_no_row_takes_is_set_aside_on_the_table_and_the_others_go_on(
    store: Store,
) -> None:
    tool, rows = holding(2), changed(2, "u_score", "u_why")
    tool.silent_fields = {"u_why"}
    for _night in range(3):
        sent = send(store, tool, rows)
    assert "u_why on u_journey_engagement is no longer written" in str(sent.messages)
    assert [dict(one.values) for one in leave_out(store, rows, NOW)] == [{"u_score": "51"}] * 2
    later = leave_out(store, rows, NOW + timedelta(days=900))
    assert [dict(one.values) for one in later] == [{"u_score": "51"}] * 2


def test_a_field_that_one_row_keeps_is_its_own_affair(store: Store) -> None:
    tool, rows = holding(2), changed(2)
    tool.stubborn = {(rows[0].sys_id, "u_score")}
    for _night in range(3):
        send(store, tool, rows)
    assert leave_out(store, rows, NOW) == rows[1:]


def test_the_cap_of_a_run_counts_relationships_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path, max_records_per_run=3)
    site.instance.tables[TABLE] = []
    monkeypatch.setattr(relationships, "of_run", lambda *_a, **_k: (new(3), ""))
    dry = site.run(dry_run=True)
    found = site.run()
    assert (found.confirmed, len(site.instance.created)) == (2, 1)
    assert found.confirmed_relationships == found.planned_relationships == 1
    assert dry.planned_relationships == 1
    said = "2 relationships wait for the next run ([write_back] max_records_per_run)"
    assert said in found.messages
    assert said in dry.messages


def test_rows_go_by_the_settings_of_write_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path, window="05:00-20:00", workers=3, batch_size=7, set_aside_after=2)
    asked: list[Terms] = []

    def note(_run: Run, _rows: Sequence[RowChange], terms: Terms) -> RowsSent:
        asked.append(terms)
        return RowsSent(written=1)

    monkeypatch.setattr(relationships, "of_run", lambda *_a, **_k: (new(1), ""))
    monkeypatch.setattr(engagement_rows, "send_rows", note)
    site.run()
    wanted = settings_of(site.config)
    (terms,) = asked
    assert (terms.workers, terms.batch_size, terms.set_aside_after) == (3, 7, 2)
    assert (terms.off_hours, terms.longest_pause) == (wanted.off_hours, wanted.longest_pause)


def test_what_a_person_said_meanwhile_is_neither_sent_nor_missed(store: Store) -> None:
    tool = holding(1)
    tool.tables[TABLE][0]["u_ring_confirmed"] = "2026-11-20"
    row = replace(
        changed(1)[0], values={"u_score": "51", "u_ring_confirmed": "2026-11-19"}, seen={"x": ""}
    )
    sent = send(store, tool, [row])
    assert (sent.written, sent.refused) == (1, 0)
    assert tool.sent == [RecordUpdate(TABLE, row.sys_id, {"u_score": "51"})]
