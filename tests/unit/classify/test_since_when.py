"""Since when a record stands in its step: what depends on the path, kept beside classification."""

from dataclasses import replace
from datetime import UTC, datetime

from connector.classify import save_classification
from connector.store.database import Row
from tests.journey_kit import Kit, Record

OPEN: Record = {
    "sys_id": "i",
    "state": "2",
    "active": "true",
    "contact_type": "phone",
    "opened_at": "2026-11-10 08:00:00",
    "sys_created_on": "2026-11-10 08:00:05",
    "sys_updated_on": "2026-11-10 09:00:00",
}
FIRST = datetime(2026, 11, 12, 2, 0, tzinfo=UTC)
SECOND = datetime(2026, 11, 13, 2, 0, tzinfo=UTC)


def night(kit: Kit, now: datetime, run_id: str) -> None:
    """One run: classify, save, end."""
    kit.classify(now, run_id)
    save_classification(kit.store, run_id)
    kit.finish(run_id, now)


def update(kit: Kit, at: str, **values: str) -> None:
    """The customer's own update of the incident, seen by the next run."""
    sets = ", ".join(f"{name} = '{value}'" for name, value in values.items())
    kit.store.execute(
        f"UPDATE current.incident SET {sets}, sys_updated_on = '{at}', _inputs_updated_on = '{at}'"
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def moves(kit: Kit, journey: str = "travesia") -> list[Row]:
    return kit.store.read(
        "SELECT from_step, to_step, happened_at, dwell_seconds, source, cause, rule_id, run_id"
        " FROM transition WHERE journey = $journey ORDER BY happened_at",
        journey=journey,
    )


def test_on_first_sight_the_records_own_timestamps_say(kit: Kit) -> None:
    closed = {"state": "7", "active": "false", "resolved_at": "2026-11-11 10:00:00"}
    kit.put("incident", OPEN, {**OPEN, **closed, "sys_id": "j", "closed_at": "2026-11-11 20:00:00"})
    kit.classify(FIRST)
    assert (kit.standing("i")["since"], kit.standing("i")["source"]) == (
        at("2026-11-10 08:00"),
        "timestamp",
    )
    assert kit.standing("j")["since"] == at("2026-11-11 10:00")
    assert kit.standing("j")["step"] == "medir"


def test_on_first_sight_what_the_tool_already_says_is_adopted(kit: Kit) -> None:
    """A new store must not forget since when a record has stood where it stands."""
    kit.put("incident", OPEN, {**OPEN, "sys_id": "j"})
    for column, value in (("u_journey_step", "usar"), ("u_journey_since", "2026-11-11 07:00:00")):
        kit.store.execute(f"ALTER TABLE current.incident ADD COLUMN {column} VARCHAR")
        kit.store.execute(f"UPDATE current.incident SET {column} = '{value}' WHERE sys_id = 'i'")
    kit.store.execute("UPDATE current.incident SET u_journey_step = 'medir' WHERE sys_id = 'j'")
    kit.classify(FIRST)
    assert (kit.standing("i")["since"], kit.standing("i")["source"]) == (
        at("2026-11-11 07:00"),
        "adopted",
    )
    assert kit.standing("i", "itil4")["source"] == "timestamp"
    assert kit.standing("j")["source"] == "timestamp"


def test_a_step_that_stays_keeps_its_time(kit: Kit) -> None:
    kit.put("incident", OPEN)
    night(kit, FIRST, "r1")
    update(kit, "2026-11-12 15:00:00", state="3", hold_reason="1")
    night(kit, SECOND, "r2")
    assert kit.standing("i")["since"] == at("2026-11-10 08:00")
    assert len(moves(kit)) == 1


def test_a_step_changes_when_the_customers_update_changed_it(kit: Kit) -> None:
    kit.put("incident", OPEN)
    night(kit, FIRST, "r1")
    update(kit, "2026-11-12 15:00:00", state="6", resolved_at="2026-11-12 14:59:00")
    night(kit, SECOND, "r2")
    assert kit.standing("i")["since"] == at("2026-11-12 15:00")
    assert moves(kit)[1] == {
        "from_step": "usar",
        "to_step": "medir",
        "happened_at": at("2026-11-12 15:00"),
        "dwell_seconds": 2 * 86400 + 7 * 3600,
        "source": "observed",
        "cause": "customer",
        "rule_id": "incident-resolved",
        "run_id": "r2",
    }


def test_the_first_move_has_no_dwell(kit: Kit) -> None:
    kit.put("incident", OPEN)
    night(kit, FIRST, "r1")
    (move,) = moves(kit)
    assert (move["from_step"], move["to_step"], move["dwell_seconds"]) == ("", "usar", None)


def test_a_move_by_time_alone_happens_now(kit: Kit) -> None:
    done = {"sys_id": "r", "state": "3", "active": "false", "closed_at": "2026-11-10 08:00:00"}
    kit.put("sc_req_item", {**done, "sys_updated_on": "2026-11-10 08:00:00"})
    night(kit, datetime(2026, 11, 11, 2, tzinfo=UTC), "r1")
    night(kit, datetime(2026, 11, 14, 2, tzinfo=UTC), "r2")
    assert [(m["to_step"], m["happened_at"]) for m in moves(kit)] == [
        ("usar", at("2026-11-10 08:00")),
        ("medir", at("2026-11-14 02:00")),
    ]


def test_a_later_echo_of_an_old_update_does_not_date_a_move(kit: Kit) -> None:
    """The inputs changed before the last run: whatever moves the record now, that is not it."""
    kit.put("incident", OPEN)
    night(kit, FIRST, "r1")
    update(kit, "2026-11-11 20:00:00", state="6")
    night(kit, SECOND, "r2")
    assert kit.standing("i")["since"] == at("2026-11-13 02:00")


def test_a_changed_mapping_is_no_move_of_the_customer(kit: Kit) -> None:
    kit.put("incident", OPEN)
    night(kit, FIRST, "r1")
    other = {"travesia": "visibilizar", "itil4": "offer"}
    rules = tuple(
        replace(rule, steps=other) if rule.id == "incident-by-phone" else rule
        for rule in kit.mapping.rules
    )
    kit.mapping = replace(kit.mapping, rules=rules, hash="another")
    night(kit, SECOND, "r2")
    assert [(m["to_step"], m["cause"]) for m in moves(kit)] == [
        ("usar", "customer"),
        ("visibilizar", "mapping"),
    ]


def test_a_record_that_is_gone_leaves_classification_and_standing(kit: Kit) -> None:
    kit.put("incident", OPEN)
    night(kit, FIRST, "r1")
    kit.store.execute("DELETE FROM current.incident")
    night(kit, SECOND, "r2")
    for table in ("classification", "standing"):
        assert kit.store.read(f"SELECT * FROM {table}") == []
    assert len(moves(kit)) == 1


def test_only_what_differs_is_rewritten(kit: Kit) -> None:
    kit.put("incident", OPEN, {**OPEN, "sys_id": "j"})
    night(kit, FIRST, "r1")
    before = kit.store.read("SELECT rowid AS row, sys_id FROM classification ORDER BY 2")
    kit.store.execute("UPDATE current.incident SET state = '6' WHERE sys_id = 'i'")
    night(kit, SECOND, "r2")
    after = kit.store.read("SELECT rowid AS row, sys_id FROM classification ORDER BY 2")
    assert after[1] == before[1]
    assert (
        kit.store.value("SELECT rule_id FROM classification WHERE sys_id = 'i'")
        == "incident-resolved"
    )


def test_nothing_is_saved_before_it_is_told_to(kit: Kit) -> None:
    kit.put("incident", OPEN)
    kit.classify(FIRST)
    assert kit.store.value("SELECT count(*) FROM classification") == 0
    assert kit.store.value("SELECT count(*) FROM transition") == 0
