"""The common figures of a part of the organisation, without what would point at few people.

Within a scope every figure behind which stand fewer people than the minimum is emptied, and what
would give it away with it (`protect.py`). An emptied figure is 0 or None, so that no picture shows
it, and named in `Figures.veiled`, so that words and lines say "–" and not 0.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from connector.report.figures import (
    Before,
    Closures,
    Figures,
    Flow,
    JourneyFigures,
    LaneFigures,
    Months,
    Share,
    SlaFigures,
    StepFigures,
    TouchpointFigures,
)
from connector.report.months import HEAT_MONTHS, months_of
from connector.report.population import NOWHERE, Seen
from connector.report.source import Source
from connector.report.withheld import hidden_cells

STEP_COLUMNS = ("in_period", "open", "placed", "entered", "left")
SLA_COLUMNS = ("met", "breached", "running")
NOTHING_SHARED = Share(0, 0)


def veil(figures: Figures, source: Source) -> Figures:
    """The figures as they may be shown of a part; those of the whole are as they were."""
    minimum = figures.minimum_group
    if not source.scope.is_part or minimum <= 1:
        return figures
    mondays = [*(day for day, _flow in figures.before_weeks), *(w.monday for w in figures.weeks)]
    before = figures.before.period if figures.before else None
    until = figures.data_until
    months = months_of(source.period, until) if until else []
    about = Seen(
        figures.shown.journey, mondays, before, months[-HEAT_MONTHS:], months, figures.data_until
    )
    dark = hidden_cells(source, about, minimum)
    seen = replace(figures, veiled=dark)
    return replace(
        seen,
        open=0 if seen.is_hidden("head", "open") else seen.open,
        open_now=0 if seen.is_hidden("head", "open_now") else seen.open_now,
        journeys=tuple(_journey(seen, one) for one in seen.journeys),
        touchpoints=tuple(_touchpoints(seen)),
        closures=_closures(seen),
        visible=_share(seen, seen.visible, "visible", "banded"),
        unclassified=_share(seen, seen.unclassified, "unclassified"),
        low_confidence=_share(seen, seen.low_confidence, "low"),
        flow=_flow(seen, seen.flow, "head", "opened", "resolved"),
        before=_before(seen, seen.before) if seen.before else None,
        weeks=tuple(
            replace(week, flow=_week(seen, f"{week.monday}", week.flow)) for week in seen.weeks
        ),
        weeks_before=tuple(_week(seen, f"{day}", flow) for day, flow in seen.before_weeks),
        # Met and missed of a department would tell what is hidden of all, and so would its tickets
        # where those of all are; months and tables are not told apart by people.
        departments=()
        if seen.is_hidden("head", "opened")
        else tuple(replace(row, sla=None) for row in figures.departments),
        months=Months(),
        tables=(),
        sla_whole=_sla_whole(seen),
        lanes=tuple(_lanes(seen)),
    )


def _kept(figures: Figures, cell: Iterable[str], value: int) -> int:
    return 0 if figures.is_hidden(*cell) else value


def _share(figures: Figures, share: Share, *names: str) -> Share:
    # Of all records: their number is told.
    is_dark = any(figures.is_hidden("head", name) for name in (*names, "records"))
    return NOTHING_SHARED if is_dark else share


def _flow(figures: Figures, flow: Flow, family: str, opened: str, resolved: str) -> Flow:
    return Flow(
        _kept(figures, (family, opened), flow.opened),
        _kept(figures, (family, resolved), flow.resolved),
    )


def _week(figures: Figures, monday: str, flow: Flow) -> Flow:
    return Flow(
        _kept(figures, ("week", "opened", monday), flow.opened),
        _kept(figures, ("week", "resolved", monday), flow.resolved),
    )


def _before(figures: Figures, before: Before) -> Before:
    is_dark = any(figures.is_hidden("sla_before", result) for result in ("met", "breached"))
    return replace(
        before,
        records=_kept(figures, ("head", "records_before"), before.records),
        flow=_flow(figures, before.flow, "head", "opened_before", "resolved_before"),
        sla=None if is_dark else before.sla,
    )


def _journey(figures: Figures, journey: JourneyFigures) -> JourneyFigures:
    id_ = journey.journey
    steps = tuple(_step(figures, id_, step) for step in journey.steps)
    if journey.sla is None:
        return replace(journey, steps=steps)
    return replace(journey, steps=steps, sla=tuple(_clocks(figures, id_, r) for r in journey.sla))


def _step(figures: Figures, journey: str, step: StepFigures) -> StepFigures:
    hidden = {c for c in STEP_COLUMNS if figures.is_hidden(c, journey, step.step)}
    changed = replace(step, **dict.fromkeys(sorted(hidden), 0))  # type: ignore[arg-type]  # counts
    if any(figures.is_hidden("band", journey, step.step, band) for band in step.bands):
        # Some of them would be a wrong picture of all.
        changed = replace(changed, bands={})
    if "open" in hidden:
        changed = replace(changed, age_seconds=None)
    if figures.is_hidden("stay", journey, step.step):
        changed = replace(changed, dwell_seconds=None, dwell_records=0)
    return changed


def _clocks(figures: Figures, journey: str, row: SlaFigures) -> SlaFigures:
    step = row.step or NOWHERE
    kept: dict[str, Any] = {
        c: _kept(figures, ("sla", journey, step, c), getattr(row, c)) for c in SLA_COLUMNS
    }
    late = _kept(figures, ("sla_late", journey, step), row.breached_open)
    return replace(row, **kept, breached_open=late)


def _sla_whole(figures: Figures) -> SlaFigures | None:
    total = figures.sla_total
    if total is None:
        return None
    kept: dict[str, Any] = {
        c: _kept(figures, ("sla_all", c), getattr(total, c)) for c in SLA_COLUMNS
    }
    return replace(
        total, **kept, breached_open=_kept(figures, ("sla_late_all",), total.breached_open)
    )


def _touchpoints(figures: Figures) -> Iterable[TouchpointFigures]:
    """Those of few people are left out; of the others the open ones may be hidden."""
    for one in figures.touchpoints:
        if not figures.is_hidden("touchpoint", *one.place):
            yield replace(one, open=_kept(figures, ("touchpoint_open", *one.place), one.open))


def _lanes(figures: Figures) -> Iterable[LaneFigures]:
    """Lanes of few people are left out; where moments are hidden, neither kind is shown."""
    for lane in figures.lanes:
        place = (lane.step, lane.lane)
        if figures.is_hidden("lane", *place):
            continue
        is_dark = any(figures.is_hidden(kind, *place) for kind in ("lane_won", "lane_lost"))
        yield replace(lane, won=0, lost=0) if is_dark else lane


def _closures(figures: Figures) -> Closures:
    closures = figures.closures
    return Closures(
        **{
            how: _kept(figures, ("closures", how), getattr(closures, how))
            for how in ("confirmed", "presumed", "denied", "unknown")
        },
        outcomes={
            how: _kept(figures, ("closures", how), n) for how, n in closures.outcomes.items()
        },
    )
