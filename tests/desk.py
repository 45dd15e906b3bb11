"""An empty instance with all its tables, in this process, and an installation beside it.

What a first import meets: no ticket but those that a test loads, nothing of ours.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from connector.sandbox.instance import Instance
from connector.sandbox.seeding import open_instance
from connector.timestamps import format_instance, parse_instance
from tests.harness import PASSWORD, Connector
from tests.sandbox_instance import Api, serving

PEOPLE: Mapping[str, tuple[str, str, str]] = {
    "estela.vega": ("Estela Vega", "es", "a"),
    "leo.prat": ("Leo Prat", "en", "b"),
}
"""user_name → name, language, the digit of its sys_id."""

DEPARTMENT, SERVICE = "d" * 32, "c" * 32
RELATIONSHIP = "Finance × E-invoicing"
"""What the connector calls the relationship of the only department and service."""

_CALLERS, _OPEN, _SOLVED = 8, 3, 16


@dataclass
class Desk:
    """The instance, its API for the admin, and the connector's folder."""

    instance: Instance
    api: Api
    connector: Connector

    def table(self, name: str, query: str = "") -> list[dict[str, str]]:
        """Records as they are stored."""
        wanted = {"sysparm_query": query, "sysparm_exclude_reference_link": "true"}
        answer = self.api.get(f"/api/now/table/{name}", params=wanted)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, str]] = answer.json()["result"]
        return found

    def one(self, name: str, query: str) -> dict[str, str]:
        """The one record that there is."""
        (found,) = self.table(name, query)
        return found

    def patch(self, name: str, sys_id: str, **values: str) -> None:
        """Change a record as the admin."""
        answer = self.api.patch(f"/api/now/table/{name}/{sys_id}", json=values)
        assert answer.status_code == 200, answer.text

    def give_role(self, user: str, role: str) -> None:
        """As an admin does after the import."""
        ids = [self.one("sys_user", f"user_name={user}"), self.one("sys_user_role", f"name={role}")]
        row = {"user": ids[0]["sys_id"], "role": ids[1]["sys_id"]}
        assert self.api.post("/api/now/table/sys_user_has_role", json=row).status_code == 201


def incident_id(number: int) -> str:
    """The sys_id of the incident of that number."""
    return f"{number:032x}"


def _company(now: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """One department that uses one service: eight people, three open incidents, sixteen solved."""
    yield "cmn_department", [{"sys_id": DEPARTMENT, "name": "Finance"}]
    yield "cmdb_ci_service", [{"sys_id": SERVICE, "name": "E-invoicing"}]
    yield (
        "sys_user",
        [
            {
                "sys_id": f"{number:032x}",
                "user_name": f"caller.{number}",
                "name": f"Caller {number}",
                "active": "true",
                "department": DEPARTMENT,
            }
            for number in range(1, _CALLERS + 1)
        ],
    )
    yield "incident", [_incident(number, now) for number in range(1, _OPEN + _SOLVED + 1)]


def _incident(number: int, now: str) -> dict[str, str]:
    common = {
        "sys_id": incident_id(number),
        "number": f"INC{number:07d}",
        "short_description": f"The scanner in aisle {number} is silent",
        "priority": "3",
        "contact_type": "phone",
        "business_service": SERVICE,
        "caller_id": f"{number % _CALLERS + 1:032x}",
    }
    if number <= _OPEN:
        return {**common, **_at(now), "state": "1", "active": "true"}
    opened = parse_instance(now) - timedelta(days=2 * number)
    solved = format_instance(opened + timedelta(hours=2))
    ended = {"resolved_at": solved, "closed_at": solved, "close_code": "Solution provided"}
    return {**common, **_at(format_instance(opened)), **ended, "state": "7", "active": "false"}


def _at(opened: str) -> dict[str, str]:
    return {"opened_at": opened, "sys_created_on": opened, "sys_updated_on": opened}


@contextmanager
def desk(folder: Path, *, tables: tuple[str, ...] = ("incident",)) -> Iterator[Desk]:
    """An instance with a small company and two people at the desk; the connector is configured."""
    instance = open_instance(folder / "instance", "empty", None, None)
    now = format_instance(instance.clock.now())
    database = instance.database
    database.load(
        "sys_user",
        [
            {
                "sys_id": digit * 32,
                "user_name": user,
                "name": name,
                "active": "true",
                "preferred_language": language,
            }
            for user, (name, language, digit) in PEOPLE.items()
        ],
    )
    for table, records in _company(now):
        database.load(table, records)
    with serving(instance) as api:
        api.auth = ("admin", PASSWORD)
        settings: dict[str, dict[str, Any]] = {
            # What a test says is read by the sync after it, however soon that one comes.
            "instance": {"settle_seconds": 0},
            "extract": {"tables": list(tables)},
            "write_back": {"tables": list(tables)},
            "report": {"languages": ["es"]},
        }
        yield Desk(instance, api, Connector(folder / "connector", api.base, settings))
