"""Facts, measured over a real store."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.journey.facts import FACTS, facts_of, find_fact
from connector.journey.scope import UnavailableError
from tests.facts_kit import TABLES, FactsKit
from tests.journey_kit import NOW


@pytest.fixture
def kit(tmp_path: Path) -> FactsKit:
    return FactsKit(tmp_path)


def values(
    kit: FactsKit, table: str, sys_id: str, *fields: str, now: datetime = NOW, zone: str = "UTC"
) -> list[str | None]:
    return kit.values(table, sys_id, *fields, now=now, zone=zone)


def test_a_record_that_nothing_points_to_has_zero_no_and_nothing(kit: FactsKit) -> None:
    kit.put("incident", {"sys_id": "i"})
    assert values(kit, "incident", "i", "sla.total", "sla.has_breached", "survey.score") == [
        "0",
        "false",
        "",
    ]


def test_sla_rows_are_counted_by_what_they_say(kit: FactsKit) -> None:
    kit.put("incident", {"sys_id": "i"}, {"sys_id": "other"})
    kit.put(
        "task_sla",
        {"sys_id": "1", "task": "i", "active": "true"},
        {"sys_id": "2", "task": "i", "active": "false", "has_breached": "true"},
        {"sys_id": "3", "task": ""},
    )
    names = ("sla.total", "sla.running", "sla.has_breached")
    assert values(kit, "incident", "i", *names) == ["2", "1", "true"]
    assert values(kit, "incident", "other", *names) == ["0", "0", "false"]


@pytest.mark.parametrize(
    ("row", "percent"),
    [
        ({"start_time": "2026-11-20 08:00:00", "planned_end_time": "2026-11-20 16:00:00"}, "50.0"),
        (
            {  # two hours of pause so far moved the end from 16 to 18
                "start_time": "2026-11-20 08:00:00",
                "planned_end_time": "2026-11-20 18:00:00",
                "pause_duration": "1970-01-01 02:00:00",
            },
            "25.0",
        ),
        (
            {  # the clock stands since 10
                "stage": "paused",
                "start_time": "2026-11-20 08:00:00",
                "planned_end_time": "2026-11-20 16:00:00",
                "pause_time": "2026-11-20 10:00:00",
            },
            "25.0",
        ),
        ({"start_time": "2026-11-20 08:00:00", "planned_end_time": ""}, ""),
        ({"start_time": "nonsense", "planned_end_time": "2026-11-20 08:00:00"}, ""),
        ({"start_time": "2026-11-20 08:00:00", "planned_end_time": "2026-11-20 08:00:00"}, ""),
    ],
)
def test_elapsed_time_is_ours_not_the_tools(
    kit: FactsKit, row: dict[str, str], percent: str
) -> None:
    kit.put("incident", {"sys_id": "i"})
    kit.put("task_sla", {"sys_id": "s", "task": "i", "active": "true", **row})
    assert values(kit, "task_sla", "s", "sla.elapsed_percent") == [percent]
    assert values(kit, "incident", "i", "sla.elapsed_percent") == [percent]


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        ("2026-11-20 08:00:00", "0.0"),  # this Friday
        ("2026-11-19 18:00:00", "1.0"),
        ("2026-11-16 08:00:00", "4.0"),  # Monday
        ("2026-11-14 08:00:00", "4.0"),  # the Saturday before
        ("2026-11-13 08:00:00", "5.0"),
        ("2026-11-06 08:00:00", "10.0"),
        ("2026-11-05 08:00:00", "11.0"),
        ("2026-11-15 23:30:00", "4.0"),  # already Monday in Madrid, still counts from Monday
    ],
)
def test_pending_days_are_working_days(kit: FactsKit, asked: str, days: str) -> None:
    kit.put("sc_req_item", {"sys_id": "r"})
    kit.put(
        "sysapproval_approver",
        {"sys_id": "a", "sysapproval": "r", "state": "requested", "sys_created_on": asked},
        {
            "sys_id": "b",
            "sysapproval": "r",
            "state": "approved",
            "sys_created_on": "2026-01-01 00:00:00",
        },
    )
    zone = "Europe/Madrid"
    (own,) = values(kit, "sysapproval_approver", "a", "approval.pending_days", zone=zone)
    (of_item,) = values(kit, "sc_req_item", "r", "approval.pending_days", zone=zone)
    assert float(own or "-1") == float(of_item or "-1") == float(days)


def test_an_answered_approval_is_not_pending(kit: FactsKit) -> None:
    kit.put(
        "sysapproval_approver",
        {
            "sys_id": "a",
            "sysapproval": "r",
            "state": "approved",
            "sys_created_on": "2026-01-01 00:00:00",
        },
    )
    assert values(kit, "sysapproval_approver", "a", "approval.pending_days") == [""]


def test_pending_days_follow_the_calendar_of_the_zone(kit: FactsKit) -> None:
    """At 23:30 UTC on Sunday it is Monday in Madrid: no working day has begun since."""
    kit.put(
        "sysapproval_approver",
        {"sys_id": "a", "state": "requested", "sys_created_on": "2026-11-15 23:30:00"},
    )
    moment = datetime(2026, 11, 16, 12, tzinfo=UTC)
    names = ("sysapproval_approver", "a", "approval.pending_days")
    assert float(values(kit, *names, now=moment, zone="Europe/Madrid")[0] or "-1") == 0
    assert float(values(kit, *names, now=moment, zone="UTC")[0] or "-1") == 0
    assert float(values(kit, *names, now=moment, zone="America/New_York")[0] or "-1") == 0


def test_tasks_of_suppliers_are_told_by_their_group(kit: FactsKit) -> None:
    kit.put("sc_req_item", {"sys_id": "r"})
    kit.put(
        "sys_user_group",
        {"sys_id": "g", "name": "PROVEEDOR de equipos"},
        {"sys_id": "h", "name": "CAU"},
    )
    kit.put(
        "sc_task",
        {"sys_id": "1", "request_item": "r", "active": "true", "assignment_group": "g"},
        {"sys_id": "2", "request_item": "r", "active": "true", "assignment_group": "h"},
        {"sys_id": "3", "request_item": "r", "active": "false", "assignment_group": "g"},
        {"sys_id": "4", "request_item": "r", "active": "true", "assignment_group": "gone"},
    )
    names = ("tasks.total", "tasks.open", "tasks.supplier_open")
    assert values(kit, "sc_req_item", "r", *names) == ["4", "3", "1"]


def test_a_survey_belongs_to_its_task_or_to_the_record_that_triggered_it(kit: FactsKit) -> None:
    kit.put("incident", {"sys_id": "i"}, {"sys_id": "j"})
    kit.put(
        "asmt_assessment_instance",
        {"sys_id": "1", "task_id": "i", "state": "complete"},
        {"sys_id": "2", "task_id": "", "trigger_id": "j", "state": "ready"},
    )
    kit.put(
        "asmt_metric_result",
        {"sys_id": "a", "instance": "1", "actual_value": "5"},
        {"sys_id": "b", "instance": "1", "actual_value": "2"},
        {"sys_id": "c", "instance": "1", "actual_value": "-1"},  # documented: not answered
        {"sys_id": "d", "instance": "2", "actual_value": "1"},  # not complete yet
    )
    names = ("survey.sent", "survey.answered", "survey.score")
    assert values(kit, "incident", "i", *names) == ["1", "true", "3.5"]
    assert values(kit, "incident", "j", *names) == ["1", "false", ""]
    assert values(kit, "asmt_assessment_instance", "1", "survey.score") == ["3.5"]


def test_days_since_start_need_both_dates(kit: FactsKit) -> None:
    kit.put(
        "sys_user",
        {"sys_id": "u", "sys_created_on": "2026-11-01 09:00:00"},
        {"sys_id": "v", "sys_created_on": None},
    )
    kit.put(
        "incident",
        {"sys_id": "i", "caller_id": "u", "opened_at": "2026-11-05 08:00:00"},
        {"sys_id": "j", "caller_id": "", "opened_at": "2026-11-05 08:00:00"},
        {"sys_id": "k", "caller_id": "v", "opened_at": "2026-11-05 08:00:00"},
    )
    name = "caller.days_since_start"
    assert float(values(kit, "incident", "i", name)[0] or "-1") == 3
    assert values(kit, "incident", "j", name) == [""]
    assert values(kit, "incident", "k", name) == [None]


def test_a_dot_walk_is_empty_through_an_empty_or_dangling_reference(kit: FactsKit) -> None:
    kit.put("sys_user", {"sys_id": "u", "vip": "true"}, {"sys_id": "v", "vip": None})
    kit.put(
        "incident",
        *(
            {"sys_id": f"i{n}", "caller_id": caller}
            for n, caller in enumerate(("u", "v", "", "gone", None))
        ),
    )
    found = [values(kit, "incident", f"i{n}", "caller_id.vip")[0] for n in range(5)]
    assert found == ["true", None, "", "", None]


def test_a_reference_to_task_finds_any_task_table(kit: FactsKit) -> None:
    kit.put("incident", {"sys_id": "i", "state": "3", "category": "network"})
    kit.put("sc_req_item", {"sys_id": "r", "state": "1"})
    kit.put(
        "sysapproval_approver",
        {"sys_id": "a", "sysapproval": "i"},
        {"sys_id": "b", "sysapproval": "r"},
        {"sys_id": "c", "sysapproval": "gone"},
    )
    fields = ("sysapproval.state", "sysapproval.category")
    assert values(kit, "sysapproval_approver", "a", *fields) == ["3", "network"]
    assert values(kit, "sysapproval_approver", "b", *fields) == ["1", ""]
    assert values(kit, "sysapproval_approver", "c", *fields) == ["", ""]


def test_what_the_store_does_not_hold_is_unavailable(kit: FactsKit) -> None:
    catalogue = kit.catalogue()
    for field, reason in (
        ("close_notes", "incident has no readable column close_notes"),
        ("rfc.state", "incident has no readable column rfc"),
        ("state.name", "incident.state refers to no other table"),
    ):
        with pytest.raises(UnavailableError) as caught:
            catalogue.type_of("incident", field)
        assert caught.value.reason == reason


@pytest.mark.parametrize("table", TABLES)
def test_every_fact_can_be_asked_of_every_table_it_belongs_to(kit: FactsKit, table: str) -> None:
    facts = [fact for fact in FACTS if table in fact.tables]
    assert {fact.name for fact in facts if not fact.hidden} == set(facts_of(table))
    assert all(find_fact(table, fact.name) == fact for fact in facts)
    kit.put(table, {"sys_id": "x"})
    for fact in facts:
        value = kit.values(table, "x", fact.name)[0]
        assert value is not None
        assert value == fact.default or fact.aggregate == "own"


def test_no_table_has_two_facts_of_one_name() -> None:
    names = [(table, fact.name) for fact in FACTS for table in fact.tables]
    assert len(set(names)) == len(names)


def test_a_fact_says_what_it_says_in_both_languages() -> None:
    for fact in FACTS:
        if not fact.hidden:
            assert fact.meaning.en, fact.name
            assert fact.meaning.es, fact.name
            assert not (fact.meaning.en + fact.meaning.es).endswith(".")
