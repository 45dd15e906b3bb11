"""What the consumer sees: bands that evidence moves, and where a record was last visible."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.classify import save_classification
from tests.journey_kit import Kit, Record

FIRST = datetime(2026, 11, 12, 2, 0, tzinfo=UTC)
OPEN: Record = {
    "sys_id": "i",
    "number": "INC1",
    "state": "3",
    "hold_reason": "4",
    "active": "true",
    "contact_type": "phone",
    "caller_id": "ana",
    "opened_at": "2026-11-10 08:00:00",
    "sys_updated_on": "2026-11-10 09:00:00",
}
"""An incident with a supplier: behind the scenes."""


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = Kit(tmp_path)
    yield kit
    kit.store.close()


def wrote(kit: Kit, element: str, at: str, record: str = "i", by: str = "agent") -> None:
    kit.put(
        "sys_journal_field",
        {
            "sys_id": f"{record}{element}{at}",
            "element_id": record,
            "element": element,
            "sys_created_on": f"2026-11-{at}",
            "sys_created_by": by,
        },
    )


def moved(kit: Kit, field: str, at: str, record: str = "i") -> None:
    kit.put(
        "sys_audit",
        {
            "sys_id": f"{record}{field}{at}",
            "documentkey": record,
            "tablename": "incident",
            "fieldname": field,
            "sys_created_on": f"2026-11-{at}",
        },
    )


def night(kit: Kit, n: int = 0) -> None:
    now = FIRST + timedelta(days=n)
    kit.classify(now, f"r{n}")
    save_classification(kit.store, f"r{n}")
    kit.finish(f"r{n}", now)


def last_visible(kit: Kit, record: str = "i") -> str:
    return str(kit.placed(record)["last_visible"])


def test_a_public_comment_in_the_present_state_makes_it_visible(kit: Kit) -> None:
    kit.put("incident", OPEN)
    moved(kit, "state", "10 10:00:00")
    wrote(kit, "comments", "10 09:00:00")
    night(kit)
    assert kit.placed("i")["band"] == "provider_backstage"
    wrote(kit, "comments", "10 11:00:00")
    night(kit, 1)
    assert kit.placed("i")["band"] == "visible"
    assert kit.placed("i")["touchpoint"] == "supplier_work"


def test_a_consumer_who_follows_it_sees_it(kit: Kit) -> None:
    kit.put("incident", {**OPEN, "watch_list": "bob,ana"}, {**OPEN, "sys_id": "j"})
    night(kit)
    assert kit.placed("i")["band"] == "visible"
    assert kit.placed("j")["band"] == "provider_backstage"


def test_only_work_notes_since_the_state_began_hide_it(kit: Kit) -> None:
    complaint = {**OPEN, "state": "2", "hold_reason": "", "category": "complaint"}
    kit.put("incident", complaint, {**complaint, "sys_id": "j", "active": "false"})
    moved(kit, "state", "10 10:00:00")
    for record in ("i", "j"):
        wrote(kit, "work_notes", "10 11:00:00", record)
    night(kit)
    row = kit.placed("i")
    assert (row["touchpoint"], row["band"]) == ("complaint", "provider_backstage")
    assert row["last_visible"] == "complaint"
    assert kit.placed("j")["band"] == "visible", "what is over stays as it is"


def test_without_the_audit_nobody_knows_when_the_state_began(kit: Kit) -> None:
    kit.put("incident", OPEN)
    kit.store.execute("DROP TABLE current.sys_audit")
    wrote(kit, "comments", "10 11:00:00")
    night(kit)
    assert kit.placed("i")["band"] == "provider_backstage"


def test_on_first_sight_the_channel_of_entry_or_a_public_comment_was_last_visible(
    kit: Kit,
) -> None:
    kit.put("incident", OPEN, {**OPEN, "sys_id": "j"})
    moved(kit, "state", "10 10:00:00", "j")
    wrote(kit, "comments", "10 09:00:00", "j")
    night(kit)
    assert last_visible(kit) == "phone"
    assert last_visible(kit, "j") == "public_update"


def test_the_path_counts_more_than_the_channel(kit: Kit) -> None:
    kit.put("incident", {**OPEN, "hold_reason": "1"})
    night(kit)
    assert last_visible(kit) == "wait_for_user"
    kit.store.execute("UPDATE current.incident SET hold_reason = '4'")
    night(kit, 1)
    assert (kit.placed("i")["touchpoint"], last_visible(kit)) == ("supplier_work", "wait_for_user")
    wrote(kit, "comments", "12 11:00:00")
    night(kit, 2)
    assert last_visible(kit) == "public_update"


def test_what_hangs_on_a_record_was_last_visible_where_that_was(kit: Kit) -> None:
    kit.put("incident", {**OPEN, "hold_reason": "1"})
    kit.put("task_sla", {"sys_id": "s", "task": "i", "active": "true", "stage": "in_progress"})
    kit.put("sc_task", {"sys_id": "t", "request_item": "r", "active": "true"})
    kit.put("sc_req_item", {"sys_id": "r", "active": "true", "stage": "purchase"})
    night(kit)
    assert last_visible(kit, "s") == "wait_for_user"
    assert last_visible(kit, "r") == last_visible(kit, "t") == "request_submitted"
