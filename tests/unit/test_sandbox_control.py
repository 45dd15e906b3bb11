import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox import control
from connector.sandbox.answers import ApiError
from connector.sandbox.instance import Instance
from tests.sandbox_instance import NOW, USER, incident_id, make_instance

NEW_ID = "e" * 32


@dataclass(frozen=True)
class Change:
    at: datetime
    sys_id: str
    values: Mapping[str, str]
    table: str = "incident"
    updated_by: str = "agent"


@dataclass
class Recorded:
    """A history that remembers what it was asked for."""

    changes: list[Change]
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)

    def __call__(self, after: datetime, until: datetime) -> Iterable[Change]:
        self.asked.append((after, until))
        return (c for c in self.changes if after < c.at <= until)


HISTORY = [
    Change(NOW + timedelta(minutes=5), incident_id(1), {"state": "3", "priority": "4"}),
    Change(NOW + timedelta(minutes=6), NEW_ID, {"number": "INC0009999", "state": "1"}),
    Change(NOW + timedelta(minutes=6), NEW_ID, {"state": "2"}, updated_by="other"),
    Change(NOW + timedelta(days=2), incident_id(2), {"state": "2"}),
]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    instance = make_instance(tmp_path)
    instance.history = Recorded(HISTORY)
    yield instance
    instance.database.close()


def advance(instance: Instance, until: str) -> Any:
    body = json.dumps({"until": until}).encode()
    return json.loads(asyncio.run(control.advance(instance, body)).body)["result"]


def record(instance: Instance, sys_id: str) -> dict[str, str]:
    found = instance.database.get(instance.database.table("incident"), sys_id)
    assert found is not None
    return found


def test_each_change_is_applied_at_its_own_time_and_by_its_author(instance: Instance) -> None:
    done = advance(instance, "2026-11-21 00:00:00")
    assert done == {
        "clock": "2026-11-21 00:00:00",
        "inserted": 1,
        "updated": 2,
        "unchanged": 0,
    }
    changed = record(instance, incident_id(1))
    assert (changed["state"], changed["priority"]) == ("3", "4")
    assert changed["sys_updated_on"] == "2026-11-20 12:05:00"
    assert (changed["sys_updated_by"], changed["sys_mod_count"]) == ("agent", "1")
    new = record(instance, NEW_ID)
    assert new["sys_created_on"] == new["sys_updated_on"] == "2026-11-20 12:06:00"
    assert (new["sys_created_by"], new["sys_updated_by"]) == ("agent", "other")
    assert (new["number"], new["state"], new["sys_mod_count"]) == ("INC0009999", "2", "1")


def test_the_next_advance_goes_on_where_the_last_stood(instance: Instance) -> None:
    advance(instance, "2026-11-21")
    assert advance(instance, "2026-11-23")["updated"] == 1
    assert advance(instance, "2026-11-23")["updated"] == 0
    history = instance.history
    assert isinstance(history, Recorded)
    assert history.asked[1][0] == datetime.fromisoformat("2026-11-21T00:00:00+00:00")


def test_what_somebody_else_wrote_meanwhile_stays(instance: Instance) -> None:
    table = instance.database.table("incident")
    instance.database.update(table, incident_id(1), {"close_notes": "by the connector"}, USER)
    advance(instance, "2026-11-21")
    kept = record(instance, incident_id(1))
    assert (kept["close_notes"], kept["state"]) == ("by the connector", "3")
    assert kept["sys_mod_count"] == "2"


def test_a_change_that_is_true_already_writes_nothing(instance: Instance) -> None:
    table = instance.database.table("incident")
    instance.database.update(table, incident_id(1), {"state": "3", "priority": "4"}, USER)
    assert advance(instance, "2026-11-21")["unchanged"] == 1
    assert record(instance, incident_id(1))["sys_updated_by"] == USER


@pytest.mark.parametrize("frozen", [True, False])
def test_the_clock_ticks_afterwards_if_it_did_before(instance: Instance, frozen: bool) -> None:
    instance.clock.freeze(frozen)
    advance(instance, "2026-11-21")
    assert instance.clock.frozen is frozen


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"until": "soon"}', b'{"till": "x"}'])
def test_a_bad_advance_is_refused_and_nothing_moves(instance: Instance, body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        asyncio.run(control.advance(instance, body))
    assert caught.value.status == 400
    assert instance.clock.now() == NOW


def test_the_clock_can_be_frozen_and_moved(instance: Instance) -> None:
    answer = control.set_clock(instance, b'{"frozen": false, "until": "2026-12-01 00:00:00"}')
    health = json.loads(answer.body)["result"]
    assert health["frozen"] is False
    assert health["clock"].startswith("2026-12-01 00:00:0")


def test_an_unknown_mode_is_refused(instance: Instance) -> None:
    with pytest.raises(ApiError):
        control.set_mode(instance, b'{"invalid_query": "maybe"}')
    assert instance.invalid_query == "ignore"


# ── dump ─────────────────────────────────────────────────────────────────────────────────────


def dump(instance: Instance, table: str = "", bookkeeping: bool = False) -> list[dict[str, str]]:
    async def whole() -> bytes:
        return b"".join([part async for part in control.dump(instance, table, bookkeeping)])

    return [json.loads(line) for line in asyncio.run(whole()).splitlines()]


def test_a_dump_is_sorted_and_leaves_empty_fields_out(instance: Instance) -> None:
    lines = dump(instance)
    ids = [(line["table"], line["sys_id"]) for line in lines]
    assert sorted(ids) == sorted(set(ids))
    roles = {"sys_user_role", "sys_user_has_role"}
    assert {line["table"] for line in lines} == {"incident", "sys_user", *roles}
    assert "" not in lines[0].values()
    only = dump(instance, "incident")
    assert [line["sys_id"] for line in only] == [incident_id(n) for n in range(1, 26)]


def test_a_dump_changes_when_a_record_does_and_only_then(instance: Instance) -> None:
    before = dump(instance)
    assert dump(instance) == before
    table = instance.database.table("incident")
    instance.database.update(table, incident_id(1), {"priority": "2"}, USER)
    assert dump(instance) == before, "a no-op update is not a change"
    instance.database.update(table, incident_id(1), {"priority": "3"}, USER)
    changed = [(a, b) for a, b in zip(before, dump(instance), strict=True) if a != b]
    assert [(a["priority"], b["priority"]) for a, b in changed] == [("2", "3")]


def test_a_column_named_table_does_not_hide_whose_record_a_line_is(instance: Instance) -> None:
    trigger = {"table": "incident", "active": "true"}
    instance.database.insert(instance.database.table("sys_flow_record_trigger"), trigger, USER)
    lines = [line for line in dump(instance) if line["table"] == "sys_flow_record_trigger"]
    assert [line["table_column"] for line in lines] == ["incident"]


def test_a_new_empty_column_does_not_change_a_dump(instance: Instance) -> None:
    before = dump(instance)
    column = {"name": "incident", "element": "u_x", "internal_type": "string"}
    instance.database.insert(instance.database.table("sys_dictionary"), column, USER)
    assert dump(instance) == before
    assert any(line["table"] == "sys_dictionary" for line in dump(instance, bookkeeping=True))
