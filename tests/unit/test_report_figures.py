"""Figures against an independent count: plain Python over the same rows."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.journey.mapping import load_mapping
from connector.report.definitions import DEFINITIONS
from connector.report.departments import hide_columns, suppress
from connector.report.figures import (
    NO_DEPARTMENT,
    DepartmentFigures,
    Figures,
    Flow,
    Period,
    Share,
    StepFigures,
)
from connector.report.life import LIVES, Life
from connector.report.measure import measure
from connector.report.months import hide
from connector.report.source import ticket_tables
from connector.store.database import Store, open_store
from connector.timestamps import format_instance, parse_day, parse_instance
from tests.golden.sample import (
    FIRST_SYNC,
    FOUNDATION,
    NOW,
    Sample,
    fill_store,
    make_sample,
    sample_mapping,
)

ZONE = "Europe/Madrid"
PERIOD = Period(parse_day("2026-10-01", ZONE), parse_day("2026-11-01", ZONE), ZONE)
START, END = format_instance(PERIOD.start), format_instance(PERIOD.end)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample()


@pytest.fixture(scope="module")
def store(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fill_store(tmp_path_factory.mktemp("store") / "s.duckdb", sample) as store:
        yield store


@pytest.fixture(scope="module")
def figures(store: Store) -> Figures:
    return measure(store, sample_mapping(), PERIOD, "travesia", 5)


def is_open(table: str, record: dict[str, str]) -> bool:
    """Written apart from the SQL, from what the tool's columns mean."""
    match table:
        case "incident":
            return record["state"] in ("1", "2", "3")
        case "sysapproval_approver":
            return record["state"] == "requested"
        case "task_sla":
            return record["stage"] == "in_progress"
        case _:
            return record["active"] == "true"


def opened(table: str, record: dict[str, str]) -> str:
    column = {"sysapproval_approver": "sys_created_on", "task_sla": "start_time"}
    return record[column.get(table, "opened_at")]


def ended(table: str, record: dict[str, str]) -> str:
    if table == "incident":
        return record["resolved_at"]
    return {"task_sla": record.get("end_time", "")}.get(table, record.get("closed_at", ""))


def in_period(table: str, record: dict[str, str]) -> bool:
    begun, over = opened(table, record), ended(table, record) or opened(table, record)
    return begun < END and (is_open(table, record) or over >= START)


def rows_of(sample: Sample) -> list[tuple[str, dict[str, str], dict[str, object]]]:
    """(table, record, classification) of every record that counts: no clocks, no noise."""
    found = {(c["table_name"], c["sys_id"]): c for c in sample.classification}
    return [
        (table, record, found[table, record["sys_id"]])
        for table, records in sample.records.items()
        if table not in ("task_sla", *FOUNDATION)
        for record in records
        if found[table, record["sys_id"]]["rule_id"] != "test-noise"
    ]


def step_counts(sample: Sample, journey: str, *, only_open: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    for table, record, placed in rows_of(sample):
        if in_period(table, record) and (is_open(table, record) or not only_open):
            counts[(placed["steps"] or {}).get(journey, "")] += 1  # type: ignore[attr-defined]
    return counts


@pytest.mark.parametrize("journey", [0, 1])
def test_records_per_step_are_those_counted_by_hand(
    figures: Figures, sample: Sample, journey: int
) -> None:
    shown = figures.journeys[journey]
    all_, open_ = (step_counts(sample, shown.journey, only_open=flag) for flag in (False, True))
    assert {s.step: s.in_period for s in shown.steps if s.in_period} == {
        step: n for step, n in all_.items() if step
    }
    assert {s.step: s.open for s in shown.steps if s.open} == {
        step: n for step, n in open_.items() if step
    }
    assert sum(all_.values()) == figures.records
    assert sum(open_.values()) == figures.open
    assert sum(s.placed for s in shown.steps) == sum(
        1 for _table, _record, placed in rows_of(sample) if placed["steps"]
    )


def test_the_shown_journey_comes_first(store: Store) -> None:
    other = measure(store, sample_mapping(), PERIOD, "itil4", 5)
    assert [j.journey for j in other.journeys] == ["itil4", "travesia"]


def test_moves_of_a_new_mapping_are_no_movement_of_a_customer(
    figures: Figures, sample: Sample
) -> None:
    moves = [
        t
        for t in sample.transition
        if t["journey"] == "travesia"
        and t["cause"] == "customer"
        and PERIOD.start.replace(tzinfo=None)
        <= t["happened_at"]
        < PERIOD.end.astimezone(UTC).replace(tzinfo=None)
    ]
    assert any(t["cause"] == "mapping" for t in sample.transition)
    entered, left = Counter(t["to_step"] for t in moves), Counter(t["from_step"] for t in moves)
    stays = [t["dwell_seconds"] for t in moves if t["from_step"] == "usar"]
    steps = {s.step: s for s in figures.shown.steps}
    assert {s.step: s.entered for s in steps.values() if s.entered} == dict(entered)
    assert {s.step: s.left for s in steps.values() if s.left} == {
        k: n for k, n in left.items() if k
    }
    assert steps["usar"].dwell_seconds == median(stays)
    assert steps["usar"].dwell_records == len(stays)


def test_the_wait_of_open_records_reaches_to_where_the_data_end(
    figures: Figures, sample: Sample
) -> None:
    lives = {
        (table, record["sys_id"]): is_open(table, record) and opened(table, record) < END
        for table, record, _placed in rows_of(sample)
    }
    ages = [
        (NOW.replace(tzinfo=None) - s["since"]).total_seconds()
        for s in sample.standing
        if s["journey"] == "travesia" and s["step"] == "usar"
        and lives.get((s["table_name"], s["sys_id"]))
    ]  # fmt: skip
    assert {s.step: s.age_seconds for s in figures.shown.steps}["usar"] == median(ages)


def test_sla_clocks_count_where_their_record_stands_now(figures: Figures, sample: Sample) -> None:
    tasks = {r["sys_id"]: (table, r, c) for table, r, c in rows_of(sample)}
    met: Counter[str] = Counter()
    breached: Counter[str] = Counter()
    attended: Counter[str] = Counter()
    for clock in sample.records["task_sla"]:
        table, record, placed = tasks.get(clock["task"], ("", {}, {}))
        if not table or not in_period("task_sla", clock):
            continue
        step = (placed["steps"] or {}).get("travesia", "")  # type: ignore[attr-defined]
        if clock["has_breached"] == "true":
            breached[step] += 1
            attended[step] += is_open(table, record)
        elif clock["stage"] == "completed":
            met[step] += 1
    assert figures.shown.sla is not None
    rows = {row.step: row for row in figures.shown.sla}
    assert {step: row.met for step, row in rows.items() if row.met} == dict(met)
    assert {step: row.breached for step, row in rows.items() if row.breached} == dict(breached)
    assert {s: r.breached_open for s, r in rows.items() if r.breached_open} == {
        s: n for s, n in attended.items() if n
    }
    total = figures.sla_total
    assert total is not None
    assert total.met == sum(met.values())


def test_a_cancelled_clock_counts_nowhere_even_if_it_had_breached(tmp_path: Path) -> None:
    sample = make_sample(incidents=6, items=0)
    for clock in sample.records["task_sla"]:
        clock["stage"], clock["has_breached"] = "cancelled", "false"
        clock["start_time"] = clock["end_time"] = format_instance(PERIOD.start)
    sample.records["task_sla"][0]["has_breached"] = "true"
    with fill_store(tmp_path / "s.duckdb", sample) as store:
        total = measure(store, sample_mapping(), PERIOD, "travesia", 5).sla_total
    assert total is not None
    assert (total.met, total.breached, total.running) == (0, 0, 0)


def test_value_is_counted_on_tickets_that_ended_in_the_period(
    figures: Figures, sample: Sample
) -> None:
    ends: Counter[object] = Counter(
        placed["value"] or placed["outcome"]
        for table, record, placed in rows_of(sample)
        # Not the requests: they repeat their items.
        if table in ("incident", "sc_req_item")
        and not is_open(table, record)
        and START <= ended(table, record) < END
    )
    closures = figures.closures
    assert figures.ticket_tables == ("incident", "sc_req_item")
    assert (closures.confirmed, closures.presumed) == (ends["confirmed"], ends["presumed"])
    assert closures.unknown == ends[""]
    assert closures.outcomes == {
        key: n for key, n in ends.items() if key not in ("", "confirmed", "presumed")
    }
    assert closures.total == figures.flow.resolved


def test_a_bad_answer_and_no_answer_as_yet_are_closures_too(tmp_path: Path) -> None:
    sample = make_sample()
    spoken = [c for c in sample.classification if c["touchpoint"] == "survey_answered"]
    silent = [c for c in sample.classification if c["touchpoint"] == "resolution"]
    for row in (*spoken[::3], *silent[::5]):
        row["value"] = ""
    with fill_store(tmp_path / "s.duckdb", sample) as store:
        figures = measure(store, sample_mapping(), PERIOD, "travesia", 5)
    assert figures.closures.denied
    assert figures.closures.unknown
    assert figures.closures.total == figures.flow.resolved


def test_open_now_is_every_open_record_also_of_those_opened_after_the_period(
    figures: Figures, sample: Sample
) -> None:
    still_open = [(t, r) for t, r, _c in rows_of(sample) if is_open(t, r)]
    assert figures.open_now == len(still_open)
    assert figures.open == sum(opened(t, r) < END for t, r in still_open)
    assert figures.open < figures.open_now


def test_no_move_out_is_no_figure_where_nobody_watched(store: Store, figures: Figures) -> None:
    partly = {s.step: s.left for s in figures.shown.steps}
    assert partly["acordar"] is None
    assert partly["usar"]
    before = Period(parse_day("2026-09-01", ZONE), parse_day("2026-10-01", ZONE), ZONE)
    after = Period(parse_day("2026-10-14", ZONE), parse_day("2026-11-01", ZONE), ZONE)
    unseen, seen = (measure(store, sample_mapping(), p, "travesia", 5) for p in (before, after))
    assert {s.left for s in unseen.shown.steps} == {None}
    assert None not in {s.left for s in seen.shown.steps}


def test_opened_and_resolved_agree_with_the_weeks_and_by_hand(
    figures: Figures, sample: Sample
) -> None:
    tickets = [(t, r) for t, r, _c in rows_of(sample) if t in ("incident", "sc_req_item")]
    assert figures.flow == Flow(
        sum(START <= opened(t, r) < END for t, r in tickets),
        sum(not is_open(t, r) and START <= ended(t, r) < END for t, r in tickets),
    )
    assert len(figures.weeks) == 8
    for week in figures.weeks:
        first = format_instance(parse_day(week.monday.isoformat(), ZONE))
        last = format_instance(parse_day((week.monday + timedelta(weeks=1)).isoformat(), ZONE))
        assert week.monday.weekday() == 0
        assert week.flow.opened == sum(first <= opened(t, r) < last for t, r in tickets)
    # The last week of October ends on 1 November, before the data end.
    assert all(week.is_complete for week in figures.weeks)


def test_a_week_that_the_data_do_not_cover_is_marked(store: Store) -> None:
    period = Period(parse_day("2026-11-01", ZONE), parse_day("2026-12-01", ZONE), ZONE)
    weeks = measure(store, sample_mapping(), period, "travesia", 5).weeks
    assert [week.is_complete for week in weeks][-2:] == [True, False]
    assert weeks[-1].monday.isoformat() == "2026-11-02"


def test_days_are_those_of_the_time_zone_across_summer_time() -> None:
    assert (START, END) == ("2026-09-30 22:00:00", "2026-10-31 23:00:00")
    days = Period(parse_day("2026-10-02", ZONE), parse_day("2026-11-02", ZONE), ZONE)
    assert format_instance(days.previous.start) == "2026-08-31 22:00:00"


@pytest.mark.parametrize(
    ("first", "after", "before"),
    [
        ("2026-10-01", "2026-11-01", "2026-09-01"),
        ("2026-03-01", "2026-04-01", "2026-02-01"),
        ("2026-01-01", "2026-02-01", "2025-12-01"),
        ("2025-01-01", "2026-01-01", "2024-01-01"),
        ("2026-01-01", "2026-04-01", "2025-10-01"),
        ("2026-10-01", "2026-10-31", "2026-09-01"),
        ("2026-10-05", "2026-10-12", "2026-09-28"),
        ("2026-10-15", "2026-11-15", "2026-09-14"),
        ("2026-10-01T08:00", "2026-11-01T08:00", "2026-08-31T08:00"),
    ],
)
def test_before_a_whole_month_is_the_month_before_else_as_many_days(
    first: str, after: str, before: str
) -> None:
    previous = Period(parse_day(first, ZONE), parse_day(after, ZONE), ZONE).previous
    assert format_instance(previous.start) == format_instance(parse_day(before, ZONE))
    assert format_instance(previous.end) == format_instance(parse_day(first, ZONE))


def test_touchpoints_are_kept_apart_from_backstage_activities(
    figures: Figures, sample: Sample
) -> None:
    counts = Counter(
        placed["touchpoint"]
        for table, record, placed in rows_of(sample)
        if in_period(table, record) and placed["touchpoint"]
    )
    found: Counter[object] = Counter()
    for t in figures.touchpoints:
        found[t.touchpoint] += t.in_period
    assert found == counts
    kinds = {t.touchpoint: t.kind for t in figures.touchpoints}
    assert kinds["backstage_work"] == "backstage_activity"
    assert "sla_result" not in kinds


def test_shares_keep_the_records_behind_them(figures: Figures, sample: Sample) -> None:
    now = [c for t, r, c in rows_of(sample) if in_period(t, r)]
    assert figures.visible == Share(
        sum(c["band"] == "visible" for c in now), sum(bool(c["band"]) for c in now)
    )
    assert figures.unclassified == Share(sum(c["rule_id"] == "unclassified" for c in now), len(now))
    assert figures.low_confidence == Share(
        sum(c["touchpoint"] == "backstage_work" for c in now), len(now)
    )


def test_a_step_that_no_table_can_reach_has_no_source(figures: Figures) -> None:
    steps = {s.step: s for s in figures.shown.steps}
    assert not steps["explorar"].has_source
    assert not steps["entender"].has_source
    assert steps["visibilizar"].has_source, "0 records, but the tool could have some"
    assert steps["visibilizar"].in_period == 0


def test_a_table_that_is_not_read_takes_its_steps_away(tmp_path: Path) -> None:
    sample = make_sample(incidents=3, items=0)
    del sample.records["sysapproval_approver"]
    with fill_store(tmp_path / "s.duckdb", sample) as store:
        steps = measure(store, sample_mapping(), PERIOD, "travesia", 5).shown.steps
    assert not {s.step: s for s in steps}["acordar"].has_source


def test_without_sla_rows_there_is_no_figure_rather_than_zero(tmp_path: Path) -> None:
    sample = make_sample(incidents=3, items=0)
    del sample.records["task_sla"]
    with fill_store(tmp_path / "s.duckdb", sample) as store:
        figures = measure(store, sample_mapping(), PERIOD, "travesia", 5)
    assert figures.shown.sla is None
    assert figures.sla_total is None


def test_the_data_reach_to_the_latest_finished_sync(figures: Figures) -> None:
    assert figures.data_until == NOW
    assert figures.moves_since == FIRST_SYNC


def test_one_run_under_a_wrong_clock_does_not_spoil_the_later_reports(tmp_path: Path) -> None:
    with fill_store(tmp_path / "s.duckdb", make_sample(incidents=3, items=0)) as store:
        store.execute(
            "INSERT INTO run (run_id, kind, started_at, high_mark, outcome) VALUES"
            " ('ahead', 'sync', $at, '2031-01-01', 'succeeded'),"
            " ('behind', 'sync', $at, '1999-01-01', 'succeeded'),"
            " ('unread', 'sync', '2035-01-01', NULL, 'succeeded'),"
            " ('failed', 'sync', '2035-01-02', '2035-01-02', 'failed')",
            at=(NOW - timedelta(hours=5)).replace(tzinfo=None),
        )
        figures = measure(store, sample_mapping(), PERIOD, "travesia", 5)
    assert figures.data_until == NOW
    assert figures.moves_since == FIRST_SYNC


def test_a_fresh_store_gives_figures_of_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.duckdb") as store:
        figures = measure(store, sample_mapping(), PERIOD, "travesia", 5)
    assert figures.data_until is None
    assert (figures.records, figures.open, figures.weeks, figures.departments) == (0, 0, (), ())
    assert figures.visible.ratio is None
    assert not any(step.has_source for step in figures.shown.steps)


def test_records_whose_columns_are_hidden_are_counted_nowhere_but_placed(tmp_path: Path) -> None:
    """Without an opening date nobody can say that a closed record belongs to the period."""
    sample = make_sample(incidents=4, items=0)
    for record in sample.records["incident"]:
        del record["opened_at"], record["resolved_at"], record["closed_at"]
    with fill_store(tmp_path / "s.duckdb", sample) as store:
        figures = measure(store, sample_mapping(), PERIOD, "travesia", 5)
    assert figures.tables[0].placed == 4
    assert figures.flow == Flow(0, 0)


def test_departments_of_few_people_are_never_alone(figures: Figures) -> None:
    *shown, others = figures.departments
    assert {d.name for d in shown} == {"Finanzas", "Ventas", "Operaciones"}
    assert others.department == ""
    assert others.people >= 5


def test_departments_sum_to_tickets_opened_and_to_clocks_decided(tmp_path: Path) -> None:
    sample = make_sample()
    incidents = sample.records["incident"]
    for record in incidents[::9]:
        record["caller_id"] = ""
    kept = next(c for c in sample.records["task_sla"] if c["end_time"] >= START)
    # A second clock on the same ticket, and one on an approval of somebody's item.
    sample.records["task_sla"] += [
        {**kept, "sys_id": "sla-second"},
        {**kept, "sys_id": "sla-approval", "task": "apr0004"},
    ]
    with fill_store(tmp_path / "s.duckdb", sample) as store:
        figures = measure(store, sample_mapping(), PERIOD, "travesia", 5)
    *_others, none = figures.departments
    total = figures.sla_total
    assert total is not None
    assert (none.department, none.people) == (NO_DEPARTMENT, 0)
    assert sum(d.opened for d in figures.departments) == figures.flow.opened
    clocks = [d.sla for d in figures.departments if d.sla]
    assert len(clocks) == len(figures.departments)
    assert sum(met.part for met in clocks) == total.met
    assert sum(met.whole for met in clocks) == total.met + total.breached


def test_a_few_people_without_department_go_with_the_others(tmp_path: Path) -> None:
    sample = make_sample()
    for user in sample.records["sys_user"]:
        if user["sys_id"] in ("user2-1", "user2-2"):
            user["department"] = ""
    with fill_store(tmp_path / "s.duckdb", sample) as store:
        figures = measure(store, sample_mapping(), PERIOD, "travesia", 5)
    assert NO_DEPARTMENT not in {d.department for d in figures.departments}
    assert sum(d.opened for d in figures.departments) == figures.flow.opened


def test_sla_by_month_is_counted_on_the_month_in_which_the_clock_started(
    figures: Figures, sample: Sample
) -> None:
    home = {u["sys_id"]: u["department"] for u in sample.records["sys_user"]}
    owner = {
        r["sys_id"]: r.get("caller_id") or r["requested_for"]
        for t, r, _c in rows_of(sample) if t in ("incident", "sc_req_item")
    }  # fmt: skip
    october = [
        clock for clock in sample.records["task_sla"]
        if START <= clock["start_time"] < END and home.get(owner.get(clock["task"], "")) == "dep2"
    ]  # fmt: skip
    breached = sum(c["has_breached"] == "true" for c in october)
    met = sum(c["has_breached"] != "true" and c["stage"] == "completed" for c in october)
    row = next(d for d in figures.months.departments if d.department == "dep2")
    assert figures.months.months[-1].isoformat() == "2026-10-01"
    assert row.met[-1] == Share(met, met + breached)


def test_waits_for_approval_are_of_the_month_asked_and_pending_ones_apart(
    figures: Figures, sample: Sample
) -> None:
    asked = [
        r for r in sample.records["sysapproval_approver"] if START <= r["sys_created_on"] < END
    ]
    waits = [
        (parse_instance(r["_inputs_updated_on"]) - parse_instance(r["sys_created_on"])).seconds
        + 86400
        * (parse_instance(r["_inputs_updated_on"]) - parse_instance(r["sys_created_on"])).days
        for r in asked
        if r["state"] == "approved"
    ]
    october = figures.months.approvals[-1]
    assert (october.decided, october.waiting) == (len(waits), len(asked) - len(waits))
    assert october.median_seconds == median(waits)
    assert figures.months.approvals[0].median_seconds is None, "three approvers are too few"


def test_a_single_hidden_month_takes_the_next_smallest_with_it() -> None:
    cells = [{"people": n, "met": n, "decided": n + 1} for n in (9, 3, 6, 12)]
    assert hide([*cells, None], 5) == (Share(9, 10), None, None, Share(12, 13), None)
    assert hide(cells, 4)[2] is None
    assert None not in hide(cells, 3)


def department(name: str, people: int) -> DepartmentFigures:
    return DepartmentFigures(name, name, people, people * 2, 1, Share(1, 2))


def test_the_next_smallest_goes_with_a_single_small_department() -> None:
    """Else its figures would be the total less what is shown."""
    shown = suppress([department("a", 2), department("b", 7), department("c", 9)], 5)
    assert [(d.department, d.people) for d in shown] == [("c", 9), ("", 9)]


def test_a_small_department_without_company_is_not_shown_at_all() -> None:
    assert suppress([department("a", 4)], 5) == ()


def test_what_few_of_a_departments_people_have_is_not_told() -> None:
    rows = [
        DepartmentFigures("a", "a", 20, 40, 2, Share(9, 12), people_open=2, people_clocks=9),
        DepartmentFigures("b", "b", 9, 12, 7, Share(3, 4), people_open=6, people_clocks=4),
        DepartmentFigures("c", "c", 30, 50, 12, Share(20, 30), people_open=11, people_clocks=25),
    ]
    a, b, c = hide_columns(rows, 5)
    # Its neighbour goes along, or the total would tell it.
    assert (a.open, b.open, c.open) == (None, None, 12)
    assert (a.sla, b.sla, c.sla) == (None, None, Share(20, 30))
    assert [one.opened for one in (a, b, c)] == [40, 12, 50]


@given(st.lists(st.integers(0, 12), max_size=8), st.integers(1, 6))
def test_nothing_shown_is_smaller_than_the_minimum(sizes: list[int], minimum: int) -> None:
    departments = [department(f"d{i}", people) for i, people in enumerate(sizes)]
    shown = suppress(departments, minimum)
    assert all(d.people >= minimum for d in shown)
    hidden = [d for d in departments if d.department not in {s.department for s in shown}]
    assert len(hidden) != 1 or not shown, "one hidden alone could be had by subtraction"


def test_the_shipped_mapping_reads_the_columns_that_tell_a_life() -> None:
    mapping = load_mapping()
    placed = {table for rule in mapping.rules for table in rule.tables}
    for table in placed:
        life, columns = LIVES.get(table, Life()), set(mapping.tables[table].columns)
        assert columns & set(life.opened), table
        assert columns & set(life.ended) or not life.ended, table
        assert life.state in columns or not (life.open_states or life.done_states), table
    assert ticket_tables(mapping, tuple(mapping.tables)) == (
        "incident",
        "sc_req_item",
        "sn_customerservice_case",
    )
    told = DEFINITIONS["tickets_opened"].text
    for kind in ("incidents", "request items", "customer service cases"):
        assert kind in told


def test_a_share_of_nothing_is_nothing() -> None:
    assert Share(0, 0).ratio is None
    assert StepFigures("x", ()).has_source is False
    assert Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)).previous.end
