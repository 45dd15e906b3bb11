"""Engagement in the demo: its story is found, the tool shows it, and people have the last word."""

import json
from datetime import date
from typing import Any

from tests.flow.conftest import Place

TABLE = "u_journey_engagement"
GOLIVE = date(2026, 6, 21)
FELL, ROSE = "at_risk", "transactional"
STORY = ("Finanzas", "Facturación electrónica / E-invoicing")


def asked(place: Place, *arguments: str) -> dict[str, Any]:
    found = json.loads(place.connector.do("engagement", "--json", *arguments))
    assert isinstance(found, dict)
    return found


def days_at_risk(row: dict[str, Any]) -> int:
    """Days of the window in which a relationship was at risk or worse."""
    end = date.fromisoformat(row["as_of"])
    changes = sorted(row["changes"], key=lambda one: one["changed_on"])
    days = 0
    for number, change in enumerate(changes):
        until = changes[number + 1]["changed_on"] if number + 1 < len(changes) else str(end)
        if change["to_state"] in (FELL, "broken"):
            began = date.fromisoformat(change["changed_on"])
            days += (date.fromisoformat(until) - began).days
    return days


def test_finance_and_e_invoicing_fall_after_the_go_live_and_recover(settled: Place) -> None:
    rows = asked(settled)["relationships"]
    named = {(row["customer_name"], row["service_name"]): row for row in rows}
    story = named[STORY]
    states = {c["to_state"]: c for c in sorted(story["changes"], key=lambda c: c["changed_on"])}
    assert abs((date.fromisoformat(states[FELL]["changed_on"]) - GOLIVE).days) <= 30
    assert "sla-breached" in {reason["line"] for reason in states[FELL]["reasons"]}
    assert story["state"] == ROSE
    assert story["score"] > story["month_score"] + 5, "and it goes on rising"
    worst = sorted((days_at_risk(row), name) for name, row in named.items())
    assert worst[-1][1] == STORY
    assert worst[-1][0] > 2 * worst[-2][0], "nobody else moves like it"


def test_the_tool_shows_the_relationship_and_people_have_the_last_word(synced: Place) -> None:
    instance, connector = synced.instance, synced.connector
    rows = instance.dump(TABLE)
    key, row = next((k, r) for k, r in rows.items() if r["u_name"] == " × ".join(STORY))
    assert row["u_ring"] == "proposed"
    assert int(row["u_people"]) >= 5
    theirs = {"u_owner": "Dirección de servicio", "u_next_step": "Reunión", "u_due": "2026-12-15"}
    instance.api("PATCH", f"table/{TABLE}/{key}", {**theirs, "u_ring_confirmed": "2026-11-02"})
    synced.stand_at("2026-11-22 12:00:05")
    connector.sync()
    after = instance.dump(TABLE)[key]
    assert {name: after[name] for name in theirs} == theirs
    assert (after["u_ring_confirmed"], after["u_ring"]) == ("2026-11-02", "confirmed")
    found = asked(synced, "--relationship", " × ".join(STORY))["relationships"][0]
    assert (found["ring"], found["has_owner"], found["due"]) == ("confirmed", True, "2026-12-15")


def test_a_person_confirms_the_ring_on_the_command_line(synced: Place) -> None:
    connector = synced.connector
    word = ("--confirm-ring", "2026-11-02")
    said = connector.call("engagement", "--relationship", "Finanzas", *word)
    assert said.returncode == 2
    assert "names" in said.stderr
    connector.do("engagement", "--relationship", " × ".join(STORY), *word)
    found = asked(synced, "--relationship", " × ".join(STORY))["relationships"][0]
    assert (found["ring"], found["ring_confirmed"]) == ("confirmed", "2026-11-02")
    shown = connector.do("engagement", "--relationship", " × ".join(STORY))
    assert "confirmed by a person" in shown
    assert "no ring" not in shown
    plan = connector.do("sync", "--dry-run", "--plan-file", "-")
    sent = connector.sync()
    assert sent["confirmed_relationships"] == sent["planned_relationships"] > 0
    rows = synced.instance.dump(TABLE).values()
    (row,) = [row for row in rows if row["u_name"] == " × ".join(STORY)]
    assert (row["u_ring"], row["u_ring_confirmed"]) == ("confirmed", "2026-11-02")
    assert "u_ring_confirmed" in plan, "the dry run says so before"
    key = next(k for k, r in synced.instance.dump(TABLE).items() if r["u_name"] == row["u_name"])
    synced.instance.api("PATCH", f"table/{TABLE}/{key}", {"u_ring_confirmed": "2026-10-01"})
    connector.sync()
    assert synced.instance.dump(TABLE)[key]["u_ring_confirmed"] == "2026-10-01"


def test_the_lists_speak_and_the_backtest_is_honest(settled: Place) -> None:
    connector = settled.connector
    listed = connector.do("engagement")
    assert "Engagement: the state of each relationship" in listed
    assert "Transactional" in listed
    assert STORY[0] in connector.do("engagement", "--moved")
    held = json.loads(connector.do("backtest", "--json"))
    assert held["relationship_months"] > 20
    assert len(held["by_score"]) == len(held["by_sla"]) == 4
    assert "Rank correlation" in connector.do("backtest")
    unknown = connector.call("engagement", "--relationship", "Nobody at all")
    assert (unknown.returncode, "no relationship is called" in unknown.stderr) == (2, True)


def test_each_of_the_thirty_moments_appears_with_its_evidence(settled: Place) -> None:
    """A new user sees every moment of truth decided at least once."""
    decided = settled.connector.read(
        "SELECT DISTINCT moment_id FROM moment WHERE polarity IN ('positive', 'negative')"
        " AND evidence <> ''"
    )
    assert {row[0] for row in decided} == {f"M{n:02}" for n in range(1, 31)}
    listed = settled.connector.do("moments")
    assert all(f"M{n:02}" in listed for n in range(1, 31))
