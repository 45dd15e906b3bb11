"""The records that the page server answers with: serialised once, handed out as slices.

A view is one order of one table in one shape: a single buffer of JSON rows with the offsets of
each, so that a page is a slice and the server is not what a benchmark measures. Conditions on the
order's own column are found by bisection; what else a query asks makes a view of its own, once.
"""

import hashlib
import itertools
import random
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

Row = dict[str, str]

FIELDS = (
    *("sys_id", "sys_created_on", "sys_updated_on", "sys_mod_count", "number", "state"),
    *("priority", "category", "contact_type", "caller_id", "assignment_group"),
    "short_description",
)
"""The twelve fields that every client asks for; some 400 bytes a record."""

REFERENCES = {"caller_id": "sys_user", "assignment_group": "sys_user_group"}
FIRST, YEAR_SECONDS = datetime(2025, 10, 1), 365 * 86400  # noqa: DTZ001  # printed as is
_WORDS = (
    *("mail", "printer", "laptop", "portal", "network", "payroll"),
    *("badge", "screen", "login", "order", "quota", "backup"),
)
_CONDITION = re.compile(r"(sys_id|sys_updated_on)(<=|>=|<|>|=|IN)(.*)")
_ORDERS = {
    "": "sys_id",
    "sys_id": "sys_id",
    "sys_updated_on": "sys_updated_on",
    "sys_updated_on,sys_id": "sys_updated_on",
}
_TEST: dict[str, Callable[[str, str], bool]] = {
    "<=": str.__le__,
    ">=": str.__ge__,
    "<": str.__lt__,
    ">": str.__gt__,
    "=": str.__eq__,
    "IN": lambda value, listed: value in listed.split(","),
}

Condition = tuple[str, str, str]


class UnknownQuery(Exception):
    """A query that the page server does not understand: refused, never answered wrongly."""


def made_up(count: int, seed: int = 1) -> Iterator[Row]:
    """`count` incidents, the same for the same seed; their two orders have nothing in common."""
    chance = random.Random(seed)  # noqa: S311  # data, not secrets
    for n in range(count):
        updated = FIRST + timedelta(seconds=chance.randrange(YEAR_SECONDS))
        words = " ".join(chance.choice(_WORDS) for _ in range(8))
        yield {
            "sys_id": hashlib.md5(b"%d-%d" % (seed, n), usedforsecurity=False).hexdigest(),
            "sys_created_on": str(updated - timedelta(days=3)),
            "sys_updated_on": str(updated),
            "sys_mod_count": str(n % 17),
            "number": f"INC{n:07d}",
            "state": str(n % 7 + 1),
            "priority": str(n % 5 + 1),
            "category": _WORDS[n % 12],
            "contact_type": ("phone", "email", "self-service")[n % 3],
            "caller_id": f"{n % 997:032x}",
            "assignment_group": f"{n % 53:032x}",
            "short_description": f"{words} ({n})",
        }


def checksum(pairs: Iterable[tuple[str, str]]) -> int:
    """Of (sys_id, number), in whatever order: the same only for the same records, each once.

    Python's own hash, as it costs a client next to nothing: every process needs PYTHONHASHSEED=0.
    """
    return sum(map(hash, pairs)) & 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True)
class View:
    """Rows in one order: `keys` of the order's column, `rows` in one buffer."""

    keys: Sequence[str]
    ids: Sequence[str]
    buffer: memoryview
    offsets: "array[int]"

    def page(self, start: int, stop: int) -> memoryview:
        """The JSON rows from `start` to before `stop`, with commas between."""
        if stop <= start:
            return memoryview(b"")
        return self.buffer[self.offsets[start] : self.offsets[stop] - 1]

    def row(self, n: int) -> bytes:
        """One row."""
        return bytes(self.page(n, n + 1))


def _view(rows: Sequence[tuple[str, str, bytes]]) -> View:
    offsets = array("Q", itertools.accumulate((len(r) + 1 for _k, _i, r in rows), initial=0))
    buffer = memoryview(b",".join(r for _k, _i, r in rows))
    return View([k for k, _i, _r in rows], [i for _k, i, _r in rows], buffer, offsets)


def _linked(column: str, value: str) -> dict[str, str] | str:
    if column not in REFERENCES or not value:
        return value
    return {"link": f"https://x.example/api/now/table/{REFERENCES[column]}/{value}", "value": value}


def _displayed(column: str, value: str) -> dict[str, str]:
    more = {"link": _linked(column, value)["link"]} if column in REFERENCES and value else {}  # type: ignore[index]  # a link, as just said
    return {"display_value": f"Person {value[-4:]}" if more else value, "value": value, **more}


SHAPES: dict[str, Callable[[str, str], object]] = {
    "plain": lambda _column, value: value,
    "links": _linked,
    "all": _displayed,
}
"""What `sysparm_exclude_reference_link` and `sysparm_display_value` make of a value."""


@dataclass(frozen=True)
class Asked:
    """A list query: its conditions, its order, the fields and the shape of the answer."""

    conditions: tuple[Condition, ...] = ()
    order: str = "sys_id"
    fields: tuple[str, ...] = ()
    shape: str = "plain"


def parse(query: str, fields: str, shape: str) -> Asked:
    """The asked query. Raises UnknownQuery for anything beyond keys, times and their order."""
    conditions: list[Condition] = []
    orders: list[str] = []
    for term in filter(None, query.split("^")):
        if term.startswith("ORDERBY"):
            orders.append(term.removeprefix("ORDERBY"))
        elif found := _CONDITION.fullmatch(term):
            conditions.append((found[1], found[2], found[3]))
        else:
            raise UnknownQuery(term)
    order = _ORDERS.get(",".join(orders))
    if order is None:
        raise UnknownQuery(",".join(orders))
    return Asked(tuple(conditions), order, tuple(filter(None, fields.split(","))), shape)


@dataclass
class Table:
    """All records of one table, and the views that were asked for."""

    base: View
    fields: tuple[str, ...]
    updated: dict[str, str]
    views: dict[tuple[object, ...], View] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Table":
        """Serialise the rows; all have the fields of the first."""
        fields: tuple[str, ...] = ()
        found: list[tuple[str, str, bytes]] = []
        updated: dict[str, str] = {}
        for row in rows:
            fields = fields or tuple(row)
            key = row["sys_id"]
            updated[key] = row.get("sys_updated_on", "")
            found.append((key, key, msgspec.json.encode(row)))
        found.sort()
        return cls(_view(found), fields, updated)

    def find(self, asked: Asked) -> tuple[View, int, int]:
        """The view that answers, and the part of it that matches."""
        inside = [c for c in asked.conditions if c[0] == asked.order and c[1] != "IN"]
        others = [c for c in asked.conditions if c not in inside and self._tells(c)]
        view = self._ordered(asked, tuple(others))
        low, high = 0, len(view.keys)
        for _column, operator, value in inside:
            if operator in (">", ">=", "="):
                cut = bisect_right if operator == ">" else bisect_left
                low = max(low, cut(view.keys, value))
            if operator in ("<", "<=", "="):
                cut = bisect_left if operator == "<" else bisect_right
                high = min(high, cut(view.keys, value))
        return view, low, max(low, high)

    def get(self, sys_id: str) -> Row | None:
        """One record as it was made."""
        n = bisect_left(self.base.ids, sys_id)
        if n == len(self.base.ids) or self.base.ids[n] != sys_id:
            return None
        found: Row = msgspec.json.decode(self.base.row(n), type=Row)
        return found

    def _tells(self, condition: Condition) -> bool:
        """Whether a condition leaves anything out: a high mark after the last change does not."""
        column, operator, value = condition
        if column == "sys_updated_on" and operator in ("<", "<="):
            newest = self._ordered(Asked(order="sys_updated_on", fields=self.fields), ()).keys[-1:]
            return bool(newest) and not _TEST[operator](newest[0], value)
        return True

    def _ordered(self, asked: Asked, others: tuple[Condition, ...]) -> View:
        fields = asked.fields or self.fields
        same = set(fields) >= set(self.fields)
        if same and not others and (asked.order, asked.shape) == ("sys_id", "plain"):
            return self.base
        key = (asked.order, asked.shape, None if same else frozenset(fields), others)
        found = self.views.get(key)
        if found is None:
            found = self._made(asked, None if same else fields, others)
            if not others or others[0][1] not in ("IN", "="):
                self.views[key] = found
        return found

    def _made(
        self, asked: Asked, fields: Sequence[str] | None, others: tuple[Condition, ...]
    ) -> View:
        base, by_time = self.base, asked.order == "sys_updated_on"
        wanted = range(len(base.ids)) if not others else self._matching(others)
        rows = [
            (self.updated[base.ids[n]] if by_time else base.ids[n], base.ids[n], base.row(n))
            for n in wanted
        ]
        if fields is not None or asked.shape != "plain":
            form = SHAPES[asked.shape]
            rows = [(k, i, _reshaped(row, fields, form)) for k, i, row in rows]
        return _view(sorted(rows) if by_time else rows)

    def _matching(self, others: tuple[Condition, ...]) -> list[int]:
        if others[0][1] == "IN" and others[0][0] == "sys_id":
            places = (bisect_left(self.base.ids, i) for i in sorted(set(others[0][2].split(","))))
            near = [n for n in places if n < len(self.base.ids)]
        else:
            near = list(range(len(self.base.ids)))
        return [n for n in near if all(self._holds(self.base.ids[n], c) for c in others)]

    def _holds(self, sys_id: str, condition: Condition) -> bool:
        column, operator, value = condition
        return _TEST[operator](sys_id if column == "sys_id" else self.updated[sys_id], value)


def _reshaped(
    row: bytes, fields: Sequence[str] | None, form: Callable[[str, str], object]
) -> bytes:
    values = msgspec.json.decode(row, type=Row)
    names = [name for name in fields if name in values] if fields else list(values)
    return msgspec.json.encode({name: form(name, values[name]) for name in names})
