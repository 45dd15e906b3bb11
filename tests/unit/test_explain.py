"""Why a record stands where it stands."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.classify import save_classification
from connector.cli.explain_view import show_explanation
from connector.config import Config
from connector.errors import ConfigError
from connector.explain import Explanation, explain
from connector.messages import speaking
from tests.journey_kit import Kit, schema

NIGHT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """A store after one run, with an incident on hold and a request with an item."""
    kit = Kit(tmp_path)
    kit.put(
        "incident",
        {
            "sys_id": "i",
            "number": "INC0010042",
            "state": "3",
            "hold_reason": "1",
            "active": "true",
            "contact_type": "phone",
            "reopen_count": None,
            "opened_at": "2026-11-19 08:00:00",
        },
    )
    kit.put("sc_request", {"sys_id": "req", "number": "REQ0001", "active": "true"})
    kit.put(
        "sc_req_item",
        {
            "sys_id": "r",
            "number": "RITM0001",
            "request": "req",
            "active": "true",
            "stage": "delivery",
        },
    )
    kit.put("task_sla", {"sys_id": "s", "task": "r", "active": "true"})
    night(kit, NIGHT, "r1")
    return kit


def night(kit: Kit, now: datetime, run_id: str) -> None:
    kit.classify(now, run_id)
    save_classification(kit.store, run_id)
    kit.finish(run_id, now)


def told(kit: Kit, number: str) -> Explanation:
    return explain(kit.store, kit.mapping, schema(), number, "Europe/Madrid")


def test_the_rule_its_reason_and_the_values_it_saw_are_told(kit: Kit) -> None:
    found = told(kit, "inc0010042")
    assert (found.table, found.number, found.rule_id) == (
        "incident",
        "INC0010042",
        "incident-waiting-for-user",
    )
    assert found.because.es == "Espera visible: se ha pedido información al usuario"
    assert found.rule_source.startswith("rules/incident.toml:")
    assert found.touchpoint_name.en == "Information asked from user"
    assert [(part.text, part.values, part.holds) for part in found.conditions] == [
        ("state=3", (("state", "3"),), True),
        ("hold_reason=1", (("hold_reason", "1"),), True),
    ]
    assert found.as_of == NIGHT


def test_what_almost_matched_is_told_with_what_was_missing(kit: Kit) -> None:
    found = told(kit, "INC0010042")
    near = {one.rule_id: one.missing for one in found.almost}
    assert near["incident-reopened"][0].text == "reopen_count>0"
    assert near["incident-reopened"][0].values == (("reopen_count", None),)
    assert near["incident-waiting-for-supplier"][0].text == "hold_reason=4"
    assert len(near) == 3


def test_a_record_that_follows_another_says_which_and_why(kit: Kit) -> None:
    found = told(kit, "REQ0001")
    assert found.rule_id == "request-follows-items"
    assert found.inherited is not None
    assert (found.inherited.number, found.inherited.rule_id) == ("RITM0001", "item-delivery")
    assert found.touchpoint == "handover"


def test_a_record_without_number_is_found_by_table_and_key(kit: Kit) -> None:
    found = told(kit, "task_sla/s")
    assert found.rule_id == "sla-running"
    assert found.number == "task_sla/s"
    assert found.inherited is not None
    assert found.inherited.number == "RITM0001"


def test_where_it_stands_and_stood_is_told(kit: Kit) -> None:
    kit.store.execute(
        "UPDATE current.incident SET state = '6', _inputs_updated_on = '2026-11-20 10:00:00'"
    )
    night(kit, datetime(2026, 11, 21, 2, tzinfo=UTC), "r2")
    found = told(kit, "INC0010042")
    standing = {one.journey: one for one in found.standings}["travesia"]
    assert standing.step_name.en == "Measure, confirm value and improve"
    assert standing.since == datetime(2026, 11, 20, 10, tzinfo=UTC)
    moves = [(m.from_step, m.to_step) for m in found.moves if m.journey == "travesia"]
    assert moves == [("usar", "medir"), ("", "usar")]


def test_what_was_sent_is_told(kit: Kit) -> None:
    kit.store.execute(
        "INSERT INTO change (run_id, table_name, sys_id, number, field, from_value, to_value,"
        " is_healing, status, changed_at) VALUES ('r1', 'incident', 'i', 'INC0010042',"
        " 'u_journey_step', '', 'usar', false, 'confirmed', '2026-11-20 02:01:00')"
    )
    (change,) = told(kit, "INC0010042").changes
    assert (change.field, change.to_value, change.status) == ("u_journey_step", "usar", "confirmed")


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("en", ("Relationship journey", "Provide and use", "Journey touchpoint")),
        ("es", ("Travesía de relaciones", "Dar acceso y usar", "Punto de contacto de la travesía")),
    ],
)
def test_people_read_names_and_never_ids(
    kit: Kit,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    names: tuple[str, ...],
) -> None:
    monkeypatch.setenv("COLUMNS", "200")  # names are looked for whole, not cut by a narrow table
    kit.store.execute(
        "INSERT INTO change (run_id, table_name, sys_id, number, field, from_value, to_value,"
        " is_healing, status, changed_at) SELECT 'r1', 'incident', 'i', 'INC0010042', field, '',"
        " value, false, 'confirmed', TIMESTAMP '2026-11-20 02:01:00' FROM (VALUES"
        " ('u_journey_step', 'usar'), ('u_journey_touchpoint', 'wait_for_user'),"
        " ('u_journey_band', 'visible'), ('u_journey_since', '2026-11-19 08:00:00'),"
        " ('u_journey_relationship', 'row1'), ('u_journey_outcome', ''))"
        " v (field, value)"
    )
    kit.store.execute(
        "INSERT INTO engagement BY NAME SELECT 'row1' AS sys_id, 'Finance' AS customer_name,"
        " 'ERP' AS service_name, 'connected' AS state, DATE '2026-11-20' AS as_of,"
        " '' AS customer_table, 'd' AS customer, '' AS service_table, 's' AS service,"
        " 0 AS evidence, 0 AS confidence, 5 AS people, 1 AS smaller, 0 AS fallback_share,"
        " 0 AS contacts, false AS is_capped"
    )
    found = told(kit, "INC0010042")
    with speaking(language):
        show_explanation(found, kit.mapping, Config())
    shown = capsys.readouterr().out
    for name in (*names, kit.mapping.touchpoints["wait_for_user"].name.in_(language)):
        assert name in shown
    words = set(re.findall(r"[\w-]+", shown))
    assert "Finance × ERP" in shown
    assert not words & {"row1", "wait_for_user", "travesia", "itil4", "u_journey_step"}, shown


def test_an_id_that_the_mapping_no_longer_knows_is_shown_as_it_is(
    kit: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(kit, "INC0010042")
    gone = replace(found.moves[0], journey="old_journey", to_step="old_step")
    show_explanation(replace(found, moves=(gone,)), kit.mapping, Config())
    shown = capsys.readouterr().out
    assert "old_journey" in shown
    assert "old_step" in shown


def test_rules_that_are_off_here_are_told(kit: Kit) -> None:
    kit.store.execute("ALTER TABLE current.incident DROP COLUMN caused_by")
    (off,) = told(kit, "INC0010042").off
    assert (off.rule_id, off.table) == ("incident-after-change", "incident")


def test_an_unclassified_record_says_that_no_rule_matched(kit: Kit) -> None:
    kit.put("sc_request", {"sys_id": "odd", "number": "REQ0009", "state": "99"})
    night(kit, NIGHT, "r2")
    found = told(kit, "REQ0009")
    assert found.rule_id == "unclassified"
    assert found.because.en == "No rule matched this record"
    assert found.conditions == ()


def test_an_unknown_number_is_one_clear_sentence(kit: Kit) -> None:
    with pytest.raises(ConfigError, match="INC9: this is not among the records"):
        told(kit, "INC9")
    with pytest.raises(ConfigError, match="is not among the records"):
        told(kit, "no_table/abc")


def test_explaining_changes_nothing(kit: Kit) -> None:
    before = kit.store.read("SELECT * FROM classification ORDER BY ALL")
    told(kit, "INC0010042")
    assert kit.store.read("SELECT * FROM classification ORDER BY ALL") == before
