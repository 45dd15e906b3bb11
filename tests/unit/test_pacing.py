"""The size of a batch follows what a write was seen to cost."""

from collections.abc import Sequence

import pytest

from connector.itsm.base import UpdateReply
from connector.pacing import FIRST_SIZE, Pace


def replies(n: int, milliseconds: float | None, skipped: int = 0) -> list[UpdateReply]:
    return [
        UpdateReply("incident", str(i), "written", {}, "", milliseconds, i < skipped)
        for i in range(n)
    ]


def sizes(pace: Pace, costs: Sequence[float]) -> list[int]:
    found = []
    for cost in costs:
        pace.learn(replies(pace.size, cost))
        found.append(pace.size)
    return found


def test_cheap_writes_grow_to_the_largest_batch_by_doubling() -> None:
    pace = Pace(50)
    assert pace.size == FIRST_SIZE
    assert sizes(pace, [20, 20, 20]) == [20, 40, 50]


def test_a_batch_lasts_fifteen_seconds_at_most() -> None:
    assert sizes(Pace(50), [1000, 1000, 1000]) == [15, 15, 15]


def test_dearer_writes_shrink_the_next_batch_at_once_and_cheaper_ones_grow_it_slowly() -> None:
    pace = Pace(100)
    assert sizes(pace, [100, 100, 100, 3000]) == [20, 40, 80, 5]
    assert sizes(pace, [100, 100]) == [9, 18]


def test_a_write_that_takes_longer_than_a_batch_may_goes_alone() -> None:
    assert sizes(Pace(50), [40_000]) == [1]


def test_what_was_not_served_in_time_halves_the_batch_even_without_a_measure() -> None:
    pace = Pace(50, size=40)
    pace.learn(replies(40, None, skipped=1))
    assert pace.size == 20


@pytest.mark.parametrize("largest", [1, 3, 500])
def test_the_first_batch_is_never_larger_than_the_settings_allow(largest: int) -> None:
    assert Pace(largest).size == min(largest, FIRST_SIZE)
