"""The formulas against a slow reading of them, over ledgers that nobody would think of."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.encoded_query import Context
from connector.journey.engagement import line_rows, numbers
from connector.journey.engagement_model import AGEING, Engagement
from connector.journey.scope import Catalogue
from connector.ledger import Asked, day_number, formulas_of
from connector.store import engagement as stored
from connector.store import ledger
from connector.store.database import Row, Store, open_store
from tests.journey_kit import shipped
from tests.unit.engagement_oracle import PLACES, Happened, Oracle

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = day_number(NOW)
STEP = "usar"
LEDGER = {
    "relation": "BIGINT",
    "line": "BIGINT",
    "step": "VARCHAR",
    "day": "BIGINT",
    "weight": "DOUBLE",
    "records": "BIGINT",
}


@cache
def opinions() -> Engagement:
    found = shipped().engagement
    assert found is not None
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("formula") / "s.duckdb") as found:
        yield found


def compute(store: Store, ledgers: Sequence[Sequence[Happened]]) -> list[Row]:
    """Run the formulas over hand-made ledgers, one per relationship; answers the days walked."""
    asked = Asked(shipped(), opinions(), "travesia", Catalogue({}, {}, ()), Context(NOW))
    store.execute("CREATE OR REPLACE TEMP TABLE classified AS FROM classification LIMIT 0")
    ledger.begin(store, line_rows(shipped(), opinions(), "travesia"))
    number = numbers(opinions())
    rows = [
        dict(zip(LEDGER, (no, number[one.line], STEP, one.day, one.weight, 1), strict=True))
        for no, lines in enumerate(ledgers, start=1)
        for one in lines
    ]
    with store.given("page", rows, LEDGER):
        store.execute("INSERT INTO ledger BY NAME FROM page")
    store.execute(
        "CREATE OR REPLACE TEMP TABLE party AS SELECT i::INTEGER AS no, 'r' || i AS sys_id,"
        " 'c' AS customer, '' AS customer_table, 'c' AS customer_name, '' AS service,"
        " '' AS service_table, '' AS service_name, 9 AS people, 1 AS smaller, 9 AS records,"
        " 0 AS fallback FROM range(1, $n + 1) t(i)",
        n=len(ledgers),
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE member AS SELECT no::UBIGINT AS relation, no FROM party"
    )
    store.execute("CREATE OR REPLACE TEMP TABLE small_step (no INTEGER, step VARCHAR)")
    stored.compute(store, formulas_of(asked))
    return store.read("SELECT * FROM walked ORDER BY no, day")


LINES = st.sampled_from([line.id for line in shipped().engagement.lines] + ["contact"] * 6)  # type: ignore[union-attr]  # shipped has one
EVIDENCE = st.builds(
    Happened,
    LINES,
    st.integers(0, 530).map(lambda age: TODAY - age),
    st.sampled_from([1.0, 1.5, 3.0]),
)
LEDGERS = st.lists(st.lists(EVIDENCE, max_size=40), min_size=1, max_size=4)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(LEDGERS)
def test_scores_evidence_and_states_of_every_day_are_those_of_a_slow_reading(
    store: Store, ledgers: list[list[Happened]]
) -> None:
    walked = compute(store, ledgers)
    window = opinions().formula.window_days
    first = TODAY - window + 1
    assert len(walked) == len(ledgers) * window
    for no, lines in enumerate(ledgers, start=1):
        oracle = Oracle(opinions(), lines)
        days = [row for row in walked if row["no"] == no]
        assert [row["state"] for row in days] == oracle.states(first, TODAY)
        for row in days[::17] + days[-1:]:
            expected = oracle.day(row["day"])
            assert row["score"] == pytest.approx(expected.score, abs=10**-PLACES)
            assert row["evidence"] == pytest.approx(expected.evidence, abs=10**-PLACES)


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(EVIDENCE, min_size=1, max_size=40))
def test_the_reasons_add_up_to_the_score(store: Store, lines: list[Happened]) -> None:
    compute(store, [lines])
    points = store.value("SELECT sum(points) FROM points WHERE day = $today", today=TODAY)
    expected = Oracle(opinions(), lines).score(TODAY)
    if expected is None:
        assert points is None
    else:
        assert points == pytest.approx(expected - 50, abs=1e-4)


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(EVIDENCE, max_size=40), st.randoms())
def test_the_order_of_evidence_changes_nothing(
    store: Store, lines: list[Happened], dice: object
) -> None:
    before = compute(store, [lines])
    shuffled = list(lines)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random
    after = compute(store, [shuffled])
    assert [row["state"] for row in after] == [row["state"] for row in before]


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(EVIDENCE, max_size=40))
def test_a_missed_time_never_raises_a_score_and_a_kept_one_never_lowers_it(
    store: Store, lines: list[Happened]
) -> None:
    """Of a relationship whose agreed times are its only evidence of reliability."""
    others = [one for one in lines if one.line not in ("promise-kept", "promise-broken")]
    base = [Happened("sla-met", TODAY), *others]
    worse = Oracle(opinions(), [*base, Happened("sla-breached", TODAY)]).score(TODAY)
    better = Oracle(opinions(), [*base, Happened("sla-met", TODAY)]).score(TODAY)
    found = compute(store, [base, [*base, Happened("sla-breached", TODAY)]])
    now, then = (row["score"] for row in found if row["day"] == TODAY)
    assert then <= now
    assert worse is not None
    assert better is not None
    assert worse < better


def test_perfect_agreed_times_alone_stay_below_committed(store: Store) -> None:
    """No watermelons: a green SLA by itself is no commitment."""
    lines = [
        Happened("contact", TODAY - 40),
        *(Happened("sla-met", TODAY - n % 40) for n in range(900)),
    ]
    found = compute(store, [lines])[-1]
    assert 70 < found["score"] < 75
    assert found["state"] == "connected"


def test_silence_makes_dormant_what_was_well_and_leaves_bad_what_was_bad(store: Store) -> None:
    gone = TODAY - 200
    well = [Happened(line, gone) for line in ("contact", *["one-touch"] * 20)]
    badly = [Happened(line, gone) for line in ("contact", *["sla-breached"] * 20)]
    thin = [Happened("contact", gone), Happened("one-touch", gone)]
    last = [row["state"] for row in compute(store, [well, badly, thin]) if row["day"] == TODAY]
    assert last == ["dormant", "broken", "not_enough"]


def test_a_severe_line_caps_the_score_until_it_is_answered(store: Store) -> None:
    good = [Happened(line, TODAY - 20) for line in ("contact", *["one-touch"] * 50)]
    severe = [*good, Happened("reopened-again", TODAY - 10)]
    answered = [*severe, Happened("relationship-contact", TODAY - 5)]
    compute(store, [good, severe, answered])
    rows = store.read("SELECT score, is_capped FROM engagement_next ORDER BY sys_id")
    cap = opinions().formula.cap
    assert [row["is_capped"] for row in rows] == [False, True, False]
    assert rows[1]["score"] == cap < rows[0]["score"]
    assert rows[2]["score"] > cap


def test_committed_needs_a_good_word_of_the_customer(store: Store) -> None:
    every = ["contact", *["csat-5"] * 100, *["one-touch"] * 100, *["sla-met"] * 100]
    with_voice = [Happened(line, TODAY - 3) for line in every]
    without = [Happened(line, TODAY - 3) for line in ["contact", *["one-touch"] * 2000]]
    last = [r for r in compute(store, [with_voice, without]) if r["day"] == TODAY]
    assert last[0]["score"] > 75 < last[1]["score"]
    assert [row["state"] for row in last] == ["committed", "connected"]


def test_one_bad_day_changes_no_state_and_two_do(store: Store) -> None:
    """E falls just under 60 for one day, and for two."""
    base = [Happened(line, TODAY - 3) for line in ("contact", *["sla-met"] * 12)]
    dip = [*base, *[Happened("sla-breached", TODAY, 2.5)]]
    found = compute(store, [dip])
    before, last = found[-2], found[-1]
    assert before["state"] == "connected"
    assert 57 < last["score"] < 60
    assert last["state"] == "connected"
    earlier = [*base, *[Happened("sla-breached", TODAY - 1, 2.5)]]
    assert compute(store, [earlier])[-1]["state"] == "transactional"


def test_nothing_proposes_the_ring_while_the_relationship_is_at_risk(store: Store) -> None:
    """Its evidence waits: the ring is proposed on the first day on which all is well again."""
    bad = [Happened(line, TODAY - 90) for line in ("contact", *["sla-breached"] * 9)]
    signed = [*bad, Happened("ring-approval", TODAY - 80)]
    better = [Happened("one-touch", TODAY - 30 + n % 10) for n in range(60)]
    walked = compute(store, [signed, [*signed, *better], [*bad, *better]])
    well = min(r["day"] for r in walked if (r["no"], r["state"]) == (2, "transactional"))
    rings = store.read("FROM ring_next ORDER BY sys_id")
    assert next(r["state"] for r in walked if r["day"] == TODAY) == "not_enough", (
        "silence heals not"
    )
    assert TODAY - 80 < well < TODAY
    assert [(r["sys_id"], r["evidence"]) for r in rings] == [("r2", "ring-approval")]
    assert day_number_of(rings[0]["proposed_on"]) == well


def test_evidence_from_before_the_fall_proposes_on_its_own_day(store: Store) -> None:
    fine = [Happened(line, TODAY - 90) for line in ("contact", *["one-touch"] * 9)]
    fell = [*fine, Happened("ring-approval", TODAY - 88)]
    fell += [Happened("sla-breached", TODAY - 40) for _ in range(40)]
    walked = compute(store, [fell])
    assert walked[-1]["state"] in ("at_risk", "broken")
    (ring,) = store.read("FROM ring_next")
    assert day_number_of(ring["proposed_on"]) == TODAY - 88


def day_number_of(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def moves_of(store: Store, *lines: Happened) -> list[tuple[str, int, float]]:
    compute(store, [lines])
    (row,) = store.read("SELECT score, month_score, moves FROM engagement_next")
    return [(one["line"], one["records"], one["points"]) for one in row["moves"]]


def test_only_new_evidence_moves_and_ageing_is_named_last(store: Store) -> None:
    old = [Happened(line, TODAY - 70) for line in ("contact", *["sla-breached"] * 9)]
    old += [Happened("one-touch", TODAY - 70) for _ in range(9)]
    fresh = [Happened("csat-5", TODAY - 4), Happened("csat-5", TODAY - 3)]
    moves = moves_of(store, *old, *fresh)
    (row,) = store.read("SELECT score, month_score FROM engagement_next")
    assert [(line, records) for line, records, _points in moves] == [("csat-5", 2), (AGEING, 0)]
    assert sum(points for *_, points in moves) == pytest.approx(row["score"] - row["month_score"])


def test_the_new_part_of_a_line_is_told_apart_from_its_old_part(store: Store) -> None:
    old = [Happened(line, TODAY - 45) for line in ("contact", *["sla-breached"] * 9)]
    moves = moves_of(store, *old, Happened("sla-breached", TODAY - 2))
    assert [(line, records) for line, records, _points in moves] == [
        ("sla-breached", 1),
        (AGEING, 0),
    ]
    lost, won = (points for *_, points in moves)
    assert lost < 0 < won, "the old misses weigh less, the new one weighs"


def test_silence_is_told_as_ageing_alone(store: Store) -> None:
    old = [Happened(line, TODAY - 45) for line in ("contact", *["sla-breached"] * 9)]
    assert [line for line, *_ in moves_of(store, *old)] == [AGEING]
