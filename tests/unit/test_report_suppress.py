"""Small groups: what is hidden cannot be had from what is shown."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from connector.report.suppress import Place, hide, hide_in_row

MINIMUM = 5


def with_totals(cells: list[list[int]]) -> list[list[int]]:
    rows = [[*row, sum(row)] for row in cells]
    return [*rows, [sum(column) for column in zip(*rows, strict=True)]]


def determined(grid: list[list[int]], hidden: frozenset[Place]) -> set[Place]:
    """The hidden places that rows and columns give away: solved like a reader with a pencil would,
    only better (exact linear algebra over every equation of the table)."""
    names = sorted(hidden)
    rows = []
    for r, row in enumerate(grid):
        rows.append(equation([(r, c) for c in range(len(row))], names))
    for c in range(len(grid[0])):
        rows.append(equation([(r, c) for r in range(len(grid))], names))
    return solved([row for row in rows if any(row)], names)


def equation(line: list[Place], names: list[Place]) -> list[Fraction]:
    *cells, total = line
    return [Fraction((name in cells) - (name == total)) for name in names]


def solved(rows: list[list[Fraction]], names: list[Place]) -> set[Place]:
    pivots: list[int] = []
    for column in range(len(names)):
        done = len(pivots)
        found = next((i for i in range(done, len(rows)) if rows[i][column]), None)
        if found is None:
            continue
        rows[done], rows[found] = rows[found], rows[done]
        rows[done] = [value / rows[done][column] for value in rows[done]]
        for i, row in enumerate(rows):
            if i != done and row[column]:
                factor = row[column]
                rows[i] = [a - factor * b for a, b in zip(row, rows[done], strict=True)]
        pivots.append(column)
    return {
        names[column]
        for i, column in enumerate(pivots)
        if sum(bool(value) for value in rows[i]) == 1
    }


def test_a_single_small_cell_takes_its_smallest_neighbour_along() -> None:
    assert hide_in_row([3, 40, 12, 55], MINIMUM) == {0, 2}


def test_what_is_hidden_together_is_a_large_enough_group() -> None:
    # 1 and 2 alone would be shown as a group of three by the total.
    assert hide_in_row([1, 2, 9, 30, 42], MINIMUM) == {0, 1, 2}


def test_a_row_of_few_people_hides_its_total_too() -> None:
    assert hide_in_row([1, 2, 0, 3], MINIMUM) >= {0, 1, 3}


def test_nothing_is_hidden_where_all_groups_are_large_or_empty() -> None:
    assert hide([[5, 0, 5], [7, 9, 16], [12, 9, 21]], MINIMUM) == frozenset()
    assert hide([[1, 2, 3], [4, 5, 9], [5, 7, 12]], 0) == frozenset()


cells = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 12), min_size=width, max_size=width), min_size=1, max_size=5
    )
)


@given(cells)
def test_no_small_group_is_in_sight_and_none_can_be_worked_out(table: list[list[int]]) -> None:
    grid = with_totals(table)
    hidden = hide(grid, MINIMUM)
    small = {(r, c) for r, row in enumerate(grid) for c, n in enumerate(row) if 0 < n < MINIMUM}
    assert small <= hidden
    assert not determined(grid, hidden) & small
