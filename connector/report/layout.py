"""The shape of a chapter: texts and tables of texts, nothing computed; and the lines of the CSV."""

from dataclasses import dataclass
from typing import NamedTuple, Self

Value = int | float | None


class Linked(str):
    """A cell that leads to exactly what it counts, in the tool; without `url` it is plain text."""

    __slots__ = ("url",)
    url: str

    def __new__(cls, text: str, url: str) -> Self:
        """`text`, with the address that it leads to ("" = nowhere)."""
        made = super().__new__(cls, text)
        made.url = url
        return made


@dataclass(frozen=True)
class Table:
    """A table of texts. The first `texts` columns are words, the others numbers.

    The last cell of a row that is too short is a remark: it spans the rest. A cell may be `Linked`.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1


@dataclass(frozen=True)
class Section:
    """A chapter. `id` is stable: pictures and links go by it.

    `figures` are the ids of the definitions that its tables need.
    """

    id: str
    title: str
    lead: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()


class Line(NamedTuple):
    """One figure, a row of the CSV. `records` is how many lie behind the value."""

    figure: str
    value: Value
    records: int
    journey: str = ""
    item: str = ""
    item_name: str = ""
    band: str = ""
    step: str = ""
