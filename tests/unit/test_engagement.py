"""The state of relationships, from records put in by hand: whose, how small, since when."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector import contacts
from connector.classify import classify
from connector.engagement import EngagementResult, Settings, compute_engagement, save_engagement
from connector.evaluate import forget
from connector.store import engagement, parties, records
from connector.store.database import Row
from connector.timestamps import format_instance
from tests.journey_kit import NOW, Kit, schema

SETTINGS = Settings("travesia", "Europe/Madrid", 5)
CONTACT = ["sys_id", "sys_updated_on", "sys_created_on", "sys_mod_count", *contacts.COLUMNS]


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    kit = Kit(tmp_path)
    kit.put("core_company", {"sys_id": "co", "name": "Aurora"})
    kit.put(
        "cmn_department",
        {"sys_id": "fin", "name": "Finanzas", "company": "co"},
        {"sys_id": "tax", "name": "Impuestos", "company": "co", "parent": "fin"},
        {"sys_id": "legal", "name": "Legal"},
    )
    kit.put(
        "cmdb_ci_service", {"sys_id": "erp", "name": "ERP"}, {"sys_id": "mail", "name": "Correo"}
    )
    people = [("f", "fin", 8), ("t", "tax", 3), ("l", "legal", 3)]
    kit.put(
        "sys_user",
        *(
            {"sys_id": f"{prefix}{n}", "department": department, "vip": "false"}
            for prefix, department, count in people
            for n in range(count)
        ),
        {"sys_id": "boss", "department": "fin", "vip": "true"},
    )
    return kit


def ago(days: float) -> str:
    return format_instance(NOW - timedelta(days=days))


_numbers = iter(range(1_000_000))


def incident(kit: Kit, caller: str, days: float, **values: Any) -> str:
    """An incident of a caller, solved by the first hands on the day it was opened."""
    sys_id = f"inc{next(_numbers)}"
    row = {
        "sys_id": sys_id,
        "caller_id": caller,
        "opened_at": ago(days),
        "resolved_at": ago(days),
        "state": "6",
        "reassignment_count": "0",
        "reopen_count": "0",
        "category": "software",
        "contact_type": "phone",
        "business_service": "erp",
        **values,
    }
    kit.put("incident", row)
    return sys_id


def sla(kit: Kit, task: str, days: float, *, missed: bool) -> None:
    kit.put(
        "task_sla",
        {
            "sys_id": f"sla{next(_numbers)}",
            "task": task,
            "stage": "completed",
            "has_breached": str(missed).lower(),
            "planned_end_time": ago(days),
            "end_time": ago(days),
        },
    )


def spread(kit: Kit, people: str, count: int, days: Callable[[int], float], **values: Any) -> None:
    """Incidents by the people `f0`, `f1`, … in turn."""
    size = {"f": 8, "t": 3, "l": 3}[people]
    for n in range(count):
        incident(kit, f"{people}{n % size}", days(n), **values)


def compute(kit: Kit, now: datetime = NOW, settings: Settings = SETTINGS) -> EngagementResult:
    """As a run does after classification; where the records stand matters only for contacts."""
    known = {**schema(), **contacts.schema()}
    if "u_journey_contact" in kit.columns:
        classify(kit.store, kit.mapping, known, now, "r1", settings.time_zone)
    else:
        forget(kit.store)
        kit.store.execute("CREATE OR REPLACE TEMP TABLE classified AS FROM classification LIMIT 0")
    return compute_engagement(kit.store, kit.mapping, known, now, settings)


def named(kit: Kit) -> dict[tuple[str, str], Row]:
    rows = engagement.read_next(kit.store)
    return {(row["customer_name"], row["service_name"]): row for row in rows}


# --- whose evidence -------------------------------------------------------------------------------


def test_a_relationship_is_a_department_and_a_service(kit: Kit) -> None:
    spread(kit, "f", 12, lambda n: n + 1)
    spread(kit, "f", 12, lambda n: n + 1, business_service="mail")
    compute(kit)
    assert set(named(kit)) == {("Finanzas", "ERP"), ("Finanzas", "Correo")}


def test_a_configuration_item_counts_as_service_only_if_it_is_one(kit: Kit) -> None:
    spread(kit, "f", 6, lambda n: n + 1, business_service="", cmdb_ci="mail")
    spread(kit, "f", 6, lambda n: n + 1, business_service="", cmdb_ci="printer-7")
    compute(kit)
    found = named(kit)
    assert set(found) == {("Finanzas", "Correo"), ("Finanzas", "")}
    assert found["Finanzas", "Correo"]["fallback_share"] == 0
    assert found["Finanzas", ""]["fallback_share"] == 1


def test_the_company_stands_in_for_a_department_and_nobody_for_neither(kit: Kit) -> None:
    kit.put("sys_user", *({"sys_id": f"x{n}"} for n in range(6)))
    for n in range(6):
        incident(kit, f"x{n}", 3, company="co")
    incident(kit, "x0", 3)
    result = compute(kit)
    assert set(named(kit)) == {("Aurora", "ERP")}
    assert result.nobodys == 1


def test_an_sla_belongs_to_the_relationship_of_its_task(kit: Kit) -> None:
    for n in range(8):
        sla(kit, incident(kit, f"f{n}", 3), 2, missed=n < 4)
    compute(kit)
    row = named(kit)["Finanzas", "ERP"]
    assert {r["line"]: r["records"] for r in row["reasons"]} == {
        "one-touch": 8,
        "sla-met": 4,
        "sla-breached": 4,
    }
    assert row["dimensions"].keys() == {"reliability", "quality"}
    assert row["customer_side"] is None
    assert row["provider"] == row["score"]


def test_records_that_rules_ignore_are_no_evidence(kit: Kit) -> None:
    """Nor are their people anybody's, nor what hangs on them. What no rule knows stays in."""
    noise = f"{kit.mapping.sets['test_markers'][0]} load test"
    for n in range(8):
        sla(kit, incident(kit, f"f{n}", 40, short_description=noise), 39, missed=True)
    kit.classify()
    compute_engagement(kit.store, kit.mapping, schema(), NOW, SETTINGS)
    assert named(kit) == {}
    spread(kit, "f", 5, lambda n: n + 1)
    kit.classify()
    kit.store.execute(
        "UPDATE classified SET rule_id = 'unclassified', touchpoint = '', steps = MAP {}"
        " WHERE touchpoint <> ''"
    )
    compute_engagement(kit.store, kit.mapping, schema(), NOW, SETTINGS)
    row = named(kit)["Finanzas", "ERP"]
    assert row["people"] == 5
    assert {r["line"]: r["records"] for r in row["reasons"]} == {"one-touch": 5}


def test_the_word_of_a_vip_weighs_more(kit: Kit) -> None:
    spread(kit, "f", 8, lambda _n: 0)
    compute(kit)
    before = named(kit)["Finanzas", "ERP"]["evidence"]
    incident(kit, "boss", 0)
    compute(kit)
    assert named(kit)["Finanzas", "ERP"]["evidence"] == pytest.approx(before + 1.5)


def test_evidence_counts_in_the_step_of_its_touchpoint(kit: Kit) -> None:
    spread(kit, "f", 10, lambda n: n)
    compute(kit)
    assert named(kit)["Finanzas", "ERP"]["steps"].keys() == {"usar"}


# --- groups ---------------------------------------------------------------------------------------


def test_a_small_department_is_counted_with_its_parent(kit: Kit) -> None:
    spread(kit, "f", 8, lambda n: n + 1)
    spread(kit, "t", 6, lambda n: n + 1)
    compute(kit)
    rows = named(kit)
    assert set(rows) == {("Finanzas", "ERP")}
    assert (rows["Finanzas", "ERP"]["people"], rows["Finanzas", "ERP"]["smaller"]) == (11, 2)


def test_a_small_department_and_its_small_parent_come_to_the_company_together(kit: Kit) -> None:
    for n in range(3):
        incident(kit, f"f{n}", 2)
        incident(kit, f"t{n % 2}", 2)
    compute(kit)
    assert {name: row["people"] for name, row in named(kit).items()} == {("Finanzas", "ERP"): 5}


def test_what_is_small_all_the_way_up_is_not_shown(kit: Kit) -> None:
    spread(kit, "t", 6, lambda n: n + 1)
    spread(kit, "l", 6, lambda n: n + 1)
    result = compute(kit)
    assert named(kit) == {}
    assert (result.relationships, result.too_small) == (0, 2)


def test_approvers_of_other_departments_are_no_people_of_a_relationship(kit: Kit) -> None:
    """One person's department stays hidden, however many others sign for it."""
    item = {"requested_for": "l0", "business_service": "erp", "opened_at": ago(5)}
    for n in range(6):
        kit.put("sc_req_item", {"sys_id": f"i{n}", **item})
        approval = {"sys_id": f"a{n}", "sysapproval": f"i{n}", "approver": f"f{n}"}
        kit.put("sysapproval_approver", {**approval, "state": "approved", "sys_created_on": ago(4)})
    result = compute(kit)
    assert named(kit) == {}
    assert (result.relationships, result.too_small) == (0, 1)


def test_a_step_of_few_people_is_not_shown_although_the_relationship_is(kit: Kit) -> None:
    """Four who gave a request up would stand alone in their step; eight in use do not."""
    spread(kit, "f", 8, lambda n: n + 1)
    given_up = {"business_service": "erp", "closed_at": ago(4), "approval": "requested"}
    given_up["state"] = kit.mapping.sets["skipped_states"][0]
    for n in range(5):
        kit.put("sc_req_item", {"sys_id": f"i{n}", "requested_for": f"f{n}", **given_up})
        compute(kit)
        steps = named(kit)["Finanzas", "ERP"]["steps"]
        assert steps["usar"] > 50
        assert (steps["acordar"] is not None) == (n == 4)


def test_departments_that_are_their_own_ancestors_do_not_hang_the_run(kit: Kit) -> None:
    kit.put(
        "cmn_department",
        {"sys_id": "a", "name": "A", "parent": "b", "company": "co"},
        {"sys_id": "b", "name": "B", "parent": "a", "company": "co"},
    )
    kit.put("sys_user", *({"sys_id": f"a{n}", "department": "ab"[n % 2]} for n in range(6)))
    for n in range(6):
        incident(kit, f"a{n}", 2)
    compute(kit)
    assert set(named(kit)) == {("Aurora", "ERP")}


def test_nothing_about_people_is_kept_but_their_number(kit: Kit) -> None:
    spread(kit, "f", 12, lambda n: n + 1)
    save_engagement(kit.store, compute(kit))
    tables = ("engagement", "engagement_change", "engagement_left_out", "ring", "engagement_seen",
              "engagement_plan")  # fmt: skip
    kept = str([kit.store.read(f"FROM {table}") for table in tables])
    assert "Finanzas" in kept
    assert not [f"f{n}'" for n in range(8) if f"'f{n}'" in kept]


# --- time -----------------------------------------------------------------------------------------


def _year(kit: Kit) -> None:
    """Good times, a bad month, better times."""
    for n in range(120):
        days = 200 - n * 1.6
        is_bad = 60 < days < 110
        task = incident(kit, f"f{n % 8}", days, reassignment_count="4" if is_bad else "0")
        sla(kit, task, days - 0.1, missed=is_bad or n % 9 == 0)


def test_every_night_and_all_at_once_agree(tmp_path: Path, kit: Kit) -> None:
    """States come from the evidence, day by day, not from what was stored."""
    _year(kit)
    for nights in (30, 20, 10, 1, 0):
        now = NOW - timedelta(days=nights)
        save_engagement(kit.store, compute(kit, now))
    nightly = [
        kit.store.read(f"FROM {t} ORDER BY ALL") for t in ("engagement", "engagement_change")
    ]
    folder = tmp_path / "fresh"
    folder.mkdir()
    fresh = Kit(folder)
    for table in kit.columns:
        rows = kit.store.read(
            f'SELECT * EXCLUDE (_inputs_updated_on, _inputs_hash) FROM current."{table}"'
        )
        if rows:
            fresh.put(table, *rows)
    save_engagement(fresh.store, compute(fresh))
    at_once = [
        fresh.store.read(f"FROM {t} ORDER BY ALL") for t in ("engagement", "engagement_change")
    ]
    assert at_once == nightly
    assert len(at_once[1]) >= 2


def test_a_later_look_tells_the_same_history(kit: Kit) -> None:
    _year(kit)
    compute(kit, NOW - timedelta(days=7))
    earlier = kit.store.read("SELECT changed_on, to_state FROM engagement_change_next ORDER BY ALL")
    compute(kit, NOW)
    since = (NOW - timedelta(days=160)).date()
    later = kit.store.read("SELECT changed_on, to_state FROM engagement_change_next ORDER BY ALL")
    assert [r for r in earlier if r["changed_on"] > since]
    assert [r for r in later if r["changed_on"] > since] == [
        r for r in earlier if r["changed_on"] > since
    ]


def test_what_moved_a_relationship_is_told(kit: Kit) -> None:
    spread(kit, "f", 20, lambda n: 40 + n)
    for n in range(12):
        sla(kit, incident(kit, f"f{n % 8}", 5), 4, missed=True)
    compute(kit)
    row = named(kit)["Finanzas", "ERP"]
    assert row["score"] < row["month_score"] - 5
    assert row["moves"][0]["line"] == "sla-breached"
    assert row["moves"][0]["points"] < -5
    moved = sum(move["points"] for move in row["moves"])
    assert moved == pytest.approx(row["score"] - row["month_score"], abs=0.1)


def test_machines_are_no_contacts(kit: Kit) -> None:
    spread(kit, "f", 12, lambda n: n + 1, contact_type="monitoring")
    compute(kit)
    row = named(kit)["Finanzas", "ERP"]
    assert (row["state"], row["last_contact"]) == ("not_yet", None)


@pytest.mark.parametrize("state", ["", "cancelled", "cancelada"])
def test_a_cancelled_meeting_is_neither_held_nor_a_contact(tmp_path: Path, state: str) -> None:
    folder = tmp_path / "meetings"
    folder.mkdir()
    kit = Kit(folder, tables=("sn_customerservice_case", "sn_acct_lc_touchpoint"))
    for n in range(8):
        case = {"sys_id": f"c{n}", "account": "acc", "contact": f"p{n}", "opened_at": ago(20)}
        kit.put("sn_customerservice_case", case)
    for n in range(6):
        meeting = {"sys_id": f"m{n}", "account": "acc", "state": state, "start_date": ago(10)}
        kit.put("sn_acct_lc_touchpoint", meeting)
    kit.classify()
    compute_engagement(kit.store, kit.mapping, schema(), NOW, SETTINGS)
    (row,) = engagement.read_next(kit.store)
    held = sum(r["records"] for r in row["reasons"] if r["line"] == "meeting-held")
    assert (held, row["contacts"]) == ((0, 8) if state else (6, 14))


# --- the ring -------------------------------------------------------------------------------------


def test_three_contacts_and_a_fair_score_propose_the_ring(kit: Kit) -> None:
    spread(kit, "f", 8, lambda n: 40 - n)
    compute(kit)
    row = named(kit)["Finanzas", "ERP"]
    assert row["ring_evidence"] == "ring-contacts"
    assert row["ring_proposed"] == (NOW - timedelta(days=38)).date()
    assert row["ring_confirmed"] is None


def test_a_meeting_to_understand_each_other_proposes_it_before(kit: Kit) -> None:
    spread(kit, "f", 8, lambda n: 40 - n)
    meeting = {"u_date": "2026-03-01", "u_customer": "fin", "u_service": "erp"}
    meeting |= {"sys_id": "m", "u_touchpoint": "relationship_meeting"}
    kit.columns = {**kit.columns, "u_journey_contact": tuple(CONTACT)}
    records.ensure_table(kit.store, "u_journey_contact", CONTACT)
    kit.put("u_journey_contact", meeting)
    compute(kit)
    row = named(kit)["Finanzas", "ERP"]
    assert (row["ring_evidence"], row["ring_proposed"]) == ("ring-step", date(2026, 3, 1))


def test_a_ring_once_proposed_keeps_its_date_and_only_a_person_confirms_it(kit: Kit) -> None:
    spread(kit, "f", 8, lambda n: 40 - n)
    save_engagement(kit.store, compute(kit))
    first = engagement.read_relationships(kit.store)[0]
    kit.store.execute("DELETE FROM current.incident WHERE opened_at < $day", day=ago(36))
    spread(kit, "f", 8, lambda n: 20 - n)
    save_engagement(kit.store, compute(kit))
    row = engagement.read_relationships(kit.store)[0]
    assert row["ring_proposed"] == first["ring_proposed"]
    engagement.confirm_ring(kit.store, row["sys_id"], date(2026, 3, 2))
    save_engagement(kit.store, compute(kit))
    row = engagement.read_relationships(kit.store)[0]
    assert (row["ring_proposed"], row["ring_confirmed"]) == (
        first["ring_proposed"],
        date(2026, 3, 2),
    )


def test_without_opinions_nothing_is_computed(kit: Kit) -> None:

    bare = replace(kit.mapping, engagement=None)
    kit.classify()
    result = compute_engagement(kit.store, bare, schema(), NOW, SETTINGS)
    assert result == EngagementResult(0, 0, 0)


def test_now_is_the_end_of_evidence(kit: Kit) -> None:
    """What the tool dates into the future waits for its day."""
    spread(kit, "f", 8, lambda n: n + 1)
    incident(kit, "f0", -3)
    compute(kit)
    assert named(kit)["Finanzas", "ERP"]["contacts"] == 8


# --- which relationship a record belongs to -------------------------------------------------------


def tied(kit: Kit) -> dict[str, str]:
    rows = kit.store.read("SELECT sys_id, relationship::VARCHAR AS row FROM tied")
    return {row["sys_id"]: row["row"] for row in rows}


def test_a_record_belongs_to_its_relationship_and_a_small_ones_to_the_one_above(kit: Kit) -> None:
    spread(kit, "f", 8, lambda n: n + 1)
    large = incident(kit, "f0", 1)
    small = incident(kit, "t0", 1)
    lost = incident(kit, "l0", 1)
    compute(kit)
    row = named(kit)["Finanzas", "ERP"]["sys_id"]
    parties.tie_records(kit.store, {row, "another's"})
    found = tied(kit)
    assert found.pop(small) == found.pop(large) == row
    assert lost not in found, "too small, and nobody above"
    assert set(found.values()) == {row}


def test_what_is_not_in_the_tool_is_nobodys_relationship(kit: Kit) -> None:
    spread(kit, "f", 8, lambda n: n + 1)
    other = incident(kit, "f0", 1, business_service="mail")
    spread(kit, "f", 8, lambda n: n + 1, business_service="mail")
    compute(kit)
    mail = named(kit)["Finanzas", "Correo"]["sys_id"]
    assert not parties.are_tied(kit.store)
    parties.tie_records(kit.store, [mail])
    assert parties.are_tied(kit.store)
    assert set(tied(kit).values()) == {mail}
    assert tied(kit)[other] == mail
    parties.tie_records(kit.store, [])
    assert tied(kit) == {}


def test_what_names_no_customer_takes_the_relationship_of_its_record_once(kit: Kit) -> None:
    people = [{"sys_id": f"r{n}", "requested_for": f"f{n}"} for n in range(8)]
    kit.put("sc_request", *({**one, "opened_at": ago(3)} for one in people))
    kit.put(
        "sc_req_item",
        *({**one, "sys_id": f"i{n}", "opened_at": ago(3)} for n, one in enumerate(people)),
    )
    kit.put(
        "sc_task",
        {"sys_id": "both", "request_item": "i1", "request": "r1"},
        {"sys_id": "one", "request_item": "", "request": "r2"},
        {"sys_id": "none", "request_item": "gone", "request": ""},
    )
    compute(kit)
    (row,) = named(kit).values()
    followers = [("sc_task", "request_item"), ("sc_task", "request"), ("sc_task", "absent")]
    parties.tie_records(kit.store, [row["sys_id"]], followers)
    rows = kit.store.read("SELECT sys_id FROM tied WHERE sys_id IN ('both', 'one', 'none')")
    assert sorted(one["sys_id"] for one in rows) == ["both", "one"]
    parties.forget_ledger(kit.store)
    assert tied(kit)["both"] == row["sys_id"], "that outlives the ledger"
