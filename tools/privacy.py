"""The table of docs/privacy.md: what is read of people's records, from the mapping itself."""

from collections.abc import Iterator, Mapping, Sequence

from connector.config import Config
from connector.export.parquet import NAMES, TEXTS
from connector.journey.model import FieldInfo, Schema
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.requirements import ALWAYS, requirements
from connector.sandbox.schema import load_schema

ASKED_FOR = ("asmt_assessment_instance", "sn_hr_le_case")
"""Read only where somebody adds them to `[extract] tables`."""
_PEOPLE = frozenset({"sys_user", "customer_contact"})


def privacy_markdown(mapping: JourneyMapping) -> str:
    """Every table that is read → its columns, those that lead to a person, texts, and what for."""
    schema = _schema()
    default = [table for table in Config().extract.tables if _is_known(schema, table)]
    extra = [table for table in ASKED_FOR if _is_known(schema, table)]
    always = requirements(mapping, default, schema)
    asked = requirements(mapping, [*default, *extra], schema)
    rows = [
        "| Table | Columns read | Lead to a person | Text | Read for |",
        "|---|---|---|---|---|",
    ]
    for table in sorted(asked):
        columns = [c for c in asked[table] if c not in ALWAYS]
        cells = (
            f"{table}{'' if table in always else ' (only where asked for)'}",
            _names(columns),
            _names(_people(schema, table, columns)),
            _names([c for c in columns if c in TEXTS]),
            "; ".join(_uses(mapping, table)) or "names and ties of other records",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _schema() -> Schema:
    """As the sandbox has it, which follows the published tables."""
    return {
        (table.name, name): FieldInfo(column.type, column.reference)
        for table in load_schema().tables.values()
        for name, column in table.columns.items()
    }


def _is_known(schema: Schema, table: str) -> bool:
    return any(owner == table for owner, _column in schema)


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns) or "–"


def _people(
    schema: Mapping[tuple[str, str], FieldInfo], table: str, columns: Sequence[str]
) -> list[str]:
    if table in _PEOPLE:
        return list(columns)
    return [
        column
        for column in columns
        if column in NAMES
        or ((table, column) in schema and schema[table, column].reference in _PEOPLE)
    ]


def _uses(mapping: JourneyMapping, table: str) -> Iterator[str]:
    if rules := mapping.rules_of(table):
        yield f"{len(rules)} rules"
    if found := mapping.moments_of(table):
        yield f"{len(found)} moments of truth"
    if any(one.table == table for one in mapping.history):
        yield "the history of records (kind and time)"
    if any(edge.table == table for edge in mapping.edges):
        yield "the step of its parent"
