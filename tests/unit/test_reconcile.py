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


SINCE = datetime(2026, 11, 20, 11, tzinfo=UTC)
COUNTING = reconcile.Counting(SINCE, CLOSED_BEFORE, keys_every=4)


def counted(store: Store, instance: FakeInstance) -> list[reconcile.Swept]:
    run = Run(store, instance, "r1", threading.Event())
    wanted = {table: COLUMNS for table in instance.tables}
    return reconcile.sweep(run, wanted, {}, MARK, CLOSED_BEFORE, COUNTING)


def key_reads(instance: FakeInstance) -> list[str]:
    """Tables whose keys were read; not the few that changed since the last sync."""
    reads = [
        table
        for table, query in instance.queries
        if table != "sys_audit_delete" and "sys_updated_on>" not in query
    ]
    instance.queries.clear()
    return reads


def test_where_counts_agree_no_key_is_read_but_every_fourth_time(store: Store) -> None:
    seen(store, row("a"), row("b"))
    instance = FakeInstance(MARK, {"incident": [row("a"), row("b")]})
    ways = [counted(store, instance)[0].by for _week in range(9)]
    assert ways == ["keys", *["counts"] * 3, "keys", *["counts"] * 3, "keys"]
    assert key_reads(instance) == ["incident"] * 3


def test_a_count_asks_for_what_was_created_until_the_last_sync_and_retention_keeps(
    store: Store,
) -> None:
    columns = (*COLUMNS, "active", "closed_at")
    records.ensure_table(store, "incident", columns)
    instance = FakeInstance(MARK, {"incident": []})
    run = Run(store, instance, "r1", threading.Event())
    for _week in range(2):
        reconcile.sweep(
            run, {"incident": columns}, {"incident": "a=1^NQb=2"}, MARK, CLOSED_BEFORE, COUNTING
        )
    kept = f"active!=false^ORclosed_atISEMPTY^ORclosed_at>={CLOSED_BEFORE}"
    until = "sys_updated_on<=2026-11-20 11:00:00"
    assert instance.counted[1] == ("incident", f"a=1^{until}^{kept}^NQb=2^{until}^{kept}")
    changed = "sys_updated_on>2026-11-20 11:00:00"
    assert instance.queries[-1] == ("incident", f"a=1^{changed}^NQb=2^{changed}")


def test_one_more_or_one_fewer_makes_the_keys_be_read(store: Store) -> None:
    seen(store, row("a"), row("b"))
    instance = FakeInstance(MARK, {"incident": [row("a"), row("b")]})
    counted(store, instance)
    instance.tables["incident"].append(row("late"))
    (found,) = counted(store, instance)
    assert (found.by, found.read_again) == ("keys", 1)
    instance.tables["incident"].pop(0)
    instance.deleted = [("incident", "a")]
    (found,) = counted(store, instance)
    assert (found.by, found.removed) == ("keys", 1)
    assert held(store) == ["b", "late"]


def test_a_newer_change_than_the_store_has_makes_the_keys_be_read(store: Store) -> None:
    seen(store, row("a"))
    instance = FakeInstance(MARK, {"incident": [row("a")]})
    counted(store, instance)
    instance.tables["incident"][0].update(sys_updated_on="2026-11-20 10:30:00", sys_mod_count="3")
    (found,) = counted(store, instance)
    assert (found.by, found.read_again) == ("keys", 1)


def test_a_change_committed_late_below_the_newest_one_makes_the_keys_be_read(
    store: Store,
) -> None:
    newest = {**row("b"), "sys_updated_on": "2026-11-20 10:50:00"}
    seen(store, row("a"), newest)
    instance = FakeInstance(MARK, {"incident": [row("a"), newest]})
    counted(store, instance)
    late = {"sys_updated_on": "2026-11-20 10:20:00", "sys_mod_count": "1", "state": "6"}
    instance.tables["incident"][0].update(late)
    (found,) = counted(store, instance)
    assert (found.by, found.read_again) == ("keys", 1)
    assert store.value("SELECT state FROM current.incident WHERE sys_id = 'a'") == "6"


def test_a_record_that_a_killed_run_read_and_somebody_deleted_since_does_not_come_back(
    store: Store,
) -> None:
    seen(store, row("a"))
    instance = FakeInstance(MARK, {"incident": [row("a")]})
    counted(store, instance)
    records.land(store, "incident", COLUMNS, [row("short-lived")], "killed")
    instance.deleted = [("incident", "short-lived")]
    counted(store, instance)
    records.merge(store, "incident", MARK)  # as the next sync does
    assert held(store) == ["a"]


def test_a_change_that_an_unfinished_run_took_in_does_not_hide_the_deletion_after_it(
    store: Store,
) -> None:
    seen(store, row("a"), row("b"))
    instance = FakeInstance(MARK, {"incident": [row("a"), row("b")]})
    counted(store, instance)
    newer = {"sys_updated_on": "2026-11-20 11:30:00", "sys_mod_count": "1"}  # after SINCE
    seen(store, {**row("b"), **newer})
    instance.tables["incident"].pop()
    instance.deleted = [("incident", "b")]
    (found,) = counted(store, instance)
    assert (found.by, found.removed) == ("keys", 1)
    assert held(store) == ["a"]


def test_what_changed_since_the_last_sync_is_no_difference(store: Store) -> None:
    seen(store, row("a"), row("b"))
    instance = FakeInstance(MARK, {"incident": [row("a"), row("b")]})
    counted(store, instance)
    instance.tables["incident"][0].update(sys_updated_on="2026-11-20 11:30:00", sys_mod_count="9")
    (found,) = counted(store, instance)
    assert (found.by, found.keys, found.read_again) == ("counts", 2, 0)


def test_very_many_changes_since_the_last_sync_make_the_keys_be_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "FEW", 1)
    seen(store, row("a"), row("b"))
    instance = FakeInstance(MARK, {"incident": [row("a"), row("b")]})
    counted(store, instance)
    for changed in instance.tables["incident"]:
        changed.update(sys_updated_on="2026-11-20 11:30:00", sys_mod_count="9")
    assert counted(store, instance)[0].by == "keys"


def test_records_hidden_from_us_are_counted_and_known_from_the_last_look_at_keys(
    store: Store,
) -> None:
    seen(store, row("a"))
    instance = FakeInstance(MARK, {"incident": [row("a")]})
    instance.uncounted = {"incident": 5}
    assert [counted(store, instance)[0].by for _week in range(2)] == ["keys", "counts"]
    instance.uncounted = {"incident": 6}
    assert counted(store, instance)[0].by == "keys"


def test_a_silent_absence_is_looked_at_again_though_the_counts_would_agree(store: Store) -> None:
    seen(store, row("a"), row("silent"))
    instance = FakeInstance(MARK, {"incident": [row("a")]})
    assert [counted(store, instance)[0].removed for _week in range(2)] == [0, 1]
    assert held(store) == ["a"]


def test_where_the_instance_does_not_count_the_keys_are_compared(store: Store) -> None:
    seen(store, row("a"))
    instance = FakeInstance(MARK, {"incident": [row("a")]})
    instance.uncountable = {"incident"}
    assert [counted(store, instance)[0].by for _week in range(3)] == ["keys"] * 3


def test_a_record_that_moved_to_a_table_whose_counts_agree_leaves_no_tombstone(
    store: Store,
) -> None:
    records.ensure_table(store, "problem", COLUMNS)
    seen(store, row("a"), row("b"))
    instance = FakeInstance(MARK, {"incident": [row("a"), row("b")], "problem": []})
    counted(store, instance)
    instance.tables = {"incident": [row("a")], "problem": [row("b", 1)]}
    records.land(store, "problem", COLUMNS, [row("b", 1)], "r2")  # the nightly sync saw it there
    records.merge(store, "problem", MARK)
    ways = {found.table: found.by for found in counted(store, instance)}
    assert ways == {"incident": "keys", "problem": "counts"}
    assert held(store) == ["a"]
    assert store.value("SELECT count(*) FROM tombstone") == 0
