"""A budget of requests per hour: never more than so many within any sixty minutes.

The instance's own rules count by the hour and may cut off other integrations of the same role
(servicenow-api.md §6). The times are kept in a small file beside the store, a line each, so that
the next run knows what this one used, however it ended; several processes may add to it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from connector.errors import BudgetSpentError, StoreError
from connector.messages import _
from connector.timestamps import format_instance

HOUR_SECONDS = 3600.0


class Budget:
    """Counts requests. Safe to share between threads."""

    def __init__(
        self,
        per_hour: int,
        longest_wait_seconds: float,
        path: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._per_hour = per_hour
        self._longest_wait = longest_wait_seconds
        self._path = path if per_hour else None
        self._clock = clock
        self._lock = threading.Lock()
        self._spent = deque(self._remembered())

    def spend(self, sleep: Callable[[float], None]) -> None:
        """Count one request, after `sleep` until there is room for it; 0 an hour means no limit.

        Raises BudgetSpentError where that would take longer than a run should wait.
        """
        while self._per_hour and (wait := self._spend_or_wait()) > 0:
            if wait > self._longest_wait:
                raise BudgetSpentError(self._sentence(wait))
            sleep(wait)

    def _spend_or_wait(self) -> float:
        """Seconds until there is room; 0 = there was, and it is taken."""
        with self._lock:
            now = self._clock()
            while self._spent and self._spent[0] <= now - HOUR_SECONDS:
                self._spent.popleft()
            if len(self._spent) >= self._per_hour:
                # All but the newest per_hour - 1 have to be an hour old first.
                return self._spent[-self._per_hour] + HOUR_SECONDS - now
            self._spent.append(now)
            self._note(now)
            return 0.0

    def _sentence(self, wait: float) -> str:
        until = datetime.fromtimestamp(self._clock() + wait, UTC)
        return _(
            "The budget of {n} requests an hour is used up until {until} UTC; what was done is"
            " kept and the next run goes on from there, or raise [instance] requests_per_hour"
        ).format(n=self._per_hour, until=format_instance(until))

    def _remembered(self) -> list[float]:
        """The last hour's requests of earlier runs; the file then holds only those."""
        if self._path is None or not self._path.exists():
            return []
        now, found = self._clock(), []
        with _told(self._path):
            for line in self._path.read_text(encoding="ascii", errors="replace").splitlines():
                with suppress(ValueError):  # a line that a crash cut short
                    found.append(float(line))
            # A clock that was set back since must not make requests count for longer.
            found = sorted(min(m, now) for m in found if abs(now - m) < HOUR_SECONDS)
            self._path.write_text("".join(f"{m:.3f}\n" for m in found), encoding="ascii")
        return found

    def _note(self, now: float) -> None:
        if self._path is not None:
            with _told(self._path), self._path.open("a", encoding="ascii") as file:
                file.write(f"{now:.3f}\n")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """A file that cannot be used becomes one sentence."""
    try:
        yield
    except OSError as error:
        text = _("Cannot keep count of requests in {path}: {reason}")
        reason = error.strerror or type(error).__name__
        raise StoreError(text.format(path=path, reason=reason)) from error
