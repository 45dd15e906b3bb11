"""The client as a whole: clock, dictionary, records, attachments, and the probe."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from connector.errors import (
    ForbiddenError,
    IncompleteResponseError,
    InstanceError,
    RejectedError,
    UnavailableError,
)
from connector.itsm.base import Attachment, Column, Probe
from tests.recorded import body
from tests.unit.servicenow_wire import INCIDENTS, URL, client, queries, query_of

TABLES = f"{URL}/api/now/table/sys_db_object"
DICTIONARY = f"{URL}/api/now/table/sys_dictionary"
CHOICES = f"{URL}/api/now/table/sys_choice"
USERS = f"{URL}/api/now/table/sys_user"
ATTACHMENTS = f"{URL}/api/now/attachment"
ID = "0a1b2c3d4e5f60718293a4b5c6d7e801"


def rows(*records: dict[str, Any]) -> dict[str, Any]:
    return {"json": {"result": list(records)}, "headers": {"X-Total-Count": str(len(records))}}


def table(name: str, parent: str = "") -> dict[str, str]:
    return {"sys_id": name, "name": name, "super_class.name": parent}


def column(table_: str, element: str, type_: str = "string", **more: str) -> dict[str, str]:
    return {
        "sys_id": f"{table_}.{element}",
        "name": table_,
        "element": element,
        "internal_type": type_,
        "active": "true",
        **more,
    }


def lineage(mock: responses.RequestsMock) -> None:
    mock.get(TABLES, **rows(table("incident", "task")))
    mock.get(TABLES, **rows(table("task")))


# ── clock ────────────────────────────────────────────────────────────────────────────────────


def test_now_is_the_instances_own_clock() -> None:
    with responses.RequestsMock() as mock:
        mock.get(
            USERS, headers={"Date": "Fri, 01 Apr 2016 00:00:05 GMT"}, **{"json": {"result": []}}
        )
        assert client().now() == datetime(2016, 4, 1, 0, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize("headers", [{}, {"Date": "soon"}])
def test_without_a_clock_nothing_can_be_read_safely(headers: dict[str, str]) -> None:
    with responses.RequestsMock() as mock:
        mock.get(USERS, json={"result": []}, headers=headers)
        with pytest.raises(InstanceError, match="no Date header"):
            client().now()


# ── dictionary, through pysnow ───────────────────────────────────────────────────────────────


def test_tables_that_exist_come_with_what_they_extend() -> None:
    with responses.RequestsMock() as mock:
        mock.get(TABLES, **rows(table("incident", "task"), table("sys_user")))
        found = client().list_tables(["sys_user", "incident", "nope"])
        assert queries(mock) == ["nameINincident,nope,sys_user^ORDERBYsys_id"]
        sent = query_of(mock.calls[0].request)
    assert found == {"incident": "task", "sys_user": ""}
    assert sent["sysparm_display_value"] == "false"
    assert sent["sysparm_exclude_reference_link"] == "true"
    assert sent["sysparm_fields"] == "sys_id,name,super_class.name"


def test_no_names_ask_nothing() -> None:
    with responses.RequestsMock() as mock:
        assert client().list_tables([]) == {}
        assert client().list_columns([]) == []
        assert client().list_choices([]) == []
        assert len(mock.calls) == 0


def test_inherited_columns_stand_under_the_asking_table_and_the_nearest_wins() -> None:
    with responses.RequestsMock() as mock:
        lineage(mock)
        mock.get(
            DICTIONARY,
            **rows(
                column("task", "state", "integer", column_label="State", choice="1"),
                column("task", "caller_id", "reference", reference="sys_user"),
                column("incident", "state", "string", column_label="Incident state"),
                column("incident", "old", active="false"),
            ),
        )
        found = client().list_columns(["incident"])
        assert queries(mock)[-1] == "nameINincident,task^elementISNOTEMPTY^ORDERBYsys_id"
    assert found == [
        Column("incident", "state", "string", "Incident state"),
        Column("incident", "caller_id", "reference", "", "sys_user"),
    ]


def test_a_dictionary_that_shows_nothing_names_the_right_that_is_missing() -> None:
    with responses.RequestsMock() as mock:
        lineage(mock)
        mock.get(DICTIONARY, **rows())
        with pytest.raises(ForbiddenError, match="let it read sys_dictionary"):
            client().list_columns(["incident"])


def test_a_tables_own_choices_replace_the_inherited_list() -> None:
    def choice(table_: str, element: str, value: str, language: str = "en") -> dict[str, str]:
        return {
            "name": table_,
            "element": element,
            "value": value,
            "label": value.title(),
            "language": language,
        }

    with responses.RequestsMock() as mock:
        lineage(mock)
        mock.get(
            CHOICES,
            **rows(
                choice("task", "state", "a"),
                choice("incident", "state", "b"),
                choice("incident", "state", "b", "es"),
                choice("task", "urgency", "c"),
            ),
        )
        found = client().list_choices(["incident"])
        assert queries(mock)[-1] == (
            "nameINincident,task^languageINen,es^inactiveINfalse^ORDERBYsys_id"
        )
    assert [(c.table, c.element, c.value, c.language) for c in found] == [
        ("incident", "state", "b", "en"),
        ("incident", "state", "b", "es"),
        ("incident", "urgency", "c", "en"),
    ]


def test_a_long_dictionary_is_read_to_its_end_although_pysnow_cuts_at_its_limit() -> None:
    first = {"result": [column("incident", "a")]}
    with responses.RequestsMock() as mock:
        mock.get(TABLES, **rows(table("incident")))
        mock.get(DICTIONARY, json=first, headers={"X-Total-Count": "2"})
        mock.get(DICTIONARY, json={"result": [column("incident", "b")]})
        found = client().list_columns(["incident"])
        assert query_of(mock.calls[-1].request)["sysparm_offset"] == "1"
    assert [c.element for c in found] == ["a", "b"]


def test_pysnow_calls_go_through_the_same_gate_and_loop() -> None:
    with responses.RequestsMock() as mock:
        mock.get(TABLES, status=503)
        mock.get(TABLES, body=body("cancelled.json"))
        mock.get(TABLES, **rows(table("incident")))
        assert client().list_tables(["incident"]) == {"incident": ""}
        assert len(mock.calls) == 3


@pytest.mark.parametrize("answer", ['{"result":"text"}', '{"result":["text"]}', '{"result":7}'])
def test_a_dictionary_answer_of_another_shape_is_our_error(answer: str) -> None:
    with responses.RequestsMock() as mock:
        mock.get(TABLES, body=answer)
        with pytest.raises(IncompleteResponseError, match="no list of records"):
            client().list_tables(["incident"])


def test_pysnow_is_imported_without_a_warning_where_libmagic_is_missing() -> None:
    """Where libmagic is missing, pysnow warns at import; operators should not see that."""
    code = (
        "import sys, warnings; sys.modules['magic'] = None; warnings.simplefilter('error');"
        "import connector.itsm.servicenow"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# ── records ──────────────────────────────────────────────────────────────────────────────────


def test_records_are_read_by_lists_of_150_sys_ids() -> None:
    wanted = [f"{n:032x}" for n in range(151)]
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, json={"result": []}, headers={"X-Total-Count": "0"})
        client().read_records("incident", [*wanted, wanted[0]], ["number"])
        first, second = queries(mock)
    assert first == f"sys_idIN{','.join(wanted[:150])}^ORDERBYsys_id"
    assert second == f"sys_idIN{wanted[150]}^ORDERBYsys_id"


def test_creating_sends_the_values_and_answers_the_record() -> None:
    with responses.RequestsMock() as mock:
        mock.post(
            INCIDENTS, status=201, json={"result": {"sys_id": ID, "caller_id": {"value": "x"}}}
        )
        found = client().create_record("incident", {"short_description": "ñ"})
        assert json.loads(mock.calls[0].request.body or "") == {"short_description": "ñ"}
        assert query_of(mock.calls[0].request)["sysparm_exclude_reference_link"] == "true"
    assert found == {"sys_id": ID, "caller_id": "x"}


def test_creating_without_a_sys_id_of_ours_is_never_repeated() -> None:
    with responses.RequestsMock() as mock:
        mock.post(INCIDENTS, status=503)
        with pytest.raises(UnavailableError):
            client().create_record("incident", {"number": "1"})
        assert len(mock.calls) == 1


def test_a_create_whose_answer_was_lost_finds_its_own_work() -> None:
    """The first attempt did it; the second is refused because the record stands (§1.1)."""
    made = {"sys_id": ID, "u_title": "May"}
    with responses.RequestsMock() as mock:
        mock.post(INCIDENTS, status=504)
        mock.post(INCIDENTS, status=403, body=body("write_forbidden.json"))
        mock.get(INCIDENTS, **rows(made))
        assert client().create_record("incident", made) == made


def test_a_create_on_anothers_record_stays_an_error() -> None:
    with responses.RequestsMock() as mock:
        mock.post(INCIDENTS, status=400, json={"error": {"message": "duplicate"}})
        mock.get(INCIDENTS, **rows({"sys_id": ID, "u_title": "April"}))
        with pytest.raises(RejectedError, match="duplicate"):
            client().create_record("incident", {"sys_id": ID, "u_title": "May"})


def test_updating_patches_the_one_record() -> None:
    with responses.RequestsMock() as mock:
        mock.patch(f"{INCIDENTS}/{ID}", body=body("patch_accepted.json"))
        found = client().update_record("incident", ID, {"u_journey_step": "usar"})
        assert json.loads(mock.calls[0].request.body or "") == {"u_journey_step": "usar"}
    assert found["u_journey_step"] == "usar"


@pytest.mark.parametrize("sys_id", ["", "../sys_user", "a?b", "a" * 65])
def test_an_impossible_sys_id_sends_nothing(sys_id: str) -> None:
    with responses.RequestsMock() as mock:
        with pytest.raises(InstanceError, match="not a sys_id"):
            client().update_record("incident", sys_id, {})
        assert len(mock.calls) == 0


# ── attachments ──────────────────────────────────────────────────────────────────────────────


def test_attachments_of_a_record_are_listed() -> None:
    entry = {
        "sys_id": ID,
        "file_name": "report.html",
        "content_type": "text/html",
        "size_bytes": "1024",
    }
    with responses.RequestsMock() as mock:
        mock.get(ATTACHMENTS, json={"result": [entry]})
        found = client().list_attachments("u_journey_report", ID)
        assert queries(mock) == [f"table_name=u_journey_report^table_sys_id={ID}^ORDERBYsys_id"]
    assert found == [Attachment(ID, "report.html", "text/html", 1024)]


def test_a_file_is_sent_as_it_is_with_its_own_content_type_and_only_once() -> None:
    content = "<html>año</html>".encode()
    with responses.RequestsMock() as mock:
        mock.post(f"{ATTACHMENTS}/file", status=503)
        with pytest.raises(UnavailableError):
            client().add_attachment("u_journey_report", ID, "r.html", "text/html", content)
        sent = mock.calls[0].request
        assert len(mock.calls) == 1
    assert sent.headers["Content-Type"] == "text/html"
    assert sent.body == content
    assert query_of(sent) == {
        "table_name": "u_journey_report",
        "table_sys_id": ID,
        "file_name": "r.html",
    }


def test_a_file_of_html_is_no_login_page() -> None:
    page = body("login_page.html").encode()
    with responses.RequestsMock() as mock:
        mock.get(f"{ATTACHMENTS}/{ID}/file", body=page, content_type="text/html")
        assert client().read_attachment(ID) == page


@pytest.mark.parametrize("status", [204, 404])
def test_deleting_a_file_that_is_gone_is_fine(status: int) -> None:
    with responses.RequestsMock() as mock:
        mock.delete(f"{ATTACHMENTS}/{ID}", status=status)
        client().delete_attachment(ID)


# ── probe ────────────────────────────────────────────────────────────────────────────────────

ME = {"sys_id": ID, "user_name": "svc", "time_zone": "GMT", "sys_updated_on": "2026-11-01 08:00:00"}


def test_the_probe_learns_user_zone_and_how_typos_are_treated() -> None:
    with responses.RequestsMock() as mock:
        mock.get(USERS, **rows(ME))
        mock.get(USERS, **rows(ME))
        mock.get(USERS, status=403, body=body("query_forbidden.json"))
        assert client().probe() == Probe("svc", "GMT", True, "forbidden")
        assert queries(mock) == [
            "sys_id=javascript:gs.getUserID()",
            f"sys_id={ID}^sys_updated_on=2026-11-01 08:00:00",
            "u_journey_no_such_column=1",
        ]


def test_a_time_that_does_not_find_its_own_row_shows_another_zone() -> None:
    with responses.RequestsMock() as mock:
        mock.get(USERS, **rows(ME))
        mock.get(USERS, **rows())
        mock.get(USERS, **rows({"sys_id": "1"}, {"sys_id": "2"}))
        assert client().probe() == Probe("svc", "GMT", False, "ignored")


def test_a_hidden_user_record_leaves_the_zone_unknown() -> None:
    with responses.RequestsMock() as mock:
        mock.get(USERS, **rows())
        mock.get(USERS, **rows())
        assert client().probe() == Probe("", None, None, "no_rows")
