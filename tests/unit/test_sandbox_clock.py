from datetime import UTC, datetime, timedelta

import pytest

from connector.sandbox.clock import VirtualClock

START = datetime(2016, 4, 1, 8, 0, tzinfo=UTC)


class Real:
    """Seconds that the test lets pass."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def real() -> Real:
    return Real()


def test_it_ticks_with_real_time_from_where_it_was_set(real: Real) -> None:
    clock = VirtualClock(START, real=real)
    real.seconds += 90
    assert clock.now() == START + timedelta(seconds=90)
    assert clock.text() == "2016-04-01 08:01:30"


def test_frozen_it_stands_and_thawed_it_goes_on_from_there(real: Real) -> None:
    clock = VirtualClock(START, real=real)
    real.seconds += 10
    clock.freeze(True)
    real.seconds += 1000
    assert clock.now() == START + timedelta(seconds=10)
    clock.freeze(False)
    real.seconds += 5
    assert clock.now() == START + timedelta(seconds=15)


def test_it_advances_and_goes_on_from_there(real: Real) -> None:
    clock = VirtualClock(START, real=real)
    clock.advance(START + timedelta(days=1))
    real.seconds += 1
    assert clock.now() == START + timedelta(days=1, seconds=1)


def test_it_never_goes_back(real: Real) -> None:
    clock = VirtualClock(START, frozen=True, real=real)
    clock.advance(START - timedelta(days=1))
    assert clock.now() == START


def test_other_zones_are_read_as_utc(real: Real) -> None:
    madrid = datetime.fromisoformat("2016-04-01T10:00:00+02:00")
    assert VirtualClock(madrid, frozen=True, real=real).text() == "2016-04-01 08:00:00"
