"""Stale percentages and the churn of task_sla (servicenow-api.md §4.5). Real HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox_instance import Api, incident_id, make_instance, serving

SLA = "/api/now/table/task_sla"


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        yield client


def running(api: Api, **values: str) -> str:
    """A row that started at noon and breaches at eight in the evening."""
    usual = {
        "task": incident_id(1),
        "active": "true",
        "start_time": "2026-11-20 12:00:00",
        "planned_end_time": "2026-11-20 20:00:00",
        "business_percentage": "0.00",
    }
    sys_id: str = api.post(SLA, json=usual | values).json()["result"]["sys_id"]
    return sys_id


def at(api: Api, clock: str, row: str) -> tuple[str, str, str]:
    assert api.post("/_sandbox/clock", json={"until": f"2026-11-20 {clock}"}).status_code == 200
    record: dict[str, Any] = api.get(f"{SLA}/{row}").json()["result"]
    return record["business_percentage"], record["sys_updated_on"], record["sys_mod_count"]


def test_percentages_are_stale_until_the_job_runs_and_then_the_row_has_moved(api: Api) -> None:
    """61"""
    api.post("/_sandbox/mode", json={"sla_job": True})
    row = running(api)
    made = ("0.00", "2026-11-20 12:00:00", "0")
    assert at(api, "12:59:59", row) == made
    assert at(api, "13:00:00", row) == ("12.50", "2026-11-20 13:00:00", "1")
    assert at(api, "13:59:00", row) == ("12.50", "2026-11-20 13:00:00", "1")
    assert at(api, "19:25:00", row)[:2] == ("91.67", "2026-11-20 19:20:00")
    assert at(api, "19:55:30", row)[:2] == ("98.96", "2026-11-20 19:55:00")
    query = {"sysparm_query": "sys_updated_on>2026-11-20 19:00:00"}
    assert len(api.get(SLA, params=query).json()["result"]) == 1, "an incremental read sees it"
    assert api.get("/api/now/table/sys_audit").json()["result"] == []


def test_paused_and_ended_rows_stand_still(api: Api) -> None:
    api.post("/_sandbox/mode", json={"sla_job": True})
    paused = running(api, pause_time="2026-11-20 12:00:00")
    ended = running(api, active="false")
    for row in (paused, ended):
        assert at(api, "15:00:00", row) == ("0.00", "2026-11-20 12:00:00", "0")


def test_nothing_moves_unless_the_job_is_switched_on(api: Api) -> None:
    row = running(api)
    assert at(api, "18:00:00", row) == ("0.00", "2026-11-20 12:00:00", "0")


def test_the_definition_says_how_much_time_is_granted(api: Api) -> None:
    api.post("/_sandbox/mode", json={"sla_job": True})
    definition = {"name": "Two hours", "duration": "1970-01-01 02:00:00"}
    sla = api.post("/api/now/table/contract_sla", json=definition).json()["result"]["sys_id"]
    row = running(api, sla=sla)
    assert at(api, "14:00:00", row)[0] == "25.00"
    record = api.get(f"{SLA}/{row}").json()["result"]
    assert record["percentage"] == "100.00"
    assert record["business_time_left"] == "1970-01-01 01:30:00"
