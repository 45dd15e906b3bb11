"""Quiet writing over real HTTP: staging tables, transform maps, one row a record.

Skipped until the sandbox has an Import Set API; the wire itself is held in tests/unit.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import staging
from connector.itsm.base import RecordUpdate
from connector.itsm.servicenow import Connection, ServiceNow, connect
from connector.journey import fields
from connector.journey.mapping import load_mapping
from connector.provision import Scope, apply_provision
from tests.sandbox_instance import PASSWORD, USER, incident_id, make_instance, serving

OWN = [field.name for field in fields.RECORD_FIELDS]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[ServiceNow]:
    with serving(make_instance(tmp_path)) as api:
        client = connect(Connection(api.base, user=USER, secret=PASSWORD))
        apply_provision(client, load_mapping(), Scope(("incident",), via="import_set"))
        yield client


def wanted(n: int, step: str) -> RecordUpdate:
    return RecordUpdate("incident", incident_id(n), {**dict.fromkeys(OWN, ""), fields.STEP: step})


def test_an_import_updates_records_checks_them_and_makes_none(instance: ServiceNow) -> None:
    staging.check_staging(instance, ["incident"])
    before = list(instance.list_records("incident", ["sys_mod_count"]))
    replies = instance.import_updates([wanted(1, "usar"), wanted(2, "explorar")])
    assert [reply.status for reply in replies] == ["written", "written"]
    assert [reply.values[fields.STEP] for reply in replies] == ["usar", "explorar"]
    assert len(list(instance.list_records("incident", ["sys_id"]))) == len(before)


def test_an_import_may_empty_a_field_again(instance: ServiceNow) -> None:
    instance.import_updates([wanted(1, "usar")])
    (reply,) = instance.import_updates([wanted(1, "")])
    assert (reply.status, reply.values[fields.STEP]) == ("written", "")


def test_a_record_that_is_not_there_is_never_made(instance: ServiceNow) -> None:
    gone = RecordUpdate("incident", "f" * 32, wanted(1, "usar").values)
    (reply,) = instance.import_updates([gone])
    assert reply.status == "gone"
    assert instance.read_records("incident", ["f" * 32], ["sys_id"]) == []
