"""The pictures of chapters against an independent count: plain Python over the same rows."""

from collections import Counter
from dataclasses import replace
from typing import Any

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
from tests.unit.report_independent.world import World, lanes_of, month_of, report_of
from tests.unit.test_report_chapters import NAIVE
from tests.unit.test_report_figures import END, in_period, rows_of


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
