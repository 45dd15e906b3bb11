"""The period of a report: whole days of the instance's time zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from connector.cli.options import when
from connector.cli.session import UsageError
from connector.messages import _
from connector.timestamps import midnight, parse_day


def month_before(now: datetime, zone: str) -> tuple[datetime, datetime]:
    """The whole month before `now` in `zone`: its first instant, and the first after it (UTC)."""
    this = now.astimezone(ZoneInfo(zone)).date().replace(day=1)
    before = (this - timedelta(days=1)).replace(day=1)
    return midnight(before, zone), midnight(this, zone)


def period(first: str | None, last: str | None, zone: str) -> tuple[datetime, datetime]:
    """What the user asked for: [first instant, first instant after), the month before by default.

    A bare day as the end is included whole. Raises UsageError.
    """
    if first is None and last is None:
        return month_before(datetime.now(UTC), zone)
    if first is None or last is None:
        raise UsageError(_("a period needs both --from and --to"))
    start = when(lambda: parse_day(first, zone))
    end = when(lambda: _end(last, zone))
    if end <= start:
        raise UsageError(_("--to lies before --from"))
    return start, end


def _end(text: str, zone: str) -> datetime:
    try:
        return midnight(date.fromisoformat(text) + timedelta(days=1), zone)
    except ValueError:
        return parse_day(text, zone)
