"""Lists in the tool that hold exactly the records that a cell counts.

What a cell counts is said in the words of the columns that we write (step, touchpoint, band,
moment, outcome, value, rule) and of the tool's own (open, opened, ended). Whether a list says the
same is not assumed: of every written table the records are counted by both readings at once, by
what we know of them and by what was last seen in their columns, and a list is given only where no
record is in one and not in the other. So records that were never written, were frozen, or that
somebody overwrote leave their cells without a link.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from connector.encoded_query import Context, EncodedQueryError
from connector.evaluate import ask
from connector.journey.fields import (
    BAND,
    CONFIDENCE,
    MOMENT,
    OUTCOME,
    RULE,
    STEP,
    TOUCHPOINT,
    VALUE,
)
from connector.report.links import NOWHERE, Tool
from connector.report.list_queries import ALWAYS, WHENS, Branches, When, both, branches_of, query_of
from connector.report.source import DATA_UNTIL, Source
from connector.report.wording import count
from connector.store.database import Row
from connector.store.moments import HEAVIEST
from connector.store.records import name as quoted

OURS: dict[str, str] = {
    STEP: "coalesce(c.steps[$journey], '')",
    TOUCHPOINT: "coalesce(c.touchpoint, '')",
    BAND: "coalesce(c.band, '')",
    MOMENT: "coalesce(h.choice, CASE WHEN c.is_potential_moment THEN 'potential' ELSE '' END)",
    OUTCOME: "coalesce(c.outcome, '')",
    VALUE: "coalesce(c.value, '')",
    RULE: "coalesce(c.rule_id, '')",
    CONFIDENCE: "coalesce(c.confidence, '')",
}
"""Column that we write → what we know, as the write-back wants it."""

_LIVES: dict[When, str] = {
    "open": "coalesce(l.is_open, FALSE)",
    "closed": "NOT coalesce(l.is_open, FALSE)",
    "in_period": "coalesce(l.opened < $until AND (l.is_open OR coalesce(l.ended, l.opened)"
    " >= $since), l.is_open, FALSE)",
    "opened": "coalesce(l.opened >= $since AND l.opened < $until, FALSE)",
    "ended": "coalesce(NOT l.is_open AND l.ended >= $since AND l.ended < $until, FALSE)",
}

_COUNTS = """
SELECT {columns}, c.sys_id IS NOT NULL AS is_counted, count(*) AS n
FROM current.{table} AS t
JOIN ({asked}) AS a ON a.sys_id = t.sys_id
LEFT JOIN life AS l ON l.table_name = $table AND l.sys_id = t.sys_id
LEFT JOIN (SELECT * FROM classification
           WHERE table_name = $table AND NOT list_contains($ignored, rule_id)) AS c
    ON c.sys_id = t.sys_id
LEFT JOIN (SELECT * FROM ({heaviest}) AS x WHERE table_name = $table) AS h ON h.sys_id = t.sys_id
GROUP BY ALL
"""


class Is(NamedTuple):
    """One condition on a column of ours; "" is empty."""

    column: str
    value: str
    is_not: bool = False

    def holds(self, value: str) -> bool:
        """Whether a record with this value is meant."""
        return (value == self.value) is not self.is_not

    @property
    def term(self) -> str:
        """The same in an encoded query."""
        if not self.value:
            return self.column + ("ISNOTEMPTY" if self.is_not else "ISEMPTY")
        if self.is_not:
            # What is empty is in no list of what is unlike something.
            return f"{self.column}!={self.value}^OR{self.column}ISEMPTY"
        return f"{self.column}={self.value}"


@dataclass(frozen=True)
class Cell:
    """What a figure counts: records that stand there, and in that part of their life."""

    where: tuple[Is, ...] = ()
    when: tuple[When, ...] = ()


NAMES = {
    "step": STEP,
    "touchpoint": TOUCHPOINT,
    "band": BAND,
    "moment": MOMENT,
    "outcome": OUTCOME,
    "value": VALUE,
    "rule": RULE,
    "confidence": CONFIDENCE,
}


def at(*when: When, **where: str | None) -> Cell:
    """A cell, by the short names of the columns: `at("open", step="usar")`; None is left out."""
    return Cell(tuple(Is(NAMES[k], v) for k, v in where.items() if v is not None), when)


@dataclass(frozen=True)
class Counted:
    """One table: so many records for each combination of both readings."""

    groups: tuple[Row, ...]
    columns: frozenset[str]
    whens: Mapping[When, Branches]


@dataclass(frozen=True)
class Lists:
    """What is known of the written tables; nothing where there is no tool to lead to."""

    tool: Tool = NOWHERE
    tables: Mapping[str, Counted] | None = None

    def link(self, n: int | None, table: str, cell: Cell) -> str:
        """`n` in words, leading to the records of a table in this cell if a list says just them."""
        text = count(n)
        known = (self.tables or {}).get(table)
        if not n or known is None or not _is_said(known, cell) or not _agrees(known, cell):
            return text
        if self.count(table, cell) != n:
            return text
        conditions = both(*(known.whens[when] for when in cell.when)) if cell.when else ALWAYS
        query = query_of(conditions, [one.term for one in cell.where])
        return self.tool.listed(text, table, query) if query else text

    def single(self, n: int | None, cell: Cell) -> str:
        """The same, where all `n` records of the cell are of one table."""
        found = [table for table in self.tables or () if n and self.count(table, cell)]
        return self.link(n, found[0], cell) if len(found) == 1 else count(n)

    def count(self, table: str, cell: Cell) -> int:
        """The records of a written table in a cell, by what we know of them."""
        known = (self.tables or {}).get(table)
        return sum(row["n"] for row in known.groups if _is_ours(row, cell)) if known else 0


def _is_said(known: Counted, cell: Cell) -> bool:
    return all(one.column in known.columns for one in cell.where) and all(
        known.whens[when] for when in cell.when
    )


def _agrees(known: Counted, cell: Cell) -> bool:
    return all(_is_ours(row, cell) == _is_theirs(row, cell) for row in known.groups)


def _is_ours(row: Row, cell: Cell) -> bool:
    return (
        row["is_counted"]
        and all(one.holds(row[f"our_{one.column}"]) for one in cell.where)
        and all(row[f"our_{when}"] for when in cell.when)
    )


def _is_theirs(row: Row, cell: Cell) -> bool:
    return all(one.holds(row[f"seen_{one.column}"]) for one in cell.where) and all(
        row[f"seen_{when}"] for when in cell.when
    )


# Counting -----------------------------------------------------------------------------------------


def lists_of(source: Source, tool: Tool, journey: str) -> Lists:
    """Count the written tables. Nothing of a part: no list says exactly what belongs to it.

    Raises StoreError.
    """
    if not tool.url or source.scope.is_part or _is_let_go(source, tool):
        return Lists()
    specs = source.mapping.tables
    # What a filter leaves out is no record of ours, and the tool has it.
    written = [
        table
        for table in source.columns
        if table in tool.written and not (table in specs and specs[table].filter)
    ]
    counted = {table: found for table in written if (found := _counted(source, table, journey))}
    return Lists(tool, counted)


def _is_let_go(source: Source, tool: Tool) -> bool:
    """Whether records of the period may be past retention here, and still be in the tool."""
    if not tool.kept_months:
        return False
    until = source.read(DATA_UNTIL)[0]["until"]
    if until is None:
        return True
    oldest = until - timedelta(days=31 * tool.kept_months)
    return bool(source.period.start.replace(tzinfo=None) < oldest)


def _counted(source: Source, table: str, journey: str) -> Counted | None:
    columns = frozenset(source.columns[table])
    seen = [column for column in OURS if column in columns]
    whens = {when: branches_of(when, table, source.columns[table], source.period) for when in WHENS}
    if not seen:
        return None
    try:
        asked = ask(
            source.store,
            source.catalogue(),
            Context(source.period.end, source.period.time_zone),
            table,
            {f"is_{when}": query_of(said, ()) for when, said in whens.items() if said},
        )
    except EncodedQueryError:
        return None
    sql = _COUNTS.format(
        columns=", ".join(_columns(seen, whens)),
        table=quoted(table),
        asked=asked,
        heaviest=HEAVIEST.format(moments="moment"),
    )
    rows = source.read(sql, table=table, journey=journey)
    return Counted(tuple(rows), frozenset(seen), whens)


def _columns(seen: Sequence[str], whens: Mapping[When, Branches]) -> Iterator[str]:
    for column, known in OURS.items():
        yield f"{known} AS our_{column}"
    for column in seen:
        yield f"coalesce(t.{column}, '') AS seen_{column}"
    for when, branches in whens.items():
        yield f"{_LIVES[when]} AS our_{when}"
        yield f"a.is_{when} AS seen_{when}" if branches else f"FALSE AS seen_{when}"
