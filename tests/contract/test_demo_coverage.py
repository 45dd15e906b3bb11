"""The demo shows the whole mapping: every table, rule and touchpoint on its last day; and what
happened to one department of it stands out in the figures, whoever does not know the story.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.classify import ClassifyResult, classify
from connector.encoded_query import Context
from connector.moments import decide_moments
from connector.sandbox.seeds import DEMO_CLOCK
from connector.sandbox.seeds.demo.names import GO_LIVE_CHANGE
from connector.sandbox.seeds.demo.story import Story
from connector.store.database import Store
from connector.timestamps import format_instance
from tests.demo_store import SANDBOX, demo_rows, demo_store, ruled_tables
from tests.journey_kit import schema, shipped

NOW = DEMO_CLOCK + timedelta(seconds=5)

NOT_IN_THE_SANDBOX = {
    "idea": "the name of the idea table on older instances; here they are in im_idea_core",
    "u_journey_contact": "our own table, made by `travesia provision`",
}


STORY = Story(DEMO_CLOCK)
DEPARTMENT = "Finanzas"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder: Path = tmp_path_factory.mktemp("demo")
    with demo_store(folder / "demo.duckdb", DEMO_CLOCK) as found:
        yield found


@pytest.fixture(scope="module")
def placed(store: Store) -> ClassifyResult:
    return classify(store, shipped(), schema(), NOW, "r1", "Europe/Madrid")


@pytest.fixture(scope="module")
def decided(store: Store, placed: ClassifyResult) -> Store:
    """The store with its moments of truth."""
    assert placed.records
    decide_moments(store, shipped(), schema(), Context(NOW, "Europe/Madrid"), "r1")
    return store


def test_every_table_that_the_mapping_places_has_records() -> None:
    ruled = {table for rule in shipped().rules for table in rule.tables}
    assert ruled - set(SANDBOX.tables) == set(NOT_IN_THE_SANDBOX)
    assert [table for table in ruled_tables() if not demo_rows(DEMO_CLOCK).get(table)] == []


def test_every_rule_of_every_table_places_a_record(placed: ClassifyResult) -> None:
    idle = {
        table: [r.id for r in shipped().rules_of(table) if not placed.hits.get((table, r.id))]
        for table in ruled_tables()
    }
    assert {table: rules for table, rules in idle.items() if rules} == {}


def test_less_than_one_in_a_hundred_is_unclassified(placed: ClassifyResult) -> None:
    assert placed.records > 7_000
    unclassified = {one.table: one.unclassified for one in placed.tables if one.unclassified}
    assert sum(unclassified.values()) < placed.records / 100, unclassified


def test_most_of_the_demo_is_placed_with_confidence(placed: ClassifyResult) -> None:
    assert sum(one.low_confidence for one in placed.tables) < placed.records / 20


def test_every_touchpoint_is_met_but_the_one_that_no_tool_records(
    store: Store, placed: ClassifyResult
) -> None:
    assert placed.records
    met = {row["touchpoint"] for row in store.read("SELECT DISTINCT touchpoint FROM classified")}
    assert set(shipped().touchpoints) - met <= {"portfolio_review"}


# ── the story, found by the figures ──────────────────────────────────────────────────────────────


def negative_share(
    store: Store, moment: str, since: datetime, until: datetime
) -> dict[str, tuple[int, float]]:
    """Of each department: how often a moment went wrong, and which share of its records that is."""
    rows = store.read(
        "WITH ticket AS (SELECT sys_id, caller_id AS person, opened_at FROM current.incident"
        " UNION ALL SELECT sys_id, requested_for, opened_at FROM current.sc_req_item)"
        " SELECT d.name, count(*) FILTER (m.polarity = 'negative') AS bad, count(*) AS n"
        " FROM moment m JOIN ticket t USING (sys_id) JOIN current.sys_user u ON u.sys_id = t.person"
        " JOIN current.cmn_department d ON d.sys_id = u.department WHERE m.moment_id = $moment"
        " AND t.opened_at >= $since AND t.opened_at < $until GROUP BY 1",
        moment=moment,
        since=format_instance(since),
        until=format_instance(until),
    )
    return {row["name"]: (row["bad"], row["bad"] / row["n"]) for row in rows}


@pytest.mark.parametrize(
    ("moment", "times"),
    [("M12", 3), ("M14", 5), ("M15", 3)],
    ids=["agreed times missed", "slow approvals", "approvals without an answer"],
)
def test_one_department_stands_out_between_the_go_live_and_the_recovery(
    decided: Store, moment: str, times: int
) -> None:
    shares = negative_share(decided, moment, STORY.go_live, STORY.recovery)
    bad, share = shares.pop(DEPARTMENT)
    assert bad >= 10
    assert share > times * max(other for _bad, other in shares.values())


def test_it_recovers(decided: Store) -> None:
    _bad, worst = negative_share(decided, "M12", STORY.go_live, STORY.recovery)[DEPARTMENT]
    _bad, after = negative_share(decided, "M12", STORY.recovery, NOW)[DEPARTMENT]
    assert worst > 0.6
    assert after < 0.15
    assert negative_share(decided, "M14", STORY.recovery, NOW)[DEPARTMENT] == (0, 0)


def test_the_go_live_is_the_change_that_went_wrong(decided: Store) -> None:
    rows = decided.read(
        "SELECT c.number, m.decided_at FROM moment m JOIN current.change_request c USING (sys_id)"
        " WHERE m.moment_id = 'M21' AND m.polarity = 'negative'"
    )
    (change,) = rows
    assert change["number"] == GO_LIVE_CHANGE
    assert abs(change["decided_at"].replace(tzinfo=UTC) - STORY.go_live) < timedelta(days=2)
