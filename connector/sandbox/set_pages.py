"""Pages of update sets: the upload of an XML file, and the buttons on a retrieved set."""

from collections.abc import Callable

from connector.messages import mark
from connector.sandbox import update_sets
from connector.sandbox.answers import ApiError, Request, no_record
from connector.sandbox.catalogue import Table
from connector.sandbox.forms import Sent
from connector.sandbox.instance import Instance
from connector.sandbox.reader import Reader
from connector.sandbox.xml_gate import HostileXmlError

COMMAND = "_set"
"""The form field of a button on a retrieved update set."""

_COMMANDS: dict[str, Callable[[Instance, str, str], None]] = {
    "preview": update_sets.preview,
    "commit": update_sets.commit,
    "back_out": update_sets.back_out,
}
_OFFERED: dict[str, tuple[tuple[str, str], ...]] = {
    update_sets.LOADED: (("preview", mark("Preview Update Set")),),
    update_sets.PREVIEWED: (
        ("commit", mark("Commit Update Set")),
        ("preview", mark("Preview again")),
    ),
    update_sets.COMMITTED: (("back_out", mark("Back Out")),),
    update_sets.BACKED_OUT: (("preview", mark("Preview Update Set")),),
}


def upload_content(reader: Reader, refusal: str = "") -> dict[str, object]:
    """What upload.html.j2 shows."""
    return {
        "refused": refusal,
        "is_admin": reader.access.is_admin,
        "list_title": reader.titles.tables(reader.instance.database.table(update_sets.SET)),
        "list_url": reader.url(f"/{update_sets.SET}_list.do"),
    }


def upload(instance: Instance, reader: Reader, form: Sent) -> tuple[dict[str, object], str]:
    """Take a file in: where to go on, or the page again with the reason why not."""
    _admin_only(reader)
    if not form.file:
        return upload_content(reader, reader.text("Choose an XML file first")), ""
    try:
        set_id = update_sets.take_in(instance, form.file, reader.person.user)
    except HostileXmlError as error:
        sentence = reader.text("The file was not taken: {reason}").format(
            reason=error.said(reader.text)
        )
        return upload_content(reader, sentence), ""
    return {}, reader.form_url(update_sets.SET, set_id)


def _admin_only(reader: Reader) -> None:
    if not reader.access.is_admin:
        sentence = reader.text("Only an administrator may do this; log in as admin")
        raise ApiError(403, "Operation Failed", sentence)


def commands(reader: Reader, table: Table, state: str) -> list[dict[str, str]]:
    """The buttons for a retrieved set in this state, for whom may press them."""
    if table.name != update_sets.SET or not reader.access.is_admin:
        return []
    return [{"name": name, "title": reader.text(title)} for name, title in _OFFERED.get(state, ())]


def is_command(table: Table, form: Sent) -> bool:
    """Whether what was sent is one of these buttons."""
    return table.name == update_sets.SET and COMMAND in form.fields


def do(instance: Instance, reader: Reader, request: Request, form: Sent) -> str:
    """Press one; where to go on. Raises ApiError."""
    _admin_only(reader)
    set_id = request.parameters.get("sys_id", "")
    record = instance.database.get(instance.database.table(update_sets.SET), set_id)
    if record is None:
        raise no_record()
    name = form.fields[COMMAND]
    if name not in {offered for offered, _title in _OFFERED.get(record["state"], ())}:
        sentence = reader.text("The update set is {state}; this cannot be done now")
        raise ApiError(400, "Operation Failed", sentence.format(state=record["state"]))
    _COMMANDS[name](instance, set_id, reader.person.user)
    return reader.form_url(update_sets.SET, set_id)
