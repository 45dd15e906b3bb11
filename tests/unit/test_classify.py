"""Classification over a real store: pure, total, in two passes; and what depends on the path."""

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from connector.classify import save_classification
from connector.encoded_query import Context, FieldType, register_sqlite
from connector.journey.compiler import Live, fields_of, parsed, rule_case
from connector.journey.examples import guessed_types
from connector.journey.model import Rule, Text
from connector.store.database import Row
from tests.journey_kit import NOW, TABLES, Kit, Record, all_tables, shipped, wanted


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path)


def a_request(kit: Kit) -> None:
    """A request with an item in work, its tasks, an approval, and running SLAs."""
    kit.put("sc_request", {"sys_id": "req", "number": "REQ1", "active": "true"})
    kit.put(
        "sc_req_item",
        {
            "sys_id": "item",
            "number": "RITM1",
            "request": "req",
            "active": "true",
            "approval": "approved",
        },
    )
    kit.put(
        "sc_task", {"sys_id": "task", "request_item": "item", "request": "req", "active": "true"}
    )
    kit.put("sysapproval_approver", {"sys_id": "yes", "sysapproval": "item", "state": "approved"})
    kit.put(
        "task_sla",
        {"sys_id": "sla", "task": "item", "active": "true"},
        {"sys_id": "ola", "task": "task", "active": "true"},
    )


# --- pass 1 ---------------------------------------------------------------------------------------


def test_a_rule_gives_touchpoint_band_and_the_step_in_each_journey(kit: Kit) -> None:
    kit.put("incident", {"sys_id": "i", "state": "3", "hold_reason": "1", "active": "true"})
    kit.classify()
    row = kit.placed("i")
    assert row["rule_id"] == "incident-waiting-for-user"
    assert row["steps"] == {"travesia": "usar", "itil4": "co_create"}
    assert (row["touchpoint"], row["band"], row["is_potential_moment"]) == (
        "wait_for_user",
        "visible",
        True,
    )
    assert row["mapping_hash"] == kit.mapping.hash


def test_a_rule_may_place_a_touchpoint_elsewhere(kit: Kit) -> None:
    kit.put("incident", {"sys_id": "i", "state": "3", "hold_reason": "4", "active": "true"})
    kit.classify()
    assert kit.placed("i")["steps"] == {"travesia": "usar", "itil4": "co_create"}
    assert kit.placed("i")["touchpoint"] == "supplier_work"


def test_what_no_rule_matches_is_unclassified_never_guessed(kit: Kit) -> None:
    kit.put("sysapproval_approver", {"sys_id": "a", "state": "u_strange"})
    result = kit.classify()
    assert kit.placed("a") == {
        "table_name": "sysapproval_approver",
        "sys_id": "a",
        "rule_id": "unclassified",
        "touchpoint": "",
        "steps": {},
        "band": "",
        "is_potential_moment": False,
        "outcome": "",
        "phase": "",
        "value": "",
        "confidence": "",
        "inherited_from": "",
        "mapping_hash": kit.mapping.hash,
        "last_visible": "",
    }
    assert (result.records, result.unclassified) == (1, 1)
    assert result.hits == {("sysapproval_approver", "unclassified"): 1}


def test_an_unknown_column_switches_only_its_own_rules_off(kit: Kit) -> None:
    kit.put("incident", {"sys_id": "i", "state": "2", "active": "true", "reopen_count": None})
    kit.put("incident", {"sys_id": "j", "state": None, "active": "true", "contact_type": "phone"})
    kit.classify()
    assert kit.rule("i") == "incident-open"
    assert kit.rule("j") == "incident-open"
    assert kit.placed("j")["confidence"] == "low"


@pytest.mark.parametrize(
    ("table", "record", "rule"),
    [
        ("incident", {"state": "9", "active": "false", "contact_type": "phone"}, "incident-ended"),
        ("incident", {"state": "2", "active": "true", "close_code": "Duplicate"}, "incident-open"),
        ("incident", {"state": "7", "close_code": "Duplicate"}, "incident-cancelled"),
        ("sn_customerservice_case", {"state": "9", "active": "false"}, "case-ended"),
        (
            "sn_customerservice_case",
            {"state": "10", "active": "true", "short_description": "Thank you page: error 500"},
            "case-open",
        ),
        (
            "sn_customerservice_case",
            {"state": "10", "active": "true", "short_description": "Welcome e-mail is never sent"},
            "case-open",
        ),
        (
            "change_request",
            {"state": "-1", "active": "true", "short_description": "Retire old VPN certificate"},
            "change-build",
        ),
        ("sc_req_item", {"state": "3", "active": "false"}, "item-done-undated"),
    ],
)
def test_a_leftover_or_a_word_alone_does_not_decide(
    tmp_path: Path, table: str, record: Record, rule: str
) -> None:
    kit = Kit(tmp_path, tables=all_tables())
    kit.put(table, {"sys_id": "x", **record})
    kit.classify()
    assert kit.rule("x") == rule


def test_an_item_given_up_while_its_request_waited_for_approval_is_abandoned(kit: Kit) -> None:
    kit.put("sc_request", {"sys_id": "r", "approval": "requested", "active": "true"})
    kit.put("sc_req_item", {"sys_id": "i", "request": "r", "state": "7", "active": "false"})
    kit.classify()
    assert kit.placed("i")["outcome"] == "abandoned"
    assert kit.placed("i")["steps"]["travesia"] == "acordar"


def test_a_form_about_a_bank_account_gives_nobody_access(kit: Kit) -> None:
    kit.put("sc_cat_item", {"sys_id": "c", "name": "Bank account data change form"})
    kit.put("sc_req_item", {"sys_id": "i", "state": "2", "active": "true", "cat_item": "c"})
    kit.classify()
    assert kit.rule("i") != "item-access"


@pytest.mark.parametrize(
    ("low", "high", "value", "rule"),
    [
        ("0", "1", "1", "answered"),
        ("0", "100", "10", "unhappy"),
        ("1", "3", "2", "answered"),
        ("1", "5", "2", "unhappy"),
        ("", "", "2", "unhappy"),
        ("", "", "4", "answered"),
    ],
)
def test_a_survey_is_judged_on_its_own_scale_where_that_is_known(
    kit: Kit, low: str, high: str, value: str, rule: str
) -> None:
    kit.put("asmt_metric", {"sys_id": "m", "min": low, "max": high})
    kit.put("incident", {"sys_id": "x", "state": "7", "active": "false"})
    kit.put("asmt_assessment_instance", {"sys_id": "s", "state": "complete", "task_id": "x"})
    kit.put(
        "asmt_metric_result", {"sys_id": "r", "instance": "s", "metric": "m", "actual_value": value}
    )
    kit.classify()
    assert kit.rule("x") == f"incident-survey-{rule}"
    assert kit.rule("s") == f"survey-{rule}"


def test_a_column_that_was_not_read_yet_is_unknown(kit: Kit) -> None:
    kit.put("incident", {"sys_id": "i", "state": "3", "hold_reason": "1", "active": "true"})
    kit.store.execute("ALTER TABLE current.incident DROP COLUMN hold_reason")
    kit.classify()
    assert kit.rule("i") == "incident-on-hold"


@pytest.mark.parametrize(
    ("now", "rule"),
    [
        (datetime(2026, 11, 20, 9, tzinfo=UTC), "item-access-granted"),
        (datetime(2026, 11, 22, 8, tzinfo=UTC), "item-access-granted"),
        (datetime(2026, 11, 24, 8, tzinfo=UTC), "item-done"),
    ],
)
def test_time_alone_moves_a_record(kit: Kit, now: datetime, rule: str) -> None:
    kit.put(
        "sc_req_item",
        {"sys_id": "r", "state": "3", "active": "false", "closed_at": "2026-11-20 08:00:00"},
    )
    kit.classify(now)
    assert kit.rule("r") == rule


def test_an_approval_becomes_silence_after_ten_working_days(kit: Kit) -> None:
    asked = {"sys_id": "a", "state": "requested", "sys_created_on": "2026-11-02 09:00:00"}
    kit.put("sysapproval_approver", asked)
    kit.classify(datetime(2026, 11, 16, 10, tzinfo=UTC))
    assert kit.rule("a") == "approval-pending"
    kit.classify(datetime(2026, 11, 17, 10, tzinfo=UTC))
    assert kit.rule("a") == "approval-silent"
    assert kit.placed("a")["band"] == "consumer_backstage"


# --- pass 2 ---------------------------------------------------------------------------------------


def test_a_task_stands_in_the_step_of_its_item(kit: Kit) -> None:
    a_request(kit)
    kit.classify()
    assert kit.rule("item") == "item-in-work"
    task = kit.placed("task")
    assert (task["rule_id"], task["touchpoint"]) == ("task-of-item", "fulfilment_task")
    assert task["inherited_from"] == "sc_req_item/item"
    assert task["steps"] == kit.placed("item")["steps"]


def test_a_running_sla_stands_where_its_record_stands_also_along_two_edges(kit: Kit) -> None:
    a_request(kit)
    kit.classify()
    assert kit.placed("sla")["inherited_from"] == "sc_req_item/item"
    assert kit.placed("ola")["inherited_from"] == "sc_task/task"
    assert kit.placed("ola")["steps"] == kit.placed("item")["steps"]
    assert kit.placed("ola")["touchpoint"] == "sla_result"


def test_without_a_parent_the_touchpoint_says_the_step(kit: Kit) -> None:
    kit.put("sc_task", {"sys_id": "t", "request_item": "gone", "active": "true"})
    kit.classify()
    assert kit.placed("t")["steps"] == {"travesia": "construir", "itil4": "onboard"}
    assert kit.placed("t")["inherited_from"] == ""


def test_the_second_edge_counts_where_the_first_leads_nowhere(kit: Kit) -> None:
    kit.put("sc_request", {"sys_id": "req", "active": "true", "approval": "requested"})
    kit.put("sc_task", {"sys_id": "t", "request_item": "", "request": "req", "active": "true"})
    kit.classify()
    assert kit.placed("t")["inherited_from"] == "sc_request/req"
    assert kit.placed("t")["steps"]["travesia"] == "acordar"


ITEMS: dict[str, Record] = {
    "approval": {"active": "true", "approval": "requested"},  # acordar
    "work": {"active": "true", "stage": "purchase"},  # construir
    "delivery": {"active": "true", "stage": "delivery"},  # preparar
    "done": {"active": "false", "state": "3", "closed_at": "2026-01-01 00:00:00"},  # medir
    "lost": {"active": "false", "state": "4", "approval": "rejected"},  # acordar
}


@pytest.mark.parametrize(
    ("items", "followed"),
    [
        (["work", "approval", "delivery"], "approval"),  # the least advanced open one
        (["done", "work"], "work"),  # an open one before any closed one
        (["lost", "done"], "done"),  # the most advanced closed one
        (["lost"], "lost"),
    ],
)
def test_a_request_follows_its_items(kit: Kit, items: list[str], followed: str) -> None:
    kit.put("sc_request", {"sys_id": "req", "active": "true"})
    kit.put("sc_req_item", *({"sys_id": name, "request": "req", **ITEMS[name]} for name in items))
    kit.classify()
    request, item = kit.placed("req"), kit.placed(followed)
    assert request["inherited_from"] == f"sc_req_item/{followed}"
    assert request["rule_id"] == "request-follows-items"
    for taken in ("touchpoint", "steps", "band", "is_potential_moment", "outcome", "confidence"):
        assert request[taken] == item[taken]


def test_noise_is_left_out_with_all_that_hangs_on_it(kit: Kit) -> None:
    a_request(kit)
    kit.store.execute("UPDATE current.sc_req_item SET short_description = '[TEST] laptop'")
    result = kit.classify()
    for sys_id in ("item", "task", "req", "sla"):
        row = kit.placed(sys_id)
        assert row["rule_id"] != "unclassified"
        assert (row["touchpoint"], row["steps"], row["band"]) == ("", {}, "")
    assert sum(table.ignored for table in result.tables) == 5
    assert result.unclassified == 0


def test_a_request_whose_items_nobody_could_place_is_unclassified(kit: Kit) -> None:
    kit.put("sc_request", {"sys_id": "req", "active": "true"})
    kit.put("sc_req_item", {"sys_id": "r", "request": "req", "state": "99", "active": "false"})
    kit.classify()
    assert kit.rule("r") == kit.rule("req") == "unclassified"


# --- pure and total -------------------------------------------------------------------------------


def test_our_own_write_does_not_change_the_classification(kit: Kit) -> None:
    a_request(kit)
    kit.put("incident", {"sys_id": "i", "state": "2", "active": "true", "contact_type": "phone"})
    kit.classify()
    before = kit.rows()
    save_classification(kit.store, "r1")
    for table in ("incident", "sc_request", "sc_req_item", "sc_task"):
        for column in ("u_journey_step", "u_journey_since", "u_journey_touchpoint"):
            kit.store.execute(f"ALTER TABLE current.{table} ADD COLUMN {column} VARCHAR")
            kit.store.execute(f"UPDATE current.{table} SET {column} = 'usar'")
        kit.store.execute(
            f"UPDATE current.{table}"
            " SET sys_updated_on = '2030-01-01 00:00:00', sys_mod_count = '99'"
        )
    kit.classify(run_id="r2")
    assert kit.rows() == before


def test_the_order_of_the_records_says_nothing(kit: Kit, tmp_path: Path) -> None:
    a_request(kit)
    more = [
        {"sys_id": f"x{n}", "request": "req", "active": "true", "stage": stage}
        for n, stage in enumerate(("delivery", "purchase", "", "waiting_for_approval") * 5)
    ]
    kit.put("sc_req_item", *more)
    kit.classify()
    (tmp_path / "second").mkdir()
    other = Kit(tmp_path / "second")
    random.Random(7).shuffle(more)  # noqa: S311 - the same shuffle every time
    other.put("sc_req_item", *more)
    a_request(other)
    other.classify()
    assert other.rows() == kit.rows()


def test_classifying_twice_says_the_same_and_saves_nothing_more(kit: Kit) -> None:
    a_request(kit)
    kit.classify()
    save_classification(kit.store, "r1")
    moves = kit.store.read("SELECT * FROM transition ORDER BY ALL")
    kit.finish("r1", NOW)
    before = kit.rows()
    kit.classify(NOW + timedelta(hours=1), "r2")
    save_classification(kit.store, "r2")
    assert kit.rows() == before
    assert kit.store.read("SELECT * FROM transition ORDER BY ALL") == moves


VALUES = st.one_of(
    st.none(),
    st.sampled_from(["", "1", "2", "3", "6", "7", "8", "-100", "true", "false", "nan", "1e9"]),
    st.sampled_from(["phone", "inquiry", "complaint", "requested", "2026-11-19 08:00:00", "x,y^z"]),
    st.text(max_size=12).filter(lambda text: "\x00" not in text),
)
TARGETS = ["incident0", "sc_req_item0", "sc_request0", "sc_task0", "nowhere", ""]
LINKS = ("request", "request_item", "task", "sysapproval", "task_id")


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, list[Record]]:
    """Records of every table, with anything in any column."""
    world: dict[str, list[Record]] = {}
    for table, names in inputs().items():
        count = draw(st.integers(0, 3))
        filled = st.sets(st.sampled_from(names), max_size=8)
        links = [name for name in names if name in LINKS]
        world[table] = [
            {
                **{name: draw(VALUES) for name in draw(filled)},
                **{name: draw(st.sampled_from(TARGETS)) for name in links},
                "sys_id": f"{table}{n}",
            }
            for n in range(count)
        ]
    return world


@cache
def inputs() -> dict[str, list[str]]:
    """The columns of every table that is read, but its key."""
    return {t: [c for c in columns if c != "sys_id"] for t, columns in wanted().items()}


@pytest.fixture(scope="module")
def reused(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """One store for all examples of a property."""
    return Kit(tmp_path_factory.mktemp("reused"))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds())
def test_classification_is_total(reused: Kit, world: dict[str, list[Record]]) -> None:
    reused.empty()
    for table, rows in world.items():
        reused.put(table, *rows)
    result = reused.classify()
    save_classification(reused.store, "r1")
    assert result.records == sum(len(rows) for t, rows in world.items() if shipped().rules_of(t))


CONDITIONS = ["", "active=true", "stateISEMPTY", "priority<=2", "short_descriptionLIKEa"]


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(when=st.sampled_from(CONDITIONS), table=st.sampled_from(TABLES), data=st.data())
def test_a_rule_added_at_the_end_never_changes_an_earlier_result(
    when: str, table: str, data: st.DataObject
) -> None:
    last = Rule("last", (table,), when, "complaint", Text("x", "x"), {})
    rules = shipped().rules_of(table)
    before = parsed(rules, shipped().sets)
    after = parsed([*rules, last], shipped().sets)
    fields = fields_of(after)
    rows = data.draw(st.lists(st.lists(VALUES, min_size=len(fields), max_size=len(fields))))
    earlier = decided(table, before, fields, rows)
    later = decided(table, after, fields, rows)
    for old, new in zip(earlier, later, strict=True):
        assert new == old if old else new in (None, "last")


def decided(
    table: str, live: list[Live], fields: list[str], rows: list[list[str | None]]
) -> list[str | None]:
    """The rule of each row, by the same CASE that classifies a store."""
    types = {**dict.fromkeys(fields, FieldType.STRING), **guessed_types(table, live)}
    case = rule_case(live, types.__getitem__, Context(NOW))
    inner = exp.select(*(exp.alias_(exp.Placeholder(), f, quoted=True) for f in fields))
    sql = exp.select(case).from_(inner.subquery("x")).sql(dialect="sqlite")
    with closing(sqlite3.connect(":memory:")) as connection:
        register_sqlite(connection)
        return [connection.execute(sql, row).fetchone()[0] for row in rows]


# --- since when -----------------------------------------------------------------------------------

OPEN: Record = {
    "sys_id": "i",
    "state": "2",
    "active": "true",
    "contact_type": "phone",
    "opened_at": "2026-11-10 08:00:00",
    "sys_created_on": "2026-11-10 08:00:05",
    "sys_updated_on": "2026-11-10 09:00:00",
}
FIRST = datetime(2026, 11, 12, 2, 0, tzinfo=UTC)
SECOND = datetime(2026, 11, 13, 2, 0, tzinfo=UTC)


def night(kit: Kit, now: datetime, run_id: str) -> None:
    """One run: classify, save, end."""
    kit.classify(now, run_id)
    save_classification(kit.store, run_id)
    kit.finish(run_id, now)


def update(kit: Kit, at: str, **values: str) -> None:
    """The customer's own update of the incident, seen by the next run."""
    sets = ", ".join(f"{name} = '{value}'" for name, value in values.items())
    kit.store.execute(
        f"UPDATE current.incident SET {sets}, sys_updated_on = '{at}', _inputs_updated_on = '{at}'"
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def moves(kit: Kit, journey: str = "travesia") -> list[Row]:
    return kit.store.read(
        "SELECT from_step, to_step, happened_at, dwell_seconds, source, cause, rule_id, run_id"
        " FROM transition WHERE journey = $journey ORDER BY happened_at",
        journey=journey,
    )


def test_on_first_sight_the_records_own_timestamps_say(kit: Kit) -> None:
    closed = {"state": "7", "active": "false", "resolved_at": "2026-11-11 10:00:00"}
    kit.put("incident", OPEN, {**OPEN, **closed, "sys_id": "j", "closed_at": "2026-11-11 20:00:00"})
    kit.classify(FIRST)
    assert (kit.standing("i")["since"], kit.standing("i")["source"]) == (
        at("2026-11-10 08:00"),
        "timestamp",
    )
    assert kit.standing("j")["since"] == at("2026-11-11 10:00")
    assert kit.standing("j")["step"] == "medir"


def test_on_first_sight_what_the_tool_already_says_is_adopted(kit: Kit) -> None:
    """A new store must not forget since when a record has stood where it stands."""
    kit.put("incident", OPEN, {**OPEN, "sys_id": "j"})
    for column, value in (("u_journey_step", "usar"), ("u_journey_since", "2026-11-11 07:00:00")):
        kit.store.execute(f"ALTER TABLE current.incident ADD COLUMN {column} VARCHAR")
        kit.store.execute(f"UPDATE current.incident SET {column} = '{value}' WHERE sys_id = 'i'")
    kit.store.execute("UPDATE current.incident SET u_journey_step = 'medir' WHERE sys_id = 'j'")
    kit.classify(FIRST)
    assert (kit.standing("i")["since"], kit.standing("i")["source"]) == (
        at("2026-11-11 07:00"),
        "adopted",
    )
    assert kit.standing("i", "itil4")["source"] == "timestamp"
    assert kit.standing("j")["source"] == "timestamp"


def test_a_step_that_stays_keeps_its_time(kit: Kit) -> None:
    kit.put("incident", OPEN)
    night(kit, FIRST, "r1")
    update(kit, "2026-11-12 15:00:00", state="3", hold_reason="1")
    night(kit, SECOND, "r2")
    assert kit.standing("i")["since"] == at("2026-11-10 08:00")
    assert len(moves(kit)) == 1


def test_a_step_changes_when_the_customers_update_changed_it(kit: Kit) -> None:
    kit.put("incident", OPEN)
    night(kit, FIRST, "r1")
    update(kit, "2026-11-12 15:00:00", state="6", resolved_at="2026-11-12 14:59:00")
    night(kit, SECOND, "r2")
    assert kit.standing("i")["since"] == at("2026-11-12 15:00")
    assert moves(kit)[1] == {
        "from_step": "usar",
        "to_step": "medir",
        "happened_at": at("2026-11-12 15:00"),
        "dwell_seconds": 2 * 86400 + 7 * 3600,
        "source": "observed",
        "cause": "customer",
        "rule_id": "incident-resolved",
        "run_id": "r2",
    }


def test_the_first_move_has_no_dwell(kit: Kit) -> None:
    kit.put("incident", OPEN)
    night(kit, FIRST, "r1")
    (move,) = moves(kit)
    assert (move["from_step"], move["to_step"], move["dwell_seconds"]) == ("", "usar", None)


def test_a_move_by_time_alone_happens_now(kit: Kit) -> None:
    done = {"sys_id": "r", "state": "3", "active": "false", "closed_at": "2026-11-10 08:00:00"}
    kit.put("sc_req_item", {**done, "sys_updated_on": "2026-11-10 08:00:00"})
    night(kit, datetime(2026, 11, 11, 2, tzinfo=UTC), "r1")
    night(kit, datetime(2026, 11, 14, 2, tzinfo=UTC), "r2")
    assert [(m["to_step"], m["happened_at"]) for m in moves(kit)] == [
        ("usar", at("2026-11-10 08:00")),
        ("medir", at("2026-11-14 02:00")),
    ]


def test_a_later_echo_of_an_old_update_does_not_date_a_move(kit: Kit) -> None:
    """The inputs changed before the last run: whatever moves the record now, that is not it."""
    kit.put("incident", OPEN)
    night(kit, FIRST, "r1")
    update(kit, "2026-11-11 20:00:00", state="6")
    night(kit, SECOND, "r2")
    assert kit.standing("i")["since"] == at("2026-11-13 02:00")


def test_a_changed_mapping_is_no_move_of_the_customer(kit: Kit) -> None:
    kit.put("incident", OPEN)
    night(kit, FIRST, "r1")
    other = {"travesia": "visibilizar", "itil4": "offer"}
    rules = tuple(
        replace(rule, steps=other) if rule.id == "incident-by-phone" else rule
        for rule in kit.mapping.rules
    )
    kit.mapping = replace(kit.mapping, rules=rules, hash="another")
    night(kit, SECOND, "r2")
    assert [(m["to_step"], m["cause"]) for m in moves(kit)] == [
        ("usar", "customer"),
        ("visibilizar", "mapping"),
    ]


def test_a_record_that_is_gone_leaves_classification_and_standing(kit: Kit) -> None:
    kit.put("incident", OPEN)
    night(kit, FIRST, "r1")
    kit.store.execute("DELETE FROM current.incident")
    night(kit, SECOND, "r2")
    for table in ("classification", "standing"):
        assert kit.store.read(f"SELECT * FROM {table}") == []
    assert len(moves(kit)) == 1


def test_only_what_differs_is_rewritten(kit: Kit) -> None:
    kit.put("incident", OPEN, {**OPEN, "sys_id": "j"})
    night(kit, FIRST, "r1")
    before = kit.store.read("SELECT rowid AS row, sys_id FROM classification ORDER BY 2")
    kit.store.execute("UPDATE current.incident SET state = '6' WHERE sys_id = 'i'")
    night(kit, SECOND, "r2")
    after = kit.store.read("SELECT rowid AS row, sys_id FROM classification ORDER BY 2")
    assert after[1] == before[1]
    assert (
        kit.store.value("SELECT rule_id FROM classification WHERE sys_id = 'i'")
        == "incident-resolved"
    )


def test_nothing_is_saved_before_it_is_told_to(kit: Kit) -> None:
    kit.put("incident", OPEN)
    kit.classify(FIRST)
    assert kit.store.value("SELECT count(*) FROM classification") == 0
    assert kit.store.value("SELECT count(*) FROM transition") == 0
