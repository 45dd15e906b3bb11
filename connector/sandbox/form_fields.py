"""Fields of a form: what is shown, what can be typed, and what was typed, checked.

A field can be typed in where the person may write it and its column is not read only in any of the
ways that the platform knows: all of them bind people (read-only-option page).
"""

from collections.abc import Mapping

from connector.sandbox.access import Operation
from connector.sandbox.catalogue import Column, Record, Table
from connector.sandbox.display import Labels
from connector.sandbox.reader import Reader
from connector.timestamps import parse_day, parse_instance

Field = dict[str, object]

_WIDE = ("description", "close_notes", "u_journey_why", "u_summary")
_LONG = 90
_INPUTS = {
    "boolean": "checkbox",
    "integer": "number",
    "glide_date": "date",
    "glide_date_time": "text",
    "due_date": "text",
    "reference": "text",
    "decimal": "text",
    "string": "text",
    "choice": "text",
    "journal_input": "area",
}
"""Internal type → what one types it in. A type that is not here is only shown."""


def shown(reader: Reader, table: Table, path: str, value: str) -> Field:
    """A field that is only shown, at the end of a dot-walk too."""
    cell = reader.walked(table, path, value)
    return {
        "name": path,
        "title": reader.title(table, path),
        "cell": cell,
        "is_filled": bool(cell.text),
        "is_wide": path in _WIDE or len(cell.text) > _LONG,
        "input": "",
    }


def field(reader: Reader, table: Table, record: Record, name: str, operation: Operation) -> Field:
    """A field of the record itself, to be typed in where the person may."""
    found = shown(reader, table, name, record.get(name, ""))
    if not may_type(reader, table, record, name, operation):
        return found
    column, value = table.columns[name], record.get(name, "")
    choices = reader.labels.choices(table, name) if column.has_choices else {}
    typed = _typed(reader, table, column, value)
    return {
        **found,
        "input": "select" if choices else _INPUTS[column.internal_type],
        "value": typed,
        "options": _options(choices, value),
        "hint": "YYYY-MM-DD HH:MM:SS" if column.internal_type == "glide_date_time" else "",
    }


def _typed(reader: Reader, table: Table, column: Column, value: str) -> str:
    """A value as it stands in its input: a reference by its name."""
    if column.internal_type == "reference":
        return reader.labels.shown(table, column, value) or value
    return value


def _options(choices: Mapping[str, str], value: str) -> list[tuple[str, str]]:
    """The choices, with the stored value where it is none of them."""
    return [*choices.items(), *([(value, value)] if value and value not in choices else [])]


def may_type(reader: Reader, table: Table, record: Record, name: str, operation: Operation) -> bool:
    """Whether the person may type into this field."""
    column = table.columns[name]
    if name.startswith("sys_") or column.read_only_option or column.internal_type not in _INPUTS:
        return False
    stored = record if operation == "write" else None
    return reader.access.may_on_page(operation, table, name if stored else "", stored) and (
        operation == "write" or reader.access.may_field("write", table, name)
    )


class MistypedError(Exception):
    """What was typed cannot be stored; the text is a sentence in the reader's language."""


def changes(
    reader: Reader, table: Table, record: Record, typed: Mapping[str, str], shown: Record
) -> Record:
    """What of a sent form differs from the record and may be written. Raises MistypedError.

    An unticked box is not sent; the form names it in `_boxes`. A reference that still reads as it
    was `shown` is the one that stood there: others may have the same name.
    """
    operation: Operation = "write" if record else "create"
    boxes = typed.get("_boxes", "").split()
    values = {**dict.fromkeys(boxes, "false"), **typed}
    found = {
        name: _stored(reader, table, table.columns[name], value, shown.get(name, ""))
        for name, value in values.items()
        if name in table.columns and may_type(reader, table, record, name, operation)
    }
    # Of a new record all that the form showed is sent: a default that was emptied stays empty.
    always = set() if record else {name for name, value in shown.items() if value}
    return {
        name: value
        for name, value in found.items()
        if name in always or value != _now(table, record, name)
    }


def _now(table: Table, record: Record, name: str) -> str:
    """The value that stands there; a box that holds nothing is not ticked."""
    value = record.get(name, "")
    is_box = table.columns[name].internal_type == "boolean"
    return value or ("false" if is_box else "")


def _stored(reader: Reader, table: Table, column: Column, value: str, shown: str) -> str:
    """What was typed, as the instance holds it. Raises MistypedError."""
    text = value.replace("\r\n", "\n").strip()
    if column.internal_type == "reference" and text == _typed(reader, table, column, shown):
        return shown
    try:
        return _checked(reader, table, column, text) if text else ""
    except ValueError:
        sentence = reader.text("{field}: {value} does not fit there")
        title = reader.titles.column(table, column.name)
        raise MistypedError(sentence.format(field=title, value=text[:80])) from None


def _checked(reader: Reader, table: Table, column: Column, text: str) -> str:
    match column.internal_type:
        case "glide_date":
            parse_day(text)
        case "glide_date_time" | "due_date":
            parse_instance(text)
        case "integer" if not reader.labels.choices(table, column.name):
            return str(int(text))
        case "decimal":
            float(text)
        case "reference":
            return _referenced(reader, table, column, text)
    return text


def _referenced(reader: Reader, table: Table, column: Column, text: str) -> str:
    database = reader.instance.database
    found = Labels(database, reader.language).stored(table, column.name, text)
    target = database.catalogue.get(column.reference)
    if target is None or not database.exists(target, found):
        raise ValueError(text)
    return found
