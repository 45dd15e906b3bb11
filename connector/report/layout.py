"""The shape of a chapter: texts and tables of texts, nothing computed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table of texts. The first `texts` columns are words, the others numbers.

    The last cell of a row that is too short is a remark: it spans the rest.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1


@dataclass(frozen=True)
class Section:
    """A chapter. `id` is stable: charts and links go by it."""

    id: str
    title: str
    lead: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
