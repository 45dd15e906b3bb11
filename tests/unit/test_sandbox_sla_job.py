"""The SLA jobs of the sandbox: when they run, and what they leave on a row."""

from datetime import UTC, datetime, timedelta

import pytest

from connector.sandbox.sla_job import last_run, measured
from connector.timestamps import format_instance

NOW = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
LONG_AGO = "2026-01-01 00:00:00"


@pytest.mark.parametrize(
    ("to_breach", "ran"),
    [
        (timedelta(minutes=5), "2026-11-20 12:34:00"),
        (timedelta(minutes=30), "2026-11-20 12:30:00"),
        (timedelta(hours=5), "2026-11-20 12:00:00"),
        (timedelta(days=3), "2026-11-20 00:00:00"),
        (timedelta(days=40), "2026-11-18 00:00:00"),
        (timedelta(days=-3), "2026-11-20 00:00:00"),
    ],
)
def test_the_nearer_the_breach_the_more_often(to_breach: timedelta, ran: str) -> None:
    run = last_run(format_instance(NOW + to_breach), LONG_AGO, NOW)
    assert run
    assert format_instance(run) == ran


def test_a_row_that_breached_since_the_last_daily_run_was_last_counted_at_its_breach() -> None:
    assert last_run("2026-11-20 09:15:30", LONG_AGO, NOW) == datetime(
        2026, 11, 20, 9, 15, tzinfo=UTC
    )


def test_a_row_that_was_counted_waits_for_the_next_run() -> None:
    breach = format_instance(NOW + timedelta(hours=5))
    assert last_run(breach, "2026-11-20 12:00:00", NOW) is None
    assert last_run(breach, "2026-11-20 12:00:00", NOW + timedelta(minutes=30)) == datetime(
        2026, 11, 20, 13, tzinfo=UTC
    )


def test_a_row_breached_for_more_than_a_year_is_left_alone() -> None:
    assert last_run("2025-10-01 00:00:00", "2026-10-02 00:00:00", NOW) is None


def test_pauses_do_not_count_and_the_breach_is_a_hundred_percent() -> None:
    row = {
        "start_time": "2026-11-20 08:00:00",
        "planned_end_time": "2026-11-20 13:00:00",
        "pause_duration": "1970-01-01 01:00:00",
    }
    values = measured(row, timedelta(hours=2), datetime(2026, 11, 20, 11, tzinfo=UTC))
    assert values == {
        "duration": "1970-01-01 02:00:00",
        "business_duration": "1970-01-01 01:00:00",
        "percentage": "100.00",
        "business_percentage": "50.00",
        "time_left": "1970-01-01 00:00:00",
        "business_time_left": "1970-01-01 01:00:00",
    }
    at_breach = measured(row, timedelta(hours=2), datetime(2026, 11, 20, 13, tzinfo=UTC))
    assert at_breach["business_percentage"] == "100.00"


def test_a_row_with_a_schedule_counts_working_hours() -> None:
    row = {
        "start_time": "2026-11-20 15:00:00",
        "planned_end_time": "2026-11-23 09:00:00",
        "pause_duration": "",
        "business_pause_duration": "1970-01-01 01:00:00",
        "schedule": "8-18 L-V / Mon-Fri",
    }
    saturday = measured(row, timedelta(hours=4), datetime(2026, 11, 21, 12, tzinfo=UTC))
    assert saturday["business_duration"] == "1970-01-01 01:00:00", (
        "16:00 to 18:00 in Madrid, less 1"
    )
    assert saturday["business_percentage"] == "25.00"
    assert saturday["percentage"] == "525.00"
