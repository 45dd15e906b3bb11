"""/_sandbox/faults, /_sandbox/limits and /_sandbox/late: making trouble on purpose.

The two plans are in memory only. A late commit is a write whose row becomes visible now under a
time that lies back, as a long transaction leaves it (servicenow-api.md §1.7, "Commit lag").
"""

from datetime import timedelta
from typing import Annotated

import msgspec

from connector.sandbox.answers import Answer, ApiError, Request, invalid_table, no_record, result
from connector.sandbox.catalogue import Table
from connector.sandbox.engine import quoted
from connector.sandbox.faults import FaultPlan, plan_of
from connector.sandbox.instance import Instance
from connector.sandbox.limits import Limits, limits_of, shown
from connector.sandbox.strict import converted, decoded, refused
from connector.timestamps import format_instance, parse_instance


def faults(instance: Instance, request: Request) -> Answer:
    """GET the plan with its counts, POST a new one, DELETE it. Raises ApiError 400."""
    if request.method == "POST":
        instance.faults = plan_of(request.body)
    if request.method == "DELETE":
        instance.faults = FaultPlan()
    return result(instance.faults.shown())


def limits(instance: Instance, request: Request) -> Answer:
    """GET the limits with what was used, POST new ones, DELETE them. Raises ApiError 400."""
    if request.method == "POST":
        instance.limits = limits_of(request.body)
    if request.method == "DELETE":
        instance.limits = Limits()
    return result(shown(instance.limits, instance.clock.now()))


class _Late(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    table: str
    sys_id: str
    values: dict[str, str]
    minutes: Annotated[float, msgspec.Meta(ge=0)] | None = None
    at: str | None = None
    user: str = "system"


def commit_late(instance: Instance, body: bytes) -> Answer:
    """POST /_sandbox/late {"table", "sys_id", "values", "minutes" | "at"}: the record as it is now.

    A new sys_id makes a new record. Raises ApiError 400 and 404.
    """
    asked = converted(decoded(body), _Late, "late", _Late.__struct_fields__)
    table = instance.database.catalogue.get(asked.table)
    if table is None:
        raise invalid_table(asked.table)
    moment, database = _moment(instance, asked), instance.database
    with database.transaction():
        if database.exists(table, asked.sys_id):
            database.update(table, asked.sys_id, asked.values, asked.user)
        else:
            database.insert(table, {**asked.values, "sys_id": asked.sys_id}, asked.user)
            _backdate(instance, table, asked.sys_id, "sys_created_on", moment)
        _backdate(instance, table, asked.sys_id, "sys_updated_on", moment)
        record = database.get(table, asked.sys_id)
    if record is None:
        raise no_record()
    return result(record)


def _moment(instance: Instance, asked: _Late) -> str:
    if (asked.minutes is None) == (asked.at is None):
        raise refused("late: say either minutes (before now) or at (an instant)")
    if asked.minutes is not None:
        return format_instance(instance.clock.now() - timedelta(minutes=asked.minutes))
    try:
        return format_instance(parse_instance(str(asked.at)))
    except ValueError as error:
        raise ApiError(400, "Invalid instant", str(error)) from error


def _backdate(instance: Instance, table: Table, sys_id: str, column: str, moment: str) -> None:
    """Set a time of the record, and of the audit rows that its last save left."""
    engine = instance.database.engine
    engine.execute(
        f"UPDATE {quoted(table.physical)} SET {quoted(column)} = ? WHERE sys_id = ?",
        (moment, sys_id),
    )
    engine.execute(
        "UPDATE sys_audit SET sys_created_on = ?, sys_updated_on = ? WHERE documentkey = ?"
        " AND record_checkpoint = (SELECT sys_mod_count FROM"
        f" {quoted(table.physical)} WHERE sys_id = ?)",
        (moment, moment, sys_id, sys_id),
    )
