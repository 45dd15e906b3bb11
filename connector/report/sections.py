"""The common figures in words: steps, SLA, weeks, touchpoints, value, quality.

Each function is one section, in the language `_` speaks.
"""

from collections.abc import Iterable, Sequence

from connector.journey.fields import BAND_CHOICES, OUTCOME_CHOICES
from connector.messages import _
from connector.report.definitions import heading, meaning
from connector.report.figures import (
    JourneyFigures,
    Share,
    SlaFigures,
    StepFigures,
    TouchpointFigures,
)
from connector.report.layout import Linked, Section, Table
from connector.report.list_queries import When
from connector.report.lists import Cell, at
from connector.report.report import Report
from connector.report.wording import (
    NOTHING,
    clean,
    count,
    day_within,
    duration,
    instant,
    last_day,
    number,
    share,
)

STEP_FIGURES = (
    "records_in_period",
    "records_open",
    "records_entered",
    "records_left",
    "dwell_median",
    "age_median",
    "records_placed",
    "records_in_band",
)
STEP_FAMILIES = ("in_period", "open", "placed", "entered", "left", "stay", "band")
SLA_FIGURES = ("sla_met", "sla_breached", "sla_breached_open", "sla_running", "sla_met_share")


# Steps ------------------------------------------------------------------------------------


def steps(report: Report, journey: JourneyFigures) -> Section:
    """Every step of a journey: volume, movement, time."""
    return Section(
        "steps",
        _("Step by step"),
        " ".join((meaning("records_in_period"), meaning("records_in_band"))),
        (_step_table(report, journey),),
        (*_unobserved(report), *_veiled_note(report, *STEP_FAMILIES)),
        STEP_FIGURES,
    )


def _veiled_note(report: Report, *families: str) -> tuple[str, ...]:
    """Why some cells of a part show nothing, where some of these families are hidden."""
    if not any(report.figures.hides(family) for family in families):
        return ()
    text = _(
        "– stands where too few people (under {n}) are behind a figure, or where one so hidden"
        " could be had from the others."
    )
    return (text.format(n=number(report.figures.minimum_group)),)


def _unobserved(report: Report) -> tuple[str, ...]:
    """Beside the table of steps, where moves were not watched through the whole period."""
    figures = report.figures
    if figures.is_observed:
        return ()
    if figures.moves_since is None or figures.moves_since >= figures.period.end:
        return (_("Left, median stay: – is not observed yet, as watching began after the period."),)
    return (
        _("Left, median stay: – is not observed yet; moves are watched since {instant}.").format(
            instant=instant(figures.moves_since, figures.period)
        ),
    )


def _step_table(report: Report, journey: JourneyFigures) -> Table:
    return Table(
        _("Records per step: {journey}").format(journey=_journey_name(report, journey)),
        (_("Step"), *(heading(figure) for figure in STEP_FIGURES[:7])),
        tuple(
            (
                f"{i}. {report.step_name(journey.journey, step.step)}",
                *_step_cells(report, journey, step),
            )
            for i, step in enumerate(journey.steps, 1)
        ),
    )


def _step_cells(report: Report, journey: JourneyFigures, step: StepFigures) -> tuple[str, ...]:
    if not step.has_source:
        return (_("no source in this tool"),)

    def cell(column: str, value: int) -> str:
        return count(report.figures.counted(value, column, journey.journey, step.step))

    return (
        cell("in_period", step.in_period),
        cell("open", step.open),
        cell("entered", step.entered),
        NOTHING if step.left is None else cell("left", step.left),
        duration(step.dwell_seconds),
        duration(step.age_seconds),
        cell("placed", step.placed),
    )


def _journey_name(report: Report, journey: JourneyFigures) -> str:
    return clean(report.mapping.journeys[journey.journey].name.in_(report.language))


# SLA --------------------------------------------------------------------------------------


def sla(report: Report, journey: JourneyFigures) -> Section:
    """SLA clocks by the step of their record."""
    tables = (_sla_table(report, journey),) if journey.sla is not None else ()
    notes = (
        _("SLA rows: no source in this tool.")
        if journey.sla is None
        else _(
            "A record whose clock is met tends to be resolved and to move on: the steps before the"
            " last keep mostly the breached ones."
        ),
        *_veiled_note(report, "sla", "sla_all", "sla_late", "sla_late_all"),
    )
    return Section("sla", _("SLA by step"), meaning("sla_met_share"), tables, notes, SLA_FIGURES)


def _sla_table(report: Report, journey: JourneyFigures) -> Table:
    positions = {step.step: i for i, step in enumerate(journey.steps, 1)}
    rows = [
        _sla_row(report, _place(report, journey.journey, row.step, positions), row, journey.journey)
        for row in journey.sla or ()
        if row.step in positions or row.met + row.breached + row.running
    ]
    total = report.figures.sla_total
    if total is not None:
        rows.append(_sla_row(report, _("All"), total))
    return Table(
        _("SLA clocks: {journey}").format(journey=_journey_name(report, journey)),
        (_("Step"), *(heading(figure) for figure in SLA_FIGURES)),
        tuple(rows),
    )


def _place(report: Report, journey: str, step: str, positions: dict[str, int]) -> str:
    if not step:
        return _("Record not placed")
    name = report.step_name(journey, step)
    return f"{positions[step]}. {name}" if step in positions else name


def _sla_row(report: Report, name: str, row: SlaFigures, journey: str = "") -> tuple[str, ...]:
    cells = report.figures.sla_cells(row, journey)
    if not any(n is None or n for n in cells.values()):
        return (name, _("no SLA clock"))
    is_dark = None in (cells["met"], cells["breached"])
    return (name, *map(count, cells.values()), NOTHING if is_dark else share(row.met_share))


# Weeks, touchpoints, value ----------------------------------------------------------------


def weeks(report: Report) -> Section:
    """Tickets opened and resolved, week by week."""
    first, last = report.period.local(report.period.start).date(), last_day(report.period)
    rows = tuple(
        (
            day_within(week.monday, first, last) + ("" if week.is_complete else " *"),
            *(
                count(report.figures.counted(n, "week", way, f"{week.monday}"))
                for way, n in (("opened", week.flow.opened), ("resolved", week.flow.resolved))
            ),
        )
        for week in report.figures.weeks
    )
    columns = (_("Week from"), heading("tickets_opened"), heading("tickets_resolved"))
    return Section(
        "weeks",
        _("Opened and resolved"),
        meaning("tickets_opened"),
        (Table(_("Tickets by week"), columns, rows),) if rows else (),
        (*_veiled_note(report, "week"), *(() if rows else (_("There are no weeks to show."),))),
        ("tickets_opened", "tickets_resolved"),
    )


def touchpoints(report: Report) -> Section:
    """Where consumer and provider meet, and what goes on behind."""
    contacts = [t for t in report.figures.touchpoints if t.kind == "touchpoint"]
    behind = [t for t in report.figures.touchpoints if t.kind == "backstage_activity"]
    tables = [
        _touchpoint_table(report, title, rows)
        for title, rows in ((_("Touchpoints"), contacts), (_("Backstage activities"), behind))
        if rows
    ]
    return Section(
        "touchpoints",
        _("Touchpoints"),
        meaning("touchpoint_records"),
        tuple(tables),
        (
            *(() if tables else (_("No touchpoint in this period."),)),
            *list_notes(report, tables),
            *_veiled_note(report, "touchpoint", "touchpoint_open"),
        ),
        ("touchpoint_records", "records_in_period", "records_open"),
    )


def _touchpoint_table(report: Report, caption: str, rows: Sequence[TouchpointFigures]) -> Table:
    return Table(
        caption,
        (
            _("Touchpoint"),
            _("Step"),
            _("Band"),
            heading("records_in_period"),
            heading("records_open"),
        ),
        tuple(
            (
                report.touchpoint_name(row.touchpoint),
                report.step_name(report.figures.shown.journey, row.step) or NOTHING,
                BAND_CHOICES[row.band].in_(report.language)
                if row.band in BAND_CHOICES
                else NOTHING,
                report.lists.single(row.in_period, _here(row, "in_period")),
                report.lists.single(
                    report.figures.counted(row.open, "touchpoint_open", *row.place),
                    _here(row, "in_period", "open"),
                ),
            )
            for row in rows
        ),
        texts=3,
    )


def _here(row: TouchpointFigures, *when: When) -> Cell:
    return at(*when, touchpoint=row.touchpoint, step=row.step, band=row.band)


def value(report: Report) -> Section:
    """How the tickets of the period ended."""
    closures = report.figures.closures
    total = closures.total
    ends = [
        (ending_name(report, how), n)
        for how, n in (
            ("confirmed", closures.confirmed),
            ("presumed", closures.presumed),
            ("denied", closures.denied),
            ("unknown", closures.unknown),
            *closures.outcomes.items(),
        )
    ]
    rows = tuple((name, number(n), _part(n, total)) for name, n in ends)
    if report.figures.hides("closures"):
        # What is hidden is 0 in the figures: only what is shown is listed, and no share of it.
        rows = tuple((name, number(n), NOTHING) for name, n in ends if n)
    columns = (_("How they ended"), heading("closures"), _("Share"))
    return Section(
        "value",
        _("Value"),
        " ".join((meaning("value_confirmed_share"), meaning("closures"))),
        (Table(_("Tickets that ended in the period"), columns, rows),) if total else (),
        (
            *(() if total else (_("No ticket ended in this period."),)),
            *_veiled_note(report, "closures"),
        ),
        ("value_confirmed_share", "closures"),
    )


def ending_name(report: Report, how: str) -> str:
    """How tickets ended, in words: what is known of value, else the outcome."""
    known = {
        "confirmed": _("Value confirmed by a voice"),
        "presumed": _("Value presumed from silence"),
        "denied": _("Value denied by a voice"),
        "unknown": _("Value not known yet"),
    }
    if how in OUTCOME_CHOICES:
        return OUTCOME_CHOICES[how].in_(report.language)
    return known.get(how, how)


def _part(n: int, total: int) -> str:
    return share(Share(n, total))


# The other journey, lists -------------------------------------------------------------------


def other_journey(report: Report, journey: JourneyFigures) -> Section:
    """The same records on another journey."""
    tables = [_step_table(report, journey)]
    if journey.sla is not None:
        tables.append(_sla_table(report, journey))
    return Section(
        f"journey-{journey.journey}",
        _journey_name(report, journey),
        _("The same records on the other journey: the figures have the same definitions."),
        tuple(tables),
        _unobserved(report),
        (*STEP_FIGURES, *SLA_FIGURES),
    )


def list_notes(report: Report, tables: Iterable[Table]) -> tuple[str, ...]:
    """What a link on a number opens, where there is one."""
    if not any(isinstance(cell, Linked) for t in tables for row in t.rows for cell in row):
        return ()
    text = _(
        "A linked number opens exactly these records in the tool, as the last run left them. Days"
        " are read in the time zone of your profile there; here it is {zone}."
    )
    return (text.format(zone=report.period.time_zone),)
