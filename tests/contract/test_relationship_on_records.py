"""From an empty instance by the file alone: quiet writing, and the relationship on each record."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connector import pipeline, provisioning
from connector.config import Config
from connector.config.settings import (
    ExtractSettings,
    InstanceSettings,
    StoreSettings,
    WriteBackSettings,
)
from connector.itsm.servicenow import Connection, connect
from connector.journey import fields
from connector.journey.engagement_fields import ENGAGEMENT_TABLE
from connector.journey.model import Mapping
from connector.journey.rows import TABLE as ROWS
from connector.provision import plan_provision
from connector.results import Options, RunResult
from connector.sandbox.policies import BusinessRule, Policies
from connector.sandbox.seeding import open_instance
from connector.timestamps import format_instance, parse_instance
from tests.desk import RELATIONSHIP, Desk, desk, incident_id
from tests.harness import PASSWORD, USER, Connector
from tests.journey_kit import shipped
from tests.pages_kit import Visitor, text_of
from tests.sandbox_instance import Api, serving

RELATIONS = ENGAGEMENT_TABLE.name
FORM = f"/incident.do?sys_id={incident_id(1)}&sysparm_view=u_journey"
MODES = ("record", "table")


@cache
def of_incidents() -> Mapping:
    """What the shipped mapping says of incidents and their relationships; no moments of truth."""
    whole = shipped()
    assert whole.engagement is not None
    (named,) = [one for one in whole.engagement.relationships if one.table == "incident"]
    engagement = replace(whole.engagement, relationships=(named,))
    rules = whole.rules_of("incident")
    return replace(whole, rules=rules, moments=(), engagement=engagement)


def config_of(folder: Path, api: Api, **written: Any) -> Config:
    return Config(
        instance=InstanceSettings(
            url=connect(Connection(api.base, user=USER, secret=PASSWORD)).url,
            max_clock_ahead_hours=0,
        ),
        store=StoreSettings(path=folder / "s.duckdb"),
        extract=ExtractSettings(tables=("incident",), history=False),
        write_back=WriteBackSettings(
            enabled=True, tables=("incident",), settled_days=3650, **written
        ),
    )


class Site:
    """An empty instance that took our file, and one installation of the connector."""

    def __init__(self, at: Desk, folder: Path) -> None:
        self.at, self.folder = at, folder
        self.rules: tuple[BusinessRule, ...] = ()

    def sync(self, *, dry_run: bool = False, **written: Any) -> RunResult:
        """An hour later. `limit` and `record` are the run's, all else is `[write_back]`."""
        now = parse_instance(self.at.instance.clock.text()) + timedelta(hours=1)
        self.at.api.post("/_sandbox/clock", json={"until": format_instance(now)})
        self.at.api.delete("/_sandbox/requests")
        chosen = {name: written.pop(name) for name in ("limit", "record") if name in written}
        config = config_of(self.folder, self.at.api, **written)
        client = connect(Connection(self.at.api.base, user=USER, secret=PASSWORD))
        self.at.instance.policies = Policies(business_rules=self.rules)
        options = Options(dry_run=dry_run, **chosen)
        try:
            return pipeline.run(config, client, of_incidents(), options, threading.Event())
        finally:
            self.at.instance.policies = Policies()

    def writes(self) -> dict[str, int]:
        said = self.at.api.get("/_sandbox/requests").json()["result"]["batched"]
        return {kind: n for kind, n in said.items() if not kind.startswith("GET ")}

    def incidents(self) -> dict[str, dict[str, str]]:
        return {row["sys_id"]: row for row in self.at.table("incident")}

    def relations(self) -> set[str]:
        """What the incidents refer to."""
        return {row[fields.RELATIONSHIP] for row in self.incidents().values()}

    def row(self) -> str:
        """The sys_id of the only relationship's row."""
        return self.at.one(RELATIONS, "")["sys_id"]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As an admin does, for each mode: file, upload, preview, commit; then the account's roles."""
    folder = tmp_path_factory.mktemp("imported")
    with desk(folder) as at, Visitor(at.api.base) as admin:
        admin.log_in("admin")
        client = connect(Connection(at.api.base, user="admin", secret=PASSWORD))
        for mode in MODES:
            config = config_of(folder, at.api, mode=mode, via="import_set")
            path = folder / f"{mode}.xml"
            provisioning.write_update_set(config, (), path)
            admin.import_set(path.read_bytes())
            plan = plan_provision(client, shipped(), provisioning.scope_of(config))
            assert plan.is_complete, [(s.action, s.name, s.changed) for s in plan.steps[:5]]
        _give_roles(at)
    return folder / "instance"


def _give_roles(at: Desk) -> None:
    """Those of docs/servicenow-setup.md, and no more: the seed's account is an administrator."""
    for held in at.table("sys_user_has_role", f"user.user_name={USER}"):
        at.api.delete(f"/api/now/table/sys_user_has_role/{held['sys_id']}")
    assert (
        at.api.post("/api/now/table/sys_user_role", json={"name": "import_transformer"}).status_code
        == 201
    )
    for role in ("u_journey_integration", "import_transformer", "itil"):
        at.give_role(USER, role)


@pytest.fixture
def site(imported: Path, tmp_path: Path) -> Iterator[Site]:
    shutil.copytree(imported, tmp_path / "instance")
    instance = open_instance(tmp_path / "instance", "empty", None, None)
    with serving(instance) as api:
        api.auth = ("admin", PASSWORD)
        yield Site(Desk(instance, api, Connector(tmp_path / "connector", api.base)), tmp_path)


LOUD = BusinessRule("Marks what a person saves", "incident", set={"close_notes": "a rule ran"})


def test_quietly_on_the_record_and_the_form_shows_the_relationship(site: Site) -> None:
    site.rules = (LOUD,)
    before = site.incidents()
    result = site.sync(via="import_set")
    assert (result.outcome, result.refused) == ("succeeded", 0)
    after = site.incidents()
    assert len(after) == result.confirmed == 19
    for sys_id, row in after.items():
        assert row[fields.STEP]
        assert row["close_notes"] == before[sys_id]["close_notes"], "no rule ran"
        assert row["sys_updated_by"] == USER
        assert int(row["sys_mod_count"]) == int(before[sys_id]["sys_mod_count"] or 0) + 1
        assert row["sys_updated_on"] > before[sys_id]["sys_updated_on"]
    assert site.relations() == {site.row()}
    assert site.at.table("sys_audit", "tablename=incident") == []

    again = site.sync(via="import_set")
    assert (again.planned_changes, again.planned_relationships, site.writes()) == (0, 0, {})
    (site.folder / "s.duckdb").rename(site.folder / "old.duckdb")
    fresh = site.sync(via="import_set", dry_run=True)
    assert fresh.planned_changes == 0, "a fresh store sees that all is there"

    opinions = of_incidents().engagement
    assert opinions is not None
    state = opinions.state(site.at.one(RELATIONS, "")["u_state"]).name
    told = {
        "en": f"Relationship {RELATIONSHIP} State of the relationship {state.en}",
        "es": f"Relación {RELATIONSHIP} Estado de la relación {state.es}",
    }
    with Visitor(site.at.api.base) as admin:
        admin.log_in("admin")
        for language, said in told.items():
            assert said in text_of(admin.open(f"{FORM}&lang={language}")), "by dot-walk"
        belonging = f"/{RELATIONS}.do?sys_id={site.row()}&sysparm_view=u_journey"
        assert "INC0000001" in admin.open(belonging), "its records are listed"


def test_quietly_in_rows_beside_and_nothing_on_the_ticket_moves(site: Site) -> None:
    site.rules = (LOUD, BusinessRule("On rows", ROWS, set={"u_journey_override": "phone"}))
    before = site.incidents()
    result = site.sync(via="import_set", mode="table")
    assert (result.outcome, result.refused, result.confirmed) == ("succeeded", 0, 19)
    rows = site.at.table(ROWS)
    assert {row["u_record"] for row in rows} == set(before)
    for row in rows:
        assert (row[fields.RELATIONSHIP], row["u_task"]) == (site.row(), row["u_record"])
        assert (row["sys_created_by"], row["sys_mod_count"]) == (USER, "0")
        assert row["u_journey_override"] == "", "no rule ran"
    assert site.incidents() == before
    assert site.sync(via="import_set", mode="table").planned_changes == 0
    assert site.writes() == {}


def test_what_is_not_in_the_tool_is_not_referred_to_and_no_record_is_harmed(site: Site) -> None:
    pilot = site.sync(limit=5)
    assert (pilot.confirmed, site.at.table(RELATIONS)) == (5, []), "records come first"
    assert site.relations() == {""}

    site.rules = (BusinessRule("Closed", RELATIONS, abort=True),)
    refused = site.sync()
    assert (refused.outcome, refused.confirmed, refused.confirmed_relationships) == (
        "partial",
        14,
        0,
    )
    assert all(row[fields.STEP] for row in site.incidents().values())
    assert site.relations() == {""}

    site.rules = ()
    result = site.sync()
    assert (result.outcome, result.confirmed, result.confirmed_relationships) == (
        "succeeded",
        19,
        1,
    )
    assert site.relations() == {site.row()}
    assert site.sync(record="INC0000001").planned_changes == 0, "it cannot say, and leaves it"
