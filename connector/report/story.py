"""What changed over the months, in a sentence: a department that fell, approvals that slowed down.

Each sentence is "" where the months cannot carry it. It compares; it never says why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from connector.messages import _
from connector.report.figures import ApprovalMonth, DepartmentMonths, Share
from connector.report.report import Report
from connector.report.wording import clean, duration, month, percent, share

FEWEST_IN_MONTH = 10
"""Clocks or approvals below which a month is chance."""

FAR_FALL = 0.2
"""So much of the SLA must be lost for a fall to be told."""

RECOVERED = 0.1
"""A department that is back this close to where it was has recovered."""

LEAST_WAIT = 86400
"""Shorter waits (seconds) may double without anybody's notice."""


@dataclass(frozen=True)
class Fall:
    """A department's SLA: the usual (median) month before the lowest, the lowest, the last."""

    row: DepartmentMonths
    before: float
    lowest: int
    last: int

    def at(self, position: int) -> Share:
        """The share of a month that is shown."""
        return self.row.met[position] or Share(0, 0)

    @property
    def depth(self) -> float:
        """How much was lost, 0.0 to 1.0."""
        return self.before - _ratio(self.at(self.lowest))

    @property
    def has_recovered(self) -> bool:
        """Whether the last month is close to what was before."""
        return self.before - _ratio(self.at(self.last)) <= RECOVERED


def fall(report: Report) -> str:
    """The department that fell furthest below its own past, and whether it came back."""
    months = report.figures.months
    falls = [found for row in months.departments if (found := _fall(row))]
    if not falls or (deepest := max(falls, key=lambda one: one.depth)).depth < FAR_FALL:
        return ""
    if deepest.lowest == deepest.last:
        text = _(
            "{department} fell from {before} of its SLA clocks met in a usual month to {low} in"
            " {month}."
        )
    elif deepest.has_recovered:
        text = _(
            "{department} fell from {before} of its SLA clocks met in a usual month to {low} in"
            " {month} and recovered: {now} in {last}."
        )
    else:
        text = _(
            "{department} fell from {before} of its SLA clocks met in a usual month to {low} in"
            " {month} and has not recovered: {now} in {last}."
        )
    return text.format(
        department=clean(deepest.row.name),
        before=percent(deepest.before),
        low=share(deepest.at(deepest.lowest)),
        month=month(months.months[deepest.lowest]),
        now=share(deepest.at(deepest.last)),
        last=month(months.months[deepest.last]),
    )


def _fall(row: DepartmentMonths) -> Fall | None:
    solid = {i: met for i, met in enumerate(row.met) if met and met.whole >= FEWEST_IN_MONTH}
    if len(solid) < 2:
        return None
    lowest = min(solid, key=lambda i: _ratio(solid[i]))
    before = [_ratio(met) for i, met in solid.items() if i < lowest]
    return Fall(row, median(before), lowest, max(solid)) if before else None


def _ratio(value: Share) -> float:
    return value.ratio or 0.0


def slow_approvals(report: Report) -> str:
    """The month whose approvals waited twice as long as before: half of them, else one in ten."""
    solid = [row for row in report.figures.months.approvals if row.decided >= FEWEST_IN_MONTH]
    half = _(
        "Half of the approvals asked for in {month} waited longer than {wait}; before, {before}."
    )
    tenth = _(
        "One in ten approvals asked for in {month} waited longer than {wait}; before, {before}."
    )
    return _doubled(solid, half, lambda row: row.median_seconds) or _doubled(
        solid, tenth, lambda row: row.slow_seconds
    )


def _doubled(
    months: Sequence[ApprovalMonth], text: str, wait: Callable[[ApprovalMonth], float | None]
) -> str:
    waits = [(row, seconds) for row in months if (seconds := wait(row)) is not None]
    if len(waits) < 2:
        return ""
    peak = max(range(len(waits)), key=lambda i: waits[i][1])
    before = median(seconds for _row, seconds in waits[:peak]) if peak else 0.0
    row, slowest = waits[peak]
    if not before or slowest < max(LEAST_WAIT, 2 * before):
        return ""
    sentence = text.format(month=month(row.month), wait=duration(slowest), before=duration(before))
    if peak == len(waits) - 1:
        return sentence
    last, now = waits[-1]
    return f"{sentence} " + _("In {month}: {wait}.").format(
        month=month(last.month), wait=duration(now)
    )
