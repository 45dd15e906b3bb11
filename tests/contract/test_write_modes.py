"""Where it is written, against the sandbox: on the record, or in a row beside it, and back."""

import shutil
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connector import pipeline
from connector.check import check_instance
from connector.config import Config
from connector.config.settings import (
    ExtractSettings,
    InstanceSettings,
    StoreSettings,
    WriteBackSettings,
)
from connector.errors import ConfigError, InterruptedRunError
from connector.itsm.base import RecordUpdate
from connector.itsm.servicenow import Connection, connect
from connector.journey import fields
from connector.journey.mapping import load_mapping
from connector.journey.model import Mapping
from connector.journey.rows import TABLE, row_id
from connector.provision import Scope, apply_provision
from connector.results import Options, RunResult
from connector.sandbox.clock import VirtualClock
from connector.sandbox.database import Database
from connector.sandbox.instance import Instance
from connector.sandbox.schema import load_schema
from connector.store.database import open_store
from tests.sandbox_instance import NOW, PASSWORD, USER, Api, incident_id, make_instance, serving

OWN = [field.name for field in fields.RECORD_FIELDS]
WAYS = ("batch", "import_set")
TOLD = [name for name in OWN if name != fields.SINCE]


@cache
def mapping() -> Mapping:
    return load_mapping()


class Site:
    """A sandbox with our tables in both modes, and one installation of the connector."""

    def __init__(self, api: Api, folder: Path) -> None:
        self.api, self.folder = api, folder
        self.instance = connect(Connection(api.base, user="admin", secret=PASSWORD))
        self.nights = 0

    def sync(self, mode: str, via: str = "batch", store: str = "s", **options: Any) -> RunResult:
        """A night later."""
        self.nights += 1
        until = NOW + timedelta(hours=self.nights)
        self.api.post("/_sandbox/clock", json={"until": f"{until:%Y-%m-%d %H:%M:%S}"})
        self.api.delete("/_sandbox/requests")
        written: dict[str, Any] = {"mode": mode, "via": via, "tables": ("incident",), "workers": 1}
        config = Config(
            instance=InstanceSettings(url=self.instance.url, max_clock_ahead_hours=0),
            store=StoreSettings(path=self.folder / f"{store}.duckdb"),
            extract=ExtractSettings(tables=("incident", "task_sla"), history=False),
            write_back=WriteBackSettings(enabled=True, settled_days=3650, **written),
        )
        stop = threading.Event()
        return pipeline.run(config, self.instance, mapping(), Options(**options), stop)

    def records(self) -> dict[str, dict[str, str]]:
        rows = self.instance.list_records("incident", ["sys_id", "sys_mod_count", *OWN])
        return {row["sys_id"]: row for row in rows}

    def rows(self) -> dict[str, dict[str, str]]:
        """Rows of our table by the record they tell of."""
        columns = ["sys_id", "sys_mod_count", "u_table", "u_record", "u_number", *OWN]
        rows = self.instance.list_records(TABLE, columns)
        return {row["u_record"]: row for row in rows}

    def writes(self) -> dict[str, int]:
        said = self.api.get("/_sandbox/requests").json()["result"]["batched"]
        return {kind: n for kind, n in said.items() if not kind.startswith("GET ")}

    def standings(self, store: str = "s") -> list[tuple[Any, ...]]:
        with open_store(self.folder / f"{store}.duckdb", 112) as opened:
            found = opened.read(
                "SELECT table_name, sys_id, journey, step, since FROM standing ORDER BY ALL"
            )
        return [tuple(row.values()) for row in found]


@pytest.fixture(scope="module")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sandbox that has our columns and tables for both modes and ways."""
    folder = tmp_path_factory.mktemp("provisioned")
    instance = make_instance(folder)
    admin = {"sys_id": "9" * 32, "user_name": "admin", "name": "Admin"}
    instance.database.load("sys_user", [admin])
    with serving(instance) as api:
        client = connect(Connection(api.base, user="admin", secret=PASSWORD))
        for mode in ("record", "table"):
            scope = Scope(("incident",), mode=mode, via="import_set")
            apply_provision(client, mapping(), scope)
    return folder


@pytest.fixture
def site(provisioned: Path, tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "instance"
    shutil.copytree(provisioned, folder)
    schema = load_schema(folder / "schema.toml")
    database = Database(folder / "instance.db", schema, VirtualClock(NOW, frozen=True))
    with serving(Instance(database, PASSWORD)) as api:
        yield Site(api, tmp_path)


def journey(rows: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """What is said of each record that has a place, wherever it stands."""
    told = {key: {name: row.get(name, "") for name in OWN} for key, row in rows.items()}
    return {key: row for key, row in told.items() if row[fields.STEP]}


def test_in_mode_table_nothing_on_the_ticket_moves_whichever_way(site: Site) -> None:
    before = site.records()
    written = {}
    for via in WAYS:
        result = site.sync("table", via, store=via)
        assert result.confirmed == result.planned_records == 20
        rows = site.rows()
        assert len(rows) == len(journey(rows)) == 20, "five are test noise and have no place"
        one = rows[incident_id(1)]
        assert (one["u_table"], one["u_number"]) == ("incident", "INC0000001")
        assert one["sys_id"] == row_id("incident", incident_id(1))
        assert site.sync("table", via, store=via).planned_changes == 0
        assert site.writes() == {}
        written[via] = {key: {n: row[n] for n in TOLD} for key, row in journey(rows).items()}
        site.instance.delete_records(TABLE, [row["sys_id"] for row in rows.values()])
    assert site.records() == before
    assert written["batch"] == written["import_set"]


def test_the_mode_changes_and_changes_back_without_losing_history(site: Site) -> None:
    site.sync("record")
    on_records, stood = journey(site.records()), site.standings()
    moved = {"state": "6", "active": "false"}

    result = site.sync("table")
    assert journey(site.rows()) == on_records, "since when is kept as well"
    assert journey(site.records()) == on_records, "what stood on the ticket is left"
    assert site.standings() == stood
    assert result.healed == 0

    site.instance.send_updates([RecordUpdate("incident", incident_id(1), moved)])
    site.sync("table")
    beside = journey(site.rows())
    assert beside[incident_id(1)] != on_records[incident_id(1)]
    assert journey(site.records())[incident_id(1)] == on_records[incident_id(1)]

    site.sync("record")
    assert journey(site.records()) == beside
    assert site.sync("record").planned_changes == 0

    fresh = site.sync("record", store="fresh", dry_run=True)
    assert fresh.planned_changes == 0, "a fresh store agrees with one that changed its mode"


def test_what_a_steward_sets_in_a_row_holds_and_what_others_overwrite_is_healed(
    site: Site,
) -> None:
    site.sync("table")
    good = journey(site.rows())
    said = {fields.OVERRIDE: "phone", fields.OVERRIDE_REASON: "We rang her"}
    steward, other = incident_id(3), incident_id(2)
    site.instance.update_record(TABLE, row_id("incident", steward), said)
    site.instance.update_record(TABLE, row_id("incident", other), {fields.STEP: "explorar"})
    assert site.sync("table").healed == 1
    rows = journey(site.rows())
    row = rows.pop(steward)
    assert (row[fields.TOUCHPOINT], row[fields.WHY]) == ("phone", "We rang her")
    assert rows.items() <= good.items()
    assert site.sync("table").planned_changes == 0


def test_the_check_looks_at_our_table_and_at_nothing_of_the_tickets(site: Site) -> None:
    site.sync("table")
    found = check_instance(site.instance, mapping(), ("incident",), ("incident",), mode="table")
    told = {one.subject: one.sentence for one in found if one.aspect == "write"}
    assert told == {TABLE: "All journey columns are there"}


def test_a_run_that_died_after_sending_writes_no_row_twice(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_arguments: object) -> None:
        raise InterruptedRunError("killed before the answer was taken")

    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["connector.write_back.send"], "take", die)
        with pytest.raises(InterruptedRunError):
            site.sync("table")
    sent = site.rows()
    assert 0 < len(sent) < 20
    site.sync("table")
    rows = site.rows()
    assert len(rows) == 20
    assert {row["sys_mod_count"] for row in rows.values()} == {"0"}
    assert site.sync("table").planned_changes == 0


def test_one_record_alone_is_written_beside_and_once(site: Site) -> None:
    first = site.sync("table", record="INC0000004")
    assert first.confirmed == 1
    assert site.rows().keys() == {incident_id(4)}
    assert site.sync("table", record="INC0000004").planned_changes == 0


def test_without_our_table_the_remedy_is_told(tmp_path: Path) -> None:
    instance = make_instance(tmp_path)
    with serving(instance) as api:
        site = Site(api, tmp_path)
        site.instance = connect(Connection(api.base, user=USER, secret=PASSWORD))
        with pytest.raises(ConfigError, match=r"u_journey lacks .*run travesia provision --apply"):
            site.sync("table")
