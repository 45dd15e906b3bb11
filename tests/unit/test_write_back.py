"""Write-back: the plan is a difference, and what was sent is checked, field by field."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector import write_back
from connector.context import Run
from connector.errors import ConfigError, InstanceError, InterruptedRunError
from connector.itsm.base import RecordUpdate, UpdateReply
from connector.journey import fields
from connector.journey.model import FieldInfo, Mapping, Rule, Text
from connector.off_hours import OffHours
from connector.store import changes, overrides, records, set_aside
from connector.store.changes import Change
from connector.store.database import Store, open_store
from tests.fakes import FakeInstance

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OWN = [field.name for field in fields.RECORD_FIELDS]
COLUMNS = ["number", "state", "active", "closed_at", *OWN]
MAPPING = Mapping(
    journeys={},
    touchpoints={},
    rules=(Rule("r-open", ("incident",), "", "phone", Text("It is open", "Está abierta"), {}),),
    sets={},
    tables={},
    edges=(),
    roll_ups=(),
    hash="0" * 12,
)
SETTINGS = write_back.Settings(
    journey="travesia",
    language="es",
    tables=("incident",),
    batch_size=2,
    max_records=100,
    settled=timedelta(days=14),
    backfill=timedelta(days=90),
    set_aside_after=2,
)


def record(sys_id: str, **values: str) -> dict[str, str]:
    return {
        "sys_id": sys_id,
        "sys_updated_on": "2026-11-20 10:00:00",
        "sys_mod_count": "0",
        "number": f"INC{sys_id}",
        "state": "1",
        "active": "true",
        "closed_at": "",
        **dict.fromkeys(OWN, ""),
        **values,
    }


class Scene:
    """A store that has seen an instance's incidents and classified them all as `usar`/`phone`."""

    def __init__(self, store: Store, *rows: dict[str, str]) -> None:
        self.store = store
        self.instance = FakeInstance(NOW, {"incident": [dict(row) for row in rows]})
        self.stop = threading.Event()
        self.n = 0
        self.now = NOW
        records.ensure_table(store, "incident", COLUMNS)
        self.look()
        store.execute("CREATE TEMP TABLE classified AS SELECT * FROM classification")
        store.execute("CREATE TEMP TABLE standing_next AS SELECT * FROM standing")
        overrides.stay(store)
        for row in rows:
            store.execute(
                "INSERT INTO classified VALUES ('incident', $id, 'r-open', 'phone',"
                " MAP {'travesia': 'usar'}, 'visible', true, '', '', '', 'high', '', 'h', 'phone')",
                id=row["sys_id"],
            )
            store.execute(
                "INSERT INTO standing_next VALUES ('incident', $id, 'travesia', 'usar',"
                " TIMESTAMP '2026-11-01 08:00:00', 'timestamp', 'exact')",
                id=row["sys_id"],
            )

    def look(self) -> None:
        """What the next extraction would bring."""
        columns = [*records.SYSTEM_COLUMNS, *COLUMNS]
        records.land(self.store, "incident", columns, self.instance.tables["incident"], "r")
        records.merge(self.store, "incident", NOW)

    def plan(self, **more: object) -> list[Change]:
        write_back.plan(self.store, MAPPING, SETTINGS, self.now, **more)  # type: ignore[arg-type]  # keywords as given
        return changes.read_plan(self.store, 1, 1000)

    def send(self, **settings: object) -> write_back.Sent:
        self.n += 1
        run = Run(self.store, self.instance, f"run{self.n}", self.stop)
        self.plan()
        changes.save_plan(self.store, run.run_id)
        return write_back.send(run, replace(SETTINGS, **settings), self.now)  # type: ignore[arg-type]

    def statuses(self) -> dict[str, int]:
        rows = self.store.read("SELECT status, count(*) AS n FROM change GROUP BY 1")
        return {row["status"]: row["n"] for row in rows}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "s.duckdb") as opened:
        yield opened


def test_the_plan_holds_every_field_that_differs_and_says_why_in_the_chosen_language(
    store: Store,
) -> None:
    planned = Scene(store, record("a")).plan()
    assert {c.field: c.to_value for c in planned} == {
        "u_journey_step": "usar",
        "u_journey_touchpoint": "phone",
        "u_journey_band": "visible",
        "u_journey_moment": "potential",
        "u_journey_since": "2026-11-01 08:00:00",
        "u_journey_why": "Está abierta",
        "u_journey_rule": "r-open",
        "u_journey_confidence": "high",
        "u_journey_last_visible": "phone",
    }
    assert {c.number for c in planned} == {"INCa"}


def test_only_our_fields_are_sent_and_a_second_plan_is_empty(store: Store) -> None:
    scene = Scene(store, record("a"), record("b"), record("c"))
    sent = scene.send()
    assert sent.confirmed == 3
    assert {name for update in scene.instance.sent for name in update.values} <= set(OWN)
    assert scene.plan() == []
    scene.look()
    assert scene.plan() == []
    assert set(scene.statuses()) == {"confirmed"}


def test_rule_and_reason_alone_never_cause_a_write(store: Store) -> None:
    scene = Scene(store, record("a"))
    scene.send()
    row = scene.instance.tables["incident"][0]
    row.update(u_journey_why="other words", u_journey_rule="old-rule", sys_mod_count="5")
    scene.look()
    assert scene.plan() == []


def test_what_somebody_overwrote_is_healed_and_known_as_such(store: Store) -> None:
    scene = Scene(store, record("a"), record("b"))
    scene.send()
    scene.instance.tables["incident"][0].update(u_journey_step="explorar", sys_mod_count="7")
    scene.look()
    planned = scene.plan()
    assert [(c.sys_id, c.field, c.from_value, c.to_value) for c in planned] == [
        ("a", "u_journey_step", "explorar", "usar")
    ]
    assert planned[0].is_healing
    scene.send()
    assert scene.instance.tables["incident"][0]["u_journey_step"] == "usar"


def test_settled_records_are_frozen_and_old_ones_never_begun(store: Store) -> None:
    scene = Scene(
        store,
        record("fresh", active="false", closed_at="2026-11-18 00:00:00"),
        record("recent", active="false", closed_at="2026-10-01 00:00:00"),
        record("frozen", active="false", closed_at="2026-10-01 00:00:00", u_journey_step="usar"),
        record("ancient", active="false", closed_at="2025-01-01 00:00:00"),
    )
    assert sorted({c.sys_id for c in scene.plan()}) == ["fresh", "recent"]


def test_a_limit_counts_records_and_takes_open_ones_first(store: Store) -> None:
    scene = Scene(
        store,
        record("a", active="false", closed_at="2026-11-19 00:00:00"),
        record("b"),
        record("c"),
    )
    assert {c.sys_id for c in scene.plan(limit=2)} == {"b", "c"}
    assert scene.plan(limit=0) == []
    assert {c.sys_id for c in scene.plan(only=("a",))} == {"a"}


def test_a_poisoned_record_is_set_aside_and_never_stops_the_others(store: Store) -> None:
    scene = Scene(store, record("a"), record("bad"), record("c"))
    scene.instance.refuse = {"bad"}
    first = scene.send()
    assert (first.confirmed, first.failed, first.set_aside) == (2, 1, 0)
    second = scene.send()
    assert (second.failed, second.set_aside) == (1, 1)
    assert "bad" in second.messages[0]
    assert "a business rule said no" in second.messages[0]
    assert scene.plan() == []
    set_aside.forgive_all(store)
    assert {c.sys_id for c in scene.plan()} == {"bad"}


def test_a_field_that_no_record_takes_is_set_aside_on_its_table_after_some_runs(
    store: Store,
) -> None:
    scene = Scene(store, record("a"), record("b"))
    scene.instance.silent_fields = {"u_journey_band"}
    first = scene.send()
    assert (first.refused, first.set_aside) == (2, 0)
    assert scene.statuses()["kept"] == 2
    assert "u_journey_band on incident was refused on every record (2)" in first.messages[0]
    second = scene.send()
    assert second.set_aside == 1
    assert scene.plan() == []
    assert {c.field for c in scene.plan(is_retry=True)} == {"u_journey_band"}


def test_a_field_that_one_record_refuses_is_its_own_affair(store: Store) -> None:
    scene = Scene(store, record("a"), record("b"))
    scene.instance.stubborn = {("a", "u_journey_band")}
    scene.send()
    scene.send()
    assert scene.plan() == []
    scene.instance.tables["incident"][1].update(u_journey_band="", sys_mod_count="9")
    scene.look()
    assert [(c.sys_id, c.field) for c in scene.plan()] == [("b", "u_journey_band")]


def test_a_column_that_is_taken_again_is_forgiven(store: Store) -> None:
    scene = Scene(store, record("a"), record("b"))
    scene.instance.silent_fields = {"u_journey_band"}
    scene.send()
    scene.instance.silent_fields = set()
    scene.send()
    assert store.value("SELECT count(*) FROM set_aside") == 0


def test_a_missing_right_on_a_table_blames_no_record(store: Store) -> None:
    scene = Scene(store, *(record(i) for i in "abcde"))
    scene.instance.forbids = True
    sent = scene.send(batch_size=3)
    assert sent.failed == 3
    assert "may not write incident" in sent.messages[0]
    assert len(scene.instance.sent) == 3
    assert store.value("SELECT count(*) FROM set_aside") == 0
    scene.instance.forbids = False
    assert scene.send().confirmed == 5


def test_an_instance_that_stops_answering_is_left_alone_until_the_next_run(store: Store) -> None:
    scene = Scene(store, *(record(i) for i in "abcdef"))
    scene.instance.lose_answers = True
    sent = scene.send()
    assert len(scene.instance.sent) == SETTINGS.batch_size
    assert "stopped answering" in sent.messages[0]


def test_an_unheard_answer_is_read_again_before_anything_else(store: Store) -> None:
    scene = Scene(store, record("a"))
    scene.instance.lose_answers = True
    assert scene.send().failed == 1
    assert set(scene.statuses()) == {"sent"}
    scene.instance.lose_answers = False
    run = Run(store, scene.instance, "later", scene.stop)
    assert write_back.settle(run, NOW) == 9
    assert set(scene.statuses()) == {"confirmed"}
    assert scene.plan() == []


def test_a_change_that_was_never_written_is_planned_again(store: Store) -> None:
    scene = Scene(store, record("a"))
    scene.plan()
    changes.save_plan(store, "killed")
    changes.mark(store, "killed", "incident", ["a"], "sent")
    write_back.settle(Run(store, scene.instance, "later", scene.stop), NOW)
    assert set(scene.statuses()) == {"dropped"}
    assert scene.send().confirmed == 1


def test_a_stop_takes_effect_between_two_batches(store: Store) -> None:
    scene = Scene(store, *(record(i) for i in "abcde"))
    scene.plan()
    changes.save_plan(store, "r1")

    def stop_soon(_event: str, _table: str, _done: int, _total: int | None) -> None:
        scene.stop.set()

    run = Run(store, scene.instance, "r1", scene.stop, stop_soon)
    with pytest.raises(InterruptedRunError):
        write_back.send(run, SETTINGS, NOW)
    assert len(scene.instance.sent) == SETTINGS.batch_size
    assert set(scene.statuses()) == {"confirmed", "planned"}


def test_a_column_that_is_hidden_from_us_is_left_alone(store: Store) -> None:
    hidden = record("a")
    del hidden["u_journey_band"]
    assert "u_journey_band" not in {c.field for c in Scene(store, hidden).plan()}


def test_missing_columns_are_named_before_anything_is_written() -> None:
    schema = {("incident", name): FieldInfo("string") for name in OWN if name != "u_journey_band"}
    with pytest.raises(ConfigError, match="incident lacks u_journey_band; run travesia provision"):
        write_back.check_columns(schema, ["incident"])


def test_the_plan_is_the_same_bytes_for_the_same_changes() -> None:
    change = Change("incident", "a", "INC1", "u_journey_step", "", "usár", is_healing=False)
    assert write_back.plan_lines([change]) == (
        '{"table": "incident", "sys_id": "a", "number": "INC1", "field": "u_journey_step",'
        ' "from": "", "to": "usár"}\n'
    )


def test_a_record_set_aside_is_tried_again_after_one_two_four_nights_and_a_longest_pause(
    store: Store,
) -> None:
    scene = Scene(store, record("bad"), record("good"))
    scene.instance.refuse = {"bad"}
    tried = []
    for night in range(20):
        scene.now = NOW + timedelta(days=night)
        scene.instance.sent.clear()
        scene.send(longest_pause=timedelta(days=4))
        tried += [night for update in scene.instance.sent if update.sys_id == "bad"]
    assert tried == [0, 1, 2, 4, 8, 12, 16]  # SETTINGS set it aside from the second failure on


def test_a_record_that_takes_the_write_at_last_is_forgotten_as_a_failure(store: Store) -> None:
    scene = Scene(store, record("bad"))
    scene.instance.refuse = {"bad"}
    scene.send(set_aside_after=1)
    assert scene.plan() == []
    scene.instance.refuse = set()
    scene.now = NOW + timedelta(days=1)
    assert scene.send().confirmed == 1
    assert store.value("SELECT count(*) FROM set_aside") == 0


def test_a_column_that_no_record_takes_is_not_tried_again_by_itself(store: Store) -> None:
    scene = Scene(store, record("a"), record("b"))
    scene.instance.silent_fields = {"u_journey_band"}
    scene.send(set_aside_after=1)
    scene.now = NOW + timedelta(days=400)
    assert "u_journey_band" not in {change.field for change in scene.plan()}


def test_somebody_who_wrote_in_between_is_noticed_and_the_record_read_again(store: Store) -> None:
    scene = Scene(store, record("a"), record("b"))
    scene.instance.crossed = {"a"}
    scene.instance.tables["incident"][0]["state"] = "6"
    sent = scene.send()
    assert (sent.confirmed, sent.concurrent) == (2, 1)
    assert sent.crossed == {"incident": ["a"]}
    assert store.value("SELECT state FROM current.incident WHERE sys_id = 'a'") == "6"
    assert store.value("SELECT state FROM current.incident WHERE sys_id = 'b'") == "1"


class Gate(FakeInstance):
    """Answers a batch only when `at_once` of them are waiting."""

    at_once = 2

    def open(self) -> None:
        self.barrier = threading.Barrier(self.at_once, timeout=20)

    def send_updates(self, updates: Sequence[RecordUpdate]) -> list[UpdateReply]:
        self.barrier.wait()
        return super().send_updates(updates)


def test_two_workers_have_two_batches_on_their_way(store: Store) -> None:
    scene = Scene(store, *(record(letter) for letter in "abcd"))
    scene.instance = Gate(NOW, scene.instance.tables)
    scene.instance.open()
    sent = scene.send(workers=2)
    assert (sent.confirmed, sent.requests) == (4, 2)
    assert scene.plan() == []


def test_what_is_on_its_way_when_the_run_is_stopped_is_heard_out(store: Store) -> None:
    scene = Scene(store, *(record(letter) for letter in "abcdef"))
    scene.plan()
    changes.save_plan(store, "r1")

    def stop_soon(_event: str, _table: str, _done: int, _total: int | None) -> None:
        scene.stop.set()

    run = Run(store, scene.instance, "r1", scene.stop, stop_soon)
    with pytest.raises(InterruptedRunError):
        write_back.send(run, replace(SETTINGS, workers=2), NOW)
    assert "sent" not in scene.statuses()
    assert scene.statuses()["planned"] > 0
    assert len(scene.instance.sent) < 6


NIGHT = OffHours.parse("20:00-06:00", "Europe/Madrid")


def test_outside_the_hours_for_writing_one_sentence_says_so(store: Store) -> None:
    scene = Scene(store, record("a"))  # NOW is 13:00 in Madrid
    run = Run(store, scene.instance, "r1", scene.stop)
    settings = replace(SETTINGS, off_hours=NIGHT)
    assert "20:00-06:00, Europe/Madrid" in write_back.held_back(run, settings)
    scene.instance.clock = NOW + timedelta(hours=8)
    assert write_back.held_back(run, settings) == ""
    assert write_back.held_back(run, SETTINGS) == ""


def test_when_the_hours_end_in_mid_write_the_rest_waits(store: Store) -> None:
    scene = Scene(store, record("a"), record("b"), record("c"))
    sent = scene.send(off_hours=NIGHT)  # as if the window had closed while the plan was made
    assert sent.confirmed == 0
    assert scene.instance.sent == []
    assert "hours for writing are over" in sent.messages[0]


def test_an_import_sends_all_of_our_columns_and_begins_with_one_record(store: Store) -> None:
    scene = Scene(store, record("a", u_journey_value="confirmed"), record("b"), record("c"))
    sent = scene.send(via="import_set", batch_size=50, workers=3)
    assert (sent.confirmed, sent.requests) == (3, 2)
    assert scene.instance.sent == []
    assert [set(update.values) for update in scene.instance.imported] == [set(OWN)] * 3
    assert scene.instance.imported[0].values["u_journey_step"] == "usar"
    assert scene.plan() == []


def test_an_import_that_creates_a_record_stops_everything_and_is_never_tried_again(
    store: Store,
) -> None:
    scene = Scene(store, record("a"), record("b"), record("c"))
    scene.instance.inserts = {"a"}
    with pytest.raises(InstanceError, match=r"created records \(1\) instead of updating"):
        scene.send(via="import_set")
    assert [update.sys_id for update in scene.instance.imported] == ["a"]
    scene.now = NOW + timedelta(days=100)
    assert scene.plan() == []
    set_aside.forgive_all(store)
    assert scene.plan() != []


def test_an_import_leaves_out_a_record_of_which_a_column_is_hidden(store: Store) -> None:
    hidden = record("a")
    del hidden["u_journey_value"]
    scene = Scene(store, hidden, record("b"))
    sent = scene.send(via="import_set")
    assert [update.sys_id for update in scene.instance.imported] == ["b"]
    assert (sent.confirmed, sent.failed) == (1, 1)
    assert "not all journey columns are readable: 1" in sent.messages[0]


# ── the relationship ─────────────────────────────────────────────────────────────────────────


def tie(store: Store, **rows: str) -> None:
    """As a run does that computed relationships: record → row."""
    store.execute("CREATE OR REPLACE TEMP TABLE tied (sys_id VARCHAR, relationship VARCHAR)")
    for sys_id, row in rows.items():
        store.execute("INSERT INTO tied VALUES ($id, $row)", id=sys_id, row=row)


def relations(planned: Sequence[Change]) -> dict[str, str]:
    return {c.sys_id: c.to_value for c in planned if c.field == fields.RELATIONSHIP}


def test_a_record_refers_to_its_relationship_and_then_no_more_is_planned(store: Store) -> None:
    scene = Scene(store, record("a"), record("b"))
    tie(store, a="r1")
    assert relations(scene.plan()) == {"a": "r1"}
    scene.send()
    assert scene.plan() == []
    tie(store, a="r2", b="r1")
    assert [(c.sys_id, c.from_value, c.to_value) for c in scene.plan()] == [
        ("a", "r1", "r2"),
        ("b", "", "r1"),
    ]
    tie(store)
    assert relations(scene.plan()) == {"a": ""}, "it belongs to none that is shown"


def test_a_run_that_did_not_compute_relationships_leaves_the_reference_alone(store: Store) -> None:
    scene = Scene(store, record("a", u_journey_relationship="r9"))
    assert relations(scene.plan()) == {}


def test_where_it_is_switched_off_the_reference_is_left_alone(store: Store) -> None:
    scene = Scene(store, record("a", u_journey_relationship="r9"))
    tie(store, a="r1")
    write_back.plan(store, MAPPING, replace(SETTINGS, relationship=False), NOW)
    assert relations(changes.read_plan(store, 1, 10)) == {}
    assert relations(scene.plan()) == {"a": "r1"}, "it would be written else"


def test_a_record_without_a_place_is_not_written_for_its_relationship_alone(store: Store) -> None:
    scene = Scene(store, record("a"))
    store.execute(
        "UPDATE classified SET steps = MAP {}, touchpoint = '', band = '', rule_id = '',"
        " confidence = '', last_visible = '', is_potential_moment = false"
    )
    store.execute("DELETE FROM standing_next")
    tie(store, a="r1")
    assert scene.plan() == []


def test_what_refers_to_a_row_that_is_not_there_leaves_the_plan_and_the_ledger(
    store: Store,
) -> None:
    scene = Scene(store, record("a"), record("b"), record("c"))
    tie(store, a="r1", b="r1", c="r2")
    scene.send()
    tie(store, a="gone", b="gone", c="r3")
    for row in scene.instance.tables["incident"]:
        row.update(u_journey_why="other words")
    scene.instance.tables["incident"][1].update(u_journey_step="explorar")
    scene.look()
    scene.plan()
    changes.save_plan(store, "next")
    (left,) = write_back.let_go(store, ["gone"], "next")
    assert (left.records, left.changes) == (2, 4)
    planned = changes.read_plan(store, 1, 2)
    assert {(c.sys_id, c.field) for c in planned} == {
        ("b", fields.STEP),
        ("b", fields.WHY),
        ("c", fields.RELATIONSHIP),
        ("c", fields.WHY),
    }
    assert changes.list_plan_ranges(store) == [(1, 2)]
    stored = store.read("SELECT sys_id, field FROM change WHERE run_id = 'next'")
    assert {(row["sys_id"], row["field"]) for row in stored} == {
        (c.sys_id, c.field) for c in planned
    }


def test_a_quiet_import_asks_for_the_reference_only_where_it_is_wanted(store: Store) -> None:
    row = record("a")
    row.pop(fields.RELATIONSHIP)
    scene = Scene(store, row)
    sent = scene.send(via="import_set", relationship=False)
    assert sent.confirmed == 1
    assert fields.RELATIONSHIP not in scene.instance.imported[0].values
