"""What a fact is, and short ways to write a family of them. Data only: `related.py` makes the SQL.

Refuses: texts of people, anything about agents, percentages that the tool calculated earlier.
"""

from dataclasses import dataclass, replace
from typing import Literal

from connector.encoded_query import FieldType
from connector.journey.measures import Measure, Measured
from connector.journey.model import Text

Aggregate = Literal[
    "own", "count", "any", "max", "min", "mean", "latest", "previous", "next", "first", "near"
]
"""How a fact comes about.

own                             a measure, or a condition, of the record itself and its other facts
count any max min mean latest   over the rows of `source` that point to the record
previous next first             a measure of the record before, after, or first in the same `line`
near                            rows of `source` within a few days of the record
"""

TASKS = (
    "incident",
    "sc_request",
    "sc_req_item",
    "sc_task",
    "change_request",
    "change_task",
    "problem",
    "sn_customerservice_case",
    "dmn_demand",
    "im_idea_core",
    "idea",
    "sn_cim_register",
    "sn_hr_le_case",
)
"""The tables of records that extend `task`: SLAs, approvals and surveys may point to them."""

RECORD = "record."
"""In a condition or measure of source rows: a field of the record that they point to."""

EXTERNAL_UPDATE = "last_external_update_on"
"""When what rules may see last changed: an instant that our own writes do not move."""


@dataclass(frozen=True)
class Line:
    """Records of one table that belong together, one after the other.

    Equal in every one of `keys`, the first of which may not be empty; in the `order` of instants
    (the first must be one), then of sys_ids.
    """

    keys: tuple[str, ...]
    order: tuple[Measured, ...]


@dataclass(frozen=True)
class Near:
    """Rows of a source within `days` (of 24 hours) before or after an instant of the record.

    They must agree in one key, on each side the first of the fields that is not empty. The very
    second itself does not count. `result` "time" is the nearest one's instant.
    """

    keys: tuple[str, ...]
    source_keys: tuple[str, ...]
    own_time: Measured
    source_time: Measured
    side: Literal["before", "after"]
    days: int
    result: Literal["count", "any", "time"] = "count"


@dataclass(frozen=True)
class Fact:
    """One fact of records of `tables`.

    `where` (an encoded query) chooses the rows of `source`; the first non-empty column of `links`
    holds the record's sys_id. `reads` are the fields that the measure needs, for an own fact also
    other facts; of those in `optional`, what the instance does not give is taken for empty.
    `by` is the instant by which `latest` is found. A hidden fact only serves others.
    `of_nothing` is the value of a record of which nothing is known, where its type does not say so.
    """

    name: str
    type: FieldType
    tables: tuple[str, ...]
    meaning: Text
    aggregate: Aggregate
    source: str = ""
    links: tuple[str, ...] = ()
    where: str = ""
    measured: Measured | None = None
    optional: tuple[str, ...] = ()
    by: Measured | None = None
    line: Line | None = None
    near: Near | None = None
    hidden: bool = False
    of_nothing: str | None = None

    @property
    def default(self) -> str:
        """The value of a record that nothing points to."""
        if self.of_nothing is not None:
            return self.of_nothing
        if self.type is FieldType.BOOLEAN:
            return "false"
        counts = self.aggregate == "count" or (self.near and self.near.result == "count")
        return "0" if counts else ""

    @property
    def measure(self) -> Measure | None:
        """The SQL of its measure, None if it has none."""
        return self.measured.measure if self.measured else None

    @property
    def reads(self) -> tuple[str, ...]:
        """The fields that its measure needs."""
        return _reads(self.measured)

    @property
    def own_reads(self) -> tuple[str, ...]:
        """The fields and facts of the record itself that it needs, besides those of `where`."""
        if self.near:
            return (*self.near.keys, *self.near.own_time.reads)
        if self.line:
            times = (field for one in self.line.order for field in one.reads)
            return (*self.line.keys, *times, *_reads(self.measured))
        return () if self.source else _reads(self.measured)

    @property
    def source_reads(self) -> tuple[str, ...]:
        """The fields of source rows that it needs, besides those of `where`."""
        if self.near:
            return (*self.near.source_keys, *self.near.source_time.reads)
        return (*self.links, *_reads(self.measured), *_reads(self.by)) if self.source else ()


def _reads(measured: Measured | None) -> tuple[str, ...]:
    return measured.reads if measured else ()


@dataclass(frozen=True)
class Rows:
    """Rows of one table that point to a record: what the facts of a family have in common."""

    family: str
    tables: tuple[str, ...]
    source: str
    links: tuple[str, ...]

    def count(self, name: str, where: str, en: str, es: str) -> Fact:
        """How many rows match."""
        return self._fact(name, FieldType.INTEGER, "count", where, Text(en, es))

    def any(self, name: str, where: str, en: str, es: str) -> Fact:
        """Whether a row matches."""
        return self._fact(name, FieldType.BOOLEAN, "any", where, Text(en, es))

    def most(self, name: str, where: str, measured: Measured, en: str, es: str) -> Fact:
        """The greatest number."""
        fact = self._fact(name, FieldType.DECIMAL, "max", where, Text(en, es))
        return replace(fact, measured=measured)

    def least(self, name: str, where: str, measured: Measured, en: str, es: str) -> Fact:
        """The least number."""
        fact = self._fact(name, FieldType.DECIMAL, "min", where, Text(en, es))
        return replace(fact, measured=measured)

    def mean(self, name: str, where: str, measured: Measured, en: str, es: str) -> Fact:
        """The mean of the numbers."""
        fact = self._fact(name, FieldType.DECIMAL, "mean", where, Text(en, es))
        return replace(fact, measured=measured)

    def earliest(self, name: str, where: str, time: Measured, en: str, es: str) -> Fact:
        """The first instant."""
        fact = self._fact(name, FieldType.DATETIME, "min", where, Text(en, es))
        return replace(fact, measured=time)

    def last(self, name: str, where: str, time: Measured, en: str, es: str) -> Fact:
        """The last instant."""
        fact = self._fact(name, FieldType.DATETIME, "max", where, Text(en, es))
        return replace(fact, measured=time)

    def latest(
        self, name: str, where: str, value: Measured, by: Measured, en: str, es: str
    ) -> Fact:
        """The text of the row with the last instant."""
        fact = self._fact(name, FieldType.STRING, "latest", where, Text(en, es))
        return replace(fact, measured=value, by=by)

    def _fact(
        self, name: str, kind: FieldType, aggregate: Aggregate, where: str, meaning: Text
    ) -> Fact:
        return Fact(
            name=f"{self.family}.{name}",
            type=kind,
            tables=self.tables,
            meaning=meaning,
            aggregate=aggregate,
            source=self.source,
            links=self.links,
            where=where,
        )


def own(
    name: str,
    kind: FieldType,
    tables: tuple[str, ...],
    measured: Measured,
    meaning: Text,
    where: str = "",
) -> Fact:
    """A measure of the record itself, empty where `where` does not hold."""
    return Fact(name, kind, tables, meaning, "own", where=where, measured=measured)


def holds(name: str, tables: tuple[str, ...], where: str, en: str, es: str) -> Fact:
    """Whether a condition on the record's own columns and facts holds."""
    return Fact(name, FieldType.BOOLEAN, tables, Text(en, es), "own", where=where)


def along(
    name: str, kind: FieldType, table: str, aggregate: Aggregate, line: Line, value: Measured
) -> Fact:
    """A hidden fact of the neighbours in a line."""
    nothing = Text("", "")
    return Fact(name, kind, (table,), nothing, aggregate, measured=value, line=line, hidden=True)


def nearby(name: str, table: str, source: str, near: Near, meaning: Text, where: str = "") -> Fact:
    """A fact about rows of `source` within a few days of the record."""
    kinds = {"count": FieldType.INTEGER, "any": FieldType.BOOLEAN, "time": FieldType.DATETIME}
    return Fact(
        name, kinds[near.result], (table,), meaning, "near", source=source, where=where, near=near
    )
