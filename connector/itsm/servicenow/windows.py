"""What paging asks and what it finds: the conditions of a window, and what it still owes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connector.encoded_query import and_to_every_branch
from connector.itsm.base import Shard

_TRIMMED_SHARE = 8
"""A full page gives back its last second where that is at most this part of it (see pages.py)."""

Rows = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Keys:
    """The keys of a page's rows. Without `seconds`, as its times were not asked for."""

    ids: Sequence[str]
    seconds: list[str] | None


Check = Callable[[Keys], None]
"""Raises IncompleteResponseError, and the page is asked for again, where rows are misplaced."""


@dataclass(frozen=True)
class Found:
    """What one look at a window brought. `total` is the window's count, where it was asked."""

    records: Rows
    asked: int
    total: int | None = None
    offset: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.records) >= self.asked

    @property
    def missing(self) -> int:
        """Rows of the window that did not come, where it is known that they should have."""
        if self.total is None or (self.is_full and not self.offset):
            return 0
        return max(0, self.total - len(self.records))

    @property
    def is_last(self) -> bool:
        """Whether it is proven that nothing can follow."""
        return self.total is not None and not self.is_full and self.missing == 0


class Tally:
    """Counts what a window still owes, from the first short page on; the rest is hidden."""

    def __init__(self) -> None:
        self.owed: int | None = None

    def look(self, found: Found) -> None:
        """Open the account at the first short page, and write off what came since."""
        if self.owed is not None:
            self.owed -= len(found.records)
        elif found.missing:
            self.owed = found.missing

    @property
    def hidden(self) -> int:
        return max(0, self.owed or 0)


def filtered(where: str, condition: str) -> str:
    """`condition` added to every branch of the table's own filter: `^NQ` would escape it (§1.3)."""
    return and_to_every_branch(where, condition) if where else condition


def between(low: str, high: str, with_low: bool) -> str:
    """The condition on times from `low` ("" = open), with it or without, to `high`."""
    upper = f"sys_updated_on<={high}"
    if not low:
        return upper
    return f"sys_updated_on{'>=' if with_low else '>'}{low}^{upper}"


def within(shard: Shard, until: str) -> str:
    """The condition on keys of a part that are not read yet, changed up to `until`."""
    low = f"sys_id>{shard.after}" if shard.after else f"sys_id>={shard.low}" if shard.low else ""
    high = f"sys_id<{shard.high}" if shard.high else ""
    return "^".join(part for part in (low, high, f"sys_updated_on<={until}") if part)


def whole_seconds(records: Rows) -> Rows:
    """The page without its last second, where that is a small part of it; else all of it."""
    moment = records[-1]["sys_updated_on"]
    keep = len(records)
    while keep and records[keep - 1]["sys_updated_on"] == moment:
        keep -= 1
    is_small = (len(records) - keep) * _TRIMMED_SHARE <= len(records)
    return records[:keep] if keep and is_small else records
