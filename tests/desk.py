"""An empty instance with all its tables, in this process, and an installation beside it.

What a first import meets: no ticket but those that a test loads, nothing of ours.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connector.sandbox.instance import Instance
from connector.sandbox.seeding import open_instance
from connector.timestamps import format_instance
from tests.harness import PASSWORD, Connector
from tests.sandbox_instance import Api, serving

PEOPLE: Mapping[str, tuple[str, str, str]] = {
    "estela.vega": ("Estela Vega", "es", "1"),
    "leo.prat": ("Leo Prat", "en", "2"),
}
"""user_name → name, language, the digit of its sys_id."""

INCIDENTS = 3


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


@contextmanager
def desk(folder: Path, *, tables: tuple[str, ...] = ("incident",)) -> Iterator[Desk]:
    """An instance with three new incidents and two people, served; the connector is configured."""
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
    incidents = [
        {
            "sys_id": incident_id(number),
            "number": f"INC{number:07d}",
            "short_description": f"The scanner in aisle {number} is silent",
            "state": "1",
            "active": "true",
            "priority": "3",
            "opened_at": now,
            "caller_id": "1" * 32,
            "sys_created_on": now,
            "sys_updated_on": now,
        }
        for number in range(1, INCIDENTS + 1)
    ]
    database.load("incident", incidents)
    with serving(instance) as api:
        api.auth = ("admin", PASSWORD)
        settings = {
            "extract": {"tables": list(tables)},
            "write_back": {"tables": list(tables)},
            "report": {"languages": ["es"]},
        }
        yield Desk(instance, api, Connector(folder / "connector", api.base, settings))
