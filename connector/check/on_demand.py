"""Will somebody who asks from inside the tool be answered? The queue, the right to it, the button.

Only looks: whether a row may be changed shows in earlier answers, else in the account's roles.
"""

from collections.abc import Iterator, Sequence

from connector.check.findings import Finding, Level
from connector.errors import InstanceError
from connector.itsm.base import Instance, Record
from connector.journey.own_tables import REQUEST_TABLE
from connector.messages import _

ACTION = "u_journey_refresh"
ROLE = "u_journey_integration"
_ADMIN = "admin"
_TABLE = REQUEST_TABLE.name


def check_on_demand(instance: Instance, tables: Sequence[str], user: str) -> Iterator[Finding]:
    """Where `[on_demand]` is on: what stands in its way. `user` is the account's name, "" unknown.

    Raises InstanceError where the instance cannot be asked at all.
    """
    if _TABLE not in instance.list_tables([_TABLE]):
        text = _("The instance has no table {table}: nobody can ask from inside the tool")
        yield _found("error", text.format(table=_TABLE), _("run travesia provision --apply"))
        return
    yield from _queue(instance, user)
    yield from _action(instance, tables)


def _found(level: Level, sentence: str, remedy: str) -> Finding:
    return Finding(level, _("on demand"), sentence, remedy)


def _ok(sentence: str) -> Finding:
    return Finding("ok", _("on demand"), sentence)


def _queue(instance: Instance, user: str) -> Iterator[Finding]:
    rows = _rows(instance, _TABLE, ("sys_id", "u_state"), "u_state!=queued", 1)
    if rows is None:
        text = _("The account may not read {table}: requests are never seen")
        yield _found("error", text.format(table=_TABLE), _remedy())
        return
    if rows and rows[0].get("u_state") is None:
        text = _("The account does not see u_state of {table}: requests are never seen")
        yield _found("error", text.format(table=_TABLE), _remedy())
    elif rows:
        yield _ok(_("The queue {table} is read, and was answered before").format(table=_TABLE))
    else:
        yield _by_roles(instance, user)


def _remedy() -> str:
    return _("give the account the role {role}").format(role=ROLE)


def _by_roles(instance: Instance, user: str) -> Finding:
    """Nothing was answered yet: whether it may be, the roles say, where they may be read."""
    query = f"user.user_name={user}^role.nameIN{ROLE},{_ADMIN}"
    table = "sys_user_has_role"
    held = _rows(instance, table, ("sys_id",), query, 1) if user else None
    if held:
        return _ok(_("The queue {table} is read, and the account may answer").format(table=_TABLE))
    if held is None:
        text = _("Whether the account may answer in {table} is known only after a first request")
        return _found("warn", text.format(table=_TABLE), _remedy())
    text = _("The account does not have the role that lets it answer in {table}")
    return _found("warn", text.format(table=_TABLE), _remedy())


def _action(instance: Instance, tables: Sequence[str]) -> Iterator[Finding]:
    rows = _rows(instance, "sys_ui_action", ("table", "active"), f"action_name={ACTION}", None)
    if rows is None:
        text = _("UI actions may not be read: whether {action} is active is not known")
        yield _found("warn", text.format(action=ACTION), _("let the account read sys_ui_action"))
        return
    active = {row.get("table", "") for row in rows if row.get("active") == "true"}
    if on := [table for table in tables if table in active]:
        text = _("The UI action is active on {tables}")
        yield _ok(text.format(tables=", ".join(on)))
    else:
        text = _("The UI action {action} is active nowhere: nobody can ask")
        remedy = _("activate it in the tool on the tables that shall have it")
        if not rows:
            text = _("The instance has no UI action {action}: nobody can ask")
            remedy = _("run travesia provision --apply")
        yield _found("warn", text.format(action=ACTION), remedy)


def _rows(
    instance: Instance, table: str, columns: Sequence[str], query: str, limit: int | None
) -> list[Record] | None:
    """The records, None where they may not be read. Raises retryable InstanceErrors."""
    try:
        return list(instance.list_records(table, columns, query, limit))
    except InstanceError as error:
        if error.retryable:
            raise
        return None
