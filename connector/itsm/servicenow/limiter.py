"""How many requests an instance gets at once: one limiter for all workers, by AIMD.

Every sign of overload halves the number in flight, every round of good answers adds one, up to the
configured workers (servicenow-api.md §6: the platform serves REST with some four threads a node).
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from connector import log
from connector.errors import InstanceError, RateLimitedError, UnavailableError

SLOW_SECONDS = 15.0
"""Three times what a page aims at (page_size.py): an answer this late says that others wait too."""
LOOK_SECONDS = 0.2
"""How often a waiting worker looks whether the run was asked to stop."""
LONGEST_ASKED_WAIT_SECONDS = 3600.0
"""Rate rules count by the hour (§6): no honest Retry-After is longer."""
_SEM_WAIT = re.compile(r"\bsem_wait\s*;\s*dur=(\d+(?:\.\d+)?)")

_log = log.get("servicenow")


@dataclass
class Turn:
    """One request's leave to be in flight."""

    number: int
    began: float
    answer: requests.Response | None = None
    """Set by the sender; its headers may tell of a queue before us."""


class Limiter:
    """Hands out turns. Safe to share between threads."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.limit = most
        self.in_flight = 0
        self._clock = clock
        self._changed = threading.Condition()
        self._started = 0
        self._halved_at = 0
        self._good = 0
        self._closed_until = 0.0

    @contextmanager
    def turn(self, still_wanted: Callable[[], None], *, is_retry: bool = False) -> Iterator[Turn]:
        """Wait for a turn; what becomes of the request inside decides about the next ones.

        `still_wanted` is called while waiting and may raise to give up. A retry has waited as the
        instance asked already; all other requests wait for that moment too.
        """
        turn = self._enter(still_wanted, is_retry)
        try:
            yield turn
        except InstanceError as error:
            self._leave(turn, is_overloaded=self._tells_overload(turn, error))
            self._close(error)
            raise
        except BaseException:
            self._leave(turn, is_overloaded=None)
            raise
        self._leave(turn, is_overloaded=self._was_slow(turn))

    def _enter(self, still_wanted: Callable[[], None], is_retry: bool) -> Turn:
        with self._changed:
            while self.in_flight >= self.limit or (not is_retry and self._is_closed()):
                still_wanted()
                self._changed.wait(LOOK_SECONDS)
            self.in_flight += 1
            self._started += 1
            return Turn(self._started, self._clock())

    def _is_closed(self) -> bool:
        return self._clock() < self._closed_until

    def _leave(self, turn: Turn, *, is_overloaded: bool | None) -> None:
        with self._changed:
            self.in_flight -= 1
            if is_overloaded:
                self._shrink(turn)
            elif is_overloaded is False:
                self._closed_until = 0.0
                self._grow()
            self._changed.notify_all()

    def _shrink(self, turn: Turn) -> None:
        # Requests that were under way at the last halving tell of the load before it.
        self._good = 0
        if turn.number <= self._halved_at:
            return
        self._halved_at = self._started
        if self.limit > 1:
            self.limit = max(1, self.limit // 2)
            _log.info("fewer requests at once", at_once=self.limit)

    def _grow(self) -> None:
        self._good += 1
        if self._good >= self.limit and self.limit < self.most:
            self._good = 0
            self.limit += 1
            _log.debug("more requests at once", at_once=self.limit)

    def _close(self, error: InstanceError) -> None:
        """A 429 that names a time holds for every worker: they are one user to the instance."""
        asked = error.retry_after if isinstance(error, RateLimitedError) else None
        if asked and asked <= LONGEST_ASKED_WAIT_SECONDS:  # else the run ends, and nobody waits
            self._closed_until = self._clock() + asked

    def _tells_overload(self, turn: Turn, error: InstanceError) -> bool | None:
        if isinstance(error, RateLimitedError | UnavailableError):
            return True
        return True if self._was_slow(turn) else None

    def _was_slow(self, turn: Turn) -> bool:
        return self._clock() - turn.began > SLOW_SECONDS or _waited(turn.answer) > 0


def _waited(answer: requests.Response | None) -> float:
    """Milliseconds that the request stood in the instance's own queue (`Server-Timing`, §1.4)."""
    said = answer.headers.get("Server-Timing", "") if answer is not None else ""
    match = _SEM_WAIT.search(said)
    return float(match[1]) if match else 0.0
