"""Onboarding, improvement, lanes, bands by week and worst journeys against an independent count."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from connector.report.report import Report
from connector.store.database import Store
from connector.timestamps import format_instance
from tests.golden.sample import NOW, ROW
from tests.unit.report_independent.world import (
    REGISTER,
    World,
    lanes_of,
    month_of,
    report_of,
    spans_of,
)
from tests.unit.test_report_chapters import NAIVE
from tests.unit.test_report_figures import END, START, ZONE, in_period, rows_of


def test_users_ready_are_those_whose_first_day_went_well(report: Report, world: World) -> None:
    state = {m["sys_id"]: m["polarity"] for m in world.moments if m["moment_id"] == "M03"}
    months: dict[str, list[dict[str, str]]] = defaultdict(list)
    for item in world.sample.records["sc_req_item"]:
        if item["due_date"] < END:
            months[month_of(item["due_date"])].append(item)
    found = {f"{c.month:%Y-%m}": c for c in report.parts["onboarding"].cohorts}
    assert set(found) == set(months)
    told = {m: c for m, c in found.items() if c.ready is not None}
    assert len(told) >= 2
    for month, cohort in told.items():
        mine = months[month]
        fates = Counter(state[item["sys_id"]] for item in mine)
        assert cohort.ready.part == fates["positive"]
        assert cohort.ready.whole == fates["positive"] + fates["negative"]
        assert cohort.open == fates["open"]
        assert cohort.people == len({item["requested_for"] for item in mine})


def test_first_contacts_are_a_newcomers_incidents_of_thirty_days(
    report: Report, world: World
) -> None:
    days = defaultdict(set)
    for item in world.sample.records["sc_req_item"]:
        days[month_of(item["due_date"])].add((item["requested_for"], item["due_date"]))
    for cohort in report.parts["onboarding"].cohorts:
        if cohort.contacts is None:
            continue
        n = 0
        for person, first in days[f"{cohort.month:%Y-%m}"]:
            last = datetime.fromisoformat(first) + timedelta(days=30)
            n += sum(
                one["caller_id"] == person
                and datetime.fromisoformat(first) <= datetime.fromisoformat(one["opened_at"]) < last
                for one in world.sample.records["incident"]
            )
        assert cohort.contacts == n


def test_the_improvement_loop_is_counted_stage_by_stage(report: Report, world: World) -> None:
    loop = report.parts["improvement"]
    outcome = {c["sys_id"]: c["outcome"] for c in world.sample.classification}
    register = world.sample.records[REGISTER]
    begun = [one for one in register if START <= one["opened_at"] < END]
    over = [one for one in register if one["closed_at"] and START <= one["closed_at"] < END]
    still = [one for one in register if not one["closed_at"] and one["opened_at"] < END]
    assert loop.begun == len(begun) > 0
    assert (loop.of_feedback.part, loop.of_feedback.whole) == (
        sum(bool(one["source_id"]) for one in begun), len(begun)
    )  # fmt: skip
    assert loop.done == sum(not outcome[one["sys_id"]] for one in over) > 0
    assert loop.given_up == sum(bool(outcome[one["sys_id"]]) for one in over) > 0
    assert loop.open == len(still) > 0
    assert loop.age == median(
        (NOW.replace(tzinfo=None) - datetime.fromisoformat(one["opened_at"])).total_seconds()
        for one in still
    )
    assert loop.took == median(
        (datetime.fromisoformat(one["closed_at"]) - datetime.fromisoformat(one["opened_at"]))
        .total_seconds()
        for one in over
    )  # fmt: skip
    spoke = [
        r for t, r, p in rows_of(world.sample)
        if p["touchpoint"] == "survey_answered" and START <= r["opened_at"] < END
    ]  # fmt: skip
    assert loop.said == len(spoke)


def test_lanes_count_records_by_who_sees_them_and_their_moments(
    report: Report, world: World
) -> None:
    found = {(x.step, x.lane): [x.records, x.won, x.lost] for x in report.figures.lanes}
    assert found == lanes_of(world)
    assert len({lane for _step, lane in found}) >= 3
    assert sum(n[2] for n in found.values()) > 0


def test_seconds_in_each_band_are_counted_week_by_week(report: Report, world: World) -> None:
    zone = ZoneInfo(ZONE)
    weeks = report.parts["band"].weeks
    assert len(weeks) == 5
    for week in weeks:
        begin = datetime.combine(week.monday, datetime.min.time(), zone).astimezone(UTC)
        after = week.monday + timedelta(days=7)
        end = datetime.combine(after, datetime.min.time(), zone).astimezone(UTC)
        bounds = begin.replace(tzinfo=None), end.replace(tzinfo=None)
        seconds: Counter[str] = Counter()
        for _id, band, since, until in spans_of(world):
            inside = min(until, bounds[1]) - max(since, bounds[0])
            if inside > timedelta() and since < until:
                seconds[band] += int(inside.total_seconds())
        assert dict(week.seconds) == dict(seconds), week.monday
    assert all(week.seconds for week in weeks)


def test_records_came_to_each_band_so_often(report: Report, world: World) -> None:
    came = Counter(
        piece["band"] for piece in world.pieces
        if piece["band"] and NAIVE[0] <= piece["since"] < NAIVE[1]
    )  # fmt: skip
    assert report.parts["band"].entries == dict(came)
    assert len(came) == 3


def test_weeks_of_a_part_show_no_band_of_few_people(store: Store, world: World) -> None:
    home = {u["sys_id"]: u["department"] for u in world.sample.records["sys_user"]}
    caller = {one["sys_id"]: one["caller_id"] for one in world.sample.records["incident"]}
    minimum = 3
    found = report_of(store, "band", scope="department=Ventas", minimum=minimum).parts["band"]
    is_shown = []
    for week in found.weeks:
        begin = datetime.combine(week.monday, datetime.min.time(), ZoneInfo(ZONE))
        bounds = [
            day.astimezone(UTC).replace(tzinfo=None) for day in (begin, begin + timedelta(days=7))
        ]
        people: dict[str, set[str]] = defaultdict(set)
        for sys_id, band, since, until in spans_of(world):
            is_inside = since < bounds[1] and until > bounds[0] and until > since
            if home[caller[sys_id]] == "dep1" and is_inside:
                people[band].add(caller[sys_id])
        few = any(len(who) < minimum for who in people.values())
        assert bool(week.seconds) == (bool(people) and not few), week.monday
        is_shown.append(bool(week.seconds))
    assert len(set(is_shown)) == 2, "some weeks shown and some not, else this proves nothing"


def test_time_to_spare_is_what_was_left_when_a_clock_was_met(report: Report, world: World) -> None:
    steps = {
        r["sys_id"]: str((p["steps"] or {}).get("travesia", ""))  # type: ignore[attr-defined]
        for _t, r, p in rows_of(world.sample)
    }
    left: dict[str, list[float]] = defaultdict(list)
    for clock in world.sample.records["task_sla"]:
        is_met = clock["stage"] == "completed" and clock["has_breached"] == "false"
        if is_met and in_period("task_sla", clock) and clock["task"] in steps:
            ends = (datetime.fromisoformat(clock[c]) for c in ("planned_end_time", "end_time"))
            planned, real = ends
            left[steps[clock["task"]]].append((planned - real).total_seconds())
    spare = report.parts["sla"].spare
    assert {one.step: (one.met, one.seconds) for one in spare} == {
        step: (len(values), median(values)) for step, values in left.items()
    }
    assert all(one.seconds > 0 for one in spare)


def test_the_worst_journeys_tell_what_went_wrong_and_where(report: Report, world: World) -> None:
    lost: dict[tuple[str, str], list[ROW]] = defaultdict(list)
    for m in world.moments:
        is_now = m["decided_at"] and NAIVE[0] <= m["decided_at"] < NAIVE[1]
        if m["polarity"] == "negative" and is_now:
            lost[m["table_name"], m["sys_id"]].append(m)
    ranked = sorted(lost, key=lambda k: (-len(lost[k]), -sum(m["weight"] for m in lost[k]), k))
    worst = report.parts["worst"]
    assert [(one.table, one.sys_id) for one in worst] == ranked[:10]
    ends = {one["sys_id"]: one.get("resolved_at") for one in world.sample.records["incident"]}
    for one in worst:
        mine = lost[one.table, one.sys_id]
        assert one.weight == sum(m["weight"] for m in mine)
        assert sorted((x.moment_id, x.at.replace(tzinfo=None)) for x in one.lost) == sorted(
            (m["moment_id"], m["decided_at"]) for m in mine
        )
        path = [
            (t["to_step"], t["happened_at"])
            for t in world.sample.transition
            if (t["table_name"], t["sys_id"]) == (one.table, one.sys_id)
            and t["journey"] == "travesia"
        ]
        assert [(e.step, e.at.replace(tzinfo=None)) for e in one.path] == sorted(
            path, key=lambda pair: pair[1]
        )
        if one.table == "incident" and ends[one.sys_id]:
            assert format_instance(one.until) == ends[one.sys_id]


def test_initiatives_of_few_people_are_not_counted_of_a_part(store: Store, world: World) -> None:
    """The sample's register names nobody, so its initiatives belong to no department at all."""
    part = report_of(store, "improvement", scope="department=Ventas").parts["improvement"]
    home = {u["sys_id"]: u["department"] for u in world.sample.records["sys_user"]}
    spoke = [
        r["caller_id"]
        for t, r, p in rows_of(world.sample)
        if t == "incident"
        and p["touchpoint"] == "survey_answered"
        and START <= r["opened_at"] < END
        and home[r["caller_id"]] == "dep1"
    ]
    assert spoke
    assert part.said == (len(spoke) if len(set(spoke)) >= 5 else None)
    assert (part.begun, part.done, part.open) == (None, None, None)
    assert part.is_untied
