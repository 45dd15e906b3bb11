"""Sixty nights of the demo: a store that saw them all places records as a fresh one would.

The instance's clock moves; what was under way comes to its end, new tickets come, and many records
change their place although nobody touches them: an approval grows silent, a delivery grows old, a
contract comes up for renewal. Every night the place of every record is compared with a fresh
classification of the records at rest, every tenth night with that of a store filled anew with what
the instance holds, and in the end with what a new installation says.
"""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connector import extract, moments, pipeline, services
from connector.classify import classify
from connector.config import Config, load_config
from connector.itsm.base import Instance as Remote
from connector.journey.model import Mapping as JourneyMapping
from connector.results import Options
from connector.sandbox import control
from connector.sandbox.instance import Instance
from connector.sandbox.seeding import open_instance
from connector.sandbox.seeds import DEMO_CLOCK
from connector.store import records
from connector.store.database import Store, open_store
from connector.timestamps import format_instance
from tests.demo_store import put
from tests.harness import CLASSIFIED, PASSWORD, Connector
from tests.journey_kit import shipped
from tests.sandbox_instance import serving

pytestmark = [pytest.mark.evidence, pytest.mark.timeout(1500)]

NIGHTS, FRESH_EVERY = 60, 10
TABLES = (
    *("sc_request", "sc_req_item", "sysapproval_approver", "change_request"),
    *("ast_contract", "contract_sla", "sc_cart_item"),
)
"""Where time alone moves records. What a classification leads to has tests of its own."""

MOVED_BY_TIME = {
    ("sysapproval_approver", "approval-pending", "approval-silent"),
    ("sc_req_item", "item-approval-pending", "item-approval-silent"),
    ("sc_req_item", "item-access-granted", "item-done"),
    ("change_request", "change-just-live", "change-done"),
    ("ast_contract", "contract-signed", "contract-in-force"),
    ("ast_contract", "contract-in-force", "contract-renewal"),
    ("contract_sla", "target-new", "target-in-force"),
    ("sc_cart_item", "cart-open", "cart-abandoned"),
}
"""Table, rule before, rule after: moves that must be seen of records that nobody touched."""

Place = tuple[Any, ...]
Places = dict[tuple[str, str], Place]


@cache
def mapping() -> JourneyMapping:
    """The shipped mapping with the rules of these tables: sixty nights of all would take long."""
    rules = (
        replace(rule, tables=tuple(table for table in rule.tables if table in TABLES))
        for rule in shipped().rules
    )
    return replace(shipped(), rules=tuple(rule for rule in rules if rule.tables))


@dataclass(frozen=True)
class Nightly:
    """An instance in this process, and the installation that looks at it every night."""

    instance: Instance
    remote: Remote
    config: Config

    def go_on(self, night: int) -> datetime:
        """Let the night come; answers where the clock then stands."""
        until = DEMO_CLOCK + timedelta(days=night)
        body = json.dumps({"until": format_instance(until)}).encode()
        asyncio.run(control.advance(self.instance, body))
        self.instance.clock.advance(until + timedelta(seconds=5))
        return self.instance.clock.now()

    def sync(self, config: Config | None = None) -> None:
        """What a scheduled run reads and places."""
        told = config or self.config
        done = pipeline.run(told, self.remote, mapping(), Options(), threading.Event())
        assert done.outcome == "succeeded"


@pytest.fixture
def nightly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nightly]:
    # The classification stands before moments and relationships are looked at.
    monkeypatch.setattr(moments, "decide_moments", lambda *_, **__: None)
    monkeypatch.setattr(pipeline, "_relationships", lambda *_: [])
    instance = open_instance(tmp_path / "instance", "demo", None, None, frozen=True)
    with serving(instance) as api:
        config = config_in(tmp_path / "nightly", api.base)
        remote = services.connect(config, {"TRAVESIA_PASSWORD": PASSWORD})
        yield Nightly(instance, remote, config)


def config_in(folder: Path, url: str) -> Config:
    settings: dict[str, dict[str, Any]] = {
        "write_back": {"enabled": False, "tables": ["sc_req_item"]},
        "extract": {"tables": list(TABLES), "history": False},
        "store": {"memory_limit_mb": 256},
    }
    Connector(folder, url, settings)
    return load_config(folder / "travesia.toml", {"TRAVESIA_PASSWORD": PASSWORD})


def places_in(store: Store, table: str) -> Places:
    rows = store.read(f"SELECT {CLASSIFIED} FROM {table}")
    return {(row["table_name"], row["sys_id"]): tuple(row.values()) for row in rows}


def fresh_places(kept: Store, instance: Instance, folder: Path, now: datetime) -> Places:
    """Where everything stands for somebody who sees the instance for the first time."""
    path = folder / "fresh.duckdb"
    path.unlink(missing_ok=True)
    with open_store(path, 256) as store:
        for table in records.list_tables(kept):
            columns = records.list_columns(kept, table)
            records.ensure_table(store, table, columns)
            put(store, table, columns, held(instance, table))
        schema = extract.stored_schema(kept)
        classify(store, mapping(), schema, now, "fresh", "Europe/Madrid")
        return places_in(store, "classified")


def held(instance: Instance, table: str) -> list[dict[str, str]]:
    """The records of a table as the instance itself holds them."""
    known = instance.database.table(table)
    marks = ", ".join("?" * len(known.classes))
    where = "" if known.is_root else f" WHERE sys_class_name IN ({marks})"
    values = () if known.is_root else known.classes
    return instance.database.engine.records(f'SELECT * FROM "{known.physical}"{where}', values)


def touched(instance: Instance, since: datetime) -> set[str]:
    """The sys_ids of all records that somebody wrote to since an instant."""
    mark = format_instance(since)
    return {
        row[0]
        for table in instance.database.catalogue.values()
        if table.is_root and table.name != "sys_audit"
        for row in instance.database.engine.rows(
            f'SELECT sys_id FROM "{table.physical}" WHERE sys_updated_on > ?', (mark,)
        )
    }


def classified_anew(store: Store, now: datetime) -> Places:
    """Where the records at rest stand now, whatever is kept of the nights before."""
    classify(store, mapping(), extract.stored_schema(store), now, "anew", "Europe/Madrid")
    return places_in(store, "classified")


def test_sixty_nights_place_every_record_as_a_fresh_look_does(
    nightly: Nightly, tmp_path: Path
) -> None:
    before: Places = {}
    last, moved = nightly.go_on(0), set[tuple[str, str, str]]()
    for night in range(NIGHTS + 1):
        now = nightly.go_on(night)
        nightly.sync()
        mark = now - timedelta(seconds=nightly.config.instance.settle_seconds)
        with open_store(nightly.config.store.path, 256) as store:
            places = places_in(store, "classification")
            assert places == classified_anew(store, mark), f"night {night}"
            if night % FRESH_EVERY == 0:
                fresh = fresh_places(store, nightly.instance, tmp_path, mark)
                assert places == fresh, f"night {night}, a new store"
        changed = touched(nightly.instance, last)
        moved |= {
            (table, str(before[table, sys_id][2]), str(place[2]))
            for (table, sys_id), place in places.items()
            if (table, sys_id) in before and sys_id not in changed
        }
        before, last = places, now
    assert {move for move in MOVED_BY_TIME if move not in moved} == set()
    config = config_in(tmp_path / "new", nightly.config.instance.url)
    nightly.sync(config)
    with open_store(config.store.path) as store:
        assert places_in(store, "classification") == before, "a new installation"
