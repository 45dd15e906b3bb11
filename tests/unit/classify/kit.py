"""Records that hang on each other, for the tests of classification."""

from tests.journey_kit import Kit


def a_request(kit: Kit) -> None:
    """A request with an item in work, its tasks, an approval, and running SLAs."""
    kit.put("sc_request", {"sys_id": "req", "number": "REQ1", "active": "true"})
    kit.put(
        "sc_req_item",
        {
            "sys_id": "item",
            "number": "RITM1",
            "request": "req",
            "active": "true",
            "approval": "approved",
        },
    )
    kit.put(
        "sc_task", {"sys_id": "task", "request_item": "item", "request": "req", "active": "true"}
    )
    kit.put("sysapproval_approver", {"sys_id": "yes", "sysapproval": "item", "state": "approved"})
    kit.put(
        "task_sla",
        {"sys_id": "sla", "task": "item", "active": "true"},
        {"sys_id": "ola", "task": "task", "active": "true"},
    )
