"""What the UCI year's incidents refer to: people, groups, places, changes, SLAs, choices.

A cell like "Caller 2403" becomes a record with that display value and a stable id.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from connector.sandbox.seeds.base import Batch, Record, stamped, sys_id
from connector.sandbox.seeds.uci.log import COLUMNS, Log

CHUNK = 2000
REFERENCES = {
    "caller_id": "sys_user",
    "opened_by": "sys_user",
    "assigned_to": "sys_user",
    "location": "cmn_location",
    "assignment_group": "sys_user_group",
    "cmdb_ci": "cmdb_ci",
    "problem_id": "problem",
    "rfc": "change_request",
    "caused_by": "change_request",
    "vendor": "core_company",
}
"""Columns whose cells name a record, with the table it is made in (resolved_by comes besides)."""
_SPANISH = {"Category": "Categoría", "Subcategory": "Subcategoría", "code": "código"}
_USER_CELLS = ("caller_id", "opened_by", "assigned_to", "resolved_by")
_AUTHOR_CELLS = ("sys_created_by", "sys_updated_by")
_PRIORITIES = {"1": "Critical", "2": "High", "3": "Moderate", "4": "Low"}
_EXTRA_CHOICES = (
    ("task", "contact_type", "ivr", "IVR", "Locución automática (IVR)"),
    ("task", "contact_type", "direct", "Direct opening", "Apertura directa"),
    ("incident", "hold_reason", "2", "Awaiting Evidence", "A la espera de pruebas"),
)


def reference(table: str, name: str) -> str:
    """The sys_id of the record that a cell names; '' for an empty cell."""
    return sys_id("uci", table, _plain(name)) if name else ""


def user_name(name: str) -> str:
    """`Updated by 908` → `updated.by.908`."""
    return ".".join(name.lower().split())


def definition_id(priority: str) -> str:
    """The sys_id of the SLA definition of a priority."""
    return sys_id("uci", "contract_sla", priority)


def reference_records(log: Log) -> Iterator[Batch]:
    """Every record that some incident of the log refers to, and the labels of its values."""
    cells = _distinct_cells(log)
    users = {name for column in (*_USER_CELLS, *_AUTHOR_CELLS) for name in cells[column]}
    yield from chunks("sys_user", (_user(name) for name in sorted(users)))
    named = {table: set[str]() for table in REFERENCES.values() if table != "sys_user"}
    for column, table in REFERENCES.items():
        if table != "sys_user":
            named[table] |= cells[column]
    for table, names in named.items():
        yield table, [_named_record(table, name) for name in sorted(names)]
    yield "contract_sla", [_definition(priority) for priority in _PRIORITIES]
    yield "sys_choice", [*_choice_records(cells)]


def _distinct_cells(log: Log) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {column: set() for column in COLUMNS}
    wanted = {*REFERENCES, *_USER_CELLS, *_AUTHOR_CELLS, "category", "subcategory", "closed_code"}
    places = [(place, found[column]) for place, column in enumerate(COLUMNS) if column in wanted]
    for versions in log.incidents.values():
        for version in versions:
            for place, names in places:
                names.add(version.values[place])
    return {column: names - {""} for column, names in found.items()}


def _plain(name: str) -> str:
    """`Opened by  17` → `Opened by 17`."""
    return " ".join(name.split())


def _user(name: str) -> Record:
    values = {"user_name": user_name(name), "name": _plain(name), "active": "true"}
    return stamped(reference("sys_user", name), values | {"vip": "false"})


def _named_record(table: str, name: str) -> Record:
    values = {"name": _plain(name)}
    if table in ("problem", "change_request"):
        values = {"number": _plain(name), "sys_class_name": table}
    elif table == "cmdb_ci":
        values["sys_class_name"] = table
    elif table == "core_company":
        values["vendor"] = "true"
    return stamped(reference(table, name), values)


def _definition(priority: str) -> Record:
    return stamped(
        definition_id(priority),
        {
            "name": f"P{priority} {_PRIORITIES[priority]} resolution (derived from made_sla)",
            "description": "Derived from made_sla: the log holds no SLA records and no targets",
            "type": "SLA",
            "target": "resolution",
            "collection": "incident",
            "start_condition": f"priority={priority}",
            "stop_condition": "stateIN6,7",
            "active": "true",
        },
    )


def _choice_records(cells: Mapping[str, set[str]]) -> Iterator[Record]:
    elements = {
        "category": "category",
        "subcategory": "subcategory",
        "closed_code": "close_code",
    }
    for column, element in elements.items():
        for value in sorted(cells[column]):
            word, _space, rest = value.partition(" ")
            spanish = f"{_SPANISH.get(word, word)} {rest}".strip()
            yield from _choice("incident", element, value, value, spanish)
    for extra in _EXTRA_CHOICES:
        yield from _choice(*extra)


def _choice(table: str, element: str, value: str, english: str, spanish: str) -> Iterator[Record]:
    for language, label in (("en", english), ("es", spanish)):
        yield stamped(
            sys_id("uci", "sys_choice", table, element, value, language),
            {
                "name": table,
                "element": element,
                "value": value,
                "label": label,
                "language": language,
                "sequence": "100",
                "inactive": "false",
            },
        )


def chunks(table: str, records: Iterator[Record]) -> Iterator[Batch]:
    """The records in batches of at most CHUNK."""
    while batch := [*islice(records, CHUNK)]:
        yield table, batch
