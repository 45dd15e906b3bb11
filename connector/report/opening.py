"""The few sentences that matter, said from the figures and never invented.

Each sentence is one function that answers "" where its figures cannot carry it.
"""

from collections.abc import Callable, Sequence

from connector.messages import _, _n
from connector.report import counsel
from connector.report.figures import NO_DEPARTMENT
from connector.report.report import Report
from connector.report.story import fall, slow_approvals
from connector.report.wording import clean, duration, number, percent, share

Sentence = Callable[[Report], str]

FEWEST_BEFORE = 10
"""Below so many tickets in the previous period a change is not worth a sentence."""

LEAST_CHANGE = 0.05
"""Nor is a change by less than this."""

FEWEST_CLOCKS = 20
"""Below so many decided SLA clocks of a department chance speaks louder than service."""

FAR_BELOW = 0.1
"""So far below everybody's SLA a department is worth a sentence."""

MOST_UNCLASSIFIED = 0.03
"""Above it the mapping needs work (goal of the mapping: under 3 %)."""


def groups(report: Report) -> list[tuple[str, list[str]]]:
    """The sentences under their headings, most important first, in the language `_` speaks."""
    if trouble := _no_data(report):
        return [(_("What matters"), [trouble])]
    changed: list[Sentence] = [
        _volume,
        _flow,
        _change,
        fall,
        slow_approvals,
        counsel.moved,
        counsel.planned,
    ]
    hurts: list[Sentence] = [_where, _sla, _department, _overdue, counsel.worst_relationship]
    value: list[Sentence] = [_confirmed, _value, _visible]
    to_do: list[Sentence] = [counsel.urgent, counsel.unplanned, counsel.overdue, _unclassified]
    found = (
        (_("What changed"), changed),
        (_("What hurts"), hurts),
        (_("Value"), value),
        (_("What to do"), to_do),
    )
    said = [(title, _said(report, sentences)) for title, sentences in found]
    return [(title, sentences) for title, sentences in said if sentences]


def _said(report: Report, sentences: Sequence[Sentence]) -> list[str]:
    return [text for sentence in sentences if (text := sentence(report))]


def opening(report: Report) -> list[str]:
    """The sentences alone, in the same order."""
    return [sentence for _title, sentences in groups(report) for sentence in sentences]


def _no_data(report: Report) -> str:
    figures = report.figures
    if figures.data_until is None:
        return _("There are no data yet: no sync has finished. Run travesia sync first.")
    if not figures.records:
        return _("No record was open on the journey in this period.")
    return ""


def _volume(report: Report) -> str:
    figures = report.figures
    if figures.is_hidden("head", "open"):
        return _n(
            "{n} record was open on the journey at some moment of the period.",
            "{n} records were open on the journey at some moment of the period.",
            figures.records,
        ).format(n=number(figures.records))
    return _n(
        "{n} record was open on the journey at some moment of the period; {open} still open.",
        "{n} records were open on the journey at some moment of the period; {open} still open.",
        figures.records,
    ).format(n=number(figures.records), open=number(figures.open))


def _flow(report: Report) -> str:
    flow = report.figures.flow
    if report.figures.is_dark("head", "opened", "resolved") or not (flow.opened or flow.resolved):
        return ""
    difference = flow.opened - flow.resolved
    if difference > 0:
        text = _(
            "Tickets opened: {opened}; resolved: {resolved}. The backlog grew by {difference}."
        )
    elif difference < 0:
        text = _(
            "Tickets opened: {opened}; resolved: {resolved}. The backlog shrank by {difference}."
        )
    else:
        text = _("Tickets opened: {opened}; resolved: {resolved}. The backlog stayed as it was.")
    return text.format(
        opened=number(flow.opened),
        resolved=number(flow.resolved),
        difference=number(abs(difference)),
    )


def _change(report: Report) -> str:
    figures = report.figures
    if figures.before is None or not _is_over(report) or figures.is_hidden("head", "opened"):
        return ""
    now, before = figures.flow.opened, figures.before.flow.opened
    if before < FEWEST_BEFORE or abs(now - before) < LEAST_CHANGE * before:
        return ""
    texts = {
        ("previous", True): _(
            "{percent} more tickets came in than in the period before ({before})."
        ),
        ("previous", False): _(
            "{percent} fewer tickets came in than in the period before ({before})."
        ),
        ("year", True): _(
            "{percent} more tickets came in than in the same period a year before ({before})."
        ),
        ("year", False): _(
            "{percent} fewer tickets came in than in the same period a year before ({before})."
        ),
    }
    text = texts[figures.compared, now > before]
    return text.format(percent=percent(abs(now - before) / before), before=number(before))


DECIDED = ("met", "breached")


def _is_over(report: Report) -> bool:
    until = report.figures.data_until
    return until is not None and until >= report.period.end


def _where(report: Report) -> str:
    shown = report.figures.shown
    busiest = max(shown.steps, key=lambda step: step.open)
    if not busiest.open:
        return ""
    text = _("The step with the most records still open is “{step}”: {records}.")
    if busiest.age_seconds is not None:
        text = _n(
            "The step with the most records still open is “{step}”: {records}, there for {age}.",
            "The step with the most records still open is “{step}”: {records}, half of them there"
            " for {age} or longer.",
            busiest.open,
        )
    return text.format(
        step=report.step_name(shown.journey, busiest.step),
        records=_of_all(report, busiest.open),
        age=duration(busiest.age_seconds),
    )


def _of_all(report: Report, records: int) -> str:
    """`63 of 309`; the number alone where all are kept from sight."""
    if report.figures.is_hidden("head", "open"):
        return number(records)
    return _("{n} of {total}").format(n=number(records), total=number(report.figures.open))


def _sla(report: Report) -> str:
    total = report.figures.sla_total
    if total is None or not total.met_share.whole or report.figures.is_dark("sla_all", *DECIDED):
        return ""
    return _("{ratio} of the {n} SLA clocks decided were met.").format(
        ratio=share(total.met_share), n=number(total.met_share.whole)
    )


def _department(report: Report) -> str:
    """The department whose SLA is furthest below everybody's, if it is far below."""
    total = report.figures.sla_total
    everybody = total.met_share.ratio if total else None
    known = [
        (row.sla.ratio, row)
        for row in report.figures.departments
        if row.department not in ("", NO_DEPARTMENT)
        and row.sla
        and row.sla.ratio is not None
        and row.sla.whole >= FEWEST_CLOCKS
    ]
    if everybody is None or not known:
        return ""
    ratio, worst = min(known, key=lambda pair: pair[0])
    if worst.sla is None or everybody - ratio < FAR_BELOW:
        return ""
    return _("{department} is far below: {ratio} of its {n} SLA clocks were met.").format(
        department=clean(worst.name), ratio=share(worst.sla), n=number(worst.sla.whole)
    )


def _overdue(report: Report) -> str:
    total = report.figures.sla_total
    if total is None or not total.breached_open:
        return ""
    worst = max(report.figures.shown.sla or (), key=lambda row: row.breached_open)
    if not worst.breached_open:
        return ""
    return _n(
        "{n} clock is breached on a record that is still open, in “{step}”.",
        "{n} clocks are breached on records that are still open, {most} of them in “{step}”.",
        total.breached_open,
    ).format(
        n=number(total.breached_open),
        step=report.step_name(report.figures.shown.journey, worst.step) or _("Record not placed"),
        most=number(worst.breached_open),
    )


def _confirmed(report: Report) -> str:
    confirmed = report.figures.closures.confirmed_share
    if confirmed.ratio is None or report.figures.is_dark("closures", "confirmed", "presumed"):
        return ""
    return _("Value confirmed: {ratio} of {n} closures that brought value.").format(
        ratio=share(confirmed), n=number(confirmed.whole)
    )


def _value(report: Report) -> str:
    closures = report.figures.closures
    if not closures.total or report.figures.hides("closures"):
        return ""
    return _n(
        "{n} ticket ended. Value confirmed by a voice: {confirmed}; presumed from silence:"
        " {presumed}; denied by a voice: {denied}; not known yet: {unknown}; without value:"
        " {without}.",
        "{n} tickets ended. Value confirmed by a voice: {confirmed}; presumed from silence:"
        " {presumed}; denied by a voice: {denied}; not known yet: {unknown}; without value:"
        " {without}.",
        closures.total,
    ).format(
        n=number(closures.total),
        confirmed=number(closures.confirmed),
        presumed=number(closures.presumed),
        denied=number(closures.denied),
        unknown=number(closures.unknown),
        without=number(closures.without_value),
    )


def _visible(report: Report) -> str:
    visible = report.figures.visible
    if visible.ratio is None:
        return ""
    return _("{ratio} of the records stand where the other party can see them.").format(
        ratio=share(visible)
    )


def _unclassified(report: Report) -> str:
    unclassified = report.figures.unclassified
    if (unclassified.ratio or 0.0) <= MOST_UNCLASSIFIED:
        return ""
    return _(
        "{ratio} of the records could not be placed (goal: under {goal}): rules are missing for"
        " them in the mapping."
    ).format(ratio=share(unclassified), goal=percent(MOST_UNCLASSIFIED))
