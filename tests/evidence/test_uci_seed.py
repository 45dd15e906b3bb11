"""The measured facts of the UCI year, as the sandbox's seed tells them."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from statistics import median

import pytest

from connector.sandbox.seeds.uci import DEFAULT_PATH, changes, load
from connector.sandbox.seeds.uci.log import read_log
from connector.timestamps import format_instance, parse_instance

pytestmark = pytest.mark.evidence
PATH = Path(__file__).parents[2] / DEFAULT_PATH
END = datetime(2017, 3, 1, tzinfo=UTC)
Record = dict[str, str]


@cache
def tables(until: datetime = END) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for table, records in load(PATH, until):
        found[table] += records
    return found


def test_the_year_has_its_incidents_and_versions() -> None:
    assert len(tables()["incident"]) == 24_918
    assert sum(map(len, read_log(PATH).incidents.values())) == 141_712
    assert {r["state"] for r in tables()["incident"]} == {"7"}


def test_the_slas_missed_are_those_of_the_data_readme() -> None:
    assert Counter(r["made_sla"] for r in tables()["incident"])["false"] == 9_115
    assert Counter(r["has_breached"] for r in tables()["task_sla"])["true"] == 9_115
    first = [r for r in tables()["incident"] if r["priority"] == "1"]
    assert (len(first), sum(r["made_sla"] == "false" for r in first)) == (270, 265)


def test_reopens_reassignments_and_missing_resolutions_are_those_of_the_data_readme() -> None:
    incidents = tables()["incident"]
    assert sum(int(r["reopen_count"]) > 0 for r in incidents) == 275
    assert sum(int(r["reassignment_count"]) >= 3 for r in incidents) == 2_848
    assert sum(not r["resolved_at"] for r in incidents) == 1_556


def test_the_median_incident_takes_twenty_two_hours() -> None:
    hours = [
        (parse_instance(r["resolved_at"]) - parse_instance(r["opened_at"])).total_seconds() / 3600
        for r in tables()["incident"]
        if r["resolved_at"]
    ]
    assert 21 < median(hours) < 23
    assert 375 < sorted(hours)[int(len(hours) * 0.9)] < 390


def test_channels_are_those_of_the_data_readme() -> None:
    assert Counter(r["contact_type"] for r in tables()["incident"]) == {
        **{"phone": 24_688, "self-service": 158, "email": 59, "ivr": 9, "direct": 4}
    }


def test_no_record_knows_its_future() -> None:
    moment = datetime(2016, 4, 1, tzinfo=UTC)
    now = format_instance(moment)
    for incident in tables(moment)["incident"]:
        assert incident["sys_updated_on"] <= now
        assert incident["resolved_at"] <= incident["sys_updated_on"]
        assert incident["closed_at"] <= incident["sys_updated_on"]
        if incident["state"] not in "67" and not incident["resolved_at"]:
            assert not incident["close_code"] + incident["resolved_by"] + incident["closed_at"]


def test_thirty_nights_of_changes_lead_to_the_later_start() -> None:
    start, end = datetime(2016, 4, 1, tzinfo=UTC), datetime(2016, 5, 1, tzinfo=UTC)
    found = tables(start)
    records = {r["sys_id"]: dict(r) for t in ("incident", "task_sla") for r in found[t]}
    night = start
    while night < end:
        for change in changes(PATH, night, night + timedelta(days=1)):
            record = records.setdefault(change.sys_id, {"sys_id": change.sys_id})
            record |= change.values
            record["sys_updated_on"] = format_instance(change.at)
            record["sys_updated_by"] = change.updated_by
            record["sys_mod_count"] = str(change.mod_count)
        night += timedelta(days=1)
    later = tables(end)
    assert records == {r["sys_id"]: r for t in ("incident", "task_sla") for r in later[t]}
