"""When a record is open, opened, ended, in the period: as conditions of an encoded query.

The same readings as `life.py`, in the words of the tool's own columns. A condition is a list of
branches, of which one must hold; a branch is a list of terms, all of which must. Instants are said
as `gs.dateGenerate`, which every instance takes in the time zone of whoever looks (the platform's
own condition builder writes it so); plain ones are taken as UTC here and as the reader's there
(servicenow-api.md, 1.8).
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import product
from typing import Literal

from connector.report.figures import Period
from connector.report.life import LIVES, Life

When = Literal["open", "closed", "in_period", "opened", "ended"]
"""What a figure may ask of a record's life; `opened` and `ended` are within the period."""

WHENS: tuple[When, ...] = ("open", "closed", "in_period", "opened", "ended")

Branches = tuple[tuple[str, ...], ...]

ALWAYS: Branches = ((),)


def branches_of(when: When, table: str, columns: Sequence[str], period: Period) -> Branches:
    """The condition in the words of a table that has these columns; () where it cannot be said."""
    life = LIVES.get(table, Life())
    opened = [column for column in life.opened if column in columns]
    ended = [column for column in life.ended if column in columns]
    if life.days or not opened:
        return ()
    is_open = _open(life, columns, ended)
    begun = f"{opened[0]}<{_at(period, period.end)}"
    within = _within(opened[0], period)
    if when == "open":
        return (is_open,) if is_open else ()
    if when == "closed":
        return (_closed(life, columns, ended),)
    if when == "opened":
        return (within,)
    if when == "ended":
        closed = _closed(life, columns, ended)
        return tuple((*_first(ended, i), *_within(ended[i], period), *closed)
                     for i in range(len(ended)))  # fmt: skip
    since = _at(period, period.start)
    last = [*ended, opened[0]]
    later = [(begun, *_first(last, i), f"{column}>={since}") for i, column in enumerate(last)]
    return ((begun, *is_open), *later)


def both(*conditions: Branches) -> Branches:
    """All of these: one branch for each choice of one from each."""
    return tuple(
        tuple(dict.fromkeys(term for branch in choice for term in branch))
        for choice in product(*conditions)
    )


def query_of(branches: Branches, terms: Sequence[str]) -> str:
    """An encoded query of the branches, each with the same terms before it."""
    return "^NQ".join("^".join((*terms, *branch)) for branch in branches)


def open_conditions(table: str, columns: Sequence[str] = ("active",)) -> list[str]:
    """What `life` means by open, as conditions of an encoded query."""
    return list(_open(LIVES.get(table, Life()), columns, ()))


def _open(life: Life, columns: Sequence[str], ended: Sequence[str]) -> tuple[str, ...]:
    if life.open_states:
        return (f"{life.state}IN{','.join(life.open_states)}",)
    done = (f"{life.state}NOT IN{','.join(life.done_states)}",) if life.done_states else ()
    if "active" in columns:
        return ("active=true", *done)
    return (*(f"{column}ISEMPTY" for column in ended), *done)


def _closed(life: Life, columns: Sequence[str], ended: Sequence[str]) -> tuple[str, ...]:
    if life.open_states:
        return (f"{life.state}NOT IN{','.join(life.open_states)}",)
    done = [f"{life.state}IN{','.join(life.done_states)}"] if life.done_states else []
    over = ["active=false"] if "active" in columns else [f"{column}ISNOTEMPTY" for column in ended]
    return ("^OR".join([*over, *done]),)


def _first(columns: Sequence[str], i: int) -> tuple[str, ...]:
    """That the i-th of these columns is the first filled one."""
    return tuple(f"{column}ISEMPTY" for column in columns[:i])


def _within(column: str, period: Period) -> tuple[str, ...]:
    since, until = _at(period, period.start), _at(period, period.end)
    return f"{column}>={since}", f"{column}<{until}"


def _at(period: Period, moment: datetime) -> str:
    wall = period.local(moment)
    return f"javascript:gs.dateGenerate('{wall:%Y-%m-%d}','{wall:%H:%M:%S}')"
