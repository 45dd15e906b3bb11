"""A changed mapping over nights: it waits, is looked at, is accepted, and moves records."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desk import Desk, desk
from tests.flow.conftest import Place
from tests.harness import Connector

RULE = """
[[rule]]
id = "calls-are-meetings"
tables = ["incident"]
when = "active=true^contact_type=phone"
touchpoint = "relationship_meeting"
because = { en = "We meet by phone", es = "Nos vemos por teléfono" }
example = { active = "true", contact_type = "phone" }
"""
CONTACTS = (
    "fecha;departamento;servicio;punto de contacto;promesa para\r\n"
    "05/11/2026;Finance;E-invoicing;Revisión del servicio;01/12/2026\r\n"
    "06/10/2026;Legal;;Reunión de relación;10/10/2026\r\n"
)


def own_mapping(connector: Connector) -> Path:
    folder = connector.folder / "ours" / "rules"
    folder.mkdir(parents=True)
    (folder / "ours.toml").write_text(RULE, encoding="utf-8")
    return folder.parent


def test_a_changed_mapping_waits_until_somebody_has_seen_what_it_moves(synced: Place) -> None:
    instance, connector = synced.instance, synced.connector
    folder = own_mapping(connector)
    before = instance.dump("incident")
    seen = json.loads(connector.do("plan", "--mappings", str(folder), "--json"))
    assert seen["counted"]["moved"] > 0
    assert {move["rule_id"] for move in seen["moves"] if move["table"] == "incident"} == {
        "calls-are-meetings"
    }
    connector.write_config(mapping={"overlay": str(folder)})

    waiting = connector.call("sync", "--json")
    assert waiting.returncode == 6
    assert seen["hash"] in waiting.stderr
    told = json.loads(waiting.stdout)
    assert (told["confirmed"], told["waiting_mapping"]) == (0, seen["hash"])
    assert instance.dump("incident") == before
    assert seen["hash"] in connector.do("status")
    assert connector.read("SELECT count(*) FROM transition WHERE cause = 'mapping'") == [(0,)]

    wrong = connector.call("plan", "--accept", "0123456789ab")
    assert wrong.returncode == 2
    assert seen["hash"] in wrong.stderr
    connector.do("plan", "--accept", seen["hash"][:6])
    live = connector.sync()
    assert live["outcome"] == "succeeded"
    assert live["waiting_mapping"] == ""
    rows = connector.read(
        "SELECT cause, count(DISTINCT sys_id) FROM transition"
        " WHERE rule_id = 'calls-are-meetings' AND journey = 'travesia' AND from_step <> ''"
        " GROUP BY 1"
    )
    assert [cause for cause, _n in rows] == ["mapping"]
    moved = {i for (i,) in connector.read(_MOVED)}
    after = instance.dump("incident")
    assert {after[i]["u_journey_step"] for i in moved} == {"entender"}
    assert "in force" in connector.do("plan")


_MOVED = "SELECT sys_id FROM classification WHERE rule_id = 'calls-are-meetings'"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Desk]:
    """A small company that has a second department."""
    with desk(tmp_path) as made:
        made.instance.database.load("cmn_department", [{"sys_id": "e" * 32, "name": "Legal"}])
        made.connector.do("provision", "--apply")
        yield made


def test_contacts_of_a_file_count_although_the_tool_has_no_table_for_them(office: Desk) -> None:
    connector = office.connector
    file = connector.folder / "contactos.csv"
    file.write_bytes(CONTACTS.encode("cp1252"))
    connector.write_config(contacts={"csv": str(file)})
    connector.sync()
    placed = connector.read(
        "SELECT touchpoint, outcome FROM classification WHERE table_name = 'u_journey_contact'"
        " AND sys_id LIKE 'csv%' ORDER BY 1"
    )
    assert placed == [("relationship_meeting", "failed"), ("service_review", "")]

    connector.do("reconcile")
    file.write_bytes(CONTACTS.replace("Legal", "Legall").encode("cp1252"))
    faulty = connector.call("sync", "--json")
    assert faulty.returncode == 6
    assert any("contactos.csv:3:" in said for said in json.loads(faulty.stdout)["messages"])
    assert len(connector.read("SELECT * FROM contact_line")) == 2

    file.write_bytes("".join(CONTACTS.splitlines(keepends=True)[:2]).encode("cp1252"))
    connector.sync()
    assert connector.read("SELECT count(*) FROM classification WHERE sys_id LIKE 'csv%'") == [(1,)]
