"""The hours in which the tool may be written, by the instance's clock and in its time zone."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True)
class OffHours:
    """From `start` to `end` of every day in `zone`; past midnight where `end` is the earlier one.

    On the two days a year on which clocks change, the hours are those of the wall.
    """

    start: time
    end: time
    zone: str

    @classmethod
    def parse(cls, text: str, zone: str) -> Self:
        """`20:00-06:00`. Raises ValueError on anything else (the settings were checked)."""
        start, _dash, end = text.partition("-")
        return cls(time.fromisoformat(start), time.fromisoformat(end), zone)

    def is_open(self, moment: datetime) -> bool:
        """Whether it is one of the hours."""
        return self.left(moment) > timedelta()

    def left(self, moment: datetime) -> timedelta:
        """How long they last from this instant on; nothing outside them."""
        now = self._since_midnight(moment.astimezone(ZoneInfo(self.zone)).time())
        start, end = self._since_midnight(self.start), self._since_midnight(self.end)
        length = (end - start) % DAY
        return max(length - (now - start) % DAY, timedelta())

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    @staticmethod
    def _since_midnight(clock: time) -> timedelta:
        return timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second)
