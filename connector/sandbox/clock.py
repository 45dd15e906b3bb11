"""The instance's virtual clock: every date the sandbox shows or stores comes from here.

It stands at a chosen instant and ticks with real time, or stands still (frozen). It never goes
back: an instance whose clock goes back would hide its own records from every cursor.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from connector.timestamps import format_instance


class VirtualClock:
    """Now, as the instance sees it. `real` gives seconds that only grow (time.monotonic)."""

    def __init__(
        self,
        start: datetime,
        *,
        frozen: bool = False,
        real: Callable[[], float] = time.monotonic,
    ) -> None:
        self._real = real
        self._base = start.astimezone(UTC)
        self._mark = real()
        self._frozen = frozen

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen

    def now(self) -> datetime:
        """The instance's present instant, aware UTC."""
        if self._frozen:
            return self._base
        return self._base + timedelta(seconds=self._real() - self._mark)

    def text(self) -> str:
        """Now as the instance stores it: UTC, whole seconds."""
        return format_instance(self.now())

    def advance(self, to: datetime) -> None:
        """Stand at `to` and go on from there. An instant already past is ignored."""
        target = max(to.astimezone(UTC), self.now())
        self._base, self._mark = target, self._real()

    def freeze(self, frozen: bool) -> None:
        """Stop the clock where it stands, or let it tick again."""
        self._base, self._mark = self.now(), self._real()
        self._frozen = frozen
