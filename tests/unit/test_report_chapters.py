"""The chapters against an independent count: plain Python over the same rows."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from connector.errors import ConfigError
from connector.report.build import Choice, build_report
from connector.report.chapters import CHAPTERS, MONTHLY
from connector.report.chapters.band import Bands, StepBand
from connector.report.chapters.journey_map import SHOWN
from connector.report.report import Report
from connector.report.wording import day_within
from connector.store.database import Store
from connector.timestamps import parse_instance
from tests.golden import relations
from tests.golden.rewrite import ALL, golden_report
from tests.golden.sample import NOW, Sample, fill_store, make_sample, sample_mapping
from tests.unit.test_report_figures import (
    END,
    PERIOD,
    START,
    ZONE,
    ended,
    in_period,
    is_open,
    opened,
    rows_of,
)

NAIVE = tuple(moment.astimezone(UTC).replace(tzinfo=None) for moment in (PERIOD.start, PERIOD.end))


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return golden_report(tmp_path_factory.mktemp("all"), Choice(only=(*MONTHLY, *ALL)))


@pytest.fixture(scope="module")
def moments(sample: Sample) -> list[dict[str, Any]]:
    return relations.moments_of(sample.records["incident"], NOW)


@pytest.fixture(scope="module")
def store(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fill_store(tmp_path_factory.mktemp("store") / "s.duckdb", sample) as store:
        yield store


def part_of(store: Store, name: str, scope: str = "") -> Any:
    choice = Choice(scope=scope, only=(name,))
    bounds = (PERIOD.start, PERIOD.end)
    return build_report(
        store, sample_mapping(), *bounds, "en", ZONE, choice=choice
    ).parts[name]  # fmt: skip


def moves(sample: Sample) -> list[dict[str, Any]]:
    """The customers' moves of the period on the shown journey."""
    return [
        t
        for t in sample.transition
        if t["journey"] == "travesia"
        and t["cause"] == "customer"
        and NAIVE[0] <= t["happened_at"] < NAIVE[1]
    ]


def test_all_fifteen_reports_and_the_monthly_three_are_there() -> None:
    assert len(ALL) == 15
    assert set(CHAPTERS) == {*MONTHLY, *ALL}


def test_an_unknown_chapter_is_refused_with_the_near_miss(store: Store) -> None:
    with pytest.raises(ConfigError, match="did you mean durations"):
        part_of(store, "duration")


def test_stays_are_the_medians_and_the_slowest_tenth(report: Report, sample: Sample) -> None:
    stays = defaultdict(list)
    for t in moves(sample):
        if t["dwell_seconds"] is not None:
            stays[t["from_step"]].append(t["dwell_seconds"])
    found = {stay.id: stay for stay in report.parts["durations"].steps}
    assert set(found) == set(stays)
    for step, values in stays.items():
        assert found[step].records == len(values)
        assert found[step].half == median(values)
        assert found[step].slow == pytest.approx(quantile(values, 0.9))


def quantile(values: list[int], q: float) -> float:
    """Between the two nearest ranks, in proportion."""
    ordered, place = sorted(values), q * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def test_waiting_is_the_part_of_the_known_time_in_the_consumers_hands(
    report: Report, sample: Sample
) -> None:
    dwell, _unseen = relations.bands_of(sample.records["incident"])
    placed = {r["sys_id"]: p for t, r, p in rows_of(sample) if t == "incident" and in_period(t, r)}
    time: Counter[tuple[str, str]] = Counter()
    for row in dwell:
        steps = (placed.get(row["sys_id"]) or {}).get("steps") or {}
        if steps:
            time[steps["travesia"], row["band"]] += row["seconds"]  # type: ignore[index]
    for stay in report.parts["durations"].steps:
        assert stay.waiting is not None
        assert stay.waiting.part == time[stay.id, "consumer_backstage"]
        assert stay.waiting.whole == sum(n for (step, _band), n in time.items() if step == stay.id)
    seconds = {row.step: row.seconds for row in report.parts["band"].steps}
    assert {(s, band): n for s, bands in seconds.items() for band, n in bands.items()} == dict(time)


def test_moves_between_steps_are_counted_both_ways(report: Report, sample: Sample) -> None:
    counted = Counter((t["from_step"], t["to_step"]) for t in moves(sample) if t["from_step"])
    found = {(m.origin, m.to): m.moves for m in report.parts["conversion"].moves}
    assert found == dict(counted)
    order = [step.id for step in sample_mapping().journeys["travesia"].steps]
    for move in report.parts["conversion"].moves:
        assert move.is_back == (order.index(move.to) < order.index(move.origin))


def test_the_cohort_is_what_was_opened_and_each_record_has_one_fate_per_step(
    report: Report, sample: Sample
) -> None:
    cohort = {
        (t, r["sys_id"]): (r, p)
        for t, r, p in rows_of(sample)
        if START <= opened(t, r) < END and p["steps"]
    }
    reached: dict[tuple[str, str], set[str]] = {key: set() for key in cohort}
    for t in sample.transition:
        key = (t["table_name"], t["sys_id"])
        if key in reached and t["journey"] == "travesia":
            reached[key].add(t["to_step"])
    for key, (_record, placed) in cohort.items():
        reached[key].add(placed["steps"]["travesia"])  # type: ignore[index]
    counts = Counter(step for steps in reached.values() for step in steps)
    found = {row.step: row for row in report.parts["conversion"].cohort}
    assert {step: row.records for step, row in found.items()} == dict(counts)
    for row in found.values():
        assert sum(n or 0 for n in row.fates.values()) == row.records
    lost = Counter(str(p["steps"]["travesia"]) for _r, p in cohort.values()  # type: ignore[index]
                   if p["outcome"] == "lost")  # fmt: skip
    assert {s: r.fates["lost"] for s, r in found.items() if r.fates["lost"]} == dict(lost)


def test_moments_are_those_decided_in_the_period(
    report: Report, moments: list[dict[str, Any]]
) -> None:
    for tally in report.parts["moments"].tallies:
        mine = [m for m in moments if m["moment_id"] == tally.moment_id]
        now = [m for m in mine if m["decided_at"] and NAIVE[0] <= m["decided_at"] < NAIVE[1]]
        assert tally.lost == sum(m["polarity"] == "negative" for m in now)
        assert tally.won == sum(m["polarity"] == "positive" for m in now)
        assert tally.open == sum(m["polarity"] == "open" for m in mine)
        over = [m for m in mine if m["polarity"] != "open"]
        assert tally.usual.part == sum(m["polarity"] == "negative" for m in over)
        assert tally.usual.whole == len(over)
    melons = [
        m for m in moments
        if m["moment_id"] == "M29" and NAIVE[0] <= m["decided_at"] < NAIVE[1]
    ]  # fmt: skip
    assert melons
    assert report.parts["moments"].melon_count == len(melons)


def test_open_moments_come_by_what_is_left_of_their_window(
    report: Report, moments: list[dict[str, Any]]
) -> None:
    part = report.parts["open"]
    open_ = sorted(
        (m for m in moments if m["polarity"] == "open"),
        key=lambda m: (m["window_ends_at"], -m["weight"], m["sys_id"], m["moment_id"]),
    )
    assert part.total == len(open_)
    assert [(m.sys_id, m.moment_id) for m in part.moments] == [
        (m["sys_id"], m["moment_id"]) for m in open_[: len(part.moments)]
    ]
    limit = NOW.replace(tzinfo=None) + timedelta(days=3)
    assert part.urgent == sum(m["window_ends_at"] <= limit for m in open_)


def test_the_worst_journeys_are_those_that_lost_most(
    report: Report, moments: list[dict[str, Any]]
) -> None:
    lost: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for m in moments:
        if m["polarity"] == "negative" and NAIVE[0] <= m["decided_at"] < NAIVE[1]:
            lost[m["sys_id"]].append(m)
    ranked = sorted(lost, key=lambda k: (-len(lost[k]), -sum(m["weight"] for m in lost[k]), k))
    worst = report.parts["worst"]
    assert [one.sys_id for one in worst] == ranked[:10]
    assert worst[0].number.startswith("INC")
    assert worst[0].weight == sum(m["weight"] for m in lost[ranked[0]])
    path = worst[0].path
    assert [step.at for step in path] == sorted(step.at for step in path)
    assert path


def test_silence_and_what_it_costs(report: Report, sample: Sample) -> None:
    _dwell, unseen = relations.bands_of(sample.records["incident"])
    shown = {r["sys_id"] for t, r, _p in rows_of(sample) if t == "incident" and in_period(t, r)}
    # Test noise has a past, and is no journey.
    mine = [row for row in unseen if row["sys_id"] in shown]
    classes = Counter(
        max([limit for limit in (4, 24, 72, 168) if row["seconds"] >= limit * 3600] or [0]) * 3600
        for row in mine
    )
    found = {s.since: s.records for s in report.parts["band"].silences}
    assert found == dict(classes)
    longest = sorted(mine, key=lambda row: (-row["seconds"], row["sys_id"]))[:10]
    assert [one.sys_id for one in report.parts["band"].longest] == [r["sys_id"] for r in longest]


def test_sla_by_priority_stands_beside_what_is_usual(report: Report, sample: Sample) -> None:
    tickets = {r["sys_id"]: r for t, r, _p in rows_of(sample) if t == "incident"}
    met: Counter[str] = Counter()
    usual: Counter[tuple[str, bool]] = Counter()
    for clock in sample.records["task_sla"]:
        record = tickets.get(clock["task"])
        if record is None or (is_open("task_sla", clock) and clock["has_breached"] == "false"):
            continue
        is_met = clock["has_breached"] == "false"
        usual[record["priority"], is_met] += 1
        met[record["priority"]] += is_met and in_period("task_sla", clock)
    for row in report.parts["sla"].priorities:
        assert row.met == met[row.priority]
        assert row.usual.part == usual[row.priority, True]
        assert row.usual.whole == usual[row.priority, True] + usual[row.priority, False]


def test_the_heat_map_counts_records_by_touchpoint_and_month_of_opening(
    report: Report, sample: Sample, moments: list[dict[str, Any]]
) -> None:
    balance: Counter[str] = Counter()
    for m in moments:
        balance[m["sys_id"]] += {"positive": 1, "negative": -1}.get(m["polarity"], 0)
    counts: Counter[tuple[str, str]] = Counter()
    impact: Counter[tuple[str, str]] = Counter()
    for table, record, placed in rows_of(sample):
        if placed["touchpoint"] and opened(table, record) < END:
            local = PERIOD.local(parse_instance(opened(table, record)))
            key = (str(placed["touchpoint"]), f"{local:%Y-%m}")
            counts[key] += 1
            impact[key] += balance[record["sys_id"]] if table == "incident" else 0
    heat = report.parts["touchpoints"]
    months = [f"{first:%Y-%m}" for first in heat.months]
    assert months[-1] == "2026-10"
    seen = {
        (id_, month): (cell.records, cell.impact)
        for id_, cells in heat.rows
        for month, cell in zip(months, cells, strict=True)
        if cell
    }
    assert seen == {k: (n, impact[k]) for k, n in counts.items() if k[1] in months}


def test_approvals_are_told_by_how_they_stand(report: Report, sample: Sample) -> None:
    asked = Counter(
        str(p["touchpoint"])
        for t, r, p in rows_of(sample)
        if t == "sysapproval_approver" and START <= opened(t, r) < END
    )
    assert report.parts["agreements"].approvals == dict(asked)
    assert report.parts["agreements"].contracts is None


def test_what_the_tool_has_no_source_for_is_said_and_is_no_zero(report: Report) -> None:
    for name in ("improvement", "onboarding"):
        assert report.parts[name] is None
        (section,) = CHAPTERS[name].sections(report, None)
        assert section.tables == ()
        assert "no source" in section.notes[0]


def test_the_relationships_that_moved_open_with_what_was_planned(report: Report) -> None:
    (section,) = CHAPTERS["moved"].sections(report, report.parts["moved"])
    (table,) = section.tables
    first, second = table.rows
    assert first[0] == "Finanzas × ERP"
    assert first[1] == "A next step for Oct 15"
    assert first[3] == "For Nov 2: overdue"
    assert "Oct 20: Transactional → At risk" in first[2]
    assert "contacts noted: 3" in first[2]
    assert "promises kept: 1" in first[2]
    assert "promises not kept: 1" in first[2], "the one of Oct 31, of which nobody said anything"
    assert "promises pending: 1" in first[2]
    assert first[4] == "51 → 38 (\u221212.6)"
    assert second[1] == "A next step for Oct 9"


def test_days_have_their_year_where_a_year_or_more_is_told(report: Report) -> None:
    found = replace(report.parts["moved"], first_day=date(2025, 11, 5))
    (section,) = CHAPTERS["moved"].sections(report, found)
    (table,) = section.tables
    assert table.columns[1] == "Planned as of Nov 5, 2025"
    assert table.rows[0][3] == "For Nov 2, 2026: overdue"
    assert "Oct 20, 2026: Transactional → At risk" in table.rows[0][2]
    spans = [(date(2026, 1, 1), date(2026, 12, 30)), (date(2026, 1, 1), date(2026, 12, 31))]
    assert [day_within(date(2026, 5, 4), *span) for span in spans] == ["May 4", "May 4, 2026"]


def test_the_map_shows_the_worst_relationship_first_with_its_steps(report: Report) -> None:
    (section,) = CHAPTERS["map"].sections(report, report.parts["map"])
    rows = section.tables[0].rows
    assert [row[0] for row in rows] == [
        "Finanzas × ERP",
        "Ventas × Correo",
        "Operaciones × (no service named)",
    ]
    assert rows[0][-2:] == ("38", "44")
    assert getattr(rows[0][0], "url", "").endswith("/u_journey_engagement.do?sys_id=rel1")


def test_the_map_never_calls_better_what_too_little_is_known_of(report: Report) -> None:
    """One of which too little is known has fallen most: it is among those shown."""
    found = report.parts["map"]
    ranked, _other, unknown = found.rows
    rows = [
        *({**ranked, "sys_id": f"r{i}", "score": 30.0 + i / 10} for i in range(30)),
        *({**unknown, "sys_id": f"u{i}", "score": 20.0 + i, "month_score": 21.0} for i in range(3)),
    ]
    rows[-1] |= {"score": 12.0, "month_score": 50.0, "customer_name": "Planta"}
    rows[-2] |= {"score": 21.0}
    rows[-3] |= {"score": 21.0}
    (section,) = CHAPTERS["map"].sections(report, replace(found, rows=tuple(rows)))
    assert len(section.tables[0].rows) == SHOWN
    assert section.tables[0].rows[-1][0] == "Planta × (no service named)"
    assert section.tables[0].rows[-2][0] == "Finanzas × ERP"
    assert [note.split(";")[0] for note in section.notes] == [
        "6 more relationships stand better",
        "2 more relationships have not enough evidence to be ranked",
    ]


def test_a_scope_shows_its_own_relationships_only(store: Store) -> None:
    assert [row["sys_id"] for row in part_of(store, "map", "department=Ventas").rows] == ["rel2"]
    assert [row["sys_id"] for row in part_of(store, "map", "service=ERP").rows] == ["rel1"]


def test_runs_are_listed_newest_first(tmp_path: Path, sample: Sample) -> None:
    with fill_store(tmp_path / "s.duckdb", sample) as store:
        store.execute(
            "UPDATE run SET counts = $c, finished_at = started_at + INTERVAL 90 SECOND",
            c='{"tables": [{"extracted": 7, "classified": 5}], "planned": 3, "confirmed": 2}',
        )
        (one,) = part_of(store, "run")
    assert one.started == datetime(2026, 10, 12, 22, tzinfo=UTC)
    assert (one.read, one.placed, one.planned, one.confirmed, one.seconds) == (7, 5, 3, 2, 90.0)


def test_every_rule_is_counted(report: Report, sample: Sample) -> None:
    quality = report.parts["mapping"]
    hits = Counter((c["table_name"], c["rule_id"]) for c in sample.classification)
    assert {(h.table, h.rule): h.records for h in quality.hits} == dict(hits)
    assert quality.dead == (("sc_req_item", "rule-request_submitted"),)


def test_every_chapter_says_something_in_both_languages_for_a_small_scope(store: Store) -> None:
    choice = Choice(scope="department=Operaciones", only=(*MONTHLY, *ALL))
    made = build_report(
        store, sample_mapping(), PERIOD.start, PERIOD.end, "es", ZONE, choice=choice
    )  # fmt: skip
    for name, figures in made.parts.items():
        for section in CHAPTERS[name].sections(made, figures):
            assert section.title
            for table in section.tables:
                assert all(len(row) <= len(table.columns) for row in table.rows), table.caption
                assert table.rows


def test_no_small_group_of_a_part_is_shown(store: Store, sample: Sample) -> None:
    """Operaciones has 60 people; whatever fewer than five of them stand behind is hidden."""
    home = {u["sys_id"]: u["department"] for u in sample.records["sys_user"]}
    items = {r["sys_id"]: r["requested_for"] for r in sample.records["sc_req_item"]}
    people: dict[tuple[str, str], set[str]] = defaultdict(set)
    for table, record, placed in rows_of(sample):
        named = record.get("caller_id") or record.get("requested_for", "")
        person = named or items.get(record.get("document_id", ""), "")
        if home.get(person) == "dep2" and placed["touchpoint"] and opened(table, record) < END:
            local = PERIOD.local(parse_instance(opened(table, record)))
            people[str(placed["touchpoint"]), f"{local:%Y-%m}"].add(person)
    heat = part_of(store, "touchpoints", "department=Operaciones")
    months = [f"{first:%Y-%m}" for first in heat.months]
    cells = {
        (id_, m): cell for id_, row in heat.rows for m, cell in zip(months, row, strict=True)
    }  # fmt: skip
    small = {key for key, who in people.items() if len(who) < 5 and key in cells}
    assert small
    shown = {key: cells[key].records for key in small if cells[key]}
    assert set(shown.values()) == {None}
    assert len(shown) == len(small)


def test_the_end_of_a_record_counts_by_the_clock_of_the_report(
    report: Report, sample: Sample
) -> None:
    lives = defaultdict(list)
    for table, record, placed in rows_of(sample):
        over = ended(table, record)
        if placed["touchpoint"] and not is_open(table, record) and START <= over < END:
            seconds = parse_instance(over) - parse_instance(opened(table, record))
            lives[str(placed["touchpoint"])].append(int(seconds.total_seconds()))
    found = {stay.id: stay for stay in report.parts["durations"].touchpoints}
    assert {id_: stay.records for id_, stay in found.items()} == {
        id_: len([v for v in values if v > 0]) for id_, values in lives.items() if any(values)
    }
    assert found["resolution"].half == median(lives["resolution"])


def test_no_time_known_in_any_band_is_said_and_no_zeros_are_shown(report: Report) -> None:
    nothing = Bands((StepBand("usar", {"visible": 0}),), (), (), is_exact=True, is_hiding=False)
    (section,) = CHAPTERS["band"].write(report, nothing)
    assert section.tables == ()
    assert section.notes == ("No time in any band is known of these records.",)
