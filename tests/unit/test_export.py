"""Exports: valid by schema, readable by a process miner, and true to the store."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import r4pm
import xmlschema
from jsonschema import Draft202012Validator
from r4pm import bindings

from connector.classify import save_classification
from connector.errors import ConnectorError
from connector.export.files import whole_file
from connector.export.log import Log, open_log, relations_of
from connector.export.ocel import write_ocel
from connector.export.parquet import NAMES, TEXTS, write_parquet
from connector.export.xes import write_xes
from tests.journey_kit import NOW, Kit, schema

SCHEMAS = Path(__file__).parent.parent / "schemas"
HOSTILE = 'a <b> & "c" \x00\x0b \ud83d ]]>'.replace("\ud83d", "😀")


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """Two nights: an item with a task and an approval, an incident that is resolved later."""
    kit = Kit(tmp_path)
    kit.put("cmn_department", {"sys_id": "d", "name": "Finanzas"})
    kit.put("sys_user", {"sys_id": "u", "department": "d"})
    item = {"opened_at": "2026-11-18 08:00:00", "active": "true", "state": "2"}
    kit.put("sc_req_item", {"sys_id": "r", "number": "RITM1", "approval": "approved", **item})
    kit.put("sc_task", {"sys_id": "t", "number": "SCTASK1", "request_item": "r", **item})
    incident = {"sys_id": "i", "number": "INC1", "caller_id": "u", "active": "true"}
    opened = {"opened_at": "2026-11-19 08:00:00", "sys_updated_on": "2026-11-19 08:00:00"}
    kit.put("incident", {**incident, **opened, "state": "2", "category": HOSTILE})
    kit.classify(NOW - timedelta(days=1), "r1")
    save_classification(kit.store, "r1")
    kit.finish("r1", NOW - timedelta(days=1))
    kit.store.execute(
        "UPDATE current.incident SET state = '6', resolved_at = '2026-11-20 10:00:00',"
        " _inputs_updated_on = '2026-11-20 10:00:00'"
    )
    kit.classify(NOW, "r2")
    save_classification(kit.store, "r2")
    kit.finish("r2", NOW)
    return open_log(
        kit.store, kit.mapping, schema(), NOW, "travesia", "es", relations_of(kit.mapping)
    )


def test_xes_is_valid_and_a_miner_reads_every_record_and_step(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    assert write_xes(log, path) == 3
    xmlschema.XMLSchema(str(SCHEMAS / "xes.xsd")).validate(str(path))
    found = r4pm.import_item("EventLog", str(path))
    projection = bindings.log_to_activity_projection(log=found)
    assert bindings.get_num_cases(projection) == 3
    graph = json.dumps(bindings.discover_dfg(event_log=found), ensure_ascii=False)
    assert "Dar acceso y usar" in graph
    assert "Medir, confirmar el valor y mejorar" in graph


def test_xes_says_what_xml_can_say_of_any_text(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    write_xes(log, path)
    read: Any = xmlschema.XMLSchema(str(SCHEMAS / "xes.xsd")).to_dict(str(path))
    values = {
        (one["@key"], one["@value"]) for trace in read["trace"] for one in trace.get("string", [])
    }
    assert ("category", 'a <b> & "c" �� 😀 ]]>') in values
    assert ("customer", "Finanzas") in values


def test_ocel_is_valid_and_every_relation_leads_to_an_object(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "log.ocel.json"
    count = write_ocel(log, path)
    content = json.loads(path.read_text("utf-8"))
    faults = Draft202012Validator(json.loads((SCHEMAS / "ocel20.json").read_text("utf-8")))
    assert [fault.message for fault in faults.iter_errors(content)] == []
    objects = {one["id"]: one for one in content["objects"]}
    named = {
        tie["objectId"]
        for one in (*content["objects"], *content["events"])
        for tie in one["relationships"]
    }
    assert named <= set(objects)
    assert len(content["events"]) == count == 4
    assert {"objectId": "sc_req_item/r", "qualifier": "part of"} in objects["sc_task/t"][
        "relationships"
    ]
    assert {"objectId": "customer/Finanzas", "qualifier": "customer"} in objects["incident/i"][
        "relationships"
    ]


def test_a_miner_reads_the_ocel(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "log.ocel.json"
    count = write_ocel(log, path)
    found = bindings.slim_link_ocel(ocel=r4pm.import_item("OCEL", str(path)))
    assert bindings.num_events(found) == count
    assert bindings.num_objects(found) == 4


def test_types_are_declared_before_they_are_used(log: Log, tmp_path: Path) -> None:
    path = tmp_path / "log.ocel.json"
    write_ocel(log, path)
    content = json.loads(path.read_text("utf-8"))
    for kind in ("object", "event"):
        declared = {
            one["name"]: {attribute["name"] for attribute in one["attributes"]}
            for one in content[f"{kind}Types"]
        }
        for one in content[f"{kind}s"]:
            assert {attribute["name"] for attribute in one["attributes"]} <= declared[one["type"]]


def test_parquet_holds_every_record_without_texts_and_users(log: Log, tmp_path: Path) -> None:
    paths = {path.name: path for path in write_parquet(log.store, tmp_path / "lake")}
    incidents = pq.read_table(paths["record.incident.parquet"])
    assert incidents.num_rows == 1
    assert not (TEXTS | NAMES) & set(incidents.column_names)
    own = pq.read_schema(paths["journey.journey_override.parquet"])
    assert not (TEXTS | NAMES) & set(own.names)
    history = pq.read_schema(paths["record.sys_journal_field.parquet"])
    assert not NAMES & set(history.names)
    assert "record.sys_user.parquet" not in paths
    moves = pq.read_table(paths["journey.transition.parquet"]).to_pylist()
    assert {move["to_step"] for move in moves if move["journey"] == "travesia"} >= {"usar", "medir"}
    assert not any("export_" in name for name in paths)


def test_parquet_holds_texts_and_users_when_asked(log: Log, tmp_path: Path) -> None:
    paths = {path.name: path for path in write_parquet(log.store, tmp_path, with_people=True)}
    assert pq.read_table(paths["record.sys_user.parquet"]).num_rows == 1
    assert "short_description" in pq.read_table(paths["record.incident.parquet"]).column_names


def test_a_file_is_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    path.write_text("before")
    with pytest.raises(ValueError, match="x"), whole_file(path) as draft:
        int(str(draft.write_text("half")) + "x")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ConnectorError, match="choose another folder"),
        whole_file(tmp_path / "file" / "log.xes"),
    ):
        pass
