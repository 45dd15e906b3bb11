"""Small groups kept from sight: cells behind which stand too few people, and what would give them
away.

A table of figures says more than its cells: a hidden one could be had from its row's or column's
total. So no row or column with a total keeps just one hidden cell, and what it keeps hidden, taken
together, stands for a group that is large enough; and what several lines together would give away
is looked for as well. Pure; it counts people and knows no figures.
"""

from collections.abc import Collection, Sequence

from connector.report.protect import giving_away

Place = tuple[int, int]

Grid = Sequence[Sequence[int]]
"""People behind each cell. The last row and the last column are the totals; 0 is nobody."""


def hide(people: Grid, minimum: int, also: Collection[Place] = ()) -> frozenset[Place]:
    """The (row, column) places to keep from sight, totals included.

    First every cell with at least one person and fewer than `minimum`, and those of `also`, which
    another table would give away; then, line by line, the smallest of the others until nothing
    hidden can be had by subtraction.
    """
    hidden = _spread(people, minimum, _lines(len(people), len(people[0]) if people else 0), also)
    return hidden | _giving_away(people, hidden, minimum, also)


def _giving_away(
    people: Grid, hidden: frozenset[Place], minimum: int, also: Collection[Place]
) -> frozenset[Place]:
    """What in sight would give a secret away by more than one line: totals are kept the longest."""
    places = [(r, c) for r, row in enumerate(people) for c in range(len(row))]
    secrets = [p for p in places if 0 < _at(people, p) < minimum or p in also]
    seen = [place for place in places if place not in hidden]
    seen.sort(key=lambda p: (len(_atoms(people, p)) == 1, -_at(people, p), p))
    found = giving_away((_atoms(people, p) for p in secrets), [_atoms(people, p) for p in seen])
    return frozenset(seen[position] for position in found)


def _atoms(people: Grid, place: Place) -> list[int]:
    """The inner cells that a place is the sum of; an inner cell is its own."""
    rows, columns = len(people) - 1, len(people[0]) - 1
    across = range(columns) if place[1] == columns else (place[1],)
    down = range(rows) if place[0] == rows else (place[0],)
    return [r * columns + c for r in down for c in across]


def hide_in_row(people: Sequence[int], minimum: int) -> frozenset[int]:
    """The positions to keep from sight in one row; the last one is its total."""
    row = [(0, c) for c in range(len(people))]
    return frozenset(c for _r, c in _spread([people], minimum, [row]))


def _spread(
    people: Grid, minimum: int, lines: Sequence[Sequence[Place]], also: Collection[Place] = ()
) -> frozenset[Place]:
    hidden = {(r, c) for r, row in enumerate(people) for c, n in enumerate(row) if 0 < n < minimum}
    hidden |= set(also)
    while more := {place for line in lines if (place := _next(people, hidden, line, minimum))}:
        hidden |= more
    return frozenset(hidden)


def _lines(rows: int, columns: int) -> list[list[Place]]:
    """Every row and every column: in each, the last place is the total of the others."""
    across = [[(r, c) for c in range(columns)] for r in range(rows)]
    down = [[(r, c) for r in range(rows)] for c in range(columns)]
    return [line for line in (*across, *down) if len(line) > 1]


def _next(people: Grid, hidden: set[Place], line: Sequence[Place], minimum: int) -> Place | None:
    """What must be hidden besides in this line, None if it is safe."""
    *cells, total = line
    gone = [place for place in cells if place in hidden]
    if total in hidden:
        # A hidden total is a sum of its cells: one of them at least must be hidden with it.
        return None if gone else _smallest(people, hidden, cells)
    if not gone or (len(gone) > 1 and sum(_at(people, p) for p in gone) >= minimum):
        return None
    return _smallest(people, hidden, cells) or total


def _smallest(people: Grid, hidden: set[Place], cells: list[Place]) -> Place | None:
    """The smallest cell in sight, one with people if there is any."""
    seen = [place for place in cells if place not in hidden]
    return min(seen, key=lambda p: (_at(people, p) == 0, _at(people, p), p), default=None)


def _at(people: Grid, place: Place) -> int:
    return people[place[0]][place[1]]
