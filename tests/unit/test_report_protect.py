"""Few people kept from sight: from all that is shown together, none of it can be worked out."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.report.protect import Cell, Family, Group, protect

MINIMUM = 5
FAMILIES = (
    Family(("head", "all")),
    Family(("head", "open"), (), (("is_open", True),)),
    Family(("step",), ("step",)),
    Family(("open",), ("step",), (("is_open", True),)),
    Family(("stage",), ("stage",)),
    Family(("place",), ("step", "lane")),
    Family(("lane",), ("lane",)),
)
Record = dict[str, object]


def cells_of(records: Sequence[Record]) -> dict[Cell, frozenset[int]]:
    """Every figure that these records give → the records that it counts."""
    found: dict[Cell, set[int]] = {}
    for number, record in enumerate(records):
        for family in FAMILIES:
            if (cell := family.cell_of(record)) is not None:
                found.setdefault(cell, set()).add(number)
    return {cell: frozenset(of) for cell, of in found.items()}


def people_of(records: Sequence[Record], numbers: frozenset[int]) -> frozenset[int]:
    return frozenset(int(str(records[n]["person"])) for n in numbers)


def hidden(records: Sequence[Record], minimum: int = MINIMUM) -> frozenset[Cell]:
    groups = {}
    for cell, of in cells_of(records).items():
        people = people_of(records, of)
        groups[cell] = Group(len(people), people if len(people) < minimum else frozenset())
    return protect(records, FAMILIES, groups, minimum)


def can_be_had(shown: Sequence[frozenset[int]], secret: frozenset[int], size: int) -> bool:
    """Whether a reader who knows all of `shown` can work out `secret`: by exact fractions, each
    record an unknown of its own. Independent of the product: no atoms, no primes, no order."""
    rows = [[Fraction(n in one) for n in range(size)] for one in shown]
    rank = rank_of(rows)
    return rank_of([*rows, [Fraction(n in secret) for n in range(size)]]) == rank


def rank_of(rows: Sequence[Sequence[Fraction]]) -> int:
    left = [list(row) for row in rows]
    rank = 0
    for column in range(len(left[0]) if left else 0):
        pivot = next((i for i in range(rank, len(left)) if left[i][column]), None)
        if pivot is None:
            continue
        left[rank], left[pivot] = left[pivot], left[rank]
        for i in range(rank + 1, len(left)):
            if left[i][column]:
                factor = left[i][column] / left[rank][column]
                left[i] = [a - factor * b for a, b in zip(left[i], left[rank], strict=True)]
        rank += 1
    return rank


def row(step: str, person: int, *, lane: str = "front", is_open: bool = False) -> Record:
    return {
        "step": step, "stage": step[:1], "lane": lane, "is_open": is_open, "person": person
    }  # fmt: skip


RECORDS = st.lists(
    st.builds(
        lambda step, stage, lane, is_open, person: {
            "step": step, "stage": stage, "lane": lane, "is_open": is_open, "person": person
        },
        st.sampled_from(["", "a", "b", "c"]),
        st.sampled_from(["x", "y"]),
        st.sampled_from(["front", "back"]),
        st.booleans(),
        st.integers(0, 14),
    ),
    min_size=1,
    max_size=40,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(RECORDS)
def test_no_figure_of_few_people_follows_from_all_that_is_shown(records: list[Record]) -> None:
    cells = cells_of(records)
    dark = hidden(records)
    shown = [of for cell, of in cells.items() if cell not in dark]
    for cell, of in cells.items():
        if 0 < len(people_of(records, of)) < MINIMUM:
            assert cell in dark
            assert not can_be_had(shown, of, len(records)), cell


@settings(max_examples=30, deadline=None)
@given(RECORDS)
def test_nor_do_two_of_them_together_where_they_are_few_as_well(records: list[Record]) -> None:
    cells = cells_of(records)
    dark = hidden(records)
    shown = [of for cell, of in cells.items() if cell not in dark]
    small = [cell for cell, of in cells.items() if 0 < len(people_of(records, of)) < MINIMUM]
    for one, other in combinations([cell for cell in small if cell[0] == "step"], 2):
        both = cells[one] | cells[other]
        if len(people_of(records, both)) < MINIMUM:
            assert not can_be_had(shown, both, len(records)), (one, other)


@settings(max_examples=30, deadline=None)
@given(RECORDS)
def test_nothing_is_hidden_that_could_be_shown_as_well(records: list[Record]) -> None:
    """Every hidden figure of enough people would give away something, added to what is shown."""
    cells = cells_of(records)
    dark = hidden(records)
    shown = [of for cell, of in cells.items() if cell not in dark]
    small = [c for c, of in cells.items() if 0 < len(people_of(records, of)) < MINIMUM]
    if not small:
        assert not dark
    unions = [cells[a] | cells[b] for a, b in combinations(small, 2) if a[0] == b[0]]
    unions += [frozenset().union(*(cells[c] for c in some)) for some in combinations(small, 3)
               if len({c[0] for c in some}) == 1]  # fmt: skip
    secrets = [cells[c] for c in small]
    secrets += [u for u in unions if len(people_of(records, u)) < MINIMUM]
    for cell in dark - set(small):
        gives_away = [*shown, cells[cell]]
        assert any(can_be_had(gives_away, one, len(records)) for one in secrets), cell


def test_the_smallest_other_figure_goes_along_and_the_totals_stay() -> None:
    records = [row("a1", n) for n in range(3)]
    records += [row("b1", n) for n in range(10, 17)]
    records += [row("c1", n) for n in range(20, 60)]
    dark = hidden(records)
    assert ("step", "a1") in dark
    assert ("step", "b1") in dark
    assert ("step", "c1") not in dark
    assert ("head", "all") not in dark


def test_the_same_records_under_another_name_do_not_give_them_away() -> None:
    """b1 is all there is on stage b: with b shown there, a would be known from the total."""
    records = [row("a1", n) for n in range(3)]
    records += [row("b1", n) for n in range(10, 17)]
    records += [row("c1", n) for n in range(20, 60)]
    dark = hidden(records)
    assert ("stage", "a") in dark
    assert ("step", "b1") in dark
    assert ("stage", "b") in dark


def test_nothing_is_hidden_where_all_groups_are_large_or_nobodys() -> None:
    assert hidden([row("a1", n, is_open=True) for n in range(6)]) == frozenset()
    nobody: dict[Cell, Group] = {("head", "all"): Group(0), ("step", "a1"): Group(0)}
    records = [row("a1", 1)]
    assert protect(records, (FAMILIES[0], FAMILIES[2]), nobody, MINIMUM) == frozenset()
