"""Tickets by department, with small groups kept from sight.

The only figure here that could point at people. A department with fewer people than the minimum is
never shown, and never alone: the next smallest goes with it, so that the total gives nothing away.
"""

from collections.abc import Sequence

import sqlglot
from sqlglot import exp, select

from connector.report.figures import DepartmentFigures, Share
from connector.report.life import first_filled
from connector.report.source import Source
from connector.store.database import Row

PERSON_COLUMNS = ("caller_id", "requested_for", "opened_by")
"""Who the ticket is for; the first one filled counts."""

_DEPARTMENTS = """
SELECT u.department, any_value(d.name) AS name, count(DISTINCT p.person) AS people,
       count(*) AS opened, count(*) FILTER (l.is_open) AS open,
       count(*) FILTER (s.breached) AS breached, count(*) FILTER (s.decided) AS decided
FROM person AS p
JOIN life AS l ON l.table_name = p.table_name AND l.sys_id = p.sys_id
JOIN classification AS c ON c.table_name = p.table_name AND c.sys_id = p.sys_id
JOIN current.sys_user AS u ON u.sys_id = p.person
LEFT JOIN current.cmn_department AS d ON d.sys_id = u.department
LEFT JOIN sla AS s ON s.task = p.sys_id
WHERE l.opened >= $since AND l.opened < $until AND u.department <> ''
  AND NOT list_contains($ignored, c.rule_id)
GROUP BY u.department
"""

_SLA = """
SELECT task, bool_or(lower(has_breached) IN ('true', '1')) AS breached,
       bool_or(lower(has_breached) IN ('true', '1') OR stage = 'completed') AS decided
FROM current.task_sla GROUP BY task
"""

_NO_SLA = "SELECT '' AS task, FALSE AS breached, FALSE AS decided WHERE FALSE"


def measure_departments(source: Source, minimum_group: int) -> tuple[DepartmentFigures, ...]:
    """Departments by tickets opened in the period; () where the tool's people are not read."""
    persons = _persons(source)
    if (
        persons is None
        or not source.has("sys_user", "department")
        or not source.has("cmn_department", "name")
    ):
        return ()
    has_sla = source.has("task_sla", "task", "stage", "has_breached")
    query = sqlglot.parse_one(_DEPARTMENTS, dialect="duckdb", into=exp.Select)
    sla = sqlglot.parse_one(_SLA if has_sla else _NO_SLA, dialect="duckdb", into=exp.Select)
    rows = source.read(query.with_("person", as_=persons).with_("sla", as_=sla).sql("duckdb"))
    return suppress([_figures(row) for row in rows], minimum_group)


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
        department=row["department"],
        name=row["name"] or row["department"],
        people=row["people"],
        opened=row["opened"],
        open=row["open"],
        sla=Share(row["decided"] - row["breached"], row["decided"]),
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


def _together(small: Sequence[DepartmentFigures]) -> DepartmentFigures:
    return DepartmentFigures(
        department="",
        name="",
        people=sum(d.people for d in small),
        opened=sum(d.opened for d in small),
        open=sum(d.open for d in small),
        sla=Share(sum(d.sla.part for d in small), sum(d.sla.whole for d in small)),
    )
