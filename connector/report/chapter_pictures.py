"""The pictures of the chapters, from the figures that the chapters measured."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from connector.messages import _
from connector.report.chapters.agreements import Agreements
from connector.report.chapters.band import Bands
from connector.report.chapters.conversion import Conversion
from connector.report.chapters.durations import Durations
from connector.report.chapters.improvement import Loop
from connector.report.chapters.model import shown_steps
from connector.report.chapters.moments import Moments, moment_name
from connector.report.chapters.onboarding import Cohort, Onboarding
from connector.report.chapters.relations import Relationships, name_of, state_name
from connector.report.chapters.touchpoints import Cell, Heat
from connector.report.chapters.worst import Worst
from connector.report.charts import Point, Series, lines_spec
from connector.report.definitions import heading
from connector.report.drawing.bands import BandPeriod, BandTime, band_chart
from connector.report.drawing.calendar import Agreement, Calendar, CalendarEvent, calendar_strip
from connector.report.drawing.diverging import MomentScore, MomentScores, moments_chart
from connector.report.drawing.funnel import Funnel, Stage, funnel
from connector.report.drawing.heat import HeatCell, HeatMap, heat_map
from connector.report.drawing.life import MomentMark, RecordLife, Stay, life_line
from connector.report.drawing.matrix import Relation, Relations, relations_matrix
from connector.report.drawing.picture import Picture
from connector.report.drawing.sankey import Flow, Flows, sankey
from connector.report.drawing.spread import Spread, Spreads, spread_chart
from connector.report.drawing.trend import Trend, TrendPoint, trend_chart
from connector.report.journey_pictures import cuts, part
from connector.report.report import Report
from connector.report.wording import clean, day, month, percent

MOST_RELATIONS, MOST_TOUCHPOINTS, MOST_MOMENTS, MOST_LIVES = 12, 12, 15, 10
"""What one picture can hold and still be read; tables have the rest."""


# --- relationships ---


def relations_picture(report: Report, chapter: str) -> Picture | None:
    """The relationships that stand worst."""
    found = part(report, chapter, Relationships)
    if found is None:
        return None
    steps = tuple(shown_steps(report))
    rows = tuple(
        Relation(
            str(name_of(report, found, row)),
            state_name(report, found, row["state"]),
            row["state"],
            row["score"],
            row["month_score"],
            tuple((id_, row["steps"].get(id_)) for id_, _name in steps),
        )
        for row in found.rows[:MOST_RELATIONS]
    )
    return relations_matrix(Relations(steps, rows, cuts(found)), f"chart-{chapter}")


# --- how things move ---


def moves_picture(report: Report) -> Picture | None:
    """Moves from step to step; hidden ones are left out."""
    found = part(report, "conversion", Conversion)
    if found is None:
        return None
    steps = tuple((s.id, report.step_name(report.journey.id, s.id)) for s in report.journey.steps)
    return sankey(Flows(steps, tuple(Flow(m.origin, m.to, m.moves or 0) for m in found.moves)))


def durations_picture(report: Report) -> Picture | None:
    """How long records stay in each step."""
    found = part(report, "durations", Durations)
    if found is None:
        return None
    names = dict(shown_steps(report))
    return spread_chart(
        Spreads(tuple(Spread(names[s.id], s.records or 0, s.half, s.slow) for s in found.steps))
    )


def weeks_trend(report: Report) -> Picture | None:
    """Tickets opened, week by week, with as many weeks before them behind."""
    weeks, before = report.figures.weeks, report.figures.before_weeks
    if not any(flow.opened for _monday, flow in before):
        return None
    counted = report.figures.counted
    points = tuple(
        TrendPoint(
            day(week.monday),
            counted(week.flow.opened, "week", "opened", f"{week.monday}"),
            counted(flow.opened, "week", "opened", f"{monday}"),
            week.is_complete,
        )
        for week, (monday, flow) in zip(weeks, before, strict=True)
    )
    return trend_chart(
        Trend(
            _("Tickets opened, against the weeks before"),
            points,
            _("these weeks"),
            _("as many weeks before them"),
        )
    )


# --- touchpoints, moments, bands ---


def heat_picture(report: Report) -> Picture | None:
    """Where more moments were lost than won."""
    found = part(report, "touchpoints", Heat)
    if found is None:
        return None
    ranked = sorted(found.rows, key=lambda row: (-sum(_hurt(c) or 0 for c in row[1]), row[0]))
    shown = [row for row in ranked if any(_hurt(c) for c in row[1])][:MOST_TOUCHPOINTS]
    columns = tuple((f"{first:%Y-%m}", month(first)) for first in found.months)
    cells = tuple(
        HeatCell(id_, column, _hurt(cell))
        for id_, row in shown
        for (column, _label), cell in zip(columns, row, strict=True)
    )
    rows = tuple((id_, report.touchpoint_name(id_)) for id_, _cells in shown)
    return heat_map(HeatMap(rows, columns, cells, _("moments lost beyond those won")))


def _hurt(cell: Cell | None) -> int | None:
    if cell is None:
        return 0
    return None if cell.impact is None else max(0, -cell.impact)


def moments_picture(report: Report) -> Picture | None:
    """Moments won and lost in the period, those lost most often first."""
    found = part(report, "moments", Moments)
    if found is None:
        return None
    ordered = sorted(found.tallies, key=lambda t: (-(t.lost or 0), t.moment_id))
    scores = [
        MomentScore(
            moment_name(report, t.moment_id), t.won or 0, t.lost or 0, t.neutral or 0, t.open or 0
        )
        for t in ordered
        # A bar of what is left of a moment would be a wrong picture of it.
        if t.won is not None and t.lost is not None
    ]
    decided = [score for score in scores if score.won or score.lost]
    return moments_chart(MomentScores(tuple(decided[:MOST_MOMENTS])))


def band_picture(report: Report) -> Picture | None:
    """Time in each band, week by week."""
    found = part(report, "band", Bands)
    if found is None:
        return None
    periods = tuple(
        BandPeriod(day(week.monday), {band: float(n) for band, n in week.seconds.items()})
        for week in found.weeks
    )
    return band_chart(BandTime(periods))


# --- onboarding ---


def onboarding_picture(report: Report) -> Picture | None:
    """The cohorts' curve: users ready and agents ready, side by side."""
    found = part(report, "onboarding", Onboarding)
    if found is None:
        return None
    points = [Point(month(row.month), dict(_ready(row))) for row in found.cohorts if row.month]
    points = [point for point in points if point.values]
    if len(points) < 2:  # a point is no curve
        return None
    series = [Series("users", heading("users_ready")), Series("agents", heading("agents_ready"))]
    used = [s for s in series if any(s.id in point.values for point in points)]
    told = "; ".join(
        f"{point.label}: " + ", ".join(f"{s.label} {percent(point.values.get(s.id))}" for s in used)
        for point in points
    )
    return Picture(
        "chart-onboarding",
        _("Ready on the first day, by month"),
        told,
        lines_spec(points, used, is_share=True),
    )


def _ready(row: Cohort) -> Iterator[tuple[str, float]]:
    for name, share in (("users", row.ready), ("agents", row.agents)):
        if share is not None and share.ratio is not None:
            yield name, share.ratio


# --- single records, agreements, improvements ---


def life_pictures(report: Report) -> Iterator[Picture]:
    """Time lines of the worst journeys."""
    found = report.parts.get("worst") or ()
    for i, worst in enumerate(found[:MOST_LIVES], 1):
        picture = life_line(_life(report, worst), f"chart-life-{i}")
        if picture:
            yield picture


def _life(report: Report, worst: Worst) -> RecordLife:
    end = worst.until
    journey = report.journey.id
    return RecordLife(
        clean(worst.number),
        tuple(
            Stay(report.step_name(journey, step), since, until)
            for step, since, until in _stays([(e.step, e.at) for e in worst.path], end)
        ),
        tuple(
            Stay("", since, until, band)
            for band, since, until in _stays([(e.step, e.at) for e in worst.bands], end)
            if band
        ),
        tuple(
            MomentMark(moment_name(report, lost.moment_id), lost.at, "negative")
            for lost in worst.lost
        ),
        time_zone=report.period.time_zone,
    )


def _stays(
    entered: list[tuple[str, datetime]], end: datetime
) -> Iterator[tuple[str, datetime, datetime]]:
    for i, (what, since) in enumerate(entered):
        until = entered[i + 1][1] if i + 1 < len(entered) else end
        if until > since:
            yield what, since, until


AHEAD = timedelta(days=92)


def agreements_picture(report: Report) -> Picture | None:
    """Contracts that end in the period or soon after."""
    found = part(report, "agreements", Agreements)
    if found is None or not found.contracts:
        return None
    period = report.period
    first = period.local(period.start).date().replace(day=1)
    last = max(period.local(period.end).date() + AHEAD, *(c.ends for c in found.contracts))
    until = report.figures.data_until or period.end
    rows = tuple(
        Agreement(clean(c.number), None, c.ends, tuple(_outcome(report, c.ends, c.outcome)))
        for c in found.contracts
    )
    return calendar_strip(Calendar(first, last, period.local(until).date(), rows))


def _outcome(report: Report, ends: date, outcome: str) -> Iterator[CalendarEvent]:
    until = report.figures.data_until
    if outcome == "lost":
        yield CalendarEvent(ends, _("lost"), is_bad=True)
    elif until and ends < report.period.local(until).date():
        yield CalendarEvent(ends, _("over"))


def improvement_picture(report: Report) -> Picture | None:
    """From what was said to what was done; None where it is no funnel, or too few people spoke."""
    found = part(report, "improvement", Loop)
    if found is None or not found.said or found.begun is None or found.done is None:
        return None
    if not found.said >= found.begun >= found.done:
        return None
    stages = (
        Stage(_("People said something"), found.said),
        Stage(_("Initiatives begun"), found.begun, found.age if found.open else None),
        Stage(_("Initiatives done"), found.done),
    )
    return funnel(Funnel(_("From what was said to what was done"), stages))
