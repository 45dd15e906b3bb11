"""The filters of the mapping, held against the instance's dictionary before they are sent.

A condition on a column that does not exist is dropped, finds nothing or is refused, depending on
the instance (servicenow-api.md §1.3): a typo would read everything, or nothing.
"""

from collections.abc import Iterator, Mapping, Sequence

from connector.encoded_query import parse
from connector.errors import ConfigError
from connector.itsm.base import Instance
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.model import Schema
from connector.journey.near import hint
from connector.messages import _

Dictionary = Mapping[str, Mapping[str, str]]
"""Table → its columns → the table that a reference points to, or ""."""


def check_filters(instance: Instance, mapping: JourneyMapping, schema: Schema) -> None:
    """Raise ConfigError if a filter asks for a column that the instance lacks."""
    problems = wrong_filters(instance, mapping, schema)
    if problems:
        raise ConfigError("mappings", problems)


def wrong_filters(instance: Instance, mapping: JourneyMapping, schema: Schema) -> list[str]:
    """A sentence for each column in a filter that its table, or one it walks to, has not."""
    known = _dictionary(schema)
    walked = _asked_by_walks(mapping, known)
    if walked:
        there = sorted(instance.list_tables(walked))
        for column in instance.list_columns(there) if there else ():
            known.setdefault(column.table, {})[column.element] = column.reference
    return [
        _("the filter of {table} asks for {column}, which the instance lacks{hint}").format(
            table=table, column=field, hint=hint(missing, known[place])
        )
        for table, field in _fields(mapping, known)
        for place, missing in [_lacking(known, table, field)]
        if missing
    ]


def _dictionary(schema: Schema) -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = {}
    for (table, element), info in schema.items():
        known.setdefault(table, {})[element] = info.reference
    return known


def _fields(mapping: JourneyMapping, known: Dictionary) -> Iterator[tuple[str, str]]:
    filters = [(table, spec.filter) for table, spec in mapping.tables.items()]
    for table, text in filters:
        if text and table in known:
            yield from ((table, field) for field in sorted(parse(text).fields))


def _asked_by_walks(mapping: JourneyMapping, known: Dictionary) -> Sequence[str]:
    """The tables that filters walk to and that are not described yet (one step: no filter of a
    table needs two)."""
    ends = {
        known[table].get(field.partition(".")[0], "")
        for table, field in _fields(mapping, known)
        if "." in field
    }
    return sorted(ends - set(known) - {""})


def _lacking(known: Dictionary, table: str, field: str) -> tuple[str, str]:
    """Where a walk ends for lack of a column, and which; ("", "") if it arrives or leaves what is
    known."""
    for column in field.split("."):
        if table not in known:
            return "", ""
        if column not in known[table]:
            return table, column
        table = known[table][column]
    return "", ""
