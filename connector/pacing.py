"""How many writes go into one batch: what they were seen to cost decides, not a guess.

The Batch API runs its items one after another and is cut off after 30 seconds (servicenow-api.md
§2): what it has not reached then comes back unserviced. A batch is therefore made to last at most
half of that, begins small, and grows by no more than its double.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from connector.itsm.base import UpdateReply

LONGEST_SECONDS = 15.0
"""What a batch may last: half of the Batch API's quota of 30 s."""
FIRST_SIZE = 10
"""Nothing is known of the cost yet: at 1.5 s a write, this is just what may be asked."""


@dataclass
class Pace:
    """The size of the next batch, between 1 and `largest` records; learns from every reply."""

    largest: int
    size: int = 0
    milliseconds: float = 0.0
    """The cost of one write: taken at once where it rises, slowly where it falls."""

    def __post_init__(self) -> None:
        self.size = self.size or min(self.largest, FIRST_SIZE)

    def learn(self, replies: Sequence[UpdateReply]) -> None:
        """Draw the size of the next batch from what became of one."""
        costs = [one.milliseconds for one in replies if one.milliseconds is not None]
        if costs:
            last = sum(costs) / len(costs)
            self.milliseconds = max(last, (self.milliseconds + last) / 2)
        allowed = min(self.largest, 2 * self.size, self._affordable())
        if any(one.was_skipped or one.status == "unserviced" for one in replies):
            allowed = min(allowed, len(replies) // 2)
        self.size = max(1, allowed)

    def _affordable(self) -> int:
        if not self.milliseconds:
            return self.largest
        return int(1000 * LONGEST_SECONDS / self.milliseconds)
