"""Small groups: what is hidden cannot be had from what is shown."""

from hypothesis import given
from hypothesis import strategies as st

from connector.report.suppress import hide_in_row

MINIMUM = 5


def test_a_single_small_cell_takes_its_smallest_neighbour_along() -> None:
    assert hide_in_row([3, 40, 12, 55], MINIMUM) == {0, 2}


def test_what_is_hidden_together_is_a_large_enough_group() -> None:
    # 1 and 2 alone would be shown as a group of three by the total.
    assert hide_in_row([1, 2, 9, 30, 42], MINIMUM) == {0, 1, 2}


def test_a_row_of_few_people_hides_its_total_too() -> None:
    assert hide_in_row([1, 2, 0, 3], MINIMUM) >= {0, 1, 3}


def test_nothing_is_hidden_where_all_groups_are_large_or_empty() -> None:
    assert hide_in_row([5, 0, 7, 12], MINIMUM) == frozenset()
    assert hide_in_row([1, 2, 3], 0) == frozenset()


@given(st.lists(st.integers(0, 12), min_size=1, max_size=8))
def test_no_small_group_is_in_sight_and_none_can_be_worked_out(cells: list[int]) -> None:
    row = [*cells, sum(cells)]
    hidden = hide_in_row(row, MINIMUM)
    assert {i for i, n in enumerate(row) if 0 < n < MINIMUM} <= hidden
    gone = [i for i in range(len(cells)) if i in hidden]
    if len(cells) not in hidden and gone:
        # With the total in sight the sum of the hidden ones is known, and no single one of them.
        assert len(gone) > 1
        assert sum(cells[i] for i in gone) >= MINIMUM
    if len(cells) in hidden:
        assert gone
