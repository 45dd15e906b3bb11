"""What each family of facts says of small stories."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

import pytest

from connector.journey.catalogue import Catalogue, UnavailableError
from tests.facts_kit import FactsKit

DAY = "2026-11-16"  # a Monday


@pytest.fixture(scope="module")
def store() -> FactsKit:
    return FactsKit(Path(mkdtemp()))


@pytest.fixture
def kit(store: FactsKit) -> FactsKit:
    store.empty()
    return store


def at(hour: int, day: str = DAY) -> str:
    return f"{day} {hour:02}:00:00"


# --- last event -----------------------------------------------------------------------------------


def entry(number: int, element: str, hour: int, writer: str) -> dict[str, str]:
    return {
        "sys_id": f"j{number}",
        "element_id": "i",
        "element": element,
        "sys_created_on": at(hour),
        "sys_created_by": writer,
    }


def change(number: int, field: str, hour: int, user: str) -> dict[str, str]:
    return {
        "sys_id": f"a{number}",
        "documentkey": "i",
        "fieldname": field,
        "sys_created_on": at(hour),
        "user": user,
    }


COMMENT, NOTE = entry(1, "comments", 9, "agent"), entry(2, "work_notes", 10, "agent")
MOVE, STATE = change(1, "assignment_group", 11, "agent"), change(2, "state", 12, "agent")
MACHINE, ROBOT = change(3, "state", 13, "system"), entry(3, "comments", 13, "System")


@pytest.mark.parametrize(
    ("entries", "changes", "kind", "hour"),
    [
        ([], [], "none", None),
        ([COMMENT], [], "comment", 9),
        ([COMMENT, NOTE], [], "work_note", 10),
        ([COMMENT, NOTE], [MOVE], "reassignment", 11),
        (
            [COMMENT, entry(4, "work_notes", 9, "agent")],
            [change(4, "state", 9, "agent")],
            "comment",
            9,
        ),
        ([COMMENT], [STATE], "comment", 9),  # a person's change of state is no event of its own
        ([COMMENT], [MACHINE], "automation", 13),
        ([COMMENT, ROBOT], [], "automation", 13),
        ([COMMENT], [change(5, "state", 8, "system")], "comment", 9),
        ([COMMENT], [change(6, "state", 11, "system"), STATE], "comment", 9),  # a person came after
        ([], [MACHINE], "automation", 13),
    ],
)
def test_the_last_event_is_told_by_kind_and_time(
    kit: FactsKit,
    entries: list[dict[str, str]],
    changes: list[dict[str, str]],
    kind: str,
    hour: int | None,
) -> None:
    kit.put("incident", {"sys_id": "i"})
    if entries:
        kit.put("sys_journal_field", *entries)
    if changes:
        kit.put("sys_audit", *changes)
    found = kit.values("incident", "i", "last_event.kind", "last_event.at")
    assert found == [kind, at(hour) if hour else ""]


@pytest.mark.parametrize(
    ("writer", "sides"),
    [
        ("Ana", ["true", "true", "false"]),  # user names are the same in any case
        ("boss", ["false", "true", "false"]),
        ("agent", ["false", "false", "true"]),
        ("system", ["false", "false", "false"]),  # a machine is on nobody's side
    ],
)
def test_a_last_event_is_of_one_side(kit: FactsKit, writer: str, sides: list[str]) -> None:
    kit.put("sys_user", {"sys_id": "u", "user_name": "ana"}, {"sys_id": "b", "user_name": "boss"})
    kit.put("sc_req_item", {"sys_id": "i", "requested_for": "u", "opened_by": "b"})
    kit.put("sys_journal_field", entry(1, "comments", 9, writer))
    names = ("last_event.by_caller", "last_event.by_consumer", "last_event.by_provider")
    assert kit.values("sc_req_item", "i", *names) == sides


def test_without_the_audit_trail_the_journal_alone_speaks(kit: FactsKit) -> None:
    kit.put("incident", {"sys_id": "i"})
    kit.put("sys_journal_field", COMMENT)
    whole = kit.catalogue()
    known = {key: info for key, info in whole.schema.items() if key[0] != "sys_audit"}
    part = Catalogue(known, whole.sets, whole.task_tables)
    assert part.gives("incident", "last_event.kind")
    assert not part.gives("incident", "waits.user")
    with pytest.raises(UnavailableError, match="the table sys_audit is not read"):
        part.type_of("incident", "waits.user")
    without_journal = {k: info for k, info in known.items() if k[0] != "sys_journal_field"}
    assert not Catalogue(without_journal, whole.sets, ()).gives("incident", "last_event.kind")


def test_public_comments_are_counted_by_side(kit: FactsKit) -> None:
    kit.put("sys_user", {"sys_id": "u", "user_name": "ana"})
    kit.put(
        "incident",
        {"sys_id": "i", "caller_id": "u", "opened_at": at(8), "active": "true"},
        {"sys_id": "quiet", "opened_at": at(8), "active": "true"},
    )
    kit.put(
        "sys_journal_field",
        entry(1, "comments", 9, "ana"),
        entry(2, "comments", 10, "agent"),
        entry(3, "work_notes", 11, "agent"),
        entry(4, "comments", 12, "agent"),
    )
    names = ("public", "by_provider", "first_at", "first_by_provider_at", "last_by_provider_at")
    found = kit.values("incident", "i", *(f"comments.{name}" for name in names))
    assert found == ["3", "2", at(9), at(10), at(12)]
    assert kit.values("incident", "i", "comments.minutes_to_first") == ["120.0"]
    friday = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for record in ("i", "quiet"):
        silent = kit.values("incident", record, "comments.silent_days", now=friday)[0]
        assert float(silent or "-1") == 4


def test_waits_for_the_user_are_counted(kit: FactsKit) -> None:
    kit.put("incident", {"sys_id": "i"})
    holds = [change(n, "hold_reason", 9 + n, "agent") for n in range(3)]
    kit.put(
        "sys_audit", *({**one, "newvalue": value} for one, value in zip(holds, "131", strict=True))
    )
    found = kit.values("incident", "i", "waits.user", "waits.user_since", "waits.asked_twice")
    assert found == ["2", at(11), "true"]


# --- agreed times, approvals, voices --------------------------------------------------------------


def test_response_and_resolution_are_told_apart(kit: FactsKit) -> None:
    kit.put("incident", {"sys_id": "i"})
    kit.put(
        "contract_sla",
        {"sys_id": "respond", "target": "response", "type": "SLA"},
        {"sys_id": "resolve", "target": "", "type": ""},
        {"sys_id": "internal", "target": "resolution", "type": "OLA"},
    )
    ended = {"task": "i", "active": "false", "stage": "completed", "start_time": at(8)}
    kit.put(
        "task_sla",
        {**ended, "sys_id": "1", "sla": "respond", "planned_end_time": at(12), "end_time": at(9)},
        {
            **ended,
            "sys_id": "2",
            "sla": "resolve",
            "planned_end_time": at(10),
            "end_time": at(11),
            "has_breached": "true",
        },
        {**ended, "sys_id": "3", "sla": "internal", "has_breached": "true"},
        {**ended, "sys_id": "4", "sla": "respond", "stage": "cancelled"},
    )
    names = ("response_met", "response_breached", "resolution_met", "resolution_breached")
    found = kit.values("incident", "i", *(f"sla.{name}" for name in names))
    assert found == ["true", "false", "false", "true"]
    spare = ("sla.response_spare_percent", "sla.resolution_spare_percent", "sla.breached")
    assert kit.values("incident", "i", *spare) == ["75.0", "-50.0", "2"]
    assert kit.values("task_sla", "1", "sla.spare_percent") == ["75.0"]


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        ([], ""),
        (["not requested"], ""),
        (["approved", "requested"], "pending"),
        (["approved", "requested", "rejected"], "rejected"),
        (["approved", "cancelled"], "granted"),
        (["not_required"], "lapsed"),
    ],
)
def test_the_outcome_of_approvals(kit: FactsKit, states: list[str], outcome: str) -> None:
    kit.put("sc_req_item", {"sys_id": "r"})
    if states:
        kit.put(
            "sysapproval_approver",
            *(
                {"sys_id": f"a{n}", "sysapproval": "r", "state": state}
                for n, state in enumerate(states)
            ),
        )
    assert kit.values("sc_req_item", "r", "approval.outcome") == [outcome]


def test_a_decision_is_dated_by_what_our_writes_do_not_move(kit: FactsKit) -> None:
    kit.put("sc_req_item", {"sys_id": "r"})
    kit.put(
        "sysapproval_approver",
        {
            "sys_id": "a",
            "sysapproval": "r",
            "state": "approved",
            "sys_created_on": at(8),
            "sys_updated_on": at(8, "2026-11-30"),
            "_inputs_updated_on": at(9, "2026-11-18"),
        },
    )
    assert kit.values("sc_req_item", "r", "approval.decided_at") == [at(9, "2026-11-18")]
    for table, record in (("sc_req_item", "r"), ("sysapproval_approver", "a")):
        assert float(kit.values(table, record, "approval.days_to_decision")[0] or "-1") == 2
    assert kit.values("sysapproval_approver", "a", "approval.outcome") == ["granted"]


@pytest.mark.parametrize(
    ("value", "lowest", "highest", "csat"),
    [
        ("4", "1", "5", "0.75"),
        ("10", "0", "10", "1.0"),
        ("4", "", "", ""),
        ("4", "5", "5", ""),
        ("7", "1", "5", ""),  # outside its own scale
        ("-1", "-5", "5", ""),  # documented: not answered
    ],
)
def test_satisfaction_runs_from_nought_to_one(
    kit: FactsKit, value: str, lowest: str, highest: str, csat: str
) -> None:
    kit.put("incident", {"sys_id": "i"})
    kit.put("asmt_metric", {"sys_id": "m", "min": lowest, "max": highest})
    kit.put("asmt_assessment_instance", {"sys_id": "s", "task_id": "i", "state": "complete"})
    kit.put(
        "asmt_metric_result",
        {"sys_id": "1", "instance": "s", "metric": "m", "actual_value": value},
    )
    assert kit.values("incident", "i", "survey.csat") == [csat]
    assert kit.values("asmt_assessment_instance", "s", "survey.csat") == [csat]


# --- related records and dates --------------------------------------------------------------------


def test_an_article_that_did_not_help_is_told_by_the_ticket_after_it(kit: FactsKit) -> None:
    kit.put(
        "kb_use",
        {"sys_id": "helped", "user": "u", "sys_created_on": at(12)},
        {"sys_id": "failed", "user": "u", "sys_created_on": at(8)},
        {"sys_id": "other", "user": "v", "sys_created_on": at(8)},
    )
    kit.put("incident", {"sys_id": "i", "caller_id": "u", "opened_at": at(11)})
    found = kit.all_values("kb_use", "afterwards.ticket_in_24_hours")
    assert {key: row["afterwards.ticket_in_24_hours"] for key, row in found.items()} == {
        "helped": "false",
        "failed": "true",
        "other": "false",
    }


@pytest.mark.parametrize(
    ("zone", "since", "left"), [("UTC", "0", "1"), ("Pacific/Auckland", "1", "0")]
)
def test_days_of_a_contract_are_those_of_the_calendar(
    kit: FactsKit, zone: str, since: str, left: str
) -> None:
    kit.put("ast_contract", {"sys_id": "c", "starts": "2026-11-20", "ends": "2026-11-21"})
    names = ("agreement.days_since_start", "agreement.days_to_end")
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert kit.values("ast_contract", "c", *names, now=noon, zone=zone) == [since, left]


def test_children_are_counted_and_those_still_open(kit: FactsKit) -> None:
    kit.put(
        "incident",
        {"sys_id": "p"},
        {"sys_id": "1", "parent_incident": "p", "active": "true"},
        {"sys_id": "2", "parent_incident": "p", "active": "false"},
    )
    assert kit.values("incident", "p", "children.total", "children.open") == ["2", "1"]


def test_who_is_hidden_is_not_somebody_new(kit: FactsKit) -> None:
    kit.put("incident", {"sys_id": "i", "caller_id": None, "opened_at": at(8)})
    names = ("caller.is_first_contact", "caller.repeat_within_7_days", "caller.is_vip")
    assert kit.values("incident", "i", *names) == [None, None, None]
