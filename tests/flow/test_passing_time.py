"""Nights go by: a store that saw them all says what a fresh one says, but for the path.

What depends on the path is since when a record stands in its step; it has tests of its own.
"""

from datetime import UTC, datetime
from typing import Any

from tests.flow.conftest import Place, fresh
from tests.harness import Connector, classifications, journey_fields

WRITTEN = ("incident", "sc_request", "sc_req_item", "sc_task")


def standing(connector: Connector, sys_id: str) -> tuple[Any, ...]:
    """The step a record stands in, since when, and how that is known."""
    [found] = connector.read(
        "SELECT step, since, source FROM standing"
        f" WHERE sys_id = '{sys_id}' AND journey = 'travesia'"
    )
    return found[0], found[1].replace(tzinfo=UTC), found[2]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def an_open_incident(place: Place, step: str) -> dict[str, str]:
    return next(
        row
        for row in place.instance.dump("incident").values()
        if row["active"] == "true" and row.get("u_journey_step") == step
    )


def test_after_some_nights_a_fresh_store_says_the_same(synced: Place) -> None:
    instance, connector = synced.instance, synced.connector
    resolved = an_open_incident(synced, "usar")
    synced.stand_at("2026-11-20 15:00:00")
    body = {"state": "6", "resolved_at": "2026-11-20 15:00:00"}
    instance.api("PATCH", f"table/incident/{resolved['sys_id']}", body)
    asked = next(
        r for r in instance.dump("sysapproval_approver").values() if r["state"] == "requested"
    )
    instance.api("PATCH", f"table/sysapproval_approver/{asked['sys_id']}", {"state": "rejected"})
    new = {"short_description": "No puedo entrar", "state": "1", "contact_type": "phone"}
    created = instance.api("POST", "table/incident", new)["sys_id"]
    for moment in ("2026-11-21 02:00:00", "2026-12-05 02:00:00"):
        synced.stand_at(moment)
        assert connector.sync()["confirmed"] > 0, "time alone moves some"
    synced.stand_at("2026-12-05 02:00:10")
    connector.sync()

    other = fresh(synced)
    assert classifications(connector) == classifications(other)
    assert instance.dump("incident")[resolved["sys_id"]]["u_journey_step"] == "medir"
    assert instance.dump("incident")[created]["u_journey_touchpoint"] == "phone"
    columns = ("u_journey_step", "u_journey_touchpoint", "u_journey_outcome", "u_journey_value")
    for table in WRITTEN:
        shown = journey_fields(instance, table)
        said = other.read(
            "SELECT sys_id, coalesce(steps['travesia'], ''), touchpoint, outcome, value"
            f" FROM classification WHERE table_name = '{table}'"
        )
        assert {s: tuple(shown[s][c] for c in columns) for s in shown} == {
            sys_id: tuple(values) for sys_id, *values in said
        }


def test_since_when_a_record_stands_in_its_step_is_observed_adopted_and_kept(
    synced: Place,
) -> None:
    instance, connector = synced.instance, synced.connector
    moved, still = (an_open_incident(synced, step) for step in ("usar", "preparar"))
    before = standing(connector, still["sys_id"])
    assert before[2] in ("timestamp", "audit"), "a first sight knows only what is on record"
    synced.stand_at("2026-11-20 18:30:00")
    body = {"state": "6", "resolved_at": "2026-11-20 09:00:00"}
    instance.api("PATCH", f"table/incident/{moved['sys_id']}", body)
    synced.stand_at("2026-11-21 02:00:00")
    connector.sync()

    # When the user did it counts, not when we came by, nor what was typed into a field.
    assert standing(connector, moved["sys_id"]) == ("medir", at("2026-11-20 18:30:00"), "audit")
    row = instance.dump("incident")[moved["sys_id"]]
    assert row["u_journey_since"] == "2026-11-20 18:30:00"
    assert standing(connector, still["sys_id"]) == before
    kept = instance.dump("incident")[still["sys_id"]]
    assert kept["u_journey_since"] == still["u_journey_since"]
    moves = connector.read(
        "SELECT from_step, to_step, happened_at, cause FROM transition WHERE journey = 'travesia'"
        f" AND sys_id = '{moved['sys_id']}' ORDER BY happened_at"
    )
    assert [move[:2] for move in moves] == [("", "usar"), ("usar", "medir")]
    assert moves[-1][2:] == (at("2026-11-20 18:30:00").replace(tzinfo=None), "customer")

    # A new store reads the audit; without that it takes the tool's own word, and so does not
    # write it over with a poorer one.
    synced.stand_at("2026-11-21 03:00:00")
    assert standing(fresh(synced), moved["sys_id"]) == standing(connector, moved["sys_id"])
    successor = fresh(synced, "without-history", history=False)
    assert standing(successor, moved["sys_id"]) == ("medir", at("2026-11-20 18:30:00"), "adopted")
    assert standing(successor, still["sys_id"])[:2] == before[:2]
    successor.write_config(write_back={"enabled": True})
    # (A store without history decides some moments otherwise: only the time is looked at.)
    assert [c for c in successor.sync()["plan"] if c["field"] == "u_journey_since"] == []

    # Nothing moves: the time stays, whatever else people edit.
    instance.api("PATCH", f"table/incident/{moved['sys_id']}", {"close_notes": "mended"})
    synced.stand_at("2026-11-22 02:00:00")
    connector.sync()
    assert standing(connector, moved["sys_id"]) == ("medir", at("2026-11-20 18:30:00"), "audit")
    assert instance.dump("incident")[moved["sys_id"]]["u_journey_since"] == "2026-11-20 18:30:00"
