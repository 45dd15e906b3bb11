"""The weekly sweep: late commits are found, deletions are proven, a revoked role is a question."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector import reconcile
from connector.context import Run
from connector.store import records
from connector.store.database import Store, open_store
from tests.fakes import FakeInstance

MARK = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLOSED_BEFORE = "2024-11-01 00:00:00"
COLUMNS = ("sys_id", "sys_updated_on", "sys_mod_count", "state")


def row(sys_id: str, mod: int = 0) -> dict[str, str]:
    return {
        "sys_id": sys_id,
        "sys_updated_on": "2026-11-20 10:00:00",
        "sys_mod_count": str(mod),
        "state": "1",
    }


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "s.duckdb") as opened:
        records.ensure_table(opened, "incident", COLUMNS)
        yield opened


def seen(store: Store, *rows: dict[str, str]) -> None:
    records.land(store, "incident", COLUMNS, rows, "r0")
    records.merge(store, "incident", MARK)


def sweep(store: Store, instance: FakeInstance) -> reconcile.Swept:
    run = Run(store, instance, "r1", threading.Event())
    return reconcile.sweep(run, {"incident": COLUMNS}, {}, MARK, CLOSED_BEFORE)[0]


def held(store: Store) -> list[str]:
    return [r["sys_id"] for r in store.read("SELECT sys_id FROM current.incident ORDER BY 1")]


def test_a_row_committed_late_under_an_old_timestamp_is_found(store: Store) -> None:
    seen(store, row("a"))
    found = sweep(store, FakeInstance(MARK, {"incident": [row("a"), row("late")]}))
    assert found.read_again == 1
    assert held(store) == ["a", "late"]


def test_another_version_of_a_row_is_read_again(store: Store) -> None:
    seen(store, row("a"))
    assert sweep(store, FakeInstance(MARK, {"incident": [row("a", 4)]})).read_again == 1


def test_a_recorded_deletion_counts_at_once_and_silence_after_two_sweeps(store: Store) -> None:
    seen(store, row("a"), row("deleted"), row("silent"))
    instance = FakeInstance(MARK, {"incident": [row("a")]})
    instance.deleted = [("incident", "deleted")]
    assert sweep(store, instance).removed == 1
    assert held(store) == ["a", "silent"]
    assert sweep(store, instance).removed == 1
    assert held(store) == ["a"]


def test_a_record_that_comes_back_is_no_longer_counted_as_missing(store: Store) -> None:
    seen(store, row("a"), row("b"))
    sweep(store, FakeInstance(MARK, {"incident": [row("a")]}))
    sweep(store, FakeInstance(MARK, {"incident": [row("a"), row("b")]}))
    sweep(store, FakeInstance(MARK, {"incident": [row("a")]}))
    assert held(store) == ["a", "b"]


def test_many_missing_without_proof_are_a_question_and_nothing_is_removed(store: Store) -> None:
    everything = [row(f"r{n:03}") for n in range(300)]
    seen(store, *everything)
    found = sweep(store, FakeInstance(MARK, {"incident": everything[:200]}))
    assert found.removed == 0
    assert "100 of 300 records are no longer readable" in found.question
    assert len(held(store)) == 300


def test_a_record_that_changed_its_class_moves_without_a_tombstone(store: Store) -> None:
    records.ensure_table(store, "problem", COLUMNS)
    seen(store, row("a"), row("b"))
    instance = FakeInstance(MARK, {"incident": [row("a")], "problem": [row("b", 1)]})
    run = Run(store, instance, "r1", threading.Event())
    reconcile.sweep(run, {"incident": COLUMNS, "problem": COLUMNS}, {}, MARK, CLOSED_BEFORE)
    assert held(store) == ["a"]
    assert store.value("SELECT count(*) FROM current.problem") == 1
    assert store.value("SELECT count(*) FROM tombstone") == 0


def test_the_sweep_reads_what_extraction_reads(store: Store) -> None:
    instance = FakeInstance(MARK, {"incident": []})
    run = Run(store, instance, "r1", threading.Event())
    reconcile.sweep(run, {"incident": COLUMNS}, {"incident": "state=1"}, MARK, CLOSED_BEFORE)
    assert ("incident", "state=1") in instance.queries


def test_what_retention_dropped_is_not_read_again(store: Store) -> None:
    columns = (*COLUMNS, "active", "closed_at")
    old = {**row("old"), "active": "false", "closed_at": "2020-01-01 00:00:00"}
    recent = {**row("new"), "active": "false", "closed_at": "2026-01-01 00:00:00"}
    run = Run(store, FakeInstance(MARK, {"incident": [old, recent]}), "r1", threading.Event())
    found = reconcile.sweep(run, {"incident": columns}, {}, MARK, CLOSED_BEFORE)[0]
    assert found.read_again == 1
    assert held(store) == ["new"]


def test_what_is_read_by_its_key_counts_even_with_an_older_version(store: Store) -> None:
    seen(store, {**row("a", 7), "sys_updated_on": "2026-11-20 11:00:00", "state": "6"})
    sweep(store, FakeInstance(MARK, {"incident": [row("a", 2)]}))
    assert store.value("SELECT state FROM current.incident") == "1"
