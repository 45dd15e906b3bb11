"""The sandbox against the conformance vectors: who may read, pages, single records, values.

The number in a docstring is the conformance vector's (servicenow-api.md §10). Over real HTTP.
"""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contract.table_api.kit import INCIDENT, NO_RECORD, failure, links, listed
from tests.sandbox_instance import CALLER_ID, USER, Api, incident_id


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
