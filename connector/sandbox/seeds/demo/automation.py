"""What a save sets off in the demo's company, where a careful client may look for it.

Business rules, flows with their record triggers, and notifications: enough of each kind to be
found by table, active and not. They are records only; what really happens on a save is what
`policies` switches on.
"""

from collections.abc import Iterator

from connector.sandbox.seeds.base import Batch, Record, stamped, sys_id

_RULES = (
    # name, table, when, active, on insert, on update, order
    ("Set priority from impact and urgency", "incident", "before", True, True, True, 100),
    ("Tell the parent incident's children", "incident", "after", True, False, True, 200),
    ("Keep resolved by", "incident", "before", True, False, True, 300),
    ("Task closer", "task", "before", True, False, True, 100),
    ("Run SLAs", "task", "async", True, True, True, 1000),
    ("Close the request with its last item", "sc_req_item", "after", True, False, True, 100),
    ("Old sync with the helpdesk", "incident", "after", False, True, True, 900),
)

_FLOWS = (
    # name, table, active, status, on insert, on update, condition
    (
        "Major incident: inform the service owner",
        ("incident", True, "published", True, True, "priority=1^active=true"),
    ),
    (
        "Request fulfilment: laptop",
        ("sc_req_item", True, "published", True, False, "cat_item.name=Laptop"),
    ),
    (
        "Change: ask the advisory board",
        ("change_request", True, "published", False, True, "state=-3"),
    ),
    ("Closed incident: survey (draft)", ("incident", False, "draft", False, True, "state=7")),
)

_NOTIFICATIONS = (
    # name, table, active, on insert, on update, condition
    ("Incident opened for me", "incident", True, True, False, "caller_idISNOTEMPTY"),
    ("Incident commented", "incident", True, False, True, "commentsVALCHANGES"),
    ("Incident assigned to my group", "incident", True, False, True, "assignment_groupVALCHANGES"),
    ("Request approved", "sc_request", True, False, True, "approvalCHANGESTOapproved"),
    ("Change scheduled", "change_request", False, False, True, "stateCHANGESTO-2"),
)


def records() -> Iterator[Batch]:
    """The rows of sys_script, the flows with their triggers, and the notifications."""
    yield "sys_script", [_rule(*rule) for rule in _RULES]
    yield "sys_flow_record_trigger", [_trigger(name, *rest) for name, rest in _FLOWS]
    yield "sys_hub_flow", [_flow(name, rest[1], rest[2]) for name, rest in _FLOWS]
    yield "sysevent_email_action", [_notification(*one) for one in _NOTIFICATIONS]


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _rule(
    name: str, table: str, when: str, active: bool, insert: bool, update: bool, order: int
) -> Record:
    values = {
        "name": name,
        "collection": table,
        "when": when,
        "active": _truth(active),
        "action_insert": _truth(insert),
        "action_update": _truth(update),
        "action_delete": "false",
        "abort_action": "false",
        "order": str(order),
    }
    return stamped(sys_id("sys_script", name), values)


def _trigger(
    name: str, table: str, active: bool, _status: str, insert: bool, update: bool, condition: str
) -> Record:
    values = {
        "table": table,
        "active": _truth(active),
        "on_insert": _truth(insert),
        "on_update": _truth(update),
        "condition": condition,
    }
    return stamped(sys_id("sys_flow_record_trigger", name), values)


def _flow(name: str, active: bool, status: str) -> Record:
    values = {
        "name": name,
        "type": "flow",
        "active": _truth(active),
        "status": status,
        "remote_trigger_id": sys_id("sys_flow_record_trigger", name),
    }
    return stamped(sys_id("sys_hub_flow", name), values)


def _notification(
    name: str, table: str, active: bool, insert: bool, update: bool, condition: str
) -> Record:
    values = {
        "name": name,
        "collection": table,
        "active": _truth(active),
        "generation_type": "engine",
        "action_insert": _truth(insert),
        "action_update": _truth(update),
        "condition": condition,
    }
    return stamped(sys_id("sysevent_email_action", name), values)
