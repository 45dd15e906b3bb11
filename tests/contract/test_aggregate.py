"""The sandbox's Aggregate API (servicenow-api.md §4.2). Over real HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox_instance import CALLER_ID, USER_ID, Api, make_instance, serving

STATS = "/api/now/stats/incident"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        yield client


def stats(api: Api, **parameters: str) -> Any:
    given = {f"sysparm_{name}": value for name, value in parameters.items()}
    answer = api.get(STATS, params=given)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def by_group(rows: list[Any]) -> dict[str, str]:
    return {row["groupby_fields"][0]["value"]: row["stats"]["count"] for row in rows}


def test_a_count_is_a_string_and_follows_the_query(api: Api) -> None:
    assert stats(api, count="true") == {"stats": {"count": "25"}}
    assert stats(api, count="true", query="state=1^active=true") == {"stats": {"count": "4"}}
    assert stats(api, count="true", query="number=NONE") == {"stats": {"count": "0"}}
    assert api.get(STATS, params={"sysparm_count": "true", "active": "true"}).json() == {
        "result": {"stats": {"count": "13"}}
    }


def test_groups_come_with_their_fields(api: Api) -> None:
    """56"""
    rows = stats(api, count="true", group_by="state")
    assert rows[0] == {
        "stats": {"count": "8"},
        "groupby_fields": [{"field": "state", "value": "1"}],
    }
    assert by_group(rows) == {"1": "8", "2": "9", "3": "8"}


def test_groups_may_be_several_and_walk_references(api: Api) -> None:
    rows = stats(api, count="true", group_by="active,caller_id.name", query="priority=1")
    assert [row["groupby_fields"] for row in rows] == [
        [
            {"field": "active", "value": "false"},
            {"field": "caller_id.name", "value": ""},
        ]
    ]
    assert rows[0]["stats"] == {"count": "6"}


def test_groups_show_display_values_when_asked(api: Api) -> None:
    shown = stats(api, count="true", group_by="caller_id", display_value="true")
    assert by_group(shown) == {"": "12", "Caller One": "13"}
    both = stats(api, count="true", group_by="caller_id,state", display_value="all")
    assert both[-1]["groupby_fields"] == [
        {"field": "caller_id", "value": CALLER_ID, "display_value": "Caller One"},
        {"field": "state", "value": "3", "display_value": "On Hold"},
    ]


def test_numbers_are_computed_as_numbers_and_dates_have_extremes(api: Api) -> None:
    fields = "reassignment_count,sys_created_on"
    assert stats(
        api, min_fields=fields, max_fields=fields, sum_fields="priority", avg_fields="priority"
    ) == {
        "stats": {
            "min": {"reassignment_count": "1", "sys_created_on": "2026-11-01 07:00:00"},
            "max": {"reassignment_count": "25", "sys_created_on": "2026-11-25 07:00:00"},
            "sum": {"priority": "62"},
            "avg": {"priority": "2.4800"},
        }
    }


def test_empty_values_do_not_count_for_an_average(api: Api) -> None:
    none = stats(api, avg_fields="close_notes")
    assert none == {"stats": {"avg": {"close_notes": ""}}}


def test_groups_can_be_kept_and_ordered_by_an_aggregate(api: Api) -> None:
    kept = stats(api, count="true", group_by="state", having="count^state^>^8")
    assert by_group(kept) == {"2": "9"}
    both = "count^state^<^9,avg^reassignment_count^>^13"
    assert by_group(stats(api, count="true", group_by="state", having=both)) == {"1": "8"}
    ordered = stats(api, count="true", group_by="state", order_by="COUNT^DESC,state^DESC")
    assert list(by_group(ordered)) == ["2", "3", "1"]
    averaged = stats(api, count="true", group_by="state", order_by="AVG^reassignment_count")
    assert list(by_group(averaged)) == ["3", "2", "1"]


def test_nothing_asked_is_nothing_computed(api: Api) -> None:
    assert stats(api, query="state=1") == {"stats": {}}


@pytest.mark.parametrize(
    "parameters",
    [
        {"sysparm_avg_fields": "bogus"},
        {"sysparm_count": "true", "sysparm_group_by": "caller_id.bogus"},
        {"sysparm_avg_fields": "sys_created_on"},
        {"sysparm_count": "true", "sysparm_group_by": "state", "sysparm_having": "count>5"},
        {"sysparm_count": "true", "sysparm_group_by": "state", "sysparm_order_by": "MEAN^state"},
    ],
)
def test_what_cannot_be_computed_is_refused(api: Api, parameters: dict[str, str]) -> None:
    answer = api.get(STATS, params=parameters)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Invalid aggregate"


def test_the_table_must_exist_and_the_verb_be_get(api: Api) -> None:
    assert api.get("/api/now/stats/nosuch?sysparm_count=true").status_code == 400
    assert api.post(STATS, json={}).status_code == 405
    assert api.get("/api/now/v2/stats/task?sysparm_count=true").json() == {
        "result": {"stats": {"count": "25"}}
    }


def test_counts_stand_above_row_rights_and_below_query_rights(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        switches = {"hidden_rows": {"incident": ""}, "unqueryable_fields": ["incident.state"]}
        assert client.post("/_sandbox/mode", json=switches).status_code == 200
        assert stats(client, count="true") == {"stats": {"count": "25"}}
        assert client.get(f"{STATS}?sysparm_count=true&sysparm_query=state=1").status_code == 403
        user = client.get(f"/api/now/table/sys_user/{USER_ID}").json()["result"]
        assert user["user_name"] == "travesia.integration"
