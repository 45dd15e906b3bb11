from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from connector.sandbox import attachment, list_page, pages
from connector.sandbox.answers import Answer, Request
from connector.sandbox.instance import Instance
from connector.sandbox.people import Person
from connector.sandbox.reader import Reader
from tests.sandbox_instance import CALLER_ID, USER, USER_ID, incident_id, make_instance


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    instance = make_instance(tmp_path)
    yield instance
    instance.database.close()


def get(instance: Instance, path: str, query: str = "") -> Answer:
    return pages.handle(instance, Request("GET", path, query))


def html(instance: Instance, path: str, query: str = "") -> str:
    answer = get(instance, path, query)
    assert answer.status == 200
    assert answer.content_type.startswith("text/html")
    return answer.body.decode()


def add_journey(instance: Instance) -> None:
    database = instance.database
    for element, label, choice in (
        ("u_journey_step", "Journey step", "3"),
        ("u_journey_why", "Why here", "0"),
    ):
        row = {"name": "incident", "element": element, "internal_type": "string"}
        row |= {"column_label": label, "choice": choice}
        database.insert(database.table("sys_dictionary"), row, USER)
    for language, label in (("en", "Agree"), ("es", "Acordar")):
        row = {"name": "incident", "element": "u_journey_step", "value": "agree"}
        row |= {"language": language, "label": label}
        database.insert(database.table("sys_choice"), row, USER)


def test_the_index_names_every_table_in_the_readers_language(instance: Instance) -> None:
    english, spanish = html(instance, "/"), html(instance, "/", "lang=es")
    for name in ("Incidents", "Tickets and requests"):
        assert name in english
    for name in ("Incidencias", "Tiques y solicitudes"):
        assert name in spanish
    assert '<html lang="es">' in spanish
    assert "/incident_list.do?lang=es" in spanish


def test_an_unknown_language_is_english(instance: Instance) -> None:
    assert '<html lang="en">' in html(instance, "/", "lang=xx")


@pytest.mark.parametrize(("zone", "first"), [("Asia/Tokyo", "10"), ("", "11")])
def test_a_list_reads_days_in_the_time_zone_of_the_person_who_looks(
    instance: Instance, zone: str, first: str
) -> None:
    """As a report's links say them; the incidents open at 08:00 UTC, which is 17:00 in Tokyo."""
    database = instance.database
    database.update(database.table("sys_user"), USER_ID, {"time_zone": zone}, USER)
    query = "opened_at>javascript:gs.dateGenerate('2026-11-10','16:00:00')^ORDERBYnumber"
    request = Request("GET", "/incident_list.do", urlencode({"sysparm_query": query}))
    table = database.table("incident")
    shown = list_page.content(instance, Reader(instance, request, Person(USER)), request, table)
    assert str(shown["rows"]).partition("INC00000")[2].startswith(first)


def test_a_list_pages_and_filters(instance: Instance) -> None:
    first = html(instance, "/task_list.do", "sysparm_query=ORDERBYnumber")
    assert "INC0000025" in first
    assert "Next" not in first, "25 records fit on one page"
    database = instance.database
    database.insert(database.table("incident"), {"number": "INC0000099"}, USER)
    assert "Next" in html(instance, "/task_list.do")
    second = html(instance, "/task_list.do", "sysparm_offset=25")
    assert "Previous" in second
    assert second.count("<tr>") == 2, "the heading and the one that was left"
    some = html(instance, "/incident_list.do", "sysparm_query=caller_id.vip%3Dtrue%5Estate%3D1")
    assert "4 records" in some
    assert "INC0000003" in some


def test_a_heading_sorts_and_a_second_click_turns_it_round(instance: Instance) -> None:
    once = html(instance, "/incident_list.do", "sysparm_query=state%3D1")
    assert "sysparm_query=state%3D1%5EORDERBYnumber" in once
    twice = html(instance, "/incident_list.do", "sysparm_query=state%3D1%5EORDERBYnumber")
    assert "sysparm_query=state%3D1%5EORDERBYDESCnumber" in twice
    assert twice.index("INC0000003") < twice.index("INC0000024")


@pytest.mark.parametrize(
    ("query", "notice"),
    [("bogus%3D1", "bogus"), ("state", "position"), ("%5EORx%3D1", "position 3")],
)
def test_a_filter_that_is_not_understood_is_said_so(
    instance: Instance, query: str, notice: str
) -> None:
    page = html(instance, "/incident_list.do", f"sysparm_query={query}")
    assert notice in page.partition('class="notice">')[2].partition("</p>")[0]


def test_journey_columns_and_step_filters_appear_once_they_exist(instance: Instance) -> None:
    assert "Journey step" not in html(instance, "/incident_list.do")
    add_journey(instance)
    table = instance.database.table("incident")
    instance.database.update(table, incident_id(1), {"u_journey_step": "agree"}, USER)
    page = html(instance, "/incident_list.do", "lang=es")
    assert "Acordar<b>1</b>" in page
    assert "u_journey_step%3Dagree" in page


def test_a_form_shows_labels_and_links_and_the_class_it_really_is(instance: Instance) -> None:
    page = html(instance, "/task.do", f"sys_id={incident_id(3)}&lang=es")
    assert "Incidencia INC0000003" in page
    assert "Nueva" in page
    assert f"/sys_user.do?sys_id={CALLER_ID}&amp;lang=es" in page
    assert "Caller One" in page
    assert "journey-card" not in page.partition("</style>")[2]


def test_a_form_can_be_found_by_query(instance: Instance) -> None:
    page = html(instance, "/incident.do", "sysparm_query=number%3DINC0000007")
    assert "Incident INC0000007" in page


def test_what_is_not_there_is_said_in_the_readers_language(instance: Instance) -> None:
    assert "Aquí no hay nada" in get(instance, "/nothing_list.do", "lang=es").body.decode()
    ignored = html(instance, "/incident_list.do", "sysparm_query=nothing=1&lang=es")
    assert "Columna desconocida" in ignored


def test_the_journey_has_a_section_of_its_own_and_the_history_tells_it(instance: Instance) -> None:
    add_journey(instance)
    empty = html(instance, "/incident.do", f"sys_id={incident_id(1)}")
    assert "Not placed on the journey yet" in empty
    table = instance.database.table("incident")
    wanted = {"u_journey_step": "agree", "u_journey_why": "Because <b>so</b>"}
    instance.database.update(table, incident_id(1), wanted, USER)
    page = html(instance, "/incident.do", f"sys_id={incident_id(1)}")
    section = page.partition('journey-card">')[2].partition("</section>")[0]
    assert "Agree" in section
    assert "Because &lt;b&gt;so&lt;/b&gt;" in section
    history = page.partition("History</h2>")[2]
    assert USER in history
    assert "Agree" in history


def test_related_records_notes_and_attachments_are_listed(instance: Instance) -> None:
    database = instance.database
    database.insert(
        database.table("task_sla"), {"task": incident_id(1), "has_breached": "true"}, USER
    )
    database.update(database.table("incident"), incident_id(1), {"comments": "Hello"}, USER)
    target = f"table_name=incident&table_sys_id={incident_id(1)}&file_name=a.html"
    upload = Request("POST", "", target, {"content-type": "text/html"}, b"<p>x</p>", USER)
    attachment.handle(instance, upload, ["file"])
    page = html(instance, "/incident.do", f"sys_id={incident_id(1)}")
    for text in ("Task SLAs", "Hello", "a.html", "8 B"):
        assert text in page


def test_an_attachment_is_shown_without_scripts_or_saved(instance: Instance) -> None:
    target = f"table_name=incident&table_sys_id={incident_id(1)}&file_name=a%22%0D%0Ab.html"
    upload = Request("POST", "", target, {"content-type": "text/html"}, b"<p>x</p>", USER)
    attachment.handle(instance, upload, ["file"])
    sys_id = instance.database.engine.rows("SELECT sys_id FROM sys_attachment")[0][0]
    shown = get(instance, "/sys_attachment.do", f"sys_id={sys_id}&view=true")
    assert (shown.body, shown.content_type) == (b"<p>x</p>", "text/html")
    assert shown.headers["Content-Security-Policy"] == "sandbox"
    saved = get(instance, "/sys_attachment.do", f"sys_id={sys_id}")
    assert saved.headers["Content-Disposition"] == 'attachment; filename="a___b.html"'


def test_everything_is_escaped(instance: Instance) -> None:
    evil = "<script>alert(1)</script>"
    table = instance.database.table("incident")
    instance.database.update(table, incident_id(1), {"short_description": evil}, USER)
    for path, query in (
        ("/incident.do", f"sys_id={incident_id(1)}"),
        ("/incident_list.do", "sysparm_query=%3Cscript%3Ealert(1)%3C/script%3E"),
        ("/%3Cscript%3E.do", ""),
        ("/", "lang=%3Cscript%3E"),
    ):
        assert b"<script" not in get(instance, path, query).body


@pytest.mark.parametrize(
    "path", ["/nosuch_list.do", "/nosuch.do", "/incident.do", "/favicon.ico", "/sys_attachment.do"]
)
def test_what_is_not_there_is_a_404_page(instance: Instance, path: str) -> None:
    answer = get(instance, path)
    assert answer.status == 404
    assert b"There is nothing here" in answer.body


def test_every_page_forbids_scripts_and_foreign_content(instance: Instance) -> None:
    policy = get(instance, "/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "http" not in html(instance, "/").partition("</style>")[0]


def test_every_table_has_a_list_that_opens(instance: Instance) -> None:
    for name in instance.database.catalogue:
        html(instance, f"/{name}_list.do", "lang=es")
