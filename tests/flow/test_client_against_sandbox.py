"""The client over real HTTP: pages, writes, files, logins, and provisioning that ends by itself."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from connector.check import check_instance, worst
from connector.errors import (
    AuthenticationError,
    RejectedError,
    UnavailableError,
)
from connector.itsm.base import Cursor, RecordUpdate
from connector.itsm.servicenow import Connection, ServiceNow, connect
from connector.journey.mapping import load_mapping
from connector.provision import Scope, apply_provision, plan_provision
from tests.flow.conftest import Places, copy_of
from tests.harness import PASSWORD, USER, Sandbox

TABLES = ("incident", "sc_request", "sc_req_item", "sc_task")
SCOPE = Scope(TABLES)
READ = (*TABLES, "sysapproval_approver", "task_sla", "asmt_assessment_instance")


@pytest.fixture(scope="module")
def tool(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The demo as it comes, its clock ticking."""
    with copy_of(places.new(), tmp_path_factory.mktemp("client") / "place") as place:
        place.instance.control("clock", {"frozen": False})
        yield place.instance


def connected(tool: Sandbox, **changes: Any) -> ServiceNow:
    login = {"user": USER, "secret": PASSWORD}
    quick = {"first_wait_seconds": 0.01, "max_attempts": 2}
    return connect(Connection(tool.url, **{**login, **quick, **changes}))


@pytest.mark.parametrize(("table", "size"), [("incident", 5000), ("sc_request", 30)])
def test_every_record_comes_once_whatever_the_page_size(
    tool: Sandbox, table: str, size: int
) -> None:
    instance = connected(tool, page_size=size)
    pages = list(instance.list_pages(table, ["number"], Cursor(), instance.now()))
    keys = [(r["sys_updated_on"], r["sys_id"]) for p in pages for r in p.records]
    assert keys == sorted(set(keys))
    assert {sys_id for _moment, sys_id in keys} == set(tool.dump(table))
    assert [page.hidden for page in pages if page.hidden] == []


def test_reading_on_from_any_cursor_brings_exactly_the_rest(tool: Sandbox) -> None:
    instance = connected(tool, page_size=50)
    until = instance.now()
    pages = list(instance.list_pages("sc_task", ["number"], Cursor(), until))
    rows = [r for page in pages for r in page.records]
    for stop in (pages[0], pages[len(pages) // 2]):
        rest = instance.list_pages("sc_task", ["number"], stop.cursor, until)
        done = rows.index(stop.records[-1]) + 1
        assert [r for page in rest for r in page.records] == rows[done:]


def test_a_read_of_what_did_not_change_costs_one_request_a_table(tool: Sandbox) -> None:
    instance = connected(tool)
    until = instance.now()
    (*_pages, last) = instance.list_pages("incident", ["number"], Cursor(), until)
    lag = Cursor(last.cursor.updated_on)
    tool.reset_requests()
    assert list(instance.list_pages("incident", ["number"], lag, until))
    assert sum(tool.requests().values()) == 1


def test_a_filter_with_branches_reads_their_union_once(tool: Sandbox) -> None:
    instance = connected(tool, page_size=20)
    pages = instance.list_pages(
        "incident", ["state", "priority"], Cursor(), instance.now(), "state=7^NQpriority=1"
    )
    found = [r["sys_id"] for page in pages for r in page.records]
    wanted = {
        sys_id
        for sys_id, r in tool.dump("incident").items()
        if r.get("state") == "7" or r.get("priority") == "1"
    }
    assert len(found) == len(set(found))
    assert set(found) == wanted


def test_keys_lists_and_single_records_agree(tool: Sandbox) -> None:
    instance = connected(tool, page_size=64)
    ids = [r["sys_id"] for r in instance.list_records("sc_req_item", ["sys_id"])]
    assert ids == sorted(tool.dump("sc_req_item"))
    some = [*ids[:200], "0" * 32]
    assert [r["sys_id"] for r in instance.read_records("sc_req_item", some, ["number"])] == ids[
        :200
    ]


def test_the_dictionary_shows_inherited_columns_and_both_languages(tool: Sandbox) -> None:
    instance = connected(tool)
    assert instance.list_tables(["incident", "nope"]) == {"incident": "task"}
    columns = {c.element: c for c in instance.list_columns(["incident"])}
    assert columns["caller_id"].reference == "sys_user"
    assert columns["short_description"].table == "incident"
    assert {c.language for c in instance.list_choices(["incident"])} == {"en", "es"}


def test_provisioning_twice_sends_no_write_the_second_time(tool: Sandbox) -> None:
    instance, mapping = connected(tool), load_mapping()
    before = tool.dump("incident")
    apply_provision(instance, mapping, SCOPE)
    tool.reset_requests()
    assert apply_provision(instance, mapping, SCOPE).steps == ()
    assert plan_provision(instance, mapping, SCOPE).is_complete
    assert all(kind.startswith("GET ") for kind in tool.requests())
    columns = {c.element: c for c in instance.list_columns(["incident"])}
    assert columns["u_journey_step"].is_choice
    assert columns["u_journey_since"].type == "glide_date_time"
    steps = {
        c.label
        for c in instance.list_choices(["incident"])
        if c.element == "u_journey_step" and c.language == "es"
    }
    assert steps == {step.name.es for step in mapping.journeys["travesia"].steps}
    assert worst(check_instance(instance, mapping, READ, TABLES)) != "error"
    after = tool.dump("incident")
    assert all(row.items() <= after[sys_id].items() for sys_id, row in before.items())


def test_writes_are_answered_item_by_item(tool: Sandbox) -> None:
    instance = connected(tool)
    apply_provision(instance, load_mapping(), SCOPE)
    one, two = sorted(tool.dump("incident"))[:2]
    before = tool.dump("incident")
    replies = instance.send_updates(
        [
            RecordUpdate("incident", one, {"u_journey_step": "usar"}),
            RecordUpdate("incident", "f" * 32, {"u_journey_step": "usar"}),
            RecordUpdate("incident", two, {"u_journey_no_such": "x"}),
        ]
    )
    assert [r.status for r in replies] == ["written", "gone", "written"]
    assert replies[0].values["u_journey_step"] == "usar"
    assert replies[0].values["sys_mod_count"] == str(int(before[one]["sys_mod_count"]) + 1)
    assert set(replies[0].values) == {"sys_id", "sys_mod_count", "sys_updated_on", "u_journey_step"}
    assert "u_journey_no_such" not in replies[2].values, "an unknown field is dropped in silence"
    changed = {k for k, v in tool.dump("incident")[one].items() if v != before[one].get(k, "")}
    assert changed <= {"u_journey_step", "sys_mod_count", "sys_updated_on", "sys_updated_by"}


def test_a_chosen_sys_id_makes_creating_repeatable(tool: Sandbox) -> None:
    instance = connected(tool)
    apply_provision(instance, load_mapping(), SCOPE)
    values = {"sys_id": "ab" * 16, "u_title": "May", "u_language": "es"}
    assert instance.create_record("u_journey_report", values)["u_title"] == "May"
    assert instance.create_record("u_journey_report", values)["u_title"] == "May"
    assert len(tool.dump("u_journey_report")) == 1
    assert (
        instance.update_record("u_journey_report", "ab" * 16, {"u_title": "June"})["u_title"]
        == "June"
    )


def test_files_come_back_byte_by_byte(tool: Sandbox) -> None:
    instance = connected(tool)
    target = min(tool.dump("incident"))
    content = "<html><form action='login.do'>año</form></html>".encode()
    added = instance.add_attachment("incident", target, "r año.html", "text/html", content)
    assert (added.file_name, added.size) == ("r año.html", len(content))
    assert added in instance.list_attachments("incident", target)
    assert instance.read_attachment(added.sys_id) == content
    instance.delete_attachment(added.sys_id)
    instance.delete_attachment(added.sys_id)
    assert instance.list_attachments("incident", target) == []


def test_oauth_works_like_basic_and_survives_an_expired_token(tool: Sandbox) -> None:
    """Advancing the clock beyond the token's life makes the next call meet a 401."""
    instance = connected(
        tool,
        auth="oauth_client_credentials",
        client_id="sandbox-client",
        client_secret="sandbox-secret",
    )
    later = instance.now() + timedelta(hours=1)
    tool.advance(later.strftime("%Y-%m-%d %H:%M:%S"))
    assert instance.now() >= later
    assert instance.probe().user == USER
    assert instance.probe().reads_utc


@pytest.mark.parametrize(
    ("mode", "found"), [("ignore", "ignored"), ("no_rows", "no_rows"), ("query_acl", "forbidden")]
)
def test_the_probe_tells_how_the_instance_treats_typos(
    tool: Sandbox, mode: str, found: str
) -> None:
    tool.control("mode", {"invalid_query": mode})
    assert connected(tool).probe().invalid_query == found
    tool.control("mode", {"invalid_query": "ignore"})


def test_no_request_carries_a_cookie(tool: Sandbox) -> None:
    instance = connected(tool)
    instance.now()
    instance.now()
    assert tool.control("requests")["with_cookies"] == 0


def test_bad_input_is_said_in_one_sentence_by_kind(tool: Sandbox) -> None:
    with pytest.raises(AuthenticationError, match="check user, password"):
        connected(tool, secret="wrong").now()
    with pytest.raises(AuthenticationError, match="client secret"):
        connected(
            tool, auth="oauth_client_credentials", client_id="sandbox-client", client_secret="no"
        ).now()
    with pytest.raises(RejectedError, match="no table incidents; check its name"):
        list(connected(tool).list_records("incidents", ["number"]))
    with pytest.raises(UnavailableError, match=r"Cannot reach 127\.0\.0\.1:9"):
        connect(Connection("http://127.0.0.1:9", user="a", secret="b", max_attempts=1)).now()
