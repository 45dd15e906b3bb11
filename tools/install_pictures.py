"""The pictures of docs/servicenow-install.md, taken from the sandbox in a real browser.

    python -m tools.install_pictures

Owns what each picture shows; writes docs/pictures/install-*.png. Needs what `make browser` needs.
"""

import tempfile
from pathlib import Path
from typing import Any

from tests.browser.kit import running_browser
from tests.desk import Desk, desk, incident_id
from tests.harness import PASSWORD

OUT = Path(__file__).parents[1] / "docs" / "pictures"
STEWARD = "estela.vega"
VIEW = "sysparm_view=u_journey"
WIDTH, HEIGHT = 920, 640


def main() -> None:
    """Walk the install once, and take a picture at each step."""
    with tempfile.TemporaryDirectory() as folder, desk(Path(folder)) as at:
        at.connector.write_config(mapping={"language": "es"})
        at.connector.do("provision", "--update-set", "journey.xml")
        with running_browser() as browser:
            size = {"width": WIDTH, "height": HEIGHT}
            _walk(browser.new_context(viewport=size).new_page(), at)


def _walk(page: Any, at: Desk) -> None:
    _log_in(page, at, "admin")
    page.goto(f"{at.api.base}/upload.do?lang=en")
    _take(page, "upload", height=390)
    page.get_by_label("File").set_input_files(at.connector.folder / "journey.xml")
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Preview Update Set").click()
    _take(page, "preview")
    page.get_by_role("button", name="Commit Update Set").click()
    for role in ("u_journey_steward", "itil"):
        page.goto(f"{at.api.base}/sys_user_has_role.do?sys_id=-1&lang=en")
        page.get_by_label("User", exact=True).fill("Estela Vega")
        page.get_by_label("Role", exact=True).fill(role)
        if role != "itil":
            _take(page, "role", height=330)
        page.get_by_role("button", name="Submit").click()
    at.connector.sync()
    action = at.one("sys_ui_action", "table=incident^action_name=u_journey_refresh")
    at.patch("sys_ui_action", action["sys_id"], active="true")
    _log_in(page, at, STEWARD)
    page.goto(f"{at.api.base}/incident_list.do?{VIEW}&lang=en")
    _take(page, "list", height=560)
    page.goto(f"{at.api.base}/incident.do?sys_id={incident_id(1)}&{VIEW}&lang=es")
    _take(page, "form", height=940)


def _log_in(page: Any, at: Desk, user: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{at.api.base}/login.do?lang=en")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()


def _take(page: Any, name: str, height: int = HEIGHT) -> None:
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.screenshot(path=OUT / f"install-{name}.png")


if __name__ == "__main__":
    main()
