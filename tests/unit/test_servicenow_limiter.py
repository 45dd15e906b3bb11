"""AIMD: when turns are handed out, halved and given back, with a clock of the test's own."""

import threading

import pytest

from connector.errors import IncompleteResponseError, InterruptedRunError, UnavailableError
from connector.itsm.servicenow.limiter import SLOW_SECONDS, Limiter


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def wanted() -> None:
    """The run goes on."""


def fail(limiter: Limiter, error: Exception) -> None:
    with pytest.raises(type(error)), limiter.turn(wanted):
        raise error


def succeed(limiter: Limiter, times: int = 1) -> None:
    for _n in range(times):
        with limiter.turn(wanted):
            pass


def test_no_more_are_in_flight_than_the_limit_says() -> None:
    limiter, most, seen = Limiter(3), threading.Semaphore(3), []

    def work() -> None:
        for _n in range(50):
            with limiter.turn(wanted):
                seen.append(most.acquire(blocking=False))
                most.release()

    threads = [threading.Thread(target=work) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 400
    assert all(seen)
    assert limiter.in_flight == 0


def test_requests_of_one_overload_halve_once() -> None:
    """Four workers that meet the same overload would otherwise end at one."""
    limiter = Limiter(4)
    turns = [limiter._enter(wanted, False) for _n in range(4)]
    for turn in turns:
        limiter._leave(turn, is_overloaded=True)
    assert limiter.limit == 2
    fail(limiter, UnavailableError("busy"))
    assert limiter.limit == 1
    fail(limiter, UnavailableError("busy"))
    assert limiter.limit == 1


def test_it_grows_by_one_for_each_round_of_good_answers_up_to_the_workers() -> None:
    limiter = Limiter(4)
    fail(limiter, UnavailableError("busy"))
    fail(limiter, UnavailableError("busy"))
    grown = []
    for _n in range(12):
        succeed(limiter)
        grown.append(limiter.limit)
    assert grown == [2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4]


def test_a_late_answer_is_a_sign_of_overload_too() -> None:
    clock = Clock()
    limiter = Limiter(2, clock)
    with limiter.turn(wanted):
        clock.now += SLOW_SECONDS
    assert limiter.limit == 2
    with limiter.turn(wanted):
        clock.now += SLOW_SECONDS + 1
    assert limiter.limit == 1


def test_a_cut_answer_alone_changes_the_page_and_not_the_workers() -> None:
    limiter = Limiter(2)
    fail(limiter, IncompleteResponseError("cut"))
    assert limiter.limit == 2


def test_waiting_for_a_turn_ends_when_the_run_is_stopped() -> None:
    limiter = Limiter(1)

    def stopped() -> None:
        raise InterruptedRunError("stop")

    with limiter.turn(wanted), pytest.raises(InterruptedRunError), limiter.turn(stopped):
        pass
    assert limiter.in_flight == 0
