"""The journey as a whole: each step, the weeks, how it ended, and the other period beside it."""

from collections.abc import Iterator

from connector.messages import _, mark
from connector.report import sections
from connector.report.chapters.model import Asked, Chapter, part
from connector.report.definitions import heading, meaning
from connector.report.figures import Before, Figures, Share
from connector.report.layout import Line, Section, Table
from connector.report.people import departments, months
from connector.report.report import Report
from connector.report.wording import NOTHING, number, percent, span


def measure(asked: Asked) -> Figures:
    """The common figures."""
    return asked.base


def write(report: Report, figures: Figures) -> Iterator[Section]:
    """Steps, weeks, touchpoints and value; people where they are read; the comparison."""
    yield sections.steps(report, figures.shown)
    yield sections.weeks(report)
    yield sections.value(report)
    if figures.before:
        yield _comparison(figures, figures.before)
    if figures.departments:
        yield departments(report)
    if figures.months.departments or figures.months.approvals:
        yield months(report)


def _comparison(figures: Figures, before: Before) -> Section:
    total = figures.sla_total
    pairs = [
        ("records_in_period", figures.records, before.records),
        ("tickets_opened", figures.flow.opened, before.flow.opened),
        ("tickets_resolved", figures.flow.resolved, before.flow.resolved),
    ]
    rows = [
        (heading(id_), number(now), number(then), _change(now, then)) for id_, now, then in pairs
    ]
    now_sla = total.met_share if total else None
    shares = [
        ("sla_met_share", now_sla, before.sla),
        (
            "value_confirmed_share",
            figures.closures.confirmed_share,
            before.closures.confirmed_share,
        ),
    ]
    rows += [(heading(id_), part(now), part(then), _points(now, then)) for id_, now, then in shares]
    columns = (_("Figure"), span(figures.period), span(before.period), _("Change"))
    table = Table(_("The period and the one it is compared with"), columns, tuple(rows))
    note = _("Where records stood then is not kept: only what can be counted for both is compared.")
    return Section(
        "comparison",
        _("Compared"),
        meaning("records_in_period"),
        (table,),
        (note,),
        tuple(id_ for id_, _now, _then in (*pairs, *shares)),
    )


def _change(now: int, then: int) -> str:
    if not then:
        return NOTHING
    return ("+" if now > then else "") + percent((now - then) / then)


def _points(now: Share | None, then: Share | None) -> str:
    if now is None or then is None or now.ratio is None or then.ratio is None:
        return NOTHING
    points = round(100 * (now.ratio - then.ratio))
    return _("{n} points").format(n=f"{points:+d}".replace("-", "\u2212"))


def lines(_report: Report, figures: Figures) -> Iterator[Line]:
    """What the other period had; the present one is in every CSV."""
    before = figures.before
    if before is None:
        return
    item = f"{before.period.start:%Y-%m-%d}"
    yield Line("records_before", before.records, before.records, item=item)
    yield Line("opened_before", before.flow.opened, before.flow.opened, item=item)
    yield Line("resolved_before", before.flow.resolved, before.flow.resolved, item=item)


CHAPTER = Chapter(
    "overview",
    mark("Journey overview"),
    ("records_in_period",),
    measure,
    write,
    lines,
)
