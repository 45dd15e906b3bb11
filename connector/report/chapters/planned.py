"""What was planned for a relationship when the period began, and what has happened since: in words.

What is planned are the next step and its day, as people wrote them in the relationship's own row in
the tool; whether it was done the tool does not say, only that it is no longer there.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Literal

from connector.messages import _
from connector.report.chapters.relations import (
    Contact,
    Relationships,
    changes_since,
    said_day,
    state_name,
)
from connector.report.report import Report
from connector.report.wording import NOTHING, dated
from connector.store.database import Row
from connector.store.relationship_plans import Plan

Fate = Literal["gone", "replaced", "overdue", "ahead"]
FATES: tuple[Fate, ...] = ("gone", "replaced", "overdue", "ahead")
"""What can have become of a next step."""

RECENT = timedelta(days=2)
"""A look at the tool so shortly before the period began tells how it began."""

Event = tuple[date, str]


def was_planned(figures: Relationships, row: Row) -> Plan | None:
    """What stood in the tool when the period began; None where that is not known."""
    return figures.plans.at(row["sys_id"], figures.begins)


def fate_of(figures: Relationships, row: Row) -> Fate | None:
    """What has become of the next step that was planned; None where there was none."""
    plan = was_planned(figures, row)
    if plan is None or not plan.has_next_step:
        return None
    later = [then for _before, then in figures.plans.after(row["sys_id"], figures.begins)]
    now = later[-1] if later else plan
    if not now.has_next_step:
        return "gone"
    if any(_is_other(before, then) for before, then in _chain(plan, later)):
        return "replaced"
    return "overdue" if now.due and now.due < row["as_of"] else "ahead"


def _chain(plan: Plan, later: list[Plan]) -> Iterator[tuple[Plan, Plan]]:
    yield from zip([plan, *later], later, strict=False)


def _is_other(before: Plan, then: Plan) -> bool:
    """Whether other words stand there; where the earlier ones are not known, the same ones do."""
    return before.mark is not None and before.mark != then.mark


def planned_text(figures: Relationships, row: Row) -> str:
    """What was planned when the period began: whether a next step, and for when."""
    plan = was_planned(figures, row)
    if plan is None:
        return NOTHING
    if not plan.has_next_step:
        return _("Nothing was planned")
    if plan.due is None:
        return _("A next step, without a day")
    if plan.due < figures.first_day:
        return _("A next step for {day}, overdue already").format(day=said_day(figures, plan.due))
    return _("A next step for {day}").format(day=said_day(figures, plan.due))


def next_text(figures: Relationships, row: Row) -> str:
    """The next step as it stands in the tool now. Its words stay there."""
    if not row["has_next_step"]:
        return _("None")
    if not row["due"]:
        return _("One, without a day")
    if row["due"] < row["as_of"]:
        return _("For {day}: overdue").format(day=said_day(figures, row["due"]))
    return _("For {day}").format(day=said_day(figures, row["due"]))


def since_text(report: Report, figures: Relationships, row: Row) -> str:
    """What became of the plan, changes of state, the ring, contacts and promises since."""
    events = [*_states(report, figures, row), *_plans(report, figures, row), *_ring(figures, row)]
    said = [text for _day, text in sorted(events, key=lambda event: event[0])]
    said += _contacts(figures, row)
    if row["last_contact"]:
        last = said_day(figures, row["last_contact"])
        said.append(_("last visible contact {day}").format(day=last))
    return "; ".join(said) or NOTHING


def _states(report: Report, figures: Relationships, row: Row) -> Iterator[Event]:
    for change in reversed(changes_since(figures, row)):
        yield (
            change["changed_on"],
            _("{day}: {old} → {new}").format(
                day=said_day(figures, change["changed_on"]),
                old=state_name(report, figures, change["from_state"]),
                new=state_name(report, figures, change["to_state"]),
            ),
        )


def _plans(report: Report, figures: Relationships, row: Row) -> Iterator[Event]:
    for before, then in figures.plans.after(row["sys_id"], figures.begins):
        seen = report.period.local(then.seen_at).date()
        for text in (_step(figures, before, then), _owner(before, then), _confirmed(before, then)):
            if text:
                yield seen, _("{day}: {what}").format(day=said_day(figures, seen), what=text)


def _step(figures: Relationships, before: Plan, then: Plan) -> str:
    if not then.has_next_step:
        return _("the next step is gone (done or dropped)") if before.has_next_step else ""
    if not before.has_next_step:
        return _written(
            figures, then, _("next step written, without a day"), _("next step written, for {due}")
        )
    if _is_other(before, then):
        return _written(
            figures, then, _("another next step, without a day"), _("another next step, for {due}")
        )
    return _moved_day(figures, before.due, then.due)


def _written(figures: Relationships, then: Plan, without: str, dated_text: str) -> str:
    return dated_text.format(due=said_day(figures, then.due)) if then.due else without


def _moved_day(figures: Relationships, old: date | None, new: date | None) -> str:
    if old == new:
        return ""
    if new is None:
        return _("the next step lost its day")
    if old is None:
        return _("the next step was given a day, {due}").format(due=said_day(figures, new))
    text = _("put off to {due}") if new > old else _("brought forward to {due}")
    return text.format(due=said_day(figures, new))


def _owner(before: Plan, then: Plan) -> str:
    if before.has_owner == then.has_owner:
        return ""
    return _("an owner was named") if then.has_owner else _("no owner any more")


def _confirmed(before: Plan, then: Plan) -> str:
    if before.ring_confirmed == then.ring_confirmed:
        return ""
    if then.ring_confirmed is None:
        return _("the ring was taken back")
    return _("ring confirmed, on since {day}").format(day=dated(then.ring_confirmed))


def _ring(figures: Relationships, row: Row) -> Iterator[Event]:
    proposed: date | None = row["ring_proposed"]
    if proposed and figures.first_day <= proposed:
        yield proposed, _("{day}: ring proposed").format(day=said_day(figures, proposed))


def _contacts(figures: Relationships, row: Row) -> Iterator[str]:
    mine = figures.contacts_of(row)
    if met := sum(one.day >= figures.first_day.isoformat() for one in mine):
        yield _("contacts noted: {n}").format(n=met)
    due = [one for one in mine if _is_due(one, figures, row)]
    if kept := sum(one.kept == "yes" for one in due):
        yield _("promises kept: {n}").format(n=kept)
    if broken := sum(one.kept != "yes" for one in due):
        yield _("promises not kept: {n}").format(n=broken)
    today: str = row["as_of"].isoformat()
    if pending := sum(one.is_pending and one.due >= today for one in mine):
        yield _("promises pending: {n}").format(n=pending)


def _is_due(one: Contact, figures: Relationships, row: Row) -> bool:
    """Whether a promise fell due since the period began."""
    today: str = row["as_of"].isoformat()
    return figures.first_day.isoformat() <= one.due < today


def notes(report: Report, figures: Relationships) -> Iterator[str]:
    """What is not known of the past, and why."""
    plans, begins = figures.plans, figures.begins

    def local(instant: datetime) -> str:
        return dated(report.period.local(instant).date())

    if plans.began is None:
        yield _(
            "What was planned is not known yet: no run has seen the relationships' rows in the"
            " tool."
        )
    elif begins < plans.began:
        yield _(
            "What was planned is kept since {day}: what stood in the tool on {begins} is not known."
        ).format(day=local(plans.began), begins=local(begins))
    elif figures.looked and begins - figures.looked > RECENT:
        yield _(
            "What was planned is as it was seen on {day}, the last look before {begins}."
        ).format(day=local(figures.looked), begins=local(begins))
    window = figures.rows[0]["as_of"] - timedelta(days=figures.opinions.formula.window_days)
    if figures.first_day < window:
        yield _("Changes of state are known since {day}.").format(day=dated(window))
