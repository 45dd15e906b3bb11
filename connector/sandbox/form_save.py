"""What a person sends from a form: its fields, or a press of one of its buttons."""

from connector.sandbox import form_fields, ui_actions, writing
from connector.sandbox.access import Operation
from connector.sandbox.answers import ApiError, Request
from connector.sandbox.catalogue import Record, Table
from connector.sandbox.form_fields import MistypedError
from connector.sandbox.form_page import beginning, find
from connector.sandbox.forms import Sent
from connector.sandbox.instance import Instance
from connector.sandbox.reader import Reader
from connector.sandbox.refusals import RefusedError

ACTION = "_action"
"""The form field of a button, with the sys_id of the sys_ui_action."""


def save(
    instance: Instance, reader: Reader, request: Request, table: Table, form: Sent
) -> tuple[str, str]:
    """Do it: (where to go on, ''), or ('', the sentence that says why not). Raises ApiError."""
    table, record = find(instance, reader, request, table)
    try:
        if action := form.fields.get(ACTION, ""):
            return _pressed(instance, reader, table, record, action), ""
        shown = record or beginning(instance, reader, request, table)
        saved = _saved(instance, reader, table, record, form, shown)
    except MistypedError as error:
        return "", str(error)
    except RefusedError as error:
        return "", error.detail
    return _where(reader, table, saved["sys_id"], "true"), ""


def _where(reader: Reader, table: Table, sys_id: str, saved: str) -> str:
    view = {"sysparm_view": reader.view.name} if reader.view else {}
    return reader.url(f"/{table.name}.do", sys_id=sys_id, saved=saved, **view)


def _pressed(instance: Instance, reader: Reader, table: Table, record: Record, action: str) -> str:
    if not record:
        raise ApiError(403, "Operation Failed", "save the record first")
    ui_actions.press(instance, reader, table, record, action)
    return _where(reader, table, record["sys_id"], "queued")


def _saved(
    instance: Instance, reader: Reader, table: Table, record: Record, form: Sent, shown: Record
) -> Record:
    """The record after the save; `shown` is what the form showed.

    Raises MistypedError, RefusedError, ApiError 403.
    """
    operation: Operation = "write" if record else "create"
    if not reader.access.may_on_page(operation, table, "", record or None):
        raise ApiError(403, "Operation Failed", reader.text("You may only look at this"))
    values = form_fields.changes(reader, table, record, form.fields, shown)
    user = reader.person.user
    if not record:
        return writing.create(instance, table, values, user)
    return writing.update(instance, table, record, values, user)
