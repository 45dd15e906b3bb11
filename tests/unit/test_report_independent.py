"""Onboarding, the improvement loop, lanes, bands by week, the worst journeys and the pictures of
chapters, against an independent count: plain Python over the same rows.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connector.journey.model import Mapping, Rule, TableSpec, Text
from connector.report.build import Choice, build_report
from connector.report.chapter_pictures import (
    band_picture,
    heat_picture,
    improvement_picture,
    life_pictures,
    moments_picture,
    moves_picture,
    onboarding_picture,
)
from connector.report.drawing.picture import Picture
from connector.report.journey_pictures import map_picture, strips_picture
from connector.report.report import Report
from connector.report.view import view_of
from connector.report.wording import count as said
from connector.store.database import Store
from connector.timestamps import format_instance
from tests.golden import relations
from tests.golden.sample import (
    NOW,
    ROW,
    Sample,
    fill_store,
    insert_rows,
    make_sample,
    sample_mapping,
)
from tests.unit.test_report_chapters import NAIVE
from tests.unit.test_report_figures import END, PERIOD, START, ZONE, in_period, rows_of

CHAPTERS = (
    "onboarding",
    "improvement",
    "sla",
    "band",
    "worst",
    "conversion",
    "touchpoints",
    "moments",
)
BAND_NAMES = ("visible", "provider_backstage", "consumer_backstage", "")
REGISTER = "sn_cim_register"


@dataclass(frozen=True)
class World:
    """The sample, and what this test adds to it."""

    sample: Sample
    moments: list[ROW]
    pieces: list[ROW]


@pytest.fixture(scope="module")
def world() -> World:
    sample = make_sample(240, 120)
    dice = random.Random(31)  # noqa: S311  # a sample, not a secret
    for item in sample.records["sc_req_item"]:
        due = datetime.fromisoformat(item["opened_at"]) + timedelta(days=dice.randrange(2, 20))
        item["due_date"] = f"{due:%Y-%m-%d %H:%M:%S}"
    sample.records[REGISTER] = [_initiative(i, dice) for i in range(40)]
    sample.classification.extend(
        {
            "table_name": REGISTER, "sys_id": one["sys_id"], "rule_id": "improvement",
            "touchpoint": "improvement", "steps": {"travesia": "medir", "itil4": "realize"},
            "band": "provider_backstage", "is_potential_moment": False,
            "outcome": "abandoned" if i % 7 == 3 else "", "phase": "", "value": "",
            "confidence": "high", "inherited_from": "", "mapping_hash": "0123456789ab",
        }
        for i, one in enumerate(sample.records[REGISTER])
    )  # fmt: skip
    moments = relations.moments_of(sample.records["incident"], NOW)
    sour = {c["sys_id"] for c in sample.classification if c["touchpoint"] == "survey_answered"}
    for moment in moments:
        if moment["sys_id"] in sour and moment["decided_at"]:
            moment["polarity"] = "negative"
    moments += [_ready(one, dice) for one in sample.records["sc_req_item"]]
    return World(sample, moments, list(_pieces(sample, dice)))


def _initiative(i: int, dice: random.Random) -> dict[str, str]:
    begun = NOW - timedelta(hours=dice.randrange(24 * 90))
    over = begun + timedelta(hours=dice.randrange(1, 24 * 40))
    is_over = over < NOW
    return {
        "sys_id": f"imp{i}",
        "opened_at": format_instance(begun),
        "closed_at": format_instance(over) if is_over else "",
        "active": "false" if is_over else "true",
        "source_id": f"inc{i:04}" if i % 3 else "",
    }


def _ready(item: dict[str, str], dice: random.Random) -> ROW:
    day = datetime.fromisoformat(item["due_date"])
    polarity = dice.choice(("positive", "positive", "negative"))
    is_over = day < NOW.replace(tzinfo=None)
    return {
        "table_name": "sc_req_item",
        "sys_id": item["sys_id"],
        "moment_id": "M03",
        "polarity": polarity if is_over else "open",
        "started_at": day,
        "window_ends_at": day,
        "decided_at": day if is_over else None,
        "evidence": "made",
        "weight": 10,
    }


def _pieces(sample: Sample, dice: random.Random) -> Iterator[ROW]:
    for one in sample.records["incident"][::2]:
        at = datetime.fromisoformat(one["opened_at"])
        for _i in range(dice.randrange(1, 5)):
            yield {
                "table_name": "incident", "sys_id": one["sys_id"], "since": at,
                "band": dice.choice(BAND_NAMES), "resolution": "exact",
            }  # fmt: skip
            at += timedelta(seconds=dice.randrange(3600, 9 * 86400))


def mapping() -> Mapping:
    made = sample_mapping()
    rule = Rule("improvement", (REGISTER,), "", "improvement", Text("", ""), {})
    spec = TableSpec(REGISTER, Text("Initiative", "Iniciativa"), ())
    return replace(made, rules=(*made.rules, rule), tables={**made.tables, REGISTER: spec})


@pytest.fixture(scope="module")
def store(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fill_store(tmp_path_factory.mktemp("store") / "s.duckdb", world.sample) as store:
        store.execute("DELETE FROM moment")
        insert_rows(store, "moment", world.moments, list(world.moments[0]))
        insert_rows(store, "band_piece", world.pieces, list(world.pieces[0]))
        yield store


def report_of(store: Store, *only: str, scope: str = "", minimum: int = 5) -> Report:
    return build_report(
        store, mapping(), PERIOD.start, PERIOD.end, "en", ZONE, minimum,
        choice=Choice(scope, only=only),
    )  # fmt: skip


@pytest.fixture(scope="module")
def report(store: Store) -> Report:
    return report_of(store, *CHAPTERS)


def month_of(text: str) -> str:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return f"{moment.astimezone(ZoneInfo(ZONE)):%Y-%m}"


# Onboarding ---------------------------------------------------------------------------------------


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


# Improvement --------------------------------------------------------------------------------------


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


# Lanes --------------------------------------------------------------------------------------------


def lanes_of(world: World) -> dict[tuple[str, str], list[int]]:
    """(step, lane) → records of the period, moments won, moments lost: by the meaning of a lane."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    lane_of = {}
    for table, record, placed in rows_of(world.sample):
        if not placed["steps"]:
            continue
        band = {"visible": "visible", "consumer_backstage": "consumer"}.get(str(placed["band"]))
        place = (str(placed["steps"]["travesia"]), band or "provider")  # type: ignore[index]
        lane_of[table, record["sys_id"]] = place
        found[place][0] += in_period(table, record)
    for m in world.moments:
        place = lane_of.get((m["table_name"], m["sys_id"]), ("", ""))
        if m["decided_at"] and NAIVE[0] <= m["decided_at"] < NAIVE[1]:
            found[place][1] += m["polarity"] == "positive"
            found[place][2] += m["polarity"] == "negative"
    return {place: n for place, n in found.items() if place[0] and n[0]}


def test_lanes_count_records_by_who_sees_them_and_their_moments(
    report: Report, world: World
) -> None:
    found = {(x.step, x.lane): [x.records, x.won, x.lost] for x in report.figures.lanes}
    assert found == lanes_of(world)
    assert len({lane for _step, lane in found}) >= 3
    assert sum(n[2] for n in found.values()) > 0


# Bands by week ------------------------------------------------------------------------------------


def spans_of(world: World) -> Iterator[tuple[str, str, datetime, datetime]]:
    """(record, band, since, until) of every piece: until the next, the end, or the data's end."""
    now = NOW.replace(tzinfo=None)
    incidents = {one["sys_id"]: one for one in world.sample.records["incident"]}
    mine: dict[str, list[ROW]] = defaultdict(list)
    for piece in world.pieces:
        mine[piece["sys_id"]].append(piece)
    for sys_id, pieces in mine.items():
        record = incidents[sys_id]
        is_over = record["state"] in ("6", "7")
        end = datetime.fromisoformat(record["resolved_at"]) if is_over else now
        ordered = sorted(pieces, key=lambda piece: piece["since"])
        closed = [*ordered, {"since": now, "band": ""}]
        for piece, following in pairwise(closed):
            if piece["band"]:
                yield sys_id, piece["band"], piece["since"], min(following["since"], end, now)


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


# Time to spare ------------------------------------------------------------------------------------


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


# Worst journeys -----------------------------------------------------------------------------------


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


# Pictures -----------------------------------------------------------------------------------------


def table_of(picture: Picture | None) -> list[tuple[str, ...]]:
    assert picture is not None
    assert picture.table is not None
    return list(picture.table.rows)


def test_the_journey_map_says_the_lanes(report: Report, world: World) -> None:
    rows = table_of(map_picture(report))
    order = ("consumer", "visible", "provider", "supplier")
    steps = [step.id for step in report.journey.steps]
    counted = lanes_of(world)
    for step, row in zip(steps, rows, strict=True):
        for lane, cell in zip(order, row[1:5], strict=True):
            records, won, lost = counted.get((step, lane), [0, 0, 0])
            assert cell.split(" ")[0] == (said(records) if records else "–")
            if won != lost and records:
                assert f"{abs(won - lost)})" in cell
                assert ("+" in cell) == (won > lost)


def test_the_journey_map_opens_the_overview_as_well(store: Store) -> None:
    view = view_of(report_of(store, "overview"))
    assert view.pictures["steps"][0].name == "chart-map"
    assert "Engagement" in view.pictures["steps"][0].table.columns  # type: ignore[union-attr]
    assert "Trust by step" in " ".join(term.name for term in view.definitions)


def test_the_flows_are_the_moves(report: Report, world: World) -> None:
    moved = Counter(
        (t["from_step"], t["to_step"])
        for t in world.sample.transition
        if t["journey"] == "travesia" and t["cause"] == "customer" and t["from_step"]
        and NAIVE[0] <= t["happened_at"] < NAIVE[1]
    )  # fmt: skip
    rows = table_of(moves_picture(report))
    assert sum(int(row[-1].replace(",", "")) for row in rows) == sum(moved.values()) > 0


def test_the_heat_is_what_was_lost_beyond_what_was_won(report: Report, world: World) -> None:
    picture = heat_picture(report)
    assert picture is not None
    balance: Counter[tuple[str, str]] = Counter()
    for m in world.moments:
        balance[m["table_name"], m["sys_id"]] += {"positive": 1, "negative": -1}.get(
            m["polarity"], 0
        )
    cells: Counter[tuple[str, str]] = Counter()
    for table, record, placed in rows_of(world.sample):
        begun = record.get("opened_at") or record["sys_created_on"]
        if placed["touchpoint"] and begun < END:
            cells[str(placed["touchpoint"]), month_of(begun)] += balance[table, record["sys_id"]]
    hurting = {key: -n for key, n in cells.items() if n < 0}
    months = [f"{first:%Y-%m}" for first in report.parts["touchpoints"].months]
    drawn = {
        (row[0], month): int(cell)
        for row in table_of(picture)
        for month, cell in zip(months, row[1:], strict=True)
        if cell.isdigit() and int(cell)
    }
    assert drawn == {(report.touchpoint_name(id_), m): n for (id_, m), n in hurting.items()}
    assert len(drawn) > 1


def test_the_moments_picture_leaves_out_what_was_not_decided(report: Report, world: World) -> None:
    picture = moments_picture(report)
    decided = {
        m["moment_id"] for m in world.moments
        if m["polarity"] in ("positive", "negative")
        and NAIVE[0] <= m["decided_at"] < NAIVE[1]
    }  # fmt: skip
    assert picture is not None
    told = picture.description
    known = {tally.moment_id for tally in report.parts["moments"].tallies}
    assert {id_ for id_ in known if id_ in told} == decided & known


def test_the_band_chart_says_the_seconds_as_parts_of_each_week(report: Report) -> None:
    rows = table_of(band_picture(report))
    weeks = report.parts["band"].weeks
    assert len(rows) == len(weeks)
    for row, week in zip(rows, weeks, strict=True):
        whole = sum(week.seconds.values())
        visible = week.seconds.get("visible", 0)
        assert f"({round(1000 * visible / whole) / 10:g}%)" in row[1]


def test_the_life_of_each_of_the_worst_is_drawn(report: Report) -> None:
    pictures = list(life_pictures(report))
    assert len(pictures) == 10
    for picture, worst in zip(pictures, report.parts["worst"], strict=False):
        assert worst.number in picture.title + picture.description


def test_the_funnel_is_drawn_only_where_it_narrows(report: Report) -> None:
    loop = report.parts["improvement"]
    narrows = bool(loop.said) and loop.said >= loop.begun >= loop.done
    assert (improvement_picture(report) is not None) == narrows
    for stages in ((20, 12, 5), (5, 12, 3), (None, 3, 1)):
        made = replace(loop, said=stages[0], begun=stages[1], done=stages[2])
        picture: Any = improvement_picture(replace(report, parts={"improvement": made}))
        assert (picture is not None) == (stages[0] == 20)


def test_the_cohorts_curve_has_users_and_agents_ready(report: Report) -> None:
    picture: Any = onboarding_picture(report)
    drawn = {
        (value["at"], value["series"]): value["value"]
        for value in picture.art["data"]["values"]
        if value["value"] is not None
    }
    told = [c for c in report.parts["onboarding"].cohorts if c.ready and c.ready.whole]
    assert len(told) >= 2
    assert sorted(value for (_at, series), value in drawn.items() if "Users" in series) == sorted(
        c.ready.ratio for c in told
    )


def test_two_strips_hold_the_same_records_on_both_journeys(report: Report, world: World) -> None:
    rows = table_of(strips_picture(report))
    for place, journey in ((1, "travesia"), (3, "itil4")):
        steps = [step.id for step in report.mapping.journeys[journey].steps]
        counted = Counter(
            str(p["steps"][journey]) for t, r, p in rows_of(world.sample)  # type: ignore[index]
            if p["steps"] and in_period(t, r)
        )  # fmt: skip
        known = {s.step for j in report.figures.journeys if j.journey == journey
                 for s in j.steps if s.has_source}  # fmt: skip
        cells = [row[place] for row in rows][: len(steps)]
        assert cells == [said(counted[step]) if step in known else "–" for step in steps]


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
