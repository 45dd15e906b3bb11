"""Lists and forms drawn from the platform's own records, and what people may do on them."""

from collections.abc import Iterator
from html import unescape

import pytest

from tests.pages_kit import Visitor, text_of
from tests.sandbox_instance import PASSWORD, USER_ID, Api, incident_id, make_instance, serving
from tests.update_set_kit import READER, STEWARD, VIEW, identity, journey_set

FORM = f"/incident.do?sys_id={incident_id(1)}&sysparm_view=journey"
LIST = "/incident_list.do?sysparm_view=journey"
PEOPLE = {"admin": "9", "estela": "8", "leo": "7", "ana": "6"}
ITIL = "5" * 32


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """After the import: estela is a steward who works on tickets, ana works, leo reads."""
    instance = make_instance(tmp_path_factory.mktemp("instance"))
    load = instance.database.load
    load("sys_user", [{"sys_id": d * 32, "user_name": n, "name": n} for n, d in PEOPLE.items()])
    load("sys_user_role", [{"sys_id": ITIL, "name": "itil"}])
    with serving(instance) as api, Visitor(api.base) as admin:
        admin.log_in("admin")
        admin.import_set(journey_set())
        roles = (("estela", STEWARD), ("estela", ITIL), ("ana", ITIL), ("leo", READER))
        load("sys_user_has_role", [{"user": PEOPLE[n] * 32, "role": role} for n, role in roles])
        set_(api, u_journey_step="agree")
        yield api


def set_(api: Api, **values: str) -> dict[str, str]:
    answer = api.patch(f"/api/now/table/incident/{incident_id(1)}", json=values)
    found: dict[str, str] = answer.json()["result"]
    return found


def seen(api: Api, user: str, path: str) -> str:
    with Visitor(api.base) as visitor:
        if user:
            visitor.log_in(user)
        return visitor.open(path)


# ── what is drawn ────────────────────────────────────────────────────────────────────────────


def test_a_view_shows_what_its_section_names_in_its_order(api: Api) -> None:
    page = seen(api, "", FORM)
    names = [part.partition('"')[0] for part in page.split('<dt title="')[1:]]
    ours = names[: names.index("sys_id")]
    assert ours == [
        "number",
        "u_journey_step",
        "caller_id.email",
        "u_journey_override",
        "u_journey_override_reason",
    ]
    assert "Way" in page
    assert "caller@example.invalid" in page, "a dot-walk is followed"
    assert '<dt title="caller_id.email">Email</dt>' in page
    assert "Details" not in text_of(page), "not the default view"


def test_labels_and_choices_speak_the_readers_language(api: Api) -> None:
    english, spanish = text_of(seen(api, "", FORM)), text_of(seen(api, "", f"{FORM}&lang=es"))
    assert "Journey step Agree" in english
    assert "Paso de la travesía Acordar" in spanish
    assert "Agree" in english.partition("Number")[0], "the bar of the process"


def test_a_person_is_spoken_to_in_their_own_language(api: Api) -> None:
    user = {"preferred_language": "es"}
    assert api.patch(f"/api/now/table/sys_user/{'8' * 32}", json=user).status_code == 200
    assert '<html lang="es">' in seen(api, "estela", FORM)
    assert '<html lang="en">' in seen(api, "estela", f"{FORM}&lang=en"), "the link wins"
    assert '<html lang="en">' in seen(api, "leo", FORM)


def test_the_bar_shows_where_the_record_stands(api: Api) -> None:
    page = seen(api, "", FORM)
    assert '<li class="past">Engage</li><li class="now" aria-current="step">Agree</li>' in page


def test_a_bar_without_a_current_step_has_none(api: Api) -> None:
    other = seen(api, "", FORM.replace(incident_id(1), incident_id(2)))
    assert 'aria-current="step"' not in other
    assert '<li class="to come">Engage</li>' in other


def test_a_list_has_the_columns_of_the_view_and_the_saved_filters(api: Api) -> None:
    page = seen(api, "", LIST)
    heads = page.partition("<thead>")[2].partition("</thead>")[0]
    assert [part.partition('"')[0] for part in heads.split('title="')[1:]] == [
        "number",
        "u_journey_step",
        "caller_id.email",
    ]
    assert "Open moments / Momentos abiertos" in page
    filtered = seen(api, "", f"{LIST}&sysparm_query=u_journey_step%3Dagree")
    assert "1 record " in text_of(filtered)
    assert "background-color: #8a5cd6" in filtered, "the colour of the choice"


def test_somebody_elses_saved_filter_is_not_shown(api: Api) -> None:
    row = {"sys_id": identity(99), "title": "Mine alone", "table": "incident", "filter": "active=1"}
    assert api.post("/api/now/table/sys_filter", json={**row, "user": "8" * 32}).status_code == 201
    assert "Mine alone" in seen(api, "estela", LIST)
    assert "Mine alone" not in seen(api, "leo", LIST)
    assert "Mine alone" not in seen(api, "", LIST)


def test_the_default_view_is_left_as_it_was_and_links_keep_the_view(api: Api) -> None:
    default = seen(api, "", "/incident_list.do")
    assert "Short description" in default
    assert "sysparm_view=journey" in default, "the way to the other view"
    rows = seen(api, "", LIST).partition("<tbody>")[2]
    assert rows.count("sysparm_view=journey") >= 25
    nowhere = seen(api, "", "/incident_list.do?sysparm_view=no_such_view")
    assert "Short description" in nowhere, "an unknown view is the default one"


def test_related_lists_are_those_of_the_view(api: Api) -> None:
    for table, row in (
        ("sys_ui_related_list", {"sys_id": identity(70), "name": "incident", "view": VIEW}),
        (
            "sys_ui_related_list_entry",
            {"sys_id": identity(71), "list_id": identity(70), "related_list": "task_sla.task"},
        ),
        ("sys_ui_list", {"sys_id": identity(72), "name": "task_sla", "view": VIEW}),
        (
            "sys_ui_list_element",
            {"sys_id": identity(73), "list_id": identity(72), "element": "has_breached"},
        ),
        ("task_sla", {"task": incident_id(1), "has_breached": "true"}),
    ):
        assert api.post(f"/api/now/table/{table}", json=row).status_code == 201
    page = text_of(seen(api, "", FORM))
    assert "Task SLAs Has breached Yes" in page


def test_a_style_that_is_no_colour_does_not_reach_the_page(api: Api) -> None:
    style = {
        "name": "incident",
        "element": "u_journey_step",
        "value": "engage",
        "style": 'background-color: red"><script>1</script>; behavior: url(x)',
    }
    api.post("/api/now/table/sys_ui_style", json=style)
    set_(api, u_journey_step="engage")
    page = seen(api, "", FORM)
    set_(api, u_journey_step="agree")
    assert "<script>" not in page
    assert "url(x)" not in page


def test_a_report_is_drawn_and_its_bars_lead_to_their_records(api: Api) -> None:
    report = {
        "sys_id": identity(75),
        "title": "By state",
        "table": "incident",
        "type": "bar",
        "field": "state",
        "filter": "active=true",
    }
    assert api.post("/api/now/table/sys_report", json=report).status_code == 201
    drawn = f"/sys_report_template.do?jvar_report_id={identity(75)}"
    assert drawn.replace("&", "&amp;") in seen(api, "", f"/sys_report.do?sys_id={identity(75)}")
    page = seen(api, "", drawn)
    assert "Records: 13" in text_of(page)
    assert "In Progress 5" in text_of(page)
    link = page.partition("<tbody>")[2].partition('href="')[2].partition('"')[0]
    records = text_of(seen(api, "", unescape(link)))
    assert "5 records" in records
    api.patch(f"/api/now/table/sys_report/{identity(75)}", json={"type": "heatmap"})
    assert "not drawn here" in seen(api, "", drawn)
    summed = {"type": "pie", "aggregate": "SUM", "sumfield": "reassignment_count"}
    api.patch(f"/api/now/table/sys_report/{identity(75)}", json=summed)
    assert f"Reassignments: {sum(range(1, 26, 2))}" in text_of(seen(api, "", drawn))


# ── who may do what ──────────────────────────────────────────────────────────────────────────


def inputs(page: str) -> set[str]:
    """The names of what can be typed on a page."""
    form = page.partition("<main>")[2]
    parts = (part for tag in ("<input ", "<select ", "<textarea ") for part in form.split(tag)[1:])
    names = (part.partition(">")[0].partition('name="')[2].partition('"')[0] for part in parts)
    return {name for name in names if name and not name.startswith(("_", "sysparm"))}


HAND = {"u_journey_override", "u_journey_override_reason"}


@pytest.mark.parametrize(
    ("user", "typed"),
    [
        ("", set()),
        ("leo", set()),
        ("ana", {"number"}),
        ("estela", {"number", *HAND}),
        ("admin", {"number", *HAND}),
    ],
)
def test_everybody_types_what_their_roles_let_them(api: Api, user: str, typed: set[str]) -> None:
    """The step is display read only: nobody types it, the API may write it."""
    assert inputs(seen(api, user, FORM)) == typed


@pytest.mark.parametrize("user", ["leo", "ana"])
def test_what_a_page_does_not_offer_cannot_be_sent_either(api: Api, user: str) -> None:
    with Visitor(api.base) as visitor:
        visitor.log_in(user)
        answer = visitor.submit(FORM, u_journey_override="engage", u_journey_step="engage")
    assert answer.status_code == (403 if user == "leo" else 200)
    stored = set_(api)
    assert (stored["u_journey_override"], stored["u_journey_step"]) == ("", "agree")


def test_a_steward_sets_an_override_with_its_reason(api: Api) -> None:
    with Visitor(api.base) as estela:
        estela.log_in("estela")
        said = estela.submit(
            FORM, u_journey_override="engage", u_journey_override_reason="Agreed by telephone"
        )
    assert "Guardado." in text_of(said.text)
    stored = set_(api)
    assert stored["u_journey_override"] == "engage"
    assert stored["u_journey_override_reason"] == "Agreed by telephone"
    assert stored["sys_updated_by"] == "estela"
    assert stored["u_journey_step"] == "agree", "nothing else moved"
    assert stored["number"] == "INC0000001"
    cleared = dict.fromkeys(HAND, "")
    path = f"/api/now/table/incident/{incident_id(1)}"
    assert api.patch(path, json=cleared, auth=("admin", PASSWORD)).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("opened_at", "yesterday"), ("caller_id", "Nobody Known"), ("reassignment_count", "many")],
)
def test_what_does_not_fit_is_said_and_nothing_is_saved(api: Api, field: str, value: str) -> None:
    before = set_(api)
    with Visitor(api.base) as ana:
        ana.log_in("ana")
        answer = ana.submit(FORM, **{field: value, "short_description": "changed"})
    assert answer.status_code == 400
    assert f"{value} does not fit there" in text_of(answer.text)
    assert set_(api) == before


def test_who_may_not_read_a_table_finds_nothing_of_it(api: Api) -> None:
    """List, form and file alike; who has not logged in looks as before."""
    path = "/api/now/attachment/file?table_name=task_sla&table_sys_id={}&file_name=a.txt"
    sla = api.post("/api/now/table/task_sla", json={}).json()["result"]["sys_id"]
    plain = {"Content-Type": "text/plain"}
    file = api.post(path.format(sla), data=b"kept", headers=plain).json()["result"]["sys_id"]
    rule = {"sys_id": identity(77), "name": "task_sla", "operation": "read", "type": "record"}
    api.post("/api/now/table/sys_security_acl", json=rule)
    link = {"sys_id": identity(78), "sys_security_acl": identity(77), "sys_user_role": STEWARD}
    api.post("/api/now/table/sys_security_acl_role", json=link)
    pages = (
        "/task_sla_list.do",
        f"/task_sla.do?sys_id={sla}",
        f"/sys_attachment.do?sys_id={file}",
    )
    for user, status in (("leo", 404), ("estela", 200), ("", 200)):
        with Visitor(api.base) as visitor:
            if user:
                visitor.log_in(user)
            assert [visitor.get(api.base + page).status_code for page in pages] == [status] * 3
    api.delete(f"/api/now/table/sys_security_acl/{identity(77)}")


def test_a_new_record_is_made_on_a_page_by_who_may(api: Api) -> None:
    new = "/sys_user_has_role.do?sys_id=-1"
    with Visitor(api.base) as admin, Visitor(api.base) as leo:
        admin.log_in("admin")
        leo.log_in("leo")
        assert "New record" in admin.open("/sys_user_has_role_list.do")
        assert "New record" not in text_of(leo.open("/sys_user_has_role_list.do"))
        assert leo.submit(new, user="leo", role="itil").status_code == 404
        assert admin.submit(new, user="leo", role="itil").status_code == 200
    found = api.get("/api/now/table/sys_user_has_role?user=leo&role=itil").json()["result"]
    assert len(found) == 1
    assert api.delete(f"/api/now/table/sys_user_has_role/{found[0]['sys_id']}").status_code == 204


def test_a_new_record_begins_with_the_defaults_and_with_what_the_link_names(api: Api) -> None:
    column = {"name": "incident", "element": "u_place", "internal_type": "string"}
    made = api.post(
        "/api/now/table/sys_dictionary", json={**column, "default_value": "Headquarters"}
    )
    new = f"/incident.do?sys_id=-1&caller_id={USER_ID}"
    with Visitor(api.base) as ana:
        ana.log_in("ana")
        page = ana.open(new)
        assert 'name="u_place" value="Headquarters"' in page
        assert 'name="caller_id" value="Integration"' in page
        assert '<option value="1" selected>New</option>' in page
        answer = ana.submit(
            new, u_place="Headquarters", caller_id="Integration", short_description="Begun so"
        )
        assert answer.status_code == 200
        answer = ana.submit(new, u_place="", short_description="Emptied")
        assert answer.status_code == 200
    wanted = {"sysparm_query": "short_descriptionINBegun so,Emptied^ORDERBYshort_description"}
    wanted["sysparm_exclude_reference_link"] = "true"
    rows = api.get("/api/now/table/incident", params=wanted).json()["result"]
    assert [(row["u_place"], row["caller_id"], row["state"]) for row in rows] == [
        ("Headquarters", USER_ID, "1"),
        ("", "", "1"),
    ]
    for row in rows:
        api.delete(f"/api/now/table/incident/{row['sys_id']}")
    api.delete(f"/api/now/table/sys_dictionary/{made.json()['result']['sys_id']}")


def test_a_wrong_password_and_an_unknown_user_do_not_come_in(api: Api) -> None:
    with Visitor(api.base) as visitor:
        assert visitor.log_in("leo", "guess").status_code == 401
        assert visitor.log_in("nobody").status_code == 401
        assert visitor.log_in("").status_code == 401
        assert "Log in" in visitor.open("/")
        visitor.log_in("leo")
        assert "Log out" in visitor.open("/")
        visitor.submit("/logout.do")
        assert "Log in" in visitor.open("/")


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "\\\\x"])
def test_a_login_leads_to_no_other_site(api: Api, back: str) -> None:
    with Visitor(api.base) as visitor:
        form = {"user_name": "leo", "user_password": "sandbox", "back": back}
        answer = visitor.post(f"{api.base}/login.do", data=form, allow_redirects=False)
    assert answer.headers["Location"] == "/"


# ── the same rules over the API ──────────────────────────────────────────────────────────────


def test_access_controls_bind_the_api_too(api: Api) -> None:
    """Field: silently unwritten. Table: 403. Reading: absent key, absent rows."""
    closed = identity(80)
    for number, (name, operation) in enumerate(
        (("incident.close_notes", "read"), ("task_sla", "read"), ("task_sla", "create"))
    ):
        row = {"name": name, "operation": operation, "type": "record", "admin_overrides": "true"}
        api.post("/api/now/table/sys_security_acl", json={"sys_id": identity(81 + number), **row})
        link = {"sys_security_acl": identity(81 + number), "sys_user_role": STEWARD}
        api.post(
            "/api/now/table/sys_security_acl_role", json={**link, "sys_id": identity(90 + number)}
        )
    assert set_(api, u_journey_override="engage")["u_journey_override"] == "", "a steward's"
    assert "close_notes" not in set_(api)
    assert api.get("/api/now/table/task_sla").json()["result"] == []
    refused = api.post("/api/now/table/task_sla", json={"sys_id": closed})
    assert refused.status_code == 403
    assert "ACL Exception Insert Failed" in refused.text
    for number in range(3):
        api.delete(f"/api/now/table/sys_security_acl/{identity(81 + number)}")
    assert api.post("/api/now/table/task_sla", json={"sys_id": closed}).status_code == 201


def test_a_role_brings_those_that_it_contains(api: Api) -> None:
    """The integration becomes a steward by a role that contains that role."""
    role = {"sys_id": identity(60), "name": "u_integration"}
    api.post("/api/now/table/sys_user_role", json=role)
    contains = {"role": identity(60), "contains": STEWARD}
    api.post("/api/now/table/sys_user_role_contains", json=contains)
    given = {"sys_id": identity(62), "user": "a" * 32, "role": identity(60)}
    api.post("/api/now/table/sys_user_has_role", json=given)
    assert set_(api, u_journey_override="engage")["u_journey_override"] == "engage"
    set_(api, u_journey_override="")
    api.delete(f"/api/now/table/sys_user_has_role/{identity(62)}")
