"""Small groups of one row kept from sight: cells behind which stand too few people, and what would
give them away.

For figures that are people themselves and no sums of records (departments, newcomers, weeks of a
band); all others are in the one account of `protect.py`. Pure; it knows no figures.
"""

from collections.abc import Sequence


def hide_in_row(people: Sequence[int], minimum: int) -> frozenset[int]:
    """The positions to keep from sight in one row of groups; the last one is their total.

    First every cell with at least one person and fewer than `minimum`; then the smallest of the
    others, until nothing hidden can be had by subtraction: what is hidden stands for a group that
    is large enough, and is never one cell alone.
    """
    hidden = {i for i, n in enumerate(people) if 0 < n < minimum}
    while (more := _next(people, hidden, minimum)) is not None:
        hidden.add(more)
    return frozenset(hidden)


def _next(people: Sequence[int], hidden: set[int], minimum: int) -> int | None:
    """What must be hidden besides, None if the row is safe."""
    total = len(people) - 1
    gone = [i for i in range(total) if i in hidden]
    if total in hidden:
        # A hidden total is a sum of its cells: one of them at least must be hidden with it.
        return None if gone else _smallest(people, hidden)
    if not gone or (len(gone) > 1 and sum(people[i] for i in gone) >= minimum):
        return None
    smallest = _smallest(people, hidden)
    return total if smallest is None else smallest


def _smallest(people: Sequence[int], hidden: set[int]) -> int | None:
    """The smallest cell in sight, one with people if there is any."""
    seen = [i for i in range(len(people) - 1) if i not in hidden]
    return min(seen, key=lambda i: (people[i] == 0, people[i], i), default=None)
