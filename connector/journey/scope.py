"""Fields of records as SQL over the store: columns, dot-walks and facts of one table.

`select_fields` answers one row per record with each asked field under its own dotted name, as text:
NULL = unknown (hidden, or not read yet), '' = empty. A dot-walk through an empty or dangling
reference is ''. Uses only what the store holds of what the dictionary knows.
"""

import re
from collections.abc import Sequence

from sqlglot import exp

from connector.encoded_query import Column, Context, FieldType, to_sql
from connector.journey import related
from connector.journey.catalogue import BASE_TASK, Catalogue, UnavailableError, catalogue_of
from connector.journey.conditions import parse_condition
from connector.journey.facts import Fact, find_fact
from connector.journey.facts.model import EXTERNAL_UPDATE, RECORD
from connector.journey.measures import Measured

__all__ = [
    "BASE_TASK",
    "FACT_ALIAS",
    "Catalogue",
    "UnavailableError",
    "catalogue_of",
    "select_fields",
]

FACT_ALIAS = re.compile(r"^f(\d+|r)$")
"""Under such a name stands a query that is best answered beforehand: facts, or the records."""
_RECORD_ALIAS = "fr"

_STORED_AS = {EXTERNAL_UPDATE: "_inputs_updated_on"}


def select_fields(
    catalogue: Catalogue, table: str, fields: Sequence[str], context: Context
) -> exp.Select:
    """`sys_id` and each of `fields`, one row per record of `table`. Raises UnavailableError."""
    scope = Scope(catalogue, table, context)
    columns = [
        exp.alias_(scope.text(field), field, quoted=True, copy=False)
        for field in dict.fromkeys(fields)
        if field != "sys_id"
    ]
    sys_id = exp.column("sys_id", table="r", quoted=True)
    return scope.finish(exp.select(sys_id, *columns, copy=False))


def _text(value: str) -> exp.Expression:
    return exp.Literal.string(value)


def _as_text(value: exp.Expression) -> exp.Expression:
    return exp.cast(value, exp.DType.VARCHAR, copy=False)


def _is_null(value: exp.Expression) -> exp.Expression:
    return exp.Is(this=value.copy(), expression=exp.null())


def _column(name: str, table: str) -> exp.Expression:
    return exp.column(_STORED_AS.get(name, name), table=table, quoted=True)


class Scope:
    """Builds the joins that the asked fields of a table need; every join keeps one row per record.

    `pointing_to`: the table of the records that this table's rows point to, with the column that
    says to which; then `record.` walks on to their fields.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        table: str,
        context: Context,
        pointing_to: tuple[str, exp.Expression] | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.table = table
        self.context = context
        self._pointing_to = pointing_to
        self._of_record: dict[str, None] = {}
        self._targets: dict[str, tuple[str, str, set[str], exp.Expression]] = {}
        self._related: dict[related.Group, list[Fact]] = {}

    def text(self, field: str) -> exp.Expression:
        """The stored text of a column, dot-walk or fact. Raises UnavailableError."""
        if field.startswith(RECORD):
            return self._record_field(field.removeprefix(RECORD))
        fact = find_fact(self.table, field)
        if fact is None:
            return self._walked(field)
        self.catalogue.check_fact(self.table, fact)
        return self._own(fact) if fact.aggregate == "own" else self._joined_fact(fact)

    def finish(self, select: exp.Select) -> exp.Select:
        """`select` over the table with all joins; it is changed in place: it may be large."""
        joins = [
            (related.query(group, facts, self.inner), f"f{number}")
            for number, (group, facts) in enumerate(self._related.items())
        ]
        here = exp.table_(self.table, db="current", alias="r", quoted=True)
        select.from_(here, copy=False)
        for alias, target, columns, reference in self._targets.values():
            source = _rows_of(self.catalogue, target, sorted(columns), alias)
            key = exp.column("sys_id", table=alias, quoted=True)
            on = key.eq(reference.copy())
            select.join(source, on=on, join_type="left", copy=False)
        if self._pointing_to and self._of_record:
            table, pointer = self._pointing_to
            records = select_fields(self.catalogue, table, list(self._of_record), self.context)
            on = exp.column("sys_id", table=_RECORD_ALIAS, quoted=True).eq(pointer.copy())
            source = records.subquery(_RECORD_ALIAS, copy=False)
            select.join(source, on=on, join_type="left", copy=False)
        for query, alias in joins:
            on = exp.column("record", table=alias).eq(exp.column("sys_id", table="r"))
            select.join(query.subquery(alias, copy=False), on=on, join_type="left", copy=False)
        return select

    def inner(self, table: str, pointing_to: tuple[str, exp.Expression] | None = None) -> "Scope":
        """A scope of another table, on the same instance and instant."""
        return Scope(self.catalogue, table, self.context, pointing_to)

    def condition(self, where: str) -> exp.Expression:
        """An encoded query over the fields of this table."""
        query = parse_condition(where, self.catalogue.sets)
        return to_sql(query, self._resolve, self.context)

    def measure(self, measured: Measured, optional: Sequence[str] = ()) -> exp.Expression:
        """A measure of the fields of this table."""
        return measured.measure(self._values(measured.reads, optional), self.context)

    def _resolve(self, field: str) -> Column:
        return Column(self.text(field), self._type_of(field))

    def _type_of(self, field: str) -> FieldType:
        if field.startswith(RECORD) and self._pointing_to:
            return self.catalogue.type_of(self._pointing_to[0], field.removeprefix(RECORD))
        return self.catalogue.type_of(self.table, field)

    def _values(self, reads: Sequence[str], optional: Sequence[str]) -> dict[str, exp.Expression]:
        return {
            field: _text("")
            if field in optional and not self.catalogue.gives(self.table, field)
            else self.text(field)
            for field in reads
        }

    # --- columns and dot-walks

    def _walked(self, field: str) -> exp.Expression:
        self.catalogue.walk(self.table, field)
        first, *following = field.split(".")
        value = _column(first, "r")
        here, path, reference = self.table, first, first
        for column in following:
            here = self.catalogue.info(here, reference).reference
            value = self._joined(path, here, column, value)
            path, reference = f"{path}.{column}", column
        return value

    def _record_field(self, field: str) -> exp.Expression:
        self._of_record[field] = None
        return exp.column(field, table=_RECORD_ALIAS, quoted=True)

    def _joined(
        self, path: str, target: str, column: str, reference: exp.Expression
    ) -> exp.Expression:
        alias, _target, columns, _on = self._targets.setdefault(
            path, (f"t{len(self._targets)}", target, set(), reference.copy())
        )
        columns.add(column)
        found = exp.column("sys_id", table=alias, quoted=True)
        return exp.Case(
            ifs=[
                exp.If(this=_is_null(reference), true=exp.null()),
                exp.If(this=_is_null(found), true=_text("")),
            ],
            default=_column(column, alias),
        )

    # --- facts

    def _own(self, fact: Fact) -> exp.Expression:
        """A measure or condition of the record itself: unknown if anything it needs is unknown."""
        if fact.measured is None:
            return self._held(fact)
        values = self._values(fact.measured.reads, fact.optional)
        ifs = self._unknown_if_null(list(values.values()))
        if fact.where:
            applies = exp.Not(this=exp.paren(self.condition(fact.where)))
            ifs.append(exp.If(this=applies, true=_text("")))
        measured = _as_text(fact.measured.measure(values, self.context))
        return exp.Case(ifs=ifs, default=exp.Coalesce(this=measured, expressions=[_text("")]))

    def _held(self, fact: Fact) -> exp.Expression:
        fields = sorted(parse_condition(fact.where, self.catalogue.sets).fields)
        ifs = self._unknown_if_null([self.text(field) for field in fields])
        ifs.append(exp.If(this=self.condition(fact.where), true=_text("true")))
        return exp.Case(ifs=ifs, default=_text("false"))

    @staticmethod
    def _unknown_if_null(values: Sequence[exp.Expression]) -> list[exp.If]:
        return [
            exp.If(
                this=exp.or_(*(_is_null(value) for value in values), copy=False), true=exp.null()
            )
        ]

    def _joined_fact(self, fact: Fact) -> exp.Expression:
        group = related.group_of(fact, self.table, self.catalogue.sets)
        facts = self._related.setdefault(group, [])
        if fact not in facts:
            facts.append(fact)
        alias = f"f{list(self._related).index(group)}"
        value = exp.column(fact.name, table=alias, quoted=True)
        found = exp.Coalesce(this=value, expressions=[_text(fact.default)])
        keys = fact.line.keys if fact.line else fact.near.keys if fact.near else ()
        if not keys:
            return found
        ifs = self._unknown_if_null([self.text(key) for key in keys])
        return exp.Case(ifs=ifs, default=found)


def _rows_of(
    catalogue: Catalogue, target: str, columns: Sequence[str], alias: str
) -> exp.Expression:
    """The rows that a reference may point to, with `sys_id` and `columns`."""
    if target != BASE_TASK:
        return exp.table_(target, db="current", alias=alias, quoted=True)
    parts = [_task_rows(catalogue, table, columns) for table in catalogue.task_tables]
    union: exp.Query = parts[0]
    for part in parts[1:]:
        union = union.union(part, distinct=False, copy=False)
    return union.subquery(alias, copy=False)


def _task_rows(catalogue: Catalogue, table: str, columns: Sequence[str]) -> exp.Select:
    """One task table's part of the union; a column that its class lacks is empty there."""
    chosen = [
        exp.column(column, quoted=True)
        if (table, column) in catalogue.schema
        else exp.alias_(_text(table if column == "sys_class_name" else ""), column, quoted=True)
        for column in dict.fromkeys(("sys_id", *columns))
    ]
    return exp.select(*chosen).from_(exp.table_(table, db="current", quoted=True))
