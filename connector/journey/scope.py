"""Fields of records as SQL over the store: columns, dot-walks and facts of one table.

`select_fields` answers one row per record with each asked field under its own dotted name, as text:
NULL = unknown (hidden, or not read yet), '' = empty. A dot-walk through an empty or dangling
reference is ''. Uses only what the store holds of what the dictionary knows.
"""

from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from connector.encoded_query import Column, Context, FieldType, field_type, to_sql
from connector.journey.conditions import Sets, parse_condition
from connector.journey.facts import Fact, find_fact
from connector.journey.model import FieldInfo, Mapping, Schema
from connector.messages import _

BASE_TASK = "task"
"""The table that task tables extend; a reference to it may point to any of them."""


class UnavailableError(KeyError):
    """A field that this instance does not give; `reason` is a sentence."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Catalogue:
    """What can be read: the dictionary of what the store holds, sets, the task tables read."""

    schema: Schema
    sets: Sets
    task_tables: tuple[str, ...]

    def has_table(self, table: str) -> bool:
        """Some column of the table is known."""
        if table == BASE_TASK:
            return bool(self.task_tables)
        return (table, "sys_id") in self.schema

    def info(self, table: str, column: str) -> FieldInfo:
        """What the dictionary says of a column. Raises UnavailableError."""
        owners = self.task_tables if table == BASE_TASK else (table,)
        for owner in owners:
            if (owner, column) in self.schema:
                return self.schema[owner, column]
        if not self.has_table(table):
            raise UnavailableError(_("the table {table} is not read").format(table=table))
        raise UnavailableError(
            _("{table} has no readable column {column}").format(table=table, column=column)
        )

    def type_of(self, table: str, field: str) -> FieldType:
        """How a column, dot-walk or fact compares. Raises UnavailableError."""
        if fact := find_fact(table, field):
            self.check_fact(fact)
            return fact.type
        owner, column = self.walk(table, field)[-1]
        return field_type(self.info(owner, column).type)

    def walk(self, table: str, field: str) -> list[tuple[str, str]]:
        """The (table, column) pairs that a dot-walk goes through. Raises UnavailableError."""
        *references, last = field.split(".")
        path, here = [], table
        for column in references:
            target = self.info(here, column).reference
            if not target:
                raise UnavailableError(
                    _("{table}.{column} refers to no other table").format(table=here, column=column)
                )
            path.append((here, column))
            here = target
        self.info(here, last)
        return [*path, (here, last)]

    def gives(self, table: str, field: str) -> bool:
        """Whether a column, dot-walk or fact can be read."""
        try:
            self.type_of(table, field)
        except UnavailableError:
            return False
        return True

    def check_fact(self, fact: Fact) -> None:
        """Raises UnavailableError if something that a fact reads is not there."""
        where = parse_condition(fact.where, self.sets)
        for field in (*fact.links, *fact.reads, *sorted(where.fields)):
            self.walk(fact.owner, field)


def catalogue_of(mapping: Mapping, schema: Schema, held: Dict[str, set[str]]) -> Catalogue:
    """The part of the dictionary that the store holds (`held`: table → columns).

    So a column that was not read yet is unavailable, whatever the dictionary says of it.
    """
    always = {"sys_id": FieldInfo("GUID"), "sys_created_on": FieldInfo("glide_date_time")}
    found = {
        (table, column): schema.get((table, column)) or always[column]
        for table, columns in held.items()
        for column in columns
        if (table, column) in schema or column in always
    }
    tasks = tuple(t for t, spec in mapping.tables.items() if spec.is_task and t in held)
    return Catalogue(found, mapping.sets, tasks)


def select_fields(
    catalogue: Catalogue, table: str, fields: Sequence[str], context: Context
) -> exp.Select:
    """`sys_id` and each of `fields`, one row per record of `table`. Raises UnavailableError."""
    scope = _Scope(catalogue, table, context)
    columns = [
        exp.alias_(scope.text(field), field, quoted=True)
        for field in dict.fromkeys(fields)
        if field != "sys_id"
    ]
    return scope.finish(exp.select(exp.column("sys_id", table="r", quoted=True), *columns))


def _text(value: str) -> exp.Expression:
    return exp.Literal.string(value)


def _as_text(value: exp.Expression) -> exp.Expression:
    return exp.cast(value, "VARCHAR")


def _is_null(value: exp.Expression) -> exp.Expression:
    return exp.Is(this=value.copy(), expression=exp.null())


class _Scope:
    """Builds the joins that the asked fields need; every join keeps one row per record."""

    def __init__(self, catalogue: Catalogue, table: str, context: Context) -> None:
        self._catalogue = catalogue
        self._table = table
        self._context = context
        self._targets: dict[str, tuple[str, str, set[str], exp.Expression]] = {}
        self._aggregates: dict[tuple[str, tuple[str, ...]], list[Fact]] = {}

    def text(self, field: str) -> exp.Expression:
        """The field's stored text. Raises UnavailableError."""
        fact = find_fact(self._table, field)
        if fact is None:
            return self._walked(field)
        self._catalogue.check_fact(fact)
        return self._aggregated(fact) if fact.source else self._measured(fact)

    def finish(self, select: exp.Select) -> exp.Select:
        """`select` over the table with all joins."""
        select = select.from_(exp.table_(self._table, db="current", alias="r", quoted=True))
        for alias, target, columns, reference in self._targets.values():
            source = _rows_of(self._catalogue, target, sorted(columns), alias)
            key = exp.column("sys_id", table=alias, quoted=True)
            select = select.join(source, on=key.eq(reference.copy()), join_type="left")
        for number, ((table, links), facts) in enumerate(self._aggregates.items()):
            source = self._aggregate_query(table, links, facts).subquery(f"f{number}")
            on = exp.column("record", table=f"f{number}").eq(exp.column("sys_id", table="r"))
            select = select.join(source, on=on, join_type="left")
        return select

    # --- columns and dot-walks

    def _walked(self, field: str) -> exp.Expression:
        self._catalogue.walk(self._table, field)
        first, *following = field.split(".")
        value: exp.Expression = exp.column(first, table="r", quoted=True)
        here, path, reference = self._table, first, first
        for column in following:
            here = self._catalogue.info(here, reference).reference
            value = self._joined(path, here, column, value)
            path, reference = f"{path}.{column}", column
        return value

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
            default=exp.column(column, table=alias, quoted=True),
        )

    # --- facts

    def _condition(self, where: str) -> exp.Expression:
        return to_sql(parse_condition(where, self._catalogue.sets), self._resolve, self._context)

    def _resolve(self, field: str) -> Column:
        return Column(self._walked(field), self._catalogue.type_of(self._table, field))

    def _measured(self, fact: Fact) -> exp.Expression:
        """A measure of the record itself: unknown if anything it needs is unknown."""
        values = {field: self._walked(field) for field in fact.reads}
        unknown = exp.or_(*(_is_null(value) for value in values.values()))
        ifs = [exp.If(this=unknown, true=exp.null())]
        if fact.where:
            applies = exp.Not(this=exp.paren(self._condition(fact.where)))
            ifs.append(exp.If(this=applies, true=_text("")))
        measured = _as_text(self._measure(fact, values))
        return exp.Case(ifs=ifs, default=exp.Coalesce(this=measured, expressions=[_text("")]))

    def _measure(self, fact: Fact, values: dict[str, exp.Expression]) -> exp.Expression:
        if fact.measure is None:
            raise UnavailableError(fact.name)
        return fact.measure(values, self._context)

    def _aggregated(self, fact: Fact) -> exp.Expression:
        key = (fact.source, fact.links)
        facts = self._aggregates.setdefault(key, [])
        if fact not in facts:
            facts.append(fact)
        alias = f"f{list(self._aggregates).index(key)}"
        value = exp.column(fact.name, table=alias, quoted=True)
        return exp.Coalesce(this=value, expressions=[_text(fact.default)])

    def _aggregate_query(
        self, source: str, links: tuple[str, ...], facts: Sequence[Fact]
    ) -> exp.Select:
        inner = _Scope(self._catalogue, source, self._context)
        keys = [exp.Nullif(this=inner._walked(link), expression=_text("")) for link in links]
        key = exp.Coalesce(this=keys[0], expressions=keys[1:]) if keys[1:] else keys[0]
        values = [exp.alias_(inner._aggregate(f), f.name, quoted=True) for f in facts]
        select = exp.select(exp.alias_(key, "record"), *values).group_by("1")
        return inner.finish(select)

    def _aggregate(self, fact: Fact) -> exp.Expression:
        """The fact's value over a group of this scope's rows."""
        if fact.aggregate in ("count", "any"):
            value: exp.Expression = exp.Count(this=exp.Star())
        else:
            measured = self._measure(fact, {field: self._walked(field) for field in fact.reads})
            value = exp.Max(this=measured) if fact.aggregate == "max" else exp.Avg(this=measured)
        if fact.where:
            where = exp.Where(this=self._condition(fact.where))
            value = exp.Filter(this=value, expression=where)
        return _as_text(value > 0 if fact.aggregate == "any" else value)


def _rows_of(
    catalogue: Catalogue, target: str, columns: Sequence[str], alias: str
) -> exp.Expression:
    """The rows that a reference may point to, with `sys_id` and `columns`."""
    if target != BASE_TASK:
        return exp.table_(target, db="current", alias=alias, quoted=True)
    parts = [_task_rows(catalogue, table, columns) for table in catalogue.task_tables]
    union: exp.Query = parts[0]
    for part in parts[1:]:
        union = union.union(part, distinct=False)
    return union.subquery(alias)


def _task_rows(catalogue: Catalogue, table: str, columns: Sequence[str]) -> exp.Select:
    """One task table's part of the union; a column that its class lacks is empty there."""
    chosen = [
        exp.column(column, quoted=True)
        if (table, column) in catalogue.schema
        else exp.alias_(_text(table if column == "sys_class_name" else ""), column, quoted=True)
        for column in dict.fromkeys(("sys_id", *columns))
    ]
    return exp.select(*chosen).from_(exp.table_(table, db="current", quoted=True))
