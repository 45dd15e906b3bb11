"""The instance of the campaign: a small cut of the demo's year, served by a process of its own."""

import base64
import json
import shutil
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from connector.sandbox import seeds, server
from connector.sandbox.clock import VirtualClock
from connector.sandbox.database import Database
from connector.sandbox.schema import load_schema
from connector.sandbox.seeding import FILE
from connector.timestamps import format_instance, parse_instance
from tests.campaign.forks import Child, fork
from tests.harness import PASSWORD

Record = dict[str, str]
Rows = dict[str, dict[str, Record]]
"""Table → sys_id → record."""

TABLES = ("incident", "sc_request", "sc_req_item", "sc_task")
INCIDENTS = 40
REQUESTS = 12
_OF_A_RECORD = {
    "task_sla": "task",
    "sysapproval_approver": "sysapproval",
    "sys_journal_field": "element_id",
    "sys_audit": "documentkey",
}
_ORGANISATION = (
    "sys_user",
    "sys_user_role",
    "sys_user_has_role",
    "core_company",
    "cmn_location",
    "cmn_department",
    "sys_user_group",
    "sc_category",
    "sc_cat_item",
    "cmdb_ci_service",
)


def make_seed(folder: Path) -> None:
    """An instance database with a few dozen records of the demo and all that belongs to them."""
    start, batches = seeds.initial("demo")
    found: dict[str, list[Record]] = {}
    for table, records in batches:
        found.setdefault(table, []).extend(records)
    chosen = _chosen(found)
    folder.mkdir(parents=True)
    database = Database(folder / FILE, load_schema(), VirtualClock(start, frozen=True))
    with database.transaction():
        for table, records in chosen.items():
            database.load(table, records)
        database.engine.set_meta("seed", "empty")
    database.close()


def _chosen(found: Mapping[str, Sequence[Record]]) -> dict[str, list[Record]]:
    chosen = {table: list(found.get(table, ())) for table in _ORGANISATION}
    chosen["incident"] = _latest(found["incident"], INCIDENTS)
    chosen["sc_request"] = _latest(found["sc_request"], REQUESTS)
    asked = {row["sys_id"] for row in chosen["sc_request"]}
    chosen["sc_req_item"] = [r for r in found["sc_req_item"] if r.get("request") in asked]
    items = {row["sys_id"] for row in chosen["sc_req_item"]}
    chosen["sc_task"] = [r for r in found["sc_task"] if r.get("request_item") in items]
    tasks = {row["sys_id"] for table in TABLES for row in chosen[table]}
    for table, link in _OF_A_RECORD.items():
        chosen[table] = [row for row in found[table] if row.get(link) in tasks]
    return chosen


def _latest(rows: Sequence[Record], count: int) -> list[Record]:
    return sorted(rows, key=lambda row: (row["sys_updated_on"], row["sys_id"]))[-count:]


@dataclass
class World:
    """The running instance, and a person with an admin's rights in it."""

    folder: Path
    port: int
    child: Child
    admin: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.admin.auth = ("admin", PASSWORD)
        self.admin.trust_env = False
        self.admin.headers["Accept"] = "application/json"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def control(self, path: str, body: object = None, method: str = "") -> Any:
        """A `/_sandbox/` endpoint: GET without a body, POST with one."""
        verb = method or ("GET" if body is None else "POST")
        answer = self.admin.request(verb, f"{self.url}/_sandbox/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer

    def api(self, method: str, path: str, body: object = None, **params: str) -> Any:
        """The Table API, as admin."""
        url = f"{self.url}/api/now/table/{path}"
        answer = self.admin.request(method, url, json=body, params=params, timeout=30)
        answer.raise_for_status()
        return answer.json()["result"] if answer.content else None

    def patch_many(self, changes: Mapping[tuple[str, str], Record]) -> None:
        """PATCH many records, (table, sys_id) → values, in one batch; each must succeed."""
        items = [
            {
                "id": str(number),
                "method": "PATCH",
                "url": f"/api/now/table/{table}/{sys_id}",
                "body": base64.b64encode(json.dumps(values).encode()).decode(),
            }
            for number, ((table, sys_id), values) in enumerate(changes.items())
        ]
        url = f"{self.url}/api/now/v1/batch"
        answer = self.admin.post(url, json={"rest_requests": items}, timeout=60).json()
        done = [item["status_code"] for item in answer["serviced_requests"]]
        assert done == [200] * len(changes), answer

    def now(self) -> datetime:
        return parse_instance(self.control("health").json()["result"]["clock"])

    def pass_time(self, by: timedelta) -> None:
        """Move the clock."""
        self.control("clock", {"until": format_instance(self.now() + by)})

    def dump(self) -> Rows:
        """The records of the written tables, empty fields left out."""
        found: Rows = {}
        for table in TABLES:
            lines = self.control(f"dump?table={table}").content.decode("utf-8").splitlines()
            rows = [json.loads(line) for line in lines]
            found[table] = {row["sys_id"]: row for row in rows}
            for row in rows:
                del row["table"]  # the dump's own
        return found

    def restart(self) -> None:
        """kill -9 of the sandbox, and up again over the same folder and port."""
        self.child.kill()
        self.child = _serve(self.folder, self.port)
        self.await_ready()

    def await_ready(self) -> None:
        """Wait until it answers."""
        end = time.monotonic() + 30
        while True:
            try:
                self.control("health")
            except requests.RequestException:
                assert time.monotonic() < end, "the sandbox does not come up"
                assert self.child.poll() is None, "the sandbox ended"
                time.sleep(0.005)
            else:
                return


def _serve(folder: Path, port: int) -> Child:
    def task() -> int:
        server.run(server.Place(port), folder, "empty", None, None, frozen=True)
        return 0

    return fork(task, folder / "sandbox.log")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def world(template: Path, folder: Path) -> Iterator[World]:
    """A running copy of the template."""
    shutil.copytree(template, folder)
    port = _free_port()
    running = World(folder, port, _serve(folder, port))
    try:
        running.await_ready()
        yield running
    finally:
        running.child.kill()
        running.admin.close()
