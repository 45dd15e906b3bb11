"""A steward's word: honoured, never overwritten, over when the record's own state changes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.classify import save_classification, unexplained_overrides, unknown_overrides
from connector.store import records
from connector.store.database import Row
from connector.store.overrides import overrides_per_rule
from tests.journey_kit import Kit, Record

OPEN: Record = {
    "sys_id": "i",
    "number": "INC1",
    "state": "2",
    "active": "true",
    "contact_type": "phone",
    "opened_at": "2026-11-10 08:00:00",
    "sys_updated_on": "2026-11-10 09:00:00",
}
FIRST = datetime(2026, 11, 12, 2, 0, tzinfo=UTC)


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = Kit(tmp_path)
    for column in ("u_journey_override", "u_journey_override_reason"):
        kit.store.execute(f"ALTER TABLE current.incident ADD COLUMN {column} VARCHAR")
    kit.put("incident", OPEN)
    yield kit
    kit.store.close()


def night(kit: Kit, n: int) -> Row:
    """Night number `n`; answers where the incident stands."""
    now = FIRST + timedelta(days=n)
    kit.classify(now, f"r{n}")
    save_classification(kit.store, f"r{n}")
    kit.finish(f"r{n}", now)
    return kit.placed("i")


def say(kit: Kit, touchpoint: str, reason: str = "the caller sits in the pilot") -> None:
    """A steward fills the two fields; that alone changes no input of a rule."""
    kit.store.execute(
        "UPDATE current.incident SET u_journey_override = $t, u_journey_override_reason = $r",
        t=touchpoint,
        r=reason,
    )


def test_a_word_places_the_record_with_its_reason_on_the_next_run(kit: Kit) -> None:
    before = night(kit, 0)
    say(kit, "acceptance_test")
    row = night(kit, 1)
    touchpoint = kit.mapping.touchpoints["acceptance_test"]
    assert (row["rule_id"], row["touchpoint"]) == ("override", "acceptance_test")
    assert (row["steps"], row["band"], row["confidence"]) == (
        dict(touchpoint.steps),
        touchpoint.band,
        "high",
    )
    assert overrides_per_rule(kit.store) == [
        {
            "rule_id": before["rule_id"],
            "touchpoint": "acceptance_test",
            "records": 1,
            "ended": 0,
        }
    ]
    moves = kit.store.read("SELECT cause FROM transition WHERE run_id = 'r1'")
    assert {move["cause"] for move in moves} == {"override"}


def test_it_holds_until_the_state_changes_and_then_until_a_steward_speaks_again(kit: Kit) -> None:
    say(kit, "acceptance_test")
    night(kit, 0)
    kit.store.execute("UPDATE current.incident SET contact_type = 'email'")
    assert night(kit, 1)["rule_id"] == "override"
    kit.store.execute("UPDATE current.incident SET state = '1'")
    assert night(kit, 2)["rule_id"] != "override"
    kit.store.execute("UPDATE current.incident SET state = '2'")
    assert night(kit, 3)["rule_id"] != "override"
    assert [(r["records"], r["ended"]) for r in overrides_per_rule(kit.store)] == [(0, 1)]
    say(kit, "acceptance_test", "still in the pilot")
    assert night(kit, 4)["rule_id"] == "override"


AUDIT = ("sys_id", "documentkey", "fieldname", "oldvalue", "newvalue", "sys_created_on")


def audited(kit: Kit, *entries: tuple[str, str, str, str]) -> None:
    """Audit entries of the incident: (minute, field, from, to)."""
    kit.columns = {**kit.columns, "sys_audit": AUDIT}
    records.ensure_table(kit.store, "sys_audit", AUDIT)
    for n, (minute, field, before, after) in enumerate(entries):
        at = f"2026-11-12 08:{minute}:00"
        row = ("a" + str(n), "i", field, before, after, at)
        kit.put("sys_audit", dict(zip(AUDIT, row, strict=True)))


@pytest.mark.parametrize(
    ("said", "resolved", "rule_is_override"),
    [("10", "40", False), ("40", "10", True), ("40", "40", True)],
    ids=["resolved after the word", "resolved before the word", "both in one save"],
)
def test_a_word_and_a_resolution_on_one_day_are_told_apart_by_the_audit(
    kit: Kit, said: str, resolved: str, *, rule_is_override: bool
) -> None:
    """It was said of the state in which the record stood then, not of the one seen at night."""
    night(kit, 0)
    say(kit, "acceptance_test")
    kit.store.execute("UPDATE current.incident SET state = '6'")
    audited(kit, (said, "u_journey_override", "", "acceptance_test"), (resolved, "state", "2", "6"))
    for n in (1, 2):
        assert (night(kit, n)["rule_id"] == "override") == rule_is_override
    assert [r["ended"] for r in overrides_per_rule(kit.store)] == ([0] if rule_is_override else [])
    say(kit, "acceptance_test", "now that it is resolved")
    audited(kit, ("10", "state", "2", "6"), ("50", "u_journey_override_reason", "a", "b"))
    assert night(kit, 3)["rule_id"] == "override"


def test_without_an_audit_of_the_word_it_holds_for_the_state_first_seen(kit: Kit) -> None:
    night(kit, 0)
    say(kit, "acceptance_test")
    kit.store.execute("UPDATE current.incident SET state = '6'")
    audited(kit, ("10", "state", "2", "6"))
    assert night(kit, 1)["rule_id"] == "override"


def test_a_cleared_word_is_over_at_once(kit: Kit) -> None:
    say(kit, "acceptance_test")
    night(kit, 0)
    say(kit, "", "")
    assert night(kit, 1)["rule_id"] != "override"
    assert kit.store.read("FROM journey_override") == []
    moves = kit.store.read("SELECT DISTINCT cause FROM transition WHERE run_id = 'r1'")
    assert moves == [{"cause": "override"}]


def test_what_hangs_on_the_record_follows_it(kit: Kit) -> None:
    kit.put("task_sla", {"sys_id": "s", "task": "i", "active": "true", "stage": "in_progress"})
    say(kit, "acceptance_test")
    night(kit, 0)
    assert kit.placed("s")["steps"] == kit.placed("i")["steps"]


def test_a_word_without_a_reason_is_honoured_and_told(kit: Kit) -> None:
    say(kit, "acceptance_test", " ")
    assert night(kit, 0)["rule_id"] == "override"
    (said,) = unexplained_overrides(kit.store)
    assert said == (
        "1 record was set by hand without a reason (INC1): write it into u_journey_override_reason"
    )
    say(kit, "acceptance_test")
    night(kit, 1)
    assert unexplained_overrides(kit.store) == []


def test_an_impossible_word_is_named_and_changes_nothing(kit: Kit) -> None:
    say(kit, "aceptance_test")
    assert night(kit, 0)["rule_id"] != "override"
    (said,) = unknown_overrides(kit.store, kit.mapping)
    assert "INC1" in said
    assert "acceptance_test" in said
    assert overrides_per_rule(kit.store) == []


def test_a_column_that_is_hidden_for_a_night_neither_ends_nor_revives_a_word(kit: Kit) -> None:
    night(kit, 0)
    say(kit, "acceptance_test")
    night(kit, 1)
    kit.store.execute("UPDATE current.incident SET state = NULL")
    assert night(kit, 2)["rule_id"] == "override"
    kit.store.execute("UPDATE current.incident SET state = '2', u_journey_override = NULL")
    assert night(kit, 3)["rule_id"] == "override"
    say(kit, "acceptance_test")
    kit.store.execute("UPDATE current.incident SET state = '3'")
    assert night(kit, 4)["rule_id"] != "override"
    kit.store.execute("UPDATE current.incident SET u_journey_override = NULL")
    night(kit, 5)
    say(kit, "acceptance_test")
    assert night(kit, 6)["rule_id"] != "override"
