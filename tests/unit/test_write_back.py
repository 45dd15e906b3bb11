"""Write-back: the plan is a difference, and what was sent is checked, field by field."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector import write_back
from connector.context import Run
from connector.errors import ConfigError, InterruptedRunError
from connector.journey import fields
from connector.journey.model import FieldInfo, Mapping, Rule, Text
from connector.store import changes, overrides, records
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
        write_back.plan(self.store, MAPPING, SETTINGS, NOW, **more)  # type: ignore[arg-type]  # keywords as given
        return changes.read_plan(self.store, 1, 1000)

    def send(self, **settings: int) -> write_back.Sent:
        self.n += 1
        run = Run(self.store, self.instance, f"run{self.n}", self.stop)
        self.plan()
        changes.save_plan(self.store, run.run_id)
        return write_back.send(run, replace(SETTINGS, **settings))  # type: ignore[arg-type]  # ints

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
    changes.forgive_all(store)
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
        write_back.send(run, SETTINGS)
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
