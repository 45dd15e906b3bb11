"""How wide the columns of a table are on paper."""

from collections.abc import Iterable, Sequence
from statistics import mean

from connector.report.layout import Table

_LINE, _PADDING, _WIDEST = 108, 2, 36
"""Letters: on a line of a table, around the words of a cell, the most that a column asks for."""
_SHORT = 14
_MANY, _SMALL = 9, 135
"""With more columns the letters are smaller, and more of them are on a line."""


def widths(table: Table) -> list[float]:
    """How wide each column should be against the others: no word is broken that need not be.

    Every column has its longest word; what is left of the line goes to those with longer texts. The
    last cell of a row that is too short spans the rest, and weighs nothing.
    """
    full = len(table.columns)
    rows = [row if len(row) == full else row[:-1] for row in table.rows]
    columns = [
        (title, [row[i] for row in rows if len(row) > i]) for i, title in enumerate(table.columns)
    ]
    least = [_least(title, cells) for title, cells in columns]
    more = [
        max(min(_usual(cells), _WIDEST) - n, 1)
        for n, (_t, cells) in zip(least, columns, strict=True)
    ]
    line = _SMALL if full > _MANY else _LINE
    left = max(line - sum(least), 0) / sum(more, 0.0) if more else 0.0
    return [round(n + m * left, 1) for n, m in zip(least, more, strict=True)]


def _least(title: str, cells: Sequence[str]) -> int:
    """The longest word; of short cells ("19.6 hours") the whole of them."""
    longest = max((len(cell) for cell in cells), default=0)
    whole = longest if longest <= _SHORT else 0
    return min(max(_longest_word([title, *cells]), whole) + _PADDING, _WIDEST)


def _usual(cells: Sequence[str]) -> float:
    return mean(len(cell) for cell in cells) if cells else 0.0


def _longest_word(texts: Iterable[str]) -> int:
    return max((len(word) for text in texts for word in text.split()), default=0)
