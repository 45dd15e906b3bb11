"""Classification is total, deterministic and blind to order: over all tables, with any values.

The rules alone meet what Hypothesis draws; the store meets random records of every table at once.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.journey.compiler import Live, parsed
from connector.journey.examples import prove
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.model import Rule, Text
from connector.timestamps import format_instance
from tests.journey_kit import NOW, Kit, Record, all_tables, schema, shipped, wanted

EACH = 25
"""Records of each table in one example."""
GARBAGE = ("", "0", "1", "-1", "true", "false", "3e4", "NULL", "%", "'; --", "\u2205", "ñandú " * 9)

Rows = list[tuple[str, dict[str, str | None]]]


@pytest.fixture(scope="module")
def kit() -> Iterator[Kit]:
    with TemporaryDirectory() as folder:
        made = Kit(Path(folder), tables=all_tables())
        yield made
        made.store.close()


def values_asked_for() -> dict[tuple[str, str], list[str]]:
    """(table, column) → what the rules' own examples put there, so that many rules are reached."""
    found: dict[tuple[str, str], list[str]] = {}
    for rule in shipped().rules:
        for table in rule.tables:
            for column, value in rule.example.items():
                found.setdefault((table, column), []).append(value)
    return found


ASKED = values_asked_for()


def some_value(dice: random.Random, table: str, column: str, ids: list[str]) -> str | None:
    """Anything that a column may hold: sensible, unknown, empty or nonsense."""
    kind = schema()[table, column].type
    choices: list[str | None] = [*ASKED.get((table, column), ()), "", None, dice.choice(GARBAGE)]
    if "date" in kind:
        moment = NOW + timedelta(minutes=dice.randint(-400_000, 40_000))
        choices += [format_instance(moment), "2026-02-30 99:00:00"]
    elif kind in ("reference", "GUID", "document_id") or column.endswith(("_id", "key")):
        choices += [dice.choice(ids), dice.choice(ids), "0" * 32]
    elif kind == "integer":
        choices.append(str(dice.randint(-9, 120)))
    return dice.choice(choices)


def some_records(seed: int) -> Rows:
    """Records of every table that is read, tied to each other at random."""
    dice = random.Random(seed)  # noqa: S311 - a test's own dice
    tables = wanted(all_tables())
    ids = {table: [f"{table}-{n}" for n in range(EACH)] for table in tables}
    everybody = [sys_id for found in ids.values() for sys_id in found]
    made: Rows = []
    for table, columns in tables.items():
        for sys_id in ids[table]:
            record: dict[str, str | None] = {
                column: some_value(dice, table, column, everybody) for column in columns
            }
            made.append((table, {**record, "sys_id": sys_id}))
    return made


def placed(kit: Kit, rows: Rows, mapping: JourneyMapping | None = None) -> list[dict[str, Any]]:
    """Where all records come to stand, put in one page for each run of records of a table."""
    kit.empty()
    page: list[Record] = []
    for number, (table, record) in enumerate(rows):
        page.append(record)
        if number + 1 == len(rows) or rows[number + 1][0] != table:
            kit.put(table, *page)
            page = []
    kit.mapping = mapping or shipped()
    kit.classify()
    return [without_hash(row) for row in kit.rows()]


def without_hash(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "mapping_hash"}


# --- the rules alone ------------------------------------------------------------------------------

anything = st.one_of(st.sampled_from(GARBAGE), st.text(max_size=12))


def drawn(data: st.DataObject, live: Live) -> Live:
    """The rule with any values as its example, for the fields that its table's rules read."""
    example = {
        field: data.draw(st.one_of(anything, st.just(live.rule.example.get(field, ""))))
        for field in sorted(live.query.fields)
    }
    return replace(live, rule=replace(live.rule, example=example))


@pytest.mark.parametrize("table", all_tables())
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_any_values_come_to_one_rule_or_none_and_a_last_rule_takes_only_what_is_left(
    table: str, data: st.DataObject
) -> None:
    """Proven in the same expression that classifies the store, with the values as stored texts."""
    live = [drawn(data, one) for one in parsed(shipped().rules_of(table), shipped().sets)]
    reached = [one.reached for one in prove(table, live)]
    assert set(reached) <= {one.rule.id for one in live} | {""}
    assert [one.reached for one in prove(table, live)] == reached
    last = Rule("last", (table,), "", "phone", Text("x", "x"), {})
    with_last = prove(table, [*live, *parsed([last], {})])[:-1]
    assert [one.reached for one in with_last] == [was or "last" for was in reached]


# --- the store ------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[1, 20261123])
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def before(kit: Kit, seed: int) -> list[dict[str, Any]]:
    """Where the records come to stand in the plain order."""
    return placed(kit, some_records(seed))


def test_every_record_comes_to_stand_exactly_once_whatever_its_values(
    before: list[dict[str, Any]], seed: int
) -> None:
    ruled = {table for rule in shipped().rules for table in rule.tables}
    expected = [(t, r["sys_id"]) for t, r in some_records(seed) if t in ruled]
    assert sorted((row["table_name"], row["sys_id"]) for row in before) == sorted(expected)
    known = {rule.id for rule in shipped().rules} | {"unclassified"}
    reached = {row["rule_id"] for row in before}
    assert reached <= known
    assert len(reached) > len(known) // 3, "the values are too dull to prove anything"


def test_the_order_of_records_and_the_bounds_of_pages_do_not_matter(
    kit: Kit, before: list[dict[str, Any]], seed: int
) -> None:
    shuffled = some_records(seed)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a test's own dice
    assert placed(kit, shuffled) == before


def test_a_rule_added_at_the_end_never_changes_an_earlier_result(
    kit: Kit, before: list[dict[str, Any]], seed: int
) -> None:
    """It takes what was left over, out of sight; only what follows such a record may follow it."""
    last = Rule("last", all_tables(), "", "backstage_work", Text("x", "x"), {})
    mapping = replace(shipped(), rules=(*shipped().rules, last))
    after = placed(kit, some_records(seed), mapping)
    pairs = [(w, n) for w, n in zip(before, after, strict=True) if w["rule_id"] != "unclassified"]
    assert [now["rule_id"] for _was, now in pairs] == [was["rule_id"] for was, _now in pairs]
    alone = [(was, now) for was, now in pairs if not was["inherited_from"] + now["inherited_from"]]
    assert [now for _was, now in alone] == [was for was, _now in alone]
    assert len(alone) < len(before)


def test_our_own_write_moves_nothing(kit: Kit, before: list[dict[str, Any]], seed: int) -> None:
    """classify(record) = classify(record after our write), which moves the marks of its version."""
    placed(kit, some_records(seed))
    for table in kit.columns:
        kit.store.execute(
            f"UPDATE current.\"{table}\" SET sys_updated_on = '2026-11-20 11:59:59',"
            " sys_mod_count = '77'"
        )
    kit.classify()
    assert [without_hash(row) for row in kit.rows()] == before
