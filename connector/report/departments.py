"""Tickets by department, with small groups kept from sight.

The only figure here that could point at people. A department with fewer people than the minimum is
never shown, and never alone: the next smallest goes with it, so that the total gives nothing away.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlglot
from sqlglot import exp, select

from connector.report.figures import NO_DEPARTMENT, DepartmentFigures, Share
from connector.report.life import first_filled
from connector.report.source import Source
from connector.report.suppress import hide_in_row
from connector.store.database import Row

PERSON_COLUMNS = ("caller_id", "requested_for", "opened_by")
"""Who the ticket is for; the first one filled counts."""

_ROWS = """
SELECT coalesce(b.department, '') AS department, b.person,
       l.opened IS NOT NULL AS is_ticket, l.is_open, FALSE AS is_clock, FALSE AS is_met
FROM life AS l
JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
LEFT JOIN belongs AS b ON b.table_name = l.table_name AND b.sys_id = l.sys_id
WHERE list_contains($tickets, l.table_name) AND NOT list_contains($ignored, c.rule_id)
  AND l.opened >= $since AND l.opened < $until
"""

_CLOCKS = """
SELECT coalesce(b.department, '') AS department, b.person, FALSE AS is_ticket, FALSE AS is_open,
       TRUE AS is_clock, k.result = 'met' AS is_met
FROM clock AS k
LEFT JOIN belongs AS b ON b.sys_id = k.task
WHERE k.in_period AND k.result <> 'running'
"""

_DEPARTMENTS = """
SELECT w.department, any_value(d.name) AS name,
       count(DISTINCT w.person) FILTER (w.is_ticket) AS people,
       count(DISTINCT w.person) AS anybody,
       count(DISTINCT w.person) FILTER (w.is_open) AS people_open,
       count(DISTINCT w.person) FILTER (w.is_clock) AS people_clocks,
       count(*) FILTER (w.is_ticket) AS opened, count(*) FILTER (w.is_open) AS open,
       count(*) FILTER (w.is_met) AS met, count(*) FILTER (w.is_clock) AS decided
FROM work AS w
LEFT JOIN current.cmn_department AS d ON d.sys_id = w.department
GROUP BY w.department
"""

_BELONGS = """
SELECT p.table_name, p.sys_id, p.person, coalesce(u.department, '') AS department
FROM person AS p LEFT JOIN current.sys_user AS u ON u.sys_id = p.person
"""


def measure_departments(source: Source, minimum_group: int) -> tuple[DepartmentFigures, ...]:
    """Departments by tickets opened in the period; () where the tool's people are not read.

    With the row of no department, tickets sum to those opened and clocks to those decided.
    """
    belongs = belongings(source)
    if belongs is None:
        return ()
    work = _parse(_ROWS)
    if has_clocks(source):
        work = exp.union(work, _parse(_CLOCKS), distinct=False)
    query = _parse(_DEPARTMENTS).with_("belongs", as_=belongs).with_("work", as_=work)
    rows = source.read(query.sql("duckdb"))
    nobodys = [row for row in rows if not row["department"] and not row["anybody"]]
    shown = suppress([_figures(row) for row in rows if row not in nobodys], minimum_group)
    shown = hide_columns(shown, minimum_group)
    # What belongs to nobody points at nobody: it needs no company.
    return (*shown, *(_figures(row) for row in nobodys)) if shown else ()


def has_clocks(source: Source) -> bool:
    """Whether the tool's SLA rows are read."""
    return source.has("task_sla", "task", "stage", "has_breached")


def belongings(source: Source) -> exp.Query | None:
    """(table_name, sys_id, person, department) of tickets and of what hangs from them.

    None where the tool's people and departments are not read.
    """
    persons = _persons(source)
    if (
        persons is None
        or not source.has("sys_user", "department")
        or not source.has("cmn_department", "name")
    ):
        return None
    hanging: list[exp.Query] = [
        select(
            exp.Literal.string(edge.table).as_("table_name"),
            exp.column("sys_id", table="h", quoted=True),
            exp.column("person", table="o", quoted=True),
        )
        .from_(exp.table_(edge.table, db="current", quoted=True, alias="h"))
        .join("owner AS o", on=f'o.sys_id = h."{edge.field}"')
        for edge in {edge.table: edge for edge in reversed(source.mapping.edges)}.values()
        if edge.parent in source.tickets
        and edge.table not in source.tickets
        and source.has(edge.table, edge.field)
    ]
    owner = select("*").from_("owner")
    person = exp.union(owner, *hanging, distinct=False) if hanging else owner
    return _parse(_BELONGS).with_("owner", as_=persons).with_("person", as_=person)


def _parse(sql: str) -> exp.Query:
    return sqlglot.parse_one(sql, dialect="duckdb", into=exp.Select)


def _persons(source: Source) -> exp.Query | None:
    parts: list[exp.Query] = [
        select(
            exp.Literal.string(table).as_("table_name"),
            exp.column("sys_id", quoted=True),
            first_filled(PERSON_COLUMNS, source.columns[table]).as_("person"),
        ).from_(exp.table_(table, db="current", quoted=True))
        for table in source.tickets
        if set(PERSON_COLUMNS) & set(source.columns[table])
    ]
    if not parts:
        return None
    return exp.union(*parts, distinct=False) if len(parts) > 1 else parts[0]


def _figures(row: Row) -> DepartmentFigures:
    return DepartmentFigures(
        department=row["department"] or NO_DEPARTMENT,
        name=row["name"] or row["department"],
        people=row["people"],
        opened=row["opened"],
        open=row["open"],
        sla=Share(row["met"], row["decided"]),
        people_open=row["people_open"],
        people_clocks=row["people_clocks"],
    )


def suppress(
    departments: Sequence[DepartmentFigures], minimum_group: int
) -> tuple[DepartmentFigures, ...]:
    """Departments of enough people, busiest first, then one row for all the others together.

    The others are at least two departments and `minimum_group` people, or are not shown at all.
    """
    by_size = sorted(departments, key=lambda d: (d.people, d.opened, d.department))
    small = [d for d in by_size if d.people < minimum_group]
    large = by_size[len(small) :]
    while small and large and (len(small) < 2 or sum(d.people for d in small) < minimum_group):
        small.append(large.pop(0))
    shown = sorted(large, key=lambda d: (-d.opened, d.name, d.department))
    if len(small) < 2 or sum(d.people for d in small) < minimum_group:
        return tuple(shown)
    return (*shown, _together(small))


def hide_columns(
    departments: Sequence[DepartmentFigures], minimum_group: int
) -> tuple[DepartmentFigures, ...]:
    """Without what stands behind few of a department's people: its open tickets, its clocks."""
    found = tuple(departments)
    for column, of in (("open", "people_open"), ("sla", "people_clocks")):
        people = [getattr(one, of) for one in found]
        dark = hide_in_row([*people, sum(people)], minimum_group)
        emptied: dict[str, Any] = {column: None}
        found = tuple(replace(d, **emptied) if i in dark else d for i, d in enumerate(found))
    return found


def _together(small: Sequence[DepartmentFigures]) -> DepartmentFigures:
    return DepartmentFigures(
        department="",
        name="",
        people=sum(d.people for d in small),
        opened=sum(d.opened for d in small),
        open=sum(d.open or 0 for d in small),
        sla=Share(
            sum(d.sla.part for d in small if d.sla), sum(d.sla.whole for d in small if d.sla)
        ),
        people_open=sum(d.people_open for d in small),
        people_clocks=sum(d.people_clocks for d in small),
    )
