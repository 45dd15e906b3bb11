"""What people of the demo promise and plan: it fits the demo's records, and the page shows it."""

from collections import Counter
from datetime import timedelta

from connector.journey.contacts import contact_touchpoints
from connector.journey.engagement_fields import ENGAGEMENT_TABLE
from connector.journey.fields import CONTACT_TABLE
from connector.sandbox.seeds import DEMO_CLOCK
from connector.sandbox.seeds.demo import promises
from connector.sandbox.seeds.demo.organisation import INVOICING, SERVICES
from connector.sandbox.seeds.demo.story import Story
from tests.demo_store import demo_rows
from tests.journey_kit import shipped

TODAY = f"{DEMO_CLOCK:%Y-%m-%d}"


def test_meetings_are_with_departments_and_about_services_of_the_demo() -> None:
    rows = demo_rows(DEMO_CLOCK)
    departments = {row["sys_id"] for row in rows["cmn_department"]}
    services = {row["sys_id"] for row in rows["cmdb_ci_service"]}
    touchpoints = set(contact_touchpoints(shipped()))
    columns = {"sys_id", *(field.name for field in CONTACT_TABLE.fields)}
    found = list(promises.contacts(DEMO_CLOCK))
    assert len({row["sys_id"] for row in found}) == len(found)
    for row in found:
        assert row["u_customer"] in departments
        assert row["u_service"] in services
        assert row["u_touchpoint"] in touchpoints
        assert set(row) <= columns
        assert row["u_date"] <= TODAY


def test_there_are_promises_kept_broken_overdue_and_pending() -> None:
    found = list(promises.contacts(DEMO_CLOCK))
    kinds = Counter(
        row["u_promise_kept"] or ("overdue" if row["u_promise_due"] < TODAY else "pending")
        for row in found
    )
    assert set(kinds) == {"yes", "no", "overdue", "pending"}
    # What was broken was broken while Finanzas' service was bad, and none since.
    story = Story(DEMO_CLOCK)
    for row in found:
        if row["u_promise_kept"] == "no":
            assert f"{story.go_live:%Y-%m-%d}" < row["u_date"] < f"{story.recovery:%Y-%m-%d}"


def test_next_steps_go_to_the_relationships_of_the_story_with_an_owner_and_a_day() -> None:
    rows = [
        {"sys_id": "b", "u_name": "Finanzas × ERP", "u_state": "committed"},
        {"sys_id": "a", "u_name": f"Finanzas × {SERVICES[INVOICING][0]}", "u_state": "at_risk"},
        {"sys_id": "c", "u_name": "Ventas × CRM", "u_state": "committed"},
        {"sys_id": "d", "u_name": f"Operaciones × {SERVICES['network'][0]}", "u_state": ""},
        {"sys_id": "e", "u_name": "Legal × ERP", "u_state": "committed"},
    ]
    found = dict(promises.next_steps(rows, DEMO_CLOCK))
    assert set(found) == {"a", "c"}
    columns = {field.name for field in ENGAGEMENT_TABLE.fields}
    for values in found.values():
        assert set(values) <= columns
        assert values["u_owner"]
        assert values["u_next_step"]
    assert found["c"]["u_due"] < TODAY < found["a"]["u_due"]
    assert found["a"]["u_due"] == f"{DEMO_CLOCK + timedelta(days=12):%Y-%m-%d}"
