"""The whole way at home in the tool, as people walk it: import, sync, look, override, confirm.

One story over one instance, told by tests in their order: an empty instance, the update set that
`travesia provision --update-set` writes, a real browser, and the real command beside it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.kit import faults_of, overflow_of, running_browser, what_ran
from tests.desk import RELATIONSHIP, Desk, desk, incident_id
from tests.harness import PASSWORD

pytestmark = pytest.mark.browser

VIEW = "sysparm_view=u_journey"
FORM = f"/incident.do?sys_id={incident_id(1)}&{VIEW}"
LIST = f"/incident_list.do?{VIEW}"
STEWARD, READER = "estela.vega", "leo.prat"

Opened = Callable[[str, str], Any]
"""(user, path) → the page, logged in as that user."""


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("desk")) as made:
        made.connector.do("provision", "--update-set", "journey.xml")
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with running_browser() as found:
        yield found


@pytest.fixture
def opened(browser: Any, at: Desk) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()

    def open_as(user: str, path: str) -> Any:
        context.clear_cookies()
        page.goto(f"{at.api.base}/login.do")
        page.get_by_label("User name").fill(user)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        page.goto(at.api.base + path)
        return page

    yield open_as
    context.close()


def shown(page: Any, field: str) -> str:
    """What the form shows for a column."""
    text: str = page.locator(f'dt[title="{field}"] + dd').first.inner_text()
    return text.strip()


def sound(page: Any) -> None:
    """What holds for every page, on a phone too."""
    assert what_ran(page) == []
    assert faults_of(page) == []
    page.set_viewport_size({"width": 390, "height": 900})
    assert overflow_of(page) <= 0
    page.set_viewport_size({"width": 1280, "height": 900})


def test_an_admin_imports_the_update_set(opened: Opened, at: Desk) -> None:
    page = opened("admin", "/sys_remote_update_set_list.do")
    page.get_by_role("link", name="Import Update Set from XML").click()
    sound(page)
    page.get_by_label("File").set_input_files(at.connector.folder / "journey.xml")
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Preview Update Set").click()
    assert shown(page, "state") == "previewed"
    assert shown(page, "collisions") == "0"
    assert int(shown(page, "inserted").replace(",", "")) > 1000
    assert at.table("sys_ui_view", "name=u_journey") == [], "nothing before the commit"
    page.get_by_role("button", name="Commit Update Set").click()
    assert shown(page, "state") == "committed"
    sound(page)
    assert at.one("sys_ui_view", "name=u_journey")["title"] == "Travesía · Journey"


def test_an_admin_gives_the_roles_on_a_page(opened: Opened, at: Desk) -> None:
    given = ((STEWARD, "u_journey_steward"), (STEWARD, "itil"), (READER, "u_journey_reader"))
    for user, role in given:
        page = opened("admin", "/sys_user_has_role_list.do")
        page.get_by_role("link", name="New record").click()
        page.get_by_label("User", exact=True).fill(at.one("sys_user", f"user_name={user}")["name"])
        page.get_by_label("Role", exact=True).fill(role)
        page.get_by_role("button", name="Submit").click()
        assert page.get_by_role("status").inner_text() == "Saved."
    assert len(at.table("sys_user_has_role", f"user.user_name={STEWARD}")) == 2


def test_the_connector_finds_all_it_needs_and_fills_it(at: Desk) -> None:
    assert "nothing to make" in at.connector.do("provision", "--plan")
    result = at.connector.sync()
    assert (result["outcome"], result["refused"]) == ("succeeded", 0)
    assert at.one("incident", "number=INC0000001")["u_journey_step"]


@pytest.mark.parametrize(
    ("user", "step", "title", "state", "more"),
    [
        (READER, "Journey step", "Provide and use", "Not enough evidence", "More / Más"),
        (
            STEWARD,
            "Paso de la travesía",
            "Dar acceso y usar",
            "Sin evidencia suficiente",
            "More / Más",
        ),
    ],
)
def test_a_person_sees_the_journey_in_their_language(
    opened: Opened, user: str, step: str, title: str, state: str, more: str
) -> None:
    page = opened(user, LIST)
    heads = page.locator("thead th").all_inner_texts()
    assert step in [head.strip() for head in heads]
    row = page.locator("tbody tr", has_text="INC0000001")
    assert title in row.inner_text()
    sound(page)
    row.get_by_role("link", name="INC0000001").click()
    assert VIEW in page.url, "the view stays"
    assert page.locator('dt[title="u_journey_step"]').inner_text() == step
    assert shown(page, "u_journey_step") == title
    for field in ("u_journey_touchpoint", "u_journey_since", "u_journey_why"):
        assert len(shown(page, field)) > 3, field
    assert page.locator(".flow .now").count() == 1
    assert shown(page, "u_journey_relationship") == RELATIONSHIP
    assert shown(page, "u_journey_relationship.u_state") == state, "by dot-walk"
    band = page.locator('dt[title="u_journey_band"] + dd')
    assert not band.is_visible()
    page.get_by_text(more).click()
    assert band.is_visible(), "the rest is one click away"
    sound(page)
    page.get_by_role("link", name=RELATIONSHIP).click()
    assert "INC0000001" in page.get_by_role("main").inner_text(), "and its records on it"
    sound(page)


def test_the_saved_filters_and_the_other_language_are_a_click_away(opened: Opened) -> None:
    page = opened(READER, LIST)
    page.get_by_role("link", name="Open moments / Momentos abiertos").click()
    assert "u_journey_moment=potential" in page.locator('input[name="sysparm_query"]').input_value()
    assert page.locator("tbody tr").count() == 3
    page.get_by_role("link", name="Español").click()
    assert "Paso de la travesía" in page.locator("thead").inner_text()
    assert page.locator("tbody tr").count() == 3, "the filter stays"


def test_a_reader_cannot_edit(opened: Opened, at: Desk) -> None:
    before = at.one("incident", "number=INC0000001")
    page = opened(READER, FORM)
    assert page.locator("main input:not([type=hidden]), main select, main textarea").count() == 0
    assert page.get_by_role("button", name="Save").count() == 0
    word = page.locator('input[name="sysparm_ck"]').first.input_value()
    forged = page.request.post(
        at.api.base + FORM,
        form={"sysparm_ck": word, "u_journey_override": "wait_for_user", "state": "2"},
        headers={"Origin": at.api.base},
    )
    assert forged.status == 403
    assert at.one("incident", "number=INC0000001") == before


def test_a_steward_overrides_with_a_reason_and_it_survives_the_syncs(
    opened: Opened, at: Desk
) -> None:
    page = opened(STEWARD, f"{FORM}&lang=en")
    assert page.get_by_label("Journey step").count() == 0, "ours are shown, not typed"
    page.get_by_label("Touchpoint set by hand").select_option("wait_for_user")
    page.get_by_label("Reason for setting it by hand").fill("She answered by telephone")
    page.get_by_role("button", name="Save").click()
    assert page.get_by_role("status").inner_text() == "Saved."
    for _night in range(2):
        assert at.connector.sync()["refused"] == 0
        stored = at.one("incident", "number=INC0000001")
        assert stored["u_journey_override"] == "wait_for_user"
        assert stored["u_journey_override_reason"] == "She answered by telephone"
        assert stored["u_journey_touchpoint"] == "wait_for_user", "it prevails"
    page.reload()
    assert "She answered by telephone" in shown(page, "u_journey_why")
    assert page.get_by_label("Touchpoint set by hand").input_value() == "wait_for_user"


def test_a_steward_records_an_agreement_and_confirms_the_ring_which_shows_from_then_on(
    opened: Opened, at: Desk
) -> None:
    today = at.instance.clock.text()[:10]
    page = opened(STEWARD, f"/u_journey_contact.do?sys_id=-1&{VIEW}&lang=en")
    page.get_by_label("Date", exact=True).fill(today)
    page.get_by_label("Department").fill("Finance")
    page.get_by_label("Service").fill("E-invoicing")
    page.get_by_label("What it was").select_option("agreement_signed")
    page.get_by_role("button", name="Submit").click()
    assert page.get_by_role("status").inner_text() == "Saved."
    at.connector.sync()

    page.goto(f"{at.api.base}/u_journey_engagement_list.do?{VIEW}&lang=en")
    assert "Proposed" in page.locator("tbody tr", has_text=RELATIONSHIP).inner_text()
    page.get_by_role("link", name=RELATIONSHIP).click()
    assert page.get_by_label("Trust (0 to 100)").count() == 0, "figures are shown, not typed"
    page.get_by_label("Ring confirmed on").fill(today)
    page.get_by_role("button", name="Save").click()
    assert page.get_by_role("status").inner_text() == "Saved."
    for _night in range(2):
        at.connector.sync()
        page.reload()
        assert shown(page, "u_ring") == "Confirmed"
        assert page.get_by_label("Ring confirmed on").input_value() == today
    sound(page)
    reader = opened(READER, f"/u_journey_engagement_list.do?{VIEW}")
    assert "Confirmed" in reader.locator("tbody tr", has_text=RELATIONSHIP).inner_text()
    reader.get_by_role("link", name=RELATIONSHIP).click()
    assert reader.get_by_label("Ring confirmed on").count() == 0


def test_the_reports_of_the_set_are_drawn(opened: Opened, at: Desk) -> None:
    for report in at.table("sys_report"):
        page = opened(READER, f"/sys_report.do?sys_id={report['sys_id']}&lang=es")
        page.get_by_role("link", name="Dibujarlo").click()
        assert report["title"] in page.get_by_role("heading", level=1).inner_text()
        assert page.get_by_text("no se dibujan aquí").count() == 0
        sound(page)
    page.goto(f"{at.api.base}/sys_report_list.do?lang=es")
    page.get_by_role("link", name="Where records stand").click()
    page.get_by_role("link", name="Dibujarlo").click()
    bars = page.locator("tbody tr")
    assert "Medir, confirmar el valor y mejorar" in bars.first.inner_text()
    assert "16" in bars.first.inner_text()


def test_a_report_stands_in_the_tool_with_its_files(opened: Opened, at: Desk) -> None:
    at.connector.do("report", "--publish")
    page = opened(READER, f"/u_journey_report_list.do?{VIEW}&lang=es")
    page.locator("tbody tr a").first.click()
    assert shown(page, "u_state") == "Publicado"
    files = page.locator("section", has_text="Adjuntos").locator("li > a").all_inner_texts()
    assert any(name.endswith(".html") for name in files)
    sound(page)


def test_a_back_out_takes_it_all_away(opened: Opened, at: Desk) -> None:
    page = opened("admin", "/sys_remote_update_set_list.do")
    page.locator("tbody tr a").first.click()
    page.get_by_role("button", name="Back Out").click()
    assert shown(page, "state") == "backed_out"
    for table in ("sys_dictionary", "sys_choice", "sys_documentation", "sys_security_acl"):
        names = [row["name"] + row.get("element", "") for row in at.table(table, "nameISNOTEMPTY")]
        assert [name for name in names if re.search("u_journey", name)] == []
    assert "u_journey_step" not in at.one("incident", "number=INC0000001")
    assert at.api.get("/api/now/table/u_journey_engagement").status_code == 400
