"""How long an attempt to write goes on: until asked to stop, or over the hours, or ended early."""

import time

from connector.context import Run
from connector.messages import _
from connector.off_hours import OffHours


class Attempt:
    """One attempt to send a plan. Why it ended before its time goes into `messages`, once."""

    def __init__(self, run: Run, hours: OffHours | None, messages: list[str]) -> None:
        left = hours.left(run.instance.now()).total_seconds() if hours else None
        self._run = run
        self._messages = messages
        self._ends = None if left is None else time.monotonic() + left
        self._is_over = False

    def may_go_on(self) -> bool:
        """Whether another batch may go out. Raises InterruptedRunError if asked to stop."""
        self._run.pause_point()
        if not self._is_over and self._ends is not None and time.monotonic() >= self._ends:
            self.end(_("The hours for writing are over; the rest waits for the next run"))
        return not self._is_over

    def end(self, sentence: str) -> None:
        """No further batch; once is enough to say why."""
        if not self._is_over:
            self._is_over = True
            self._messages.append(sentence)
