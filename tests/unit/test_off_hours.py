"""The hours in which the tool may be written, in the instance's time zone."""

from datetime import UTC, datetime, timedelta

import pytest

from connector.config import Config
from connector.config.settings import InstanceSettings, WriteBackSettings
from connector.off_hours import OffHours
from connector.write_back import settings_of

NIGHT = OffHours.parse("20:00-06:00", "Europe/Madrid")
DAY = OffHours.parse("09:30-17:00", "UTC")


@pytest.mark.parametrize(
    ("utc", "minutes"),
    [
        ("2026-11-20T18:59", 0),
        ("2026-11-20T19:00", 600),  # 20:00 in Madrid
        ("2026-11-20T23:30", 330),  # past midnight there
        ("2026-11-21T04:59", 1),
        ("2026-11-21T05:00", 0),
        ("2026-07-20T18:00", 600),  # summer time
    ],
)
def test_hours_past_midnight_last_until_the_morning(utc: str, minutes: int) -> None:
    moment = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert NIGHT.left(moment) == timedelta(minutes=minutes)
    assert NIGHT.is_open(moment) is (minutes > 0)


def test_hours_of_one_day() -> None:
    assert not DAY.is_open(datetime(2026, 11, 20, 9, 29, 59, tzinfo=UTC))
    assert DAY.left(datetime(2026, 11, 20, 16, 0, tzinfo=UTC)) == timedelta(hours=1)
    assert not DAY.is_open(datetime(2026, 11, 20, 17, 0, tzinfo=UTC))


def test_the_settings_read_them_in_the_zone_of_the_instance() -> None:
    config = Config(
        instance=InstanceSettings(time_zone="Europe/Madrid"),
        write_back=WriteBackSettings(window="20:00-06:00"),
    )
    assert settings_of(config).off_hours == NIGHT
    assert settings_of(Config()).off_hours is None


@pytest.mark.parametrize("text", ["20-6", "24:00-06:00", "06:00-06:00", "8:00-9:00", "20:00–06:00"])
def test_what_is_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="are no hours; write them like 20:00-06:00"):
        WriteBackSettings(window=text)
