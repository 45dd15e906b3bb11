"""The connector's client against every fault the sandbox can make, over real sockets.

Reading ends with every record once, or with a typed error; writing ends with every record written
once, or with an honest `unknown`.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from connector.errors import (
    AuthenticationError,
    IncompleteResponseError,
    InstanceError,
    RateLimitedError,
    UnavailableError,
)
from connector.itsm.base import Cursor, RecordUpdate
from connector.itsm.servicenow import Connection, ServiceNow, connect
from connector.sandbox.faults import KINDS
from tests.sandbox_instance import PASSWORD, USER, USER_ID, Api, incident_id, make_instance, serving

INCIDENT = "/api/now/table/incident"
ALL = {f"INC{n:07d}" for n in range(1, 26)}

FINAL: dict[str, type[InstanceError]] = {
    "login_page": AuthenticationError,
    "unauthorised": AuthenticationError,
}
"""Kinds after which a person must act; a token is fetched anew once (see below)."""

LASTING: dict[str, type[InstanceError]] = {
    "reset": UnavailableError,
    "node_restart": UnavailableError,
    "rate_limited": RateLimitedError,
    "busy": RateLimitedError,
    "unavailable": UnavailableError,
    "hibernating": UnavailableError,
    "dropped": UnavailableError,
    "server_error": UnavailableError,
    "cancelled": IncompleteResponseError,
    "cancelled_after_rows": IncompleteResponseError,
    "cancelled_cut": IncompleteResponseError,
    "cut": IncompleteResponseError,
    "reset_mid": IncompleteResponseError,
    "lost_answer": UnavailableError,
    "failed_after": UnavailableError,
    **FINAL,
}
"""What each kind is called when it never passes."""

HARMLESS = {"latency": {"ms": 5}, "drip": {"bytes": 700, "pause_ms": 1}}
ODD = {"short_page", "repeated_rows", "clock_skew", "unserviced"}
KNOBS: dict[str, dict[str, Any]] = {
    "rate_limited": {"retry_after": 0},
    "node_restart": {"requests": 2},
    "cancelled_after_rows": {"rows": 3},
    "short_page": {"rows": 3},
    **HARMLESS,
}


def test_every_kind_is_met_here() -> None:
    assert {*LASTING, *HARMLESS, *ODD} == set(KINDS)


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        yield client


def arm(api: Api, kind: str, **where: Any) -> None:
    fault: dict[str, Any] = {"kind": kind, **KNOBS.get(kind, {}), **where}
    api.post("/_sandbox/faults", json=[fault]).raise_for_status()


def fired(api: Api) -> int:
    return int(api.get("/_sandbox/faults").json()["result"][0]["fired"])


def client(api: Api, **changes: Any) -> ServiceNow:
    quick = {"first_wait_seconds": 0.001, "page_size": 10, "timeout_seconds": 10.0}
    return connect(Connection(api.base, **{"user": USER, "secret": PASSWORD, **quick, **changes}))


def read(instance: ServiceNow) -> list[str]:
    until = instance.now() + timedelta(days=30)
    pages = instance.list_pages("incident", ["number"], Cursor(), until)
    return [record["number"] for page in pages for record in page.records]


@pytest.mark.parametrize("kind", sorted({*LASTING, *HARMLESS} - {*FINAL}))
@pytest.mark.parametrize("after", [0, 1, 3])
def test_reading_meets_it_twice_and_ends_with_every_record_once(
    api: Api, kind: str, after: int
) -> None:
    instance = client(api)
    instance.now()
    times = 1 if kind == "node_restart" else 2
    arm(api, kind, table="incident", after=after, count=times)
    found = read(instance)
    assert (set(found), len(found)) == (ALL, 25)
    assert fired(api) == times


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("rows", [0, 3, 9])
def test_a_short_page_is_noticed_and_read_on(api: Api, after: int, rows: int) -> None:
    arm(api, "short_page", table="incident", after=after, rows=rows)
    found = read(client(api))
    assert (set(found), len(found)) == (ALL, 25)
    assert fired(api) == 1


def test_a_row_that_comes_again_within_its_second_is_no_other_row(api: Api) -> None:
    """At least once in: the store keeps one of a version (see the campaign)."""
    arm(api, "repeated_rows", table="incident", after=1)
    found = read(client(api))
    assert (set(found), len(found)) == (ALL, 26)


def test_a_row_from_before_the_asked_times_is_asked_for_again(api: Api) -> None:
    arm(api, "repeated_rows", table="incident", after=2)
    found = read(client(api))
    assert (set(found), len(found)) == (ALL, 25)
    assert fired(api) == 1


def test_rows_from_before_that_never_stop_end_in_a_sentence_with_table_and_cursor(api: Api) -> None:
    arm(api, "repeated_rows", table="incident", probability=1, count=1000)
    with pytest.raises(IncompleteResponseError) as caught:
        read(client(api, max_attempts=3))
    said = str(caught.value)
    assert re.search(r"Table incident came back with rows from before \d{4}-\d\d-\d\d ", said)
    assert "run again" in said


@pytest.mark.parametrize("kind", sorted(LASTING))
def test_what_never_passes_ends_as_its_own_error(api: Api, kind: str) -> None:
    instance = client(api, max_attempts=3)
    instance.now()
    arm(api, kind, table="incident", probability=1)
    with pytest.raises(LASTING[kind]) as caught:
        read(instance)
    assert type(caught.value) is LASTING[kind]
    assert "?" not in caught.value.path
    assert fired(api) == 1 if kind in (*FINAL, "node_restart") else fired(api) >= 3


def test_a_token_that_expires_in_mid_run_is_fetched_anew_once(api: Api) -> None:
    """40"""
    oauth = {"auth": "oauth_client_credentials", "client_id": "sandbox-client"}
    instance = client(api, client_secret="sandbox-secret", **oauth)
    arm(api, "unauthorised", table="incident", after=1)
    found = read(instance)
    assert (set(found), len(found)) == (ALL, 25)
    asked = api.get("/_sandbox/requests").json()["result"]["requests"]
    assert asked["POST /oauth_token.do"] == 2


def test_a_skewed_clock_is_the_clock_the_client_tells(api: Api) -> None:
    arm(api, "clock_skew", seconds=-3600, probability=1)
    skewed = client(api).now()
    api.delete("/_sandbox/faults")
    assert client(api).now() - skewed == timedelta(hours=1)


@pytest.mark.parametrize(("rows", "times"), [(0, 1), (0, 2), (1, 1)])
def test_a_short_answer_about_tables_is_not_taken_for_an_instance_without_them(
    api: Api, rows: int, times: int
) -> None:
    arm(api, "short_page", table="sys_db_object", rows=rows, count=times)
    found = client(api).list_tables(["incident", "sc_task", "nope"])
    assert found == {"incident": "task", "sc_task": "task"}
    assert fired(api) == times


def test_the_probe_tells_an_instance_that_reads_literals_in_the_callers_zone(api: Api) -> None:
    madrid = {"time_zone": "Europe/Madrid"}
    api.patch(f"/api/now/table/sys_user/{USER_ID}", json=madrid).raise_for_status()
    assert client(api).probe().reads_utc is True
    api.post("/_sandbox/mode", json={"date_literals": "user_zone"}).raise_for_status()
    assert client(api).probe().reads_utc is False


# ── writing ──────────────────────────────────────────────────────────────────────────────────

UPDATES = [RecordUpdate("incident", incident_id(n), {"description": "new"}) for n in range(1, 7)]


def counts(api: Api) -> list[tuple[str, str]]:
    """(description, sys_mod_count) of the six."""
    rows = api.get(
        INCIDENT,
        params={
            "sysparm_query": "ORDERBYsys_id",
            "sysparm_limit": "6",
            "sysparm_fields": "description,sys_mod_count",
        },
    ).json()["result"]
    return [(row["description"], row["sys_mod_count"]) for row in rows]


WHOLE_BATCH = sorted({*LASTING, *HARMLESS, "unserviced"} - {*FINAL})
NO_ROWS = {"cancelled_after_rows", "cancelled_cut"}


@pytest.mark.parametrize("kind", [k for k in WHOLE_BATCH if k not in NO_ROWS])
def test_a_batch_that_meets_it_twice_is_written_once(api: Api, kind: str) -> None:
    instance = client(api)
    instance.now()
    times = 1 if kind == "node_restart" or kind in HARMLESS else 2
    arm(api, kind, path="/api/now/batch", count=times)
    replies = instance.send_updates(UPDATES)
    assert {reply.status for reply in replies} == {"written"}
    assert {reply.values["description"] for reply in replies} == {"new"}
    assert counts(api) == [("new", "1")] * 6
    assert fired(api) == times


ON_ITEMS = sorted(name for name, kind in KINDS.items() if kind.on_items)


@pytest.mark.parametrize("kind", ON_ITEMS)
def test_items_that_meet_it_go_again_alone_and_are_written_once(api: Api, kind: str) -> None:
    instance = client(api)
    arm(api, kind, where="item", table="incident", after=2, count=3)
    assert {reply.status for reply in instance.send_updates(UPDATES)} == {"written"}
    assert counts(api) == [("new", "1")] * 6
    assert fired(api) == 3
    sent = api.get("/_sandbox/requests").json()["result"]["batched"]
    assert sent["PATCH /api/now/table/incident/{sys_id}"] <= 6 + 3


@pytest.mark.parametrize(
    "kind", ["lost_answer", "cut", "reset_mid", "failed_after", "server_error"]
)
def test_an_answer_that_never_comes_is_unknown_and_never_a_guess(api: Api, kind: str) -> None:
    instance = client(api, max_attempts=2)
    instance.now()
    arm(api, kind, path="/api/now/batch", probability=1)
    assert {reply.status for reply in instance.send_updates(UPDATES)} == {"unknown"}
    written = kind != "server_error"
    assert (counts(api) == [("new", "1")] * 6) is written


def test_a_batch_too_long_for_its_time_is_finished_in_pieces(api: Api) -> None:
    limits = {"cost_ms": {"write": 15_000}}
    api.post("/_sandbox/limits", json=limits).raise_for_status()
    replies = client(api).send_updates(UPDATES)
    assert {reply.status for reply in replies} == {"written"}
    assert counts(api) == [("new", "1")] * 6
    asked = api.get("/_sandbox/requests").json()["result"]["requests"]
    assert asked["POST /api/now/batch"] == 3


def test_a_list_too_long_for_its_time_is_read_in_smaller_pages(api: Api) -> None:
    api.post("/_sandbox/limits", json={"rows": 60}).raise_for_status()
    for n in range(100, 220):
        api.post(INCIDENT, json={"number": f"INC{n:07d}"}).raise_for_status()
    found = read(client(api, page_size=1000))
    assert len(found) == len(set(found)) == 145


def test_a_used_up_rate_rule_is_one_error_when_the_wait_is_refused(api: Api) -> None:
    api.post("/_sandbox/limits", json={"rates": [{"requests": 2}]}).raise_for_status()
    waits: list[float] = []
    settings = Connection(api.base, user=USER, secret=PASSWORD, page_size=5, max_attempts=2)
    with pytest.raises(RateLimitedError):
        read(connect(settings, sleep=waits.append))
    assert waits == [3600.0], "as the instance asked"
