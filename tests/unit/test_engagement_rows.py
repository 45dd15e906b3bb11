"""The rows in the tool: only differences are sent, and nothing that people wrote is written."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from connector import engagement_rows
from connector.context import Run
from connector.engagement_rows import TABLE, changes_of, plan_rows, see_rows, send_rows
from connector.errors import InterruptedRunError
from connector.journey.engagement_fields import COMPUTED, ENGAGEMENT_TABLE, PEOPLES, TOO_SMALL
from connector.row_sending import RowChange, RowsSent, Terms
from connector.store import engagement
from connector.store.database import Store, open_store
from tests.fakes import FakeInstance
from tests.journey_kit import shipped

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYS = ("a" * 32, "b" * 32)
ROW = """
INSERT INTO engagement_next BY NAME SELECT $id AS sys_id, 'cmn_department' AS customer_table,
    'fin' AS customer, 'Finanzas' AS customer_name, 'cmdb_ci_service' AS service_table,
    $id AS service, $service AS service_name, DATE '2026-11-20' AS as_of, 'transactional' AS state,
    DATE '2026-10-01' AS since, $score AS score, 58.0 AS provider, NULL AS customer_side,
    MAP {'reliability': 55.5, 'quality': 61.0} AS dimensions, MAP {'usar': 57.9} AS steps,
    20.0 AS evidence, $confidence AS confidence, 9 AS people, 1 AS smaller, 0.0 AS fallback_share,
    12 AS contacts, DATE '2026-11-18' AS last_contact, false AS is_capped, 60.0 AS month_score,
    'transactional' AS month_state,
    [{'line': 'sla-breached', 'records': 3, 'points': -6.25}] AS reasons, [] AS moves
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "s.duckdb") as found:
        begin(found)
        yield found


def begin(store: Store) -> None:
    store.execute("CREATE OR REPLACE TEMP TABLE engagement_next AS FROM engagement LIMIT 0")
    store.execute("CREATE OR REPLACE TEMP TABLE ring_next AS FROM ring LIMIT 0")


def put(
    store: Store, key: str, service: str, score: float = 57.9, confidence: float = 0.66
) -> None:
    store.execute(ROW, id=key, service=service, score=score, confidence=confidence)


def tool(*rows: dict[str, str]) -> FakeInstance:
    columns = {"sys_id": "", **{field.name: "" for field in ENGAGEMENT_TABLE.fields}}
    stamp = {"sys_updated_on": "2026-11-01 00:00:00", "sys_mod_count": "0"}
    return FakeInstance(NOW, {TABLE: [{**columns, **stamp, **row} for row in rows]})


def run_of(store: Store, instance: FakeInstance) -> Run:
    return Run(store, instance, "r", threading.Event())


def plan(store: Store, instance: FakeInstance, language: str = "es") -> list[RowChange]:
    seen = see_rows(instance)
    assert seen is not None
    return plan_rows(store, shipped(), "travesia", language, seen)


TERMS = Terms(1, 50, None, 3, timedelta(days=32), NOW)


def bring(store: Store, instance: FakeInstance) -> RowsSent:
    return send_rows(run_of(store, instance), plan(store, instance), TERMS)


def filled(instance: FakeInstance) -> None:
    """The tool answers every column, as the platform does, whatever was sent."""
    for row in instance.tables[TABLE]:
        for field in ENGAGEMENT_TABLE.fields:
            row.setdefault(field.name, "")


def test_a_relationship_becomes_a_row_that_a_person_can_read(store: Store) -> None:
    put(store, KEYS[0], "ERP")
    instance = tool()
    assert bring(store, instance).written == 1
    ((table, row),) = instance.created
    assert (table, row["sys_id"]) == (TABLE, KEYS[0])
    assert row["u_name"] == "Finanzas × ERP"
    assert (row["u_state"], row["u_score"], row["u_provider_side"]) == ("transactional", "58", "58")
    assert row["u_why"] == "Plazo incumplido ×3: −6,2"
    assert row["u_steps"] == "Dar acceso y usar 58"
    assert row["u_advice"].startswith("Sin voz: no puede pasar de Vinculada; pregunte a")
    assert (row["u_reliability"], row["u_people"], row["u_ring"]) == ("56", "9", "none")
    assert "u_customer_side" not in row


def test_sent_twice_nothing_is_sent_again(store: Store) -> None:
    put(store, KEYS[0], "ERP")
    put(store, KEYS[1], "Correo")
    instance = tool()
    bring(store, instance)
    filled(instance)
    assert plan(store, instance) == []


def test_only_what_differs_is_sent(store: Store) -> None:
    put(store, KEYS[0], "ERP")
    instance = tool()
    bring(store, instance)
    filled(instance)
    begin(store)
    put(store, KEYS[0], "ERP", score=44.0)
    bring(store, instance)
    (update,) = instance.sent
    assert update.values == {"u_score": "44"}


def test_what_moves_every_night_causes_no_write_alone(store: Store) -> None:
    put(store, KEYS[0], "ERP")
    instance = tool()
    bring(store, instance)
    filled(instance)
    begin(store)
    put(store, KEYS[0], "ERP", confidence=0.61)
    assert plan(store, instance) == []


def test_what_people_wrote_is_never_sent_and_is_seen(store: Store) -> None:
    put(store, KEYS[0], "ERP")
    instance = tool()
    bring(store, instance)
    filled(instance)
    row = instance.tables[TABLE][0]
    theirs = {
        "u_owner": "Responsable de cuentas",
        "u_next_step": "Llamar",
        "u_due": "2026-12-01",
        "u_ring_confirmed": "2026-03-02",
    }
    row |= theirs
    assert set(theirs) == {field.name for field in PEOPLES}
    begin(store)
    put(store, KEYS[0], "ERP", score=30.0)
    bring(store, instance)
    sent = {key for update in instance.sent for key in update.values}
    sent |= {key for _table, values in instance.created for key in values}
    assert sent <= {field.name for field in COMPUTED} | {"sys_id"}
    assert {key: row[key] for key in theirs} == theirs
    assert row["u_ring"] == "confirmed"
    seen = see_rows(instance)
    assert seen is not None
    engagement_rows.save_seen(store, seen, NOW)
    (kept,) = store.read("FROM engagement_seen")
    assert kept == {
        "sys_id": KEYS[0],
        "ring_confirmed": date(2026, 3, 2),
        "has_owner": True,
        "has_next_step": True,
        "due": date(2026, 12, 1),
    }
    (known,) = engagement.read_next(store)
    assert (known["ring_confirmed"], known["has_owner"]) == (date(2026, 3, 2), True)


def confirmed_row(store: Store, in_tool: str = "") -> FakeInstance:
    """A row in the tool; a person confirmed its ring on the command line."""
    put(store, KEYS[0], "ERP")
    instance = tool()
    bring(store, instance)
    filled(instance)
    instance.tables[TABLE][0]["u_ring_confirmed"] = in_tool
    engagement.confirm_ring(store, KEYS[0], date(2026, 11, 2))
    return instance


def see(store: Store, instance: FakeInstance) -> None:
    seen = see_rows(instance)
    assert seen is not None
    engagement_rows.save_seen(store, seen, NOW)


def test_a_ring_confirmed_on_the_command_line_is_written_once(store: Store) -> None:
    instance = confirmed_row(store)
    bring(store, instance)
    (update,) = instance.sent
    assert update.values == {"u_ring": "confirmed", "u_ring_confirmed": "2026-11-02"}
    see(store, instance)
    assert plan(store, instance) == []


def test_a_new_row_carries_the_ring_that_was_confirmed_before(store: Store) -> None:
    put(store, KEYS[0], "ERP")
    engagement.confirm_ring(store, KEYS[0], date(2026, 11, 2))
    instance = tool()
    bring(store, instance)
    ((_table, row),) = instance.created
    assert (row["u_ring"], row["u_ring_confirmed"]) == ("confirmed", "2026-11-02")


def test_a_date_that_people_wrote_in_the_tool_wins(store: Store) -> None:
    instance = confirmed_row(store, in_tool="2026-03-02")
    bring(store, instance)
    (update,) = instance.sent
    assert update.values == {"u_ring": "confirmed"}
    assert instance.tables[TABLE][0]["u_ring_confirmed"] == "2026-03-02"


def test_a_date_that_people_wrote_after_we_looked_wins(store: Store) -> None:
    instance = confirmed_row(store)
    planned = plan(store, instance)
    instance.tables[TABLE][0]["u_ring_confirmed"] = "2026-03-02"
    sent = send_rows(run_of(store, instance), planned, TERMS)
    assert (sent.written, sent.refused) == (1, 0)
    assert instance.tables[TABLE][0]["u_ring_confirmed"] == "2026-03-02"


def test_a_date_that_people_emptied_is_not_written_again(store: Store) -> None:
    """Somebody takes the confirmation back in the tool: then it is none, here and there."""
    instance = confirmed_row(store)
    bring(store, instance)
    see(store, instance)
    instance.tables[TABLE][0]["u_ring_confirmed"] = ""
    (change,) = plan(store, instance)
    assert change.values == {"u_ring": "none"}
    bring(store, instance)
    see(store, instance)
    assert plan(store, instance) == []
    (known,) = engagement.read_next(store)
    assert known["ring_confirmed"] is None
    engagement.confirm_ring(store, KEYS[0], date(2026, 11, 9))
    (again,) = plan(store, instance)
    assert again.values == {"u_ring": "confirmed", "u_ring_confirmed": "2026-11-09"}


def test_a_hidden_date_is_neither_written_nor_taken_for_emptied(store: Store) -> None:
    instance = confirmed_row(store)
    bring(store, instance)
    see(store, instance)
    del instance.tables[TABLE][0]["u_ring_confirmed"]
    see(store, instance)
    assert plan(store, instance) == []
    (known,) = engagement.read_next(store)
    assert known["ring_confirmed"] == date(2026, 11, 2)


def test_a_relationship_that_became_too_small_is_emptied_not_deleted(store: Store) -> None:
    put(store, KEYS[0], "ERP")
    instance = tool({"sys_id": "c" * 32, "u_owner": "made by a person, not by us"})
    bring(store, instance)
    filled(instance)
    instance.tables[TABLE][1]["u_owner"] = "Responsable"
    begin(store)
    bring(store, instance)
    by_hand, ours = instance.tables[TABLE]
    assert ours["u_state"] == TOO_SMALL
    assert (ours["u_score"], ours["u_why"], ours["u_people"]) == ("", "", "")
    assert (ours["u_name"], ours["u_owner"]) == ("Finanzas × ERP", "Responsable")
    assert by_hand["u_state"] == ""
    assert plan(store, instance) == []
    assert instance.deleted == []


def test_a_hidden_column_is_no_difference(store: Store) -> None:
    put(store, KEYS[0], "ERP")
    instance = tool()
    bring(store, instance)
    filled(instance)
    for row in instance.tables[TABLE]:
        del row["u_why"]
        row["u_score"] = "58"
    assert plan(store, instance) == []


def test_what_the_tool_refuses_is_said_and_planned_again(store: Store) -> None:
    put(store, KEYS[0], "ERP")
    instance = tool()
    instance.refuse = {KEYS[0]}
    sent = bring(store, instance)
    assert (sent.written, sent.refused) == (0, 1)
    assert TABLE in sent.messages[0]
    assert len(plan(store, instance)) == 1


def test_a_200_that_kept_another_value_is_not_taken_for_written(store: Store) -> None:
    put(store, KEYS[0], "ERP")
    instance = tool()
    bring(store, instance)
    filled(instance)
    instance.silent_fields = {"u_score"}
    begin(store)
    put(store, KEYS[0], "ERP", score=44.0)
    assert bring(store, instance).refused == 1


def test_a_run_that_is_asked_to_stop_stops_between_batches(store: Store) -> None:
    put(store, KEYS[0], "ERP")
    instance = tool()
    run = run_of(store, instance)
    planned = plan(store, instance)
    run.stop.set()
    with pytest.raises(InterruptedRunError):
        send_rows(run, planned, TERMS)
    assert instance.created == []


def test_the_plan_names_relationship_field_and_both_values(store: Store) -> None:
    put(store, KEYS[0], "ERP")
    instance = tool()
    bring(store, instance)
    filled(instance)
    begin(store)
    put(store, KEYS[0], "ERP", score=44.0)
    (change,) = changes_of(plan(store, instance))
    assert (change.table, change.number, change.field) == (TABLE, "Finanzas × ERP", "u_score")
    assert (change.from_value, change.to_value) == ("58", "44")


def test_without_the_table_nothing_is_planned_and_one_line_says_why() -> None:
    assert see_rows(FakeInstance(NOW, {"incident": []})) is None
    assert "travesia provision --apply" in engagement_rows.no_table()
