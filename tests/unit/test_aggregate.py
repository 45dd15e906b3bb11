"""Counting on the wire: one small request, whatever the shape of its answer."""

from typing import Any

import pytest
import responses

from connector.errors import ConnectorError, IncompleteResponseError
from connector.identity import is_same
from connector.itsm.base import Count
from tests.recorded import body
from tests.unit.servicenow_wire import URL, client, query_of

STATS = f"{URL}/api/now/stats/incident"
PROPERTIES = f"{URL}/api/now/table/sys_properties"


def count(result: Any, **more: Any) -> Count:
    with responses.RequestsMock() as mock:
        mock.get(STATS, json={"result": result}, **more)
        return client(max_attempts=1).count_records("incident", "active=true")


def test_it_asks_for_a_count_and_the_newest_change() -> None:
    with responses.RequestsMock() as mock:
        mock.get(STATS, json={"result": {"stats": {"count": "0"}}})
        client().count_records("incident", "active=true")
        query = query_of(mock.calls[0].request)
    assert query["sysparm_query"] == "active=true"
    assert query["sysparm_count"] == "true"
    assert query["sysparm_max_fields"] == "sys_updated_on"
    assert query["sysparm_sum_fields"] == "sys_mod_count"


@pytest.mark.parametrize(
    ("result", "found"),
    [
        (
            {"stats": {"count": "42", "max": {"sys_updated_on": "2026-11-01 08:00:00"}}},
            Count(42, "2026-11-01 08:00:00"),
        ),
        ([{"stats": {"count": "7"}, "groupby_fields": []}], Count(7)),
        ({"stats": {"count": "7", "sum": {"sys_mod_count": "31"}}}, Count(7, "", 31)),
        ({"stats": {"count": "7", "sum": {"sys_mod_count": "3.1e1"}}}, Count(7)),
        ({"stats": {"count": "7", "sum": "31"}}, Count(7)),
        ({"stats": {"count": 3, "max": {"sys_updated_on": ""}}}, Count(3)),
        ({"stats": {"count": "3", "max": {"sys_updated_on": "01/11/2026 8:00"}}}, Count(3)),
    ],
)
def test_both_shapes_of_an_answer_are_understood(result: Any, found: Count) -> None:
    assert count(result) == found


@pytest.mark.parametrize("result", [{}, {"stats": {}}, [], "7", {"stats": {"count": "many"}}])
def test_an_answer_without_a_count_is_none(result: Any) -> None:
    with pytest.raises(IncompleteResponseError):
        count(result)


def test_an_instance_says_who_it_is() -> None:
    with responses.RequestsMock() as mock:
        rows = [
            {"name": "instance_name", "value": "dev"},
            {"name": "instance_id", "value": "0a1b"},
        ]
        mock.get(PROPERTIES, json={"result": rows})
        assert client().identity() == "instance_id=0a1b instance_name=dev"
        assert query_of(mock.calls[0].request)["sysparm_query"].startswith(
            "nameINinstance_id,instance_name"
        )


@pytest.mark.parametrize(
    ("status", "answer"), [(403, "query_forbidden.json"), (400, "invalid_table.json")]
)
def test_an_instance_that_may_not_be_asked_says_nothing(status: int, answer: str) -> None:
    with responses.RequestsMock() as mock:
        mock.get(PROPERTIES, body=body(answer), status=status)
        assert client().identity() == ""


def test_an_instance_that_is_away_is_no_instance_that_says_nothing() -> None:
    with responses.RequestsMock() as mock:
        mock.get(PROPERTIES, status=503, body="")
        with pytest.raises(ConnectorError):
            client(max_attempts=1).identity()


@pytest.mark.parametrize(
    ("known", "said", "same"),
    [
        ("instance_id=1 instance_name=a", "instance_id=1 instance_name=a", True),
        ("instance_id=1 instance_name=a", "instance_name=a", True),
        ("instance_id=1", "instance_name=a", True),
        ("instance_id=1 instance_name=a", "instance_id=1 instance_name=b", False),
        ("instance_id=1", "instance_id=2", False),
    ],
)
def test_two_words_about_an_instance_agree_where_both_say_something(
    known: str, said: str, same: bool
) -> None:
    assert is_same(known, said) is same
