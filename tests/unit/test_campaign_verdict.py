"""The verdict finds what it is there to find: a campaign that cannot fail proves nothing."""

import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from connector.sandbox.answers import encode
from connector.sandbox.faults import KINDS, plan_of
from tests.campaign import verdict
from tests.campaign.installation import Told
from tests.campaign.people import People, foreign
from tests.campaign.plans import random_plan
from tests.campaign.world import TABLES, Record, Rows, World
from tests.harness import USER

KEY = ("incident", "a1")
SHOWN = {
    "u_journey_step": "usar",
    "u_journey_touchpoint": "portal_ticket",
    "u_journey_band": "visible",
}


def rows(**changes: str) -> Rows:
    record = {"sys_id": "a1", "state": "1", "sys_mod_count": "3", **SHOWN, **changes}
    return {**{table: {} for table in TABLES}, "incident": {"a1": record}}


def told(code: int = 0, plan: list[dict[str, str]] | None = None, **changes: Any) -> Told:
    row = {
        "table_name": KEY[0],
        "sys_id": KEY[1],
        "touchpoint": "portal_ticket",
        "steps": {"travesia": "usar"},
        "band": "visible",
        "outcome": "",
        "value": "",
        **changes,
    }
    return Told(code, {"plan": plan or []}, {KEY: row}, "said")


def everybody(record: Record) -> People:
    expected: Rows = {**{table: {} for table in TABLES}, "incident": {"a1": foreign(record)}}
    return People(cast(World, None), expected, {}, {})


def test_peace_is_no_fault() -> None:
    assert list(verdict.of_people(everybody(rows()["incident"]["a1"]), rows())) == []
    assert list(verdict.of_quiet_sync(told(), rows())) == []
    assert list(verdict.of_fresh_sync(told(), told(), rows())) == []


def test_a_foreign_column_that_moved_is_found_and_ours_is_not() -> None:
    people = everybody({"sys_id": "a1", "state": "1"})
    (found,) = verdict.of_people(people, rows(state="2"))
    assert found == "foreign columns touched: incident a1 [\"state: '1' became '2'\"]"
    assert list(verdict.of_people(people, rows(u_journey_step="x", sys_mod_count="9"))) == []


def test_a_record_that_vanished_or_appeared_is_found() -> None:
    people = everybody({"sys_id": "a1"})
    people.expected["incident"]["b2"] = {"sys_id": "b2"}
    assert list(verdict.of_people(people, rows(state=""))) == ["lost or invented: incident b2"]


@pytest.mark.parametrize("column", sorted(SHOWN))
def test_a_field_that_shows_something_else_is_found(column: str) -> None:
    (found,) = verdict.of_quiet_sync(told(), rows(**{column: "other"}))
    assert found.startswith(f"wrong: incident a1 {column} is 'other'")


def test_a_record_that_the_store_does_not_know_is_found() -> None:
    there = rows()
    there["sc_task"]["c3"] = {"sys_id": "c3"}
    (found,) = verdict.of_quiet_sync(told(), there)
    assert found == "the store and the instance disagree whether sc_task c3 exists"


def test_a_failed_quiet_sync_is_found() -> None:
    assert list(verdict.of_quiet_sync(told(6), rows())) == ["the quiet sync ended with 6: said"]


def test_a_fresh_store_that_decides_or_plans_otherwise_is_found() -> None:
    otherwise = told(touchpoint="escalation")
    (found,) = verdict.of_fresh_sync(told(), otherwise, rows())
    assert found.startswith("classified otherwise afresh: ('incident', 'a1')")
    of = {"table": "incident", "sys_id": "a1"}
    band, why, since = ({**of, "field": f"u_journey_{name}"} for name in ("band", "why", "since"))
    (found,) = verdict.of_fresh_sync(told(), told(plan=[band, since]), rows())
    assert found == f"a fresh store would write: {band}"
    assert len(list(verdict.of_fresh_sync(told(), told(plan=[why, band]), rows()))) == 2
    # A reason that somebody overwrote is put right with the next field that causes a write.
    assert not list(verdict.of_fresh_sync(told(), told(plan=[why, since]), rows()))


class Audited:
    """A world that answers with these audit rows."""

    def __init__(self, *entries: tuple[str, str, str]) -> None:
        self._rows = [
            {
                "documentkey": "a1",
                "fieldname": "u_journey_step",
                "oldvalue": old,
                "newvalue": new,
                "user": user,
            }
            for old, new, user in entries
        ]

    def api(self, *_words: str, **_params: str) -> list[dict[str, str]]:
        return self._rows


@pytest.mark.parametrize(
    ("entries", "was_quiet", "faults"),
    [
        ([("", "usar", USER)], True, 0),
        ([("", "usar", USER), ("", "usar", USER)], False, 1),
        ([("usar", "usar", USER)], False, 1),
        ([("", "usar", USER), ("usar", "x", "admin"), ("x", "usar", USER)], False, 0),
        ([("", "usar", USER), ("usar", "x", USER)], True, 1),
    ],
)
def test_doubled_writes_are_found(
    entries: list[tuple[str, str, str]], was_quiet: bool, faults: int
) -> None:
    world = cast(World, Audited(*entries))
    assert len(list(verdict.of_audit(world, "", was_quiet=was_quiet))) == faults


def test_plans_are_good_repeat_with_their_seed_and_know_every_kind() -> None:
    drawn = [random_plan(random.Random(n)) for n in range(400)]  # noqa: S311 - repeatable
    assert drawn == [random_plan(random.Random(n)) for n in range(400)]  # noqa: S311
    for plan in drawn:
        plan_of(encode(plan))
    assert Counter(f["kind"] for plan in drawn for f in plan).keys() == KINDS.keys()


def test_a_late_moment_lies_between_the_last_save_and_now() -> None:
    now, saved = datetime(2026, 11, 20, 12, tzinfo=UTC), datetime(2026, 11, 20, 11, 50, tzinfo=UTC)
    for seed in range(50):
        moment = People._late_moment(random.Random(seed), saved, now)  # noqa: S311
        assert saved <= moment <= now
