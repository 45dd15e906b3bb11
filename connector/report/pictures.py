"""Which pictures a report has, by section; and those of the common figures: steps, SLA, weeks.

None where there is nothing to draw; the table beside a picture says the same in words.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from connector.journey.fields import BAND_CHOICES
from connector.messages import _
from connector.report import chapter_pictures as of
from connector.report import journey_pictures as of_journey
from connector.report.charts import Bar, Point, Series, bars_spec, lines_spec
from connector.report.definitions import heading
from connector.report.drawing.picture import Picture
from connector.report.figures import BANDS, StepFigures, Week
from connector.report.report import Report
from connector.report.wording import count, day, day_within, share


def steps_picture(report: Report) -> Picture | None:
    """Volume per step, stacked by band."""
    shown = report.figures.shown
    bars = [
        Bar(
            _numbered(report, i, step.step),
            dict(step.bands) or _unsaid(report, step),
            count(report.figures.counted(step.in_period, "in_period", shown.journey, step.step))
            if step.has_source
            else _("no source in this tool"),
        )
        for i, step in enumerate(shown.steps, 1)
    ]
    if not any(sum(bar.values.values()) for bar in bars):
        return None
    series = [Series(band, BAND_CHOICES[band].in_(report.language)) for band in BANDS]
    series.append(Series(UNSAID, _("Band not shown")))
    used = [s for s in series if any(bar.values.get(s.id) for bar in bars)]
    return Picture(
        "chart-steps",
        _("Records per step, by band"),
        _describe([f"{bar.label}: {bar.note}" for bar in bars]),
        bars_spec(bars, used),
        hatched=("provider_backstage",),
    )


UNSAID = "running"
"""The grey of a bar whose parts are kept from sight."""


def _unsaid(report: Report, step: StepFigures) -> dict[str, int]:
    is_dark = report.figures.hides("band", report.figures.shown.journey, step.step)
    return {UNSAID: step.in_period} if is_dark and step.in_period else {}


def _numbered(report: Report, position: int, step: str) -> str:
    return f"{position}. {report.step_name(report.figures.shown.journey, step)}"


def sla_picture(report: Report) -> Picture | None:
    """SLA clocks met and breached, by the step of their record."""
    shown = report.figures.shown
    positions = {step.step: i for i, step in enumerate(shown.steps, 1)}
    bars = [
        Bar(
            _numbered(report, positions[row.step], row.step),
            {"met": row.met, "breached": row.breached, "running": row.running},
            share(row.met_share) if row.met_share.whole else "",
        )
        for row in shown.sla or ()
        if row.step in positions
        and row.met + row.breached + row.running
        # A bar of what is left would be a wrong picture of all.
        and None not in report.figures.sla_cells(row, shown.journey).values()
    ]
    if not bars:
        return None
    series = [Series(id_, heading(f"sla_{id_}")) for id_ in ("met", "breached", "running")]
    return Picture(
        "chart-sla",
        _("SLA clocks by the step of their record, with the share met"),
        _describe([f"{bar.label}: {bar.note}" for bar in bars if bar.note]),
        bars_spec(bars, series),
        hatched=("lost",),
    )


def trend_picture(report: Report) -> Picture | None:
    """Tickets opened against resolved, week by week."""
    weeks = report.figures.weeks
    if len(weeks) < 2 or not any(w.flow.opened or w.flow.resolved for w in weeks):
        return None
    points = [
        Point(
            day(week.monday) + ("" if week.is_complete else "*"),
            dict(_shown(report, week)),
            week.is_complete,
        )
        for week in weeks
    ]
    series = [Series(id_, heading(f"tickets_{id_}")) for id_ in ("opened", "resolved")]
    return Picture(
        "chart-weeks",
        _("Tickets opened and resolved, by week"),
        _describe(
            [
                f"{day_within(week.monday, weeks[0].monday, weeks[-1].monday)}:"
                f" {_pair(report, week)}"
                for week in weeks
            ]
        ),
        lines_spec(points, series),
    )  # fmt: skip


def _shown(report: Report, week: Week) -> Iterator[tuple[str, int]]:
    """What is not kept from sight: a gap in the line is no 0."""
    for way, n in (("opened", week.flow.opened), ("resolved", week.flow.resolved)):
        if not report.figures.is_hidden("week", way, f"{week.monday}"):
            yield way, n


def _pair(report: Report, week: Week) -> str:
    shown = dict(_shown(report, week))
    return f"{count(shown.get('opened'))} / {count(shown.get('resolved'))}"


def _describe(lines: Sequence[str]) -> str:
    return "; ".join(lines)


Draw = Callable[[Report], Picture | None]

MAP = "journey"
"""The journey at the head of the report, which is no chapter."""

PICTURES: dict[str, tuple[Draw, ...]] = {
    MAP: (of_journey.map_picture,),
    "map": (lambda report: of.relations_picture(report, "map"),),
    "engagement": (lambda report: of.relations_picture(report, "engagement"),),
    "steps": (of_journey.map_picture, steps_picture),
    "weeks": (trend_picture, of.weeks_trend),
    "sla": (sla_picture,),
    "durations": (of.durations_picture,),
    "conversion": (of.moves_picture,),
    "touchpoints-months": (of.heat_picture,),
    "moments": (of.moments_picture,),
    "band": (of.band_picture,),
    "agreements": (of.agreements_picture,),
    "improvement": (of.improvement_picture,),
    "onboarding": (of.onboarding_picture,),
}
"""By the section that they stand in; the time lines of the worst journeys come beside."""


def pictures_of(report: Report, sections: Iterable[str]) -> dict[str, tuple[Picture, ...]]:
    """The pictures of these sections; a section without any is left out."""
    found = {}
    for section in sections:
        drawn = [draw(report) for draw in PICTURES.get(section, ())]
        if section == f"journey-{report.journey.id}":
            drawn = [of_journey.strips_picture(report)]
        if section == "worst":
            drawn = list(of.life_pictures(report))
        if pictures := tuple(picture for picture in drawn if picture):
            found[section] = pictures
    return found
