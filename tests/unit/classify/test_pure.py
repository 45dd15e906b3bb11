"""Classification is pure and total: a matter of records, mapping and time alone; for any values."""

import random
import sqlite3
from contextlib import closing
from datetime import timedelta
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
from tests.journey_kit import NOW, TABLES, Kit, Record, shipped, wanted
from tests.unit.classify.kit import a_request


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
