"""The sandbox against the conformance vectors of the Table, Batch and Attachment APIs.

The number in a docstring is the vector's (servicenow-api.md §10). Over real HTTP.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.sandbox_instance import (
    CALLER_ID,
    NOW,
    SAME_SECOND,
    USER,
    Api,
    incident_id,
    make_instance,
    serving,
)

INCIDENT = "/api/now/table/incident"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """For tests that only read."""
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        yield client


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """For tests that write."""
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        yield client


def failure(message: str, detail: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "detail": detail}, "status": "failure"}


NO_RECORD = failure("No Record found", "Record doesn't exist or ACL restricts the record retrieval")


def listed(api: Api, query: str = "", **parameters: str) -> list[Any]:
    asked = {"sysparm_query": query, "sysparm_exclude_reference_link": "true", **parameters}
    answer = api.get(INCIDENT, params=asked)
    assert answer.status_code == 200, answer.text
    rows: list[Any] = answer.json()["result"]
    return rows


def numbers(api: Api, query: str) -> list[int]:
    rows = listed(api, query, sysparm_fields="number")
    return [int(row["number"].removeprefix("INC")) for row in rows]


def links(answer: requests.Response) -> dict[str, str]:
    return {name: link["url"] for name, link in answer.links.items() if name}


# ── reading ──────────────────────────────────────────────────────────────────────────────────


def test_without_credentials_the_documented_401_comes_back(api: Api) -> None:
    """1"""
    with Api(api.base) as stranger:
        stranger.auth = None
        answer = stranger.get(INCIDENT)
    assert answer.status_code == 401
    assert answer.json() == failure(
        "User Not Authenticated", "Required to provide Auth information"
    )
    assert answer.headers["WWW-Authenticate"].startswith("BASIC")


@pytest.mark.parametrize("login", [(USER, "wrong"), ("caller", "sandbox"), ("nobody", "")])
def test_wrong_credentials_and_users_without_login_get_401(
    api: Api, login: tuple[str, str]
) -> None:
    with Api(api.base) as stranger:
        stranger.auth = login
        assert stranger.get(INCIDENT).status_code == 401


def test_a_page_carries_its_count_and_links(api: Api) -> None:
    """2"""
    answer = api.get(INCIDENT, params={"sysparm_limit": "1"})
    assert len(answer.json()["result"]) == 1
    assert answer.headers["X-Total-Count"] == "25"
    found = links(answer)
    assert set(found) == {"first", "next", "last"}
    assert parse_qs(urlsplit(found["next"]).query)["sysparm_offset"] == ["1"]
    assert parse_qs(urlsplit(found["last"]).query)["sysparm_offset"] == ["24"]


def test_following_next_reads_every_record_once_and_ends(api: Api) -> None:
    url = f"{INCIDENT}?sysparm_limit=7&sysparm_query=ORDERBYnumber"
    seen: list[str] = []
    while url:
        answer = api.get(url)
        seen += [row["number"] for row in answer.json()["result"]]
        url = links(answer).get("next", "").removeprefix(api.base)
    assert seen == [f"INC{n:07d}" for n in range(1, 26)]


def test_the_link_header_can_be_suppressed(api: Api) -> None:
    """3"""
    parameters = {"sysparm_limit": "1", "sysparm_suppress_pagination_header": "true"}
    answer = api.get(INCIDENT, params=parameters)
    assert "Link" not in answer.headers
    assert answer.headers["X-Total-Count"] == "25"


def test_without_a_count_there_is_no_total(api: Api) -> None:
    answer = api.get(INCIDENT, params={"sysparm_limit": "5", "sysparm_no_count": "true"})
    assert "X-Total-Count" not in answer.headers
    assert set(links(answer)) == {"first", "next"}


def test_v1_says_404_where_the_others_say_an_empty_list(api: Api) -> None:
    """4, 5"""
    query = "?sysparm_query=number=NONE"
    old = api.get(f"/api/now/v1/table/incident{query}")
    assert (old.status_code, old.json()) == (404, NO_RECORD)
    for path in ("/api/now/table/incident", "/api/now/v2/table/incident"):
        answer = api.get(path + query)
        assert (answer.status_code, answer.json()) == (200, {"result": []})
        assert answer.headers["X-Total-Count"] == "0"


def test_a_missing_record_is_404(api: Api) -> None:
    """6"""
    answer = api.get(f"{INCIDENT}/{'0' * 31}f0")
    assert (answer.status_code, answer.json()) == (404, NO_RECORD)


def test_a_record_of_another_class_is_missing_from_this_table(fresh: Api) -> None:
    made = fresh.post("/api/now/table/sc_task", json={"short_description": "x"}).json()["result"]
    assert fresh.get(f"{INCIDENT}/{made['sys_id']}").status_code == 404
    assert fresh.get(f"/api/now/table/task/{made['sys_id']}").status_code == 200


def test_an_unknown_table_is_400(api: Api) -> None:
    """7"""
    answer = api.get("/api/now/table/nosuchtable")
    assert answer.status_code == 400
    assert answer.json() == failure("Invalid table nosuchtable", None)


def test_unknown_fields_are_left_out(api: Api) -> None:
    """8"""
    assert listed(api, "number=INC0000001", sysparm_fields="number,bogus,caller_id.bogus") == [
        {"number": "INC0000001"}
    ]


def test_dot_walked_fields_come_flat(api: Api) -> None:
    """9"""
    fields = "number,caller_id,caller_id.email"
    rows = listed(api, "numberININC0000001,INC0000002^ORDERBYnumber", sysparm_fields=fields)
    assert rows[0] == {
        "number": "INC0000001",
        "caller_id": CALLER_ID,
        "caller_id.email": "caller@example.invalid",
    }
    assert rows[1]["caller_id.email"] == ""
    one = api.get(f"{INCIDENT}/{incident_id(1)}", params={"sysparm_fields": "caller_id.vip"})
    assert one.json()["result"] == {"caller_id.vip": "true"}


def test_a_reference_is_a_link_and_a_value(api: Api) -> None:
    """10"""
    record = api.get(f"{INCIDENT}/{incident_id(1)}").json()["result"]
    link = f"{api.base}/api/now/table/sys_user/{CALLER_ID}"
    assert record["caller_id"] == {"link": link, "value": CALLER_ID}
    assert api.get(link.removeprefix(api.base)).json()["result"]["name"] == "Caller One"
    assert api.get(f"{INCIDENT}/{incident_id(2)}").json()["result"]["caller_id"] == ""


def test_display_values_replace_values(api: Api) -> None:
    """11"""
    parameters = {"sysparm_display_value": "true"}
    record = api.get(f"{INCIDENT}/{incident_id(3)}", params=parameters).json()["result"]
    assert set(record["caller_id"]) == {"display_value", "link"}
    assert record["caller_id"]["display_value"] == "Caller One"
    assert record["state"] == "New"


def test_display_dates_are_in_the_users_zone(fresh: Api) -> None:
    """11"""
    user = fresh.get("/api/now/table/sys_user?sysparm_query=user_name=" + USER).json()["result"][0]
    fresh.patch(f"/api/now/table/sys_user/{user['sys_id']}", json={"time_zone": "Europe/Madrid"})
    parameters = {"sysparm_display_value": "all", "sysparm_fields": "opened_at"}
    record = fresh.get(f"{INCIDENT}/{incident_id(3)}", params=parameters).json()["result"]
    assert record["opened_at"] == {
        "display_value": "2026-11-03 09:00:00",
        "value": "2026-11-03 08:00:00",
    }


def test_all_gives_both_for_every_field(api: Api) -> None:
    """12"""
    row = listed(api, "number=INC0000002", sysparm_display_value="all")[0]
    assert all(set(cell) == {"display_value", "value"} for cell in row.values())
    assert row["state"] == {"display_value": "On Hold", "value": "3"}
    assert row["caller_id"] == {"display_value": "", "value": ""}


def test_without_links_a_reference_is_a_string(api: Api) -> None:
    """13"""
    assert listed(api, "number=INC0000001")[0]["caller_id"] == CALLER_ID
    shown = listed(api, "number=INC0000001", sysparm_display_value="true")
    assert shown[0]["caller_id"] == "Caller One"


def test_every_scalar_is_a_string(api: Api) -> None:
    """14"""
    row = listed(api, "number=INC0000003")[0]
    assert all(isinstance(value, str) for value in row.values())
    assert (row["active"], row["reassignment_count"], row["close_notes"]) == ("true", "3", "")


def test_or_binds_tighter_than_and(api: Api) -> None:
    """15"""
    found = numbers(api, "active=true^state=1^ORstate=2")
    assert found
    assert set(found) == {n for n in range(1, 26) if n % 2 and n % 3 + 1 in (1, 2)}


def test_nq_is_a_union(api: Api) -> None:
    """16"""
    found = set(numbers(api, "state=1^NQpriority=1"))
    assert found == {n for n in range(1, 26) if n % 3 == 0 or n % 4 == 0}


def test_orders_are_kept_as_given(api: Api) -> None:
    """17"""
    found = numbers(api, "stateIN1,2^ORDERBYDESCstate^ORDERBYnumber")
    twos = [n for n in range(1, 26) if n % 3 == 1]
    assert found == [*twos, *(n for n in range(1, 26) if n % 3 == 0)]


def test_between_is_inclusive_and_numeric(api: Api) -> None:
    """18"""
    assert numbers(api, "reassignment_countBETWEEN9@11^ORDERBYnumber") == [9, 10, 11]


def test_either_empty(api: Api) -> None:
    """19"""
    found = numbers(api, "short_descriptionISEMPTY^ORdescriptionISEMPTY^ORDERBYnumber")
    assert found == [5, 7, 10, 15, 20, 25]


def test_a_query_may_dot_walk(api: Api) -> None:
    """20"""
    assert set(numbers(api, "caller_id.vip=true")) == set(range(1, 26, 2))


def test_relative_dates_follow_the_instances_clock(api: Api) -> None:
    """21"""
    today = "ONToday@javascript:gs.daysAgoStart(0)@javascript:gs.daysAgoEnd(0)"
    assert numbers(api, f"sys_created_on{today}") == [NOW.day]
    assert numbers(api, "opened_at>javascript:gs.daysAgoEnd(0)^ORDERBYnumber") == [*range(21, 26)]


@pytest.mark.parametrize("mode", ["ignore", "no_rows", "query_acl"])
@pytest.mark.parametrize("query", ["bogus=1", "caller_id.bogus=1", "not a query"])
def test_an_invalid_query_does_what_the_mode_says(fresh: Api, mode: str, query: str) -> None:
    """22, 23, 24"""
    assert fresh.post("/_sandbox/mode", json={"invalid_query": mode}).status_code == 200
    answer = fresh.get(INCIDENT, params={"sysparm_query": query})
    if mode == "query_acl":
        assert answer.status_code == 403
        assert answer.json() == failure(
            "Insufficient rights to query records",
            "Field(s) present in the query do not have permission to be read",
        )
    else:
        assert len(answer.json()["result"]) == (25 if mode == "ignore" else 0)


def test_only_the_invalid_part_is_dropped(api: Api) -> None:
    """22"""
    assert numbers(api, "number=INC0000004^bogus=1") == [4]
    assert numbers(api, "???^number=INC0000004") == [4]
    assert numbers(api, "number=INC0000004^ORDERBYbogus") == [4]


def test_keyset_paging_walks_the_same_second_once(api: Api) -> None:
    """27"""
    last, seen = "", []
    while True:
        query = f"sys_updated_on={SAME_SECOND}^sys_id>{last}^ORDERBYsys_id"
        rows = listed(api, query, sysparm_limit="3", sysparm_fields="sys_id")
        if not rows:
            break
        seen += [row["sys_id"] for row in rows]
        last = seen[-1]
    assert seen == [incident_id(n) for n in range(8, 15)]


def test_a_record_updated_between_pages_is_lost_by_offset_and_found_by_key(fresh: Api) -> None:
    """28"""
    order = "ORDERBYsys_updated_on^ORDERBYsys_id"
    fields = "sys_id,sys_updated_on"
    first = listed(fresh, order, sysparm_limit="5", sysparm_fields=fields)
    fresh.patch(f"{INCIDENT}/{first[2]['sys_id']}", json={"description": "changed"})

    by_offset = listed(fresh, order, sysparm_offset="5", sysparm_fields=fields)
    seen_by_offset = {row["sys_id"] for row in (*first, *by_offset)}
    assert len(seen_by_offset) == 24, "the record that slid over the boundary was never seen"

    cursor = first[-1]["sys_updated_on"]
    by_key = listed(fresh, f"sys_updated_on>={cursor}^{order}", sysparm_fields=fields)
    assert {row["sys_id"] for row in (*first, *by_key)} == {incident_id(n) for n in range(1, 26)}


def test_head_gives_headers_only(api: Api) -> None:
    """29"""
    answer = api.head(INCIDENT, params={"sysparm_limit": "2"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["X-Total-Count"] == "25"


def test_other_formats_are_refused(api: Api) -> None:
    """30"""
    assert api.get(INCIDENT, headers={"Accept": "text/csv"}).status_code == 406
    sent = api.post(INCIDENT, data="<x/>", headers={"Content-Type": "application/xml"})
    assert sent.status_code == 415


def test_bare_parameters_filter_like_a_query(api: Api) -> None:
    """31"""
    bare = api.get(INCIDENT, params={"state": "1"}).json()["result"]
    assert bare == api.get(INCIDENT, params={"sysparm_query": "state=1"}).json()["result"]
    assert bare == api.get(INCIDENT, params={"state": "new"}).json()["result"]


def test_limit_and_offset_must_be_numbers(api: Api) -> None:
    for parameters in ({"sysparm_offset": "-1"}, {"sysparm_limit": "many"}):
        assert api.get(INCIDENT, params=parameters).status_code == 400


def test_a_base_table_lists_its_subclasses(fresh: Api) -> None:
    fresh.post("/api/now/table/sc_task", json={"short_description": "x"})
    answer = fresh.get("/api/now/table/task", params={"sysparm_query": "sys_class_name=sc_task"})
    assert [row["number"][:6] for row in answer.json()["result"]] == ["SCTASK"]
    assert answer.headers["X-Total-Count"] == "1"
    assert fresh.get(INCIDENT).headers["X-Total-Count"] == "25"


def test_paths_that_are_no_api_and_wrong_verbs_are_refused(api: Api) -> None:
    assert api.get("/api/now/nothing").status_code == 400
    assert api.patch(INCIDENT, json={}).status_code == 405
    assert api.delete(INCIDENT).status_code == 405
    assert api.get("/api/now/v1/batch").status_code == 405


def test_the_headers_of_a_real_instance_are_there(api: Api) -> None:
    answer = api.get(INCIDENT, params={"sysparm_limit": "1"})
    assert answer.headers["Date"] == "Fri, 20 Nov 2026 12:00:00 GMT"
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert len(answer.headers["X-Transaction-ID"]) == 12
    assert "sem_wait;dur=0" in answer.headers["Server-Timing"]
    assert "glide_session_store" in answer.headers["Set-Cookie"]


# ── writing ──────────────────────────────────────────────────────────────────────────────────


def test_create_drops_unknown_fields_and_says_where_the_record_is(fresh: Api) -> None:
    """41"""
    answer = fresh.post(INCIDENT, json={"short_description": "x", "bunk": "y"})
    record = answer.json()["result"]
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{fresh.base}{INCIDENT}/{record['sys_id']}"
    assert record["sys_mod_count"] == "0"
    assert "bunk" not in record
    assert (record["number"], record["state"], record["active"]) == ("INC0000026", "1", "true")
    assert record["sys_created_by"] == USER
    assert record["sys_created_on"] == record["opened_at"] == "2026-11-20 12:00:00"


def test_a_chosen_sys_id_is_honoured_once(fresh: Api) -> None:
    """42"""
    chosen = "0123456789abcdef" * 2
    first = fresh.post(INCIDENT, json={"sys_id": chosen, "short_description": "x"})
    assert (first.status_code, first.json()["result"]["sys_id"]) == (201, chosen)
    second = fresh.post(INCIDENT, json={"sys_id": chosen, "short_description": "y"})
    assert second.status_code == 403
    error = second.json()["error"]
    assert second.json()["status"] == "failure"
    assert error["message"] == "Operation Failed"
    assert "Unique Key violation" in error["detail"]
    kept = fresh.get(f"{INCIDENT}/{chosen}").json()["result"]
    assert kept["short_description"] == "x"


def test_an_update_bumps_the_bookkeeping_and_returns_everything(fresh: Api) -> None:
    """43"""
    answer = fresh.patch(f"{INCIDENT}/{incident_id(1)}", json={"close_notes": "done"})
    record = answer.json()["result"]
    assert answer.status_code == 200
    assert record["close_notes"] == "done"
    assert record["number"] == "INC0000001"
    assert (record["sys_mod_count"], record["sys_updated_by"]) == ("1", USER)
    assert record["sys_updated_on"] == "2026-11-20 12:00:00"
    assert record["sys_created_on"] == "2026-11-01 07:00:00"


def test_an_update_that_changes_nothing_writes_nothing(fresh: Api) -> None:
    """44"""
    url = f"{INCIDENT}/{incident_id(1)}"
    fresh.patch(url, json={"close_notes": "done"})
    again = fresh.patch(url, json={"close_notes": "done", "bunk": "z", "active": True})
    assert again.status_code == 200
    assert again.json()["result"]["sys_mod_count"] == "1"
    audit = fresh.get("/api/now/table/sys_audit").json()["result"]
    assert [(row["fieldname"], row["newvalue"]) for row in audit] == [("close_notes", "done")]


def test_what_the_instance_fills_cannot_be_written(fresh: Api) -> None:
    sent = {"sys_mod_count": "99", "sys_updated_by": "me", "sys_id": "x", "close_notes": "n"}
    record = fresh.patch(f"{INCIDENT}/{incident_id(1)}", json=sent).json()["result"]
    assert (record["sys_mod_count"], record["sys_updated_by"]) == ("1", USER)
    assert record["sys_id"] == incident_id(1)


def test_an_empty_string_clears_a_field(fresh: Api) -> None:
    """49"""
    url = f"{INCIDENT}/{incident_id(1)}"
    assert fresh.patch(url, json={"short_description": ""}).status_code == 200
    assert fresh.get(url).json()["result"]["short_description"] == ""


def test_put_keeps_the_other_fields(fresh: Api) -> None:
    """50"""
    record = fresh.put(f"{INCIDENT}/{incident_id(1)}", json={"priority": "4"}).json()["result"]
    assert (record["priority"], record["description"]) == ("4", "described")


def test_of_several_records_the_first_is_created(fresh: Api) -> None:
    """51"""
    answer = fresh.post(INCIDENT, json=[{"description": "one"}, {"description": "two"}])
    assert answer.json()["result"]["description"] == "one"
    assert fresh.get(INCIDENT).headers["X-Total-Count"] == "26"


def test_delete_leaves_an_audit_row(fresh: Api) -> None:
    """52"""
    url = f"{INCIDENT}/{incident_id(9)}"
    gone = fresh.delete(url)
    assert (gone.status_code, gone.content) == (204, b"")
    assert fresh.delete(url).status_code == 404
    query = "tablename=incident^sys_created_on>=2026-11-20 12:00:00"
    rows = fresh.get(f"/api/now/table/sys_audit_delete?sysparm_query={query}").json()["result"]
    assert [(row["documentkey"], row["display_value"]) for row in rows] == [
        (incident_id(9), "INC0000009")
    ]


def test_journal_text_goes_to_entries_and_the_field_stays_empty(fresh: Api) -> None:
    """53"""
    url = f"{INCIDENT}/{incident_id(1)}"
    for text in ("first", "second"):
        assert fresh.patch(url, json={"comments": text}).json()["result"]["comments"] == ""
    query = f"element_id={incident_id(1)}^element=comments"
    rows = fresh.get(f"/api/now/table/sys_journal_field?sysparm_query={query}").json()["result"]
    assert sorted(row["value"] for row in rows) == ["first", "second"]


@pytest.mark.parametrize("body", [b"{", b"3", b'"text"', b""])
def test_a_body_that_is_no_record_is_400(fresh: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = fresh.patch(f"{INCIDENT}/{incident_id(1)}", data=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["status"] == "failure"


# ── dictionary ───────────────────────────────────────────────────────────────────────────────


def test_a_posted_column_works_at_once_and_takes_labels_and_choices(fresh: Api) -> None:
    column = {
        "name": "incident",
        "element": "u_journey_step",
        "internal_type": "string",
        "column_label": "Journey step",
        "choice": "3",
        "max_length": "40",
    }
    assert fresh.post("/api/now/table/sys_dictionary", json=column).status_code == 201
    choice = {"name": "incident", "element": "u_journey_step", "value": "agree", "label": "Agree"}
    fresh.post("/api/now/table/sys_choice", json={**choice, "language": "en"})
    url = f"{INCIDENT}/{incident_id(1)}"
    assert fresh.get(url).json()["result"]["u_journey_step"] == ""
    parameters = {"sysparm_display_value": "all", "sysparm_fields": "u_journey_step"}
    answer = fresh.patch(url, json={"u_journey_step": "agree"}, params=parameters)
    assert answer.json()["result"] == {
        "u_journey_step": {"display_value": "Agree", "value": "agree"}
    }
    assert numbers(fresh, "u_journey_step=agree") == [1]
    assert "u_journey_step" not in fresh.get("/api/now/table/task").json()["result"][0]


def test_a_posted_table_works_at_once(fresh: Api) -> None:
    made = fresh.post("/api/now/table/sys_db_object", json={"name": "u_notes", "label": "Notes"})
    assert made.status_code == 201
    column = {"name": "u_notes", "element": "u_text", "internal_type": "string"}
    assert fresh.post("/api/now/table/sys_dictionary", json=column).status_code == 201
    record = fresh.post("/api/now/table/u_notes", json={"u_text": "hello"}).json()["result"]
    assert (record["u_text"], record["sys_mod_count"]) == ("hello", "0")
    query = "name=u_notes^elementISNOTEMPTY^ORDERBYelement"
    rows = fresh.get(f"/api/now/table/sys_dictionary?sysparm_query={query}").json()["result"]
    assert [row["element"] for row in rows] == [
        "sys_created_by",
        "sys_created_on",
        "sys_id",
        "sys_mod_count",
        "sys_updated_by",
        "sys_updated_on",
        "u_text",
    ]


def test_a_table_can_extend_another(fresh: Api) -> None:
    parent = fresh.get("/api/now/table/sys_db_object?sysparm_query=name=task").json()["result"][0]
    table = {"name": "u_case", "label": "Case", "super_class": parent["sys_id"]}
    assert fresh.post("/api/now/table/sys_db_object", json=table).status_code == 201
    record = fresh.post("/api/now/table/u_case", json={"short_description": "x"}).json()["result"]
    assert record["sys_class_name"] == "u_case"
    assert fresh.get(f"/api/now/table/task/{record['sys_id']}").status_code == 200
    assert fresh.get("/api/now/table/u_case").headers["X-Total-Count"] == "1"


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("sys_dictionary", {"name": "incident", "element": "state", "internal_type": "string"}),
        ("sys_dictionary", {"name": "nosuch", "element": "u_x", "internal_type": "string"}),
        ("sys_dictionary", {"name": "incident", "element": 'u_x" TEXT', "internal_type": "string"}),
        ("sys_db_object", {"name": "incident", "label": "again"}),
        ("sys_db_object", {"name": "drop table", "label": "no"}),
    ],
)
def test_impossible_columns_and_tables_are_refused(
    fresh: Api, table: str, row: dict[str, str]
) -> None:
    answer = fresh.post(f"/api/now/table/{table}", json=row)
    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "Operation Failed"
    assert fresh.get(INCIDENT).headers["X-Total-Count"] == "25"


def test_a_deleted_column_takes_its_values_with_it(fresh: Api) -> None:
    column = {"name": "incident", "element": "u_x", "internal_type": "string"}
    made = fresh.post("/api/now/table/sys_dictionary", json=column).json()["result"]
    fresh.patch(f"{INCIDENT}/{incident_id(1)}", json={"u_x": "value"})
    assert fresh.delete(f"/api/now/table/sys_dictionary/{made['sys_id']}").status_code == 204
    assert "u_x" not in fresh.get(f"{INCIDENT}/{incident_id(1)}").json()["result"]
    fresh.post("/api/now/table/sys_dictionary", json=column)
    assert fresh.get(f"{INCIDENT}/{incident_id(1)}").json()["result"]["u_x"] == ""


# ── batch ────────────────────────────────────────────────────────────────────────────────────


def item(number: int, method: str, url: str, body: object = None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": str(number),
        "method": method,
        "url": url,
        "headers": [
            {"name": "Accept", "value": "application/json"},
            {"name": "Content-Type", "value": "application/json"},
        ],
    }
    if body is not None:
        made["body"] = base64.b64encode(json.dumps(body).encode()).decode()
    return made


def send(api: Api, items: list[dict[str, Any]], path: str = "/api/now/v1/batch") -> Any:
    answer = api.post(path, json={"batch_request_id": 17, "rest_requests": items})
    assert answer.status_code == 200
    return answer.json()


def opened(serviced: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(serviced["body"]))


@pytest.mark.parametrize("path", ["/api/now/v1/batch", "/api/now/batch"])
def test_a_batch_answers_every_item_by_itself(fresh: Api, path: str) -> None:
    """54"""
    chosen = "f" * 32
    body = send(
        fresh,
        [
            item(1, "GET", f"{INCIDENT}?sysparm_limit=1"),
            item(2, "POST", INCIDENT, {"sys_id": chosen}),
            item(3, "POST", INCIDENT, {"sys_id": chosen}),
            item(4, "PATCH", f"{INCIDENT}/{incident_id(1)}", {"close_notes": "n"}),
            item(5, "GET", "/api/now/table/nosuch"),
            item(6, "DELETE", f"{INCIDENT}/{incident_id(2)}"),
        ],
        path,
    )
    assert body["batch_request_id"] == "17"
    assert body["unserviced_requests"] == []
    codes = {one["id"]: one["status_code"] for one in body["serviced_requests"]}
    assert codes == {"1": 200, "2": 201, "3": 403, "4": 200, "5": 400, "6": 204}
    serviced = body["serviced_requests"]
    assert serviced[2]["status_text"] == "Forbidden"
    assert opened(serviced[2])["error"]["message"] == "Operation Failed"
    assert opened(serviced[3])["result"]["close_notes"] == "n"
    assert {"name": "X-Total-Count", "value": "25"} in serviced[0]["headers"]
    stored = fresh.get(f"{INCIDENT}/{incident_id(1)}").json()["result"]
    assert stored["close_notes"] == "n"


def test_a_batch_can_leave_headers_out(api: Api) -> None:
    quiet = {**item(1, "GET", f"{INCIDENT}?sysparm_limit=1"), "exclude_response_headers": True}
    assert send(api, [quiet])["serviced_requests"][0]["headers"] == []


def test_a_batch_inside_a_batch_and_a_bad_body_are_refused_item_by_item(api: Api) -> None:
    bad = {**item(2, "PATCH", f"{INCIDENT}/{incident_id(1)}"), "body": "not base64!"}
    body = send(api, [item(1, "POST", "/api/now/v1/batch", {}), bad])
    assert [one["status_code"] for one in body["serviced_requests"]] == [400, 400]


def test_a_body_that_is_no_batch_is_400(api: Api) -> None:
    assert api.post("/api/now/v1/batch", json={"rest_requests": [{}]}).status_code == 400


# ── attachments ──────────────────────────────────────────────────────────────────────────────

FILES = "/api/now/attachment"


def upload(api: Api, **changes: str) -> requests.Response:
    target = {
        "table_name": "incident",
        "table_sys_id": incident_id(1),
        "file_name": "informe-año.html",
        **changes,
    }
    given = {name: value for name, value in target.items() if value}
    headers = {"Content-Type": "text/html"}
    return api.post(f"{FILES}/file", params=given, data="<p>ñ</p>".encode(), headers=headers)


def test_an_attachment_goes_up_comes_down_and_goes_away(fresh: Api) -> None:
    answer = upload(fresh)
    record = answer.json()["result"]
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{fresh.base}{FILES}/{record['sys_id']}"
    assert (record["size_bytes"], record["content_type"]) == ("9", "text/html")

    query = f"table_name=incident^table_sys_id={incident_id(1)}"
    found = fresh.get(FILES, params={"sysparm_query": query}).json()["result"]
    assert [one["file_name"] for one in found] == ["informe-año.html"]

    path = found[0]["download_link"].removeprefix(fresh.base)
    download = fresh.get(path)
    assert download.content == "<p>ñ</p>".encode()
    assert download.headers["Content-Type"] == "text/html"
    assert json.loads(download.headers["X-Attachment-Metadata"])["sys_id"] == record["sys_id"]

    url = f"{FILES}/{record['sys_id']}"
    assert fresh.patch(url, json={"file_name": "otro.html"}).status_code == 204
    assert fresh.get(url).json()["result"]["file_name"] == "otro.html"
    assert fresh.delete(url).status_code == 204
    assert fresh.get(url).status_code == 404
    assert fresh.get(f"{url}/file").status_code == 404


def test_a_deleted_record_takes_its_attachments_with_it(fresh: Api) -> None:
    record = upload(fresh).json()["result"]
    other = upload(fresh, table_sys_id=incident_id(2)).json()["result"]
    fresh.delete(f"{INCIDENT}/{incident_id(1)}")
    assert fresh.get(f"{FILES}/{record['sys_id']}/file").status_code == 404
    assert fresh.get(f"{FILES}/{other['sys_id']}/file").content == "<p>ñ</p>".encode()


def test_an_upload_needs_its_parameters_and_its_target(fresh: Api) -> None:
    """62"""
    assert upload(fresh, table_sys_id="").status_code == 400
    assert upload(fresh, table_sys_id="0" * 32).status_code == 404
    assert upload(fresh, table_name="nosuch").status_code == 404
