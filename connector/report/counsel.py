"""What the relationships and the open moments say at the head: who moved, who hurts, what to do.

As in `opening.py`: each sentence is one function, and "" where its figures cannot carry it.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from connector.journey.engagement_words import points, relationship_name, whole
from connector.messages import _, _n
from connector.report.chapters.open_moments import OpenMoments
from connector.report.chapters.planned import Fate, fate_of
from connector.report.chapters.relations import Relationships, change_of, said_day, state_name
from connector.report.report import Report
from connector.report.wording import clean, count, dated, instant, last_day, number
from connector.store.database import Row


def relationships(report: Report) -> Relationships | None:
    """The relationships among the figures, if there are any."""
    found: Any = next((part for part in report.parts.values() if _is_filled(part)), None)
    return found if isinstance(found, Relationships) else None


def _is_filled(part: Any) -> bool:
    return isinstance(part, Relationships) and bool(part.rows)


def _name(report: Report, found: Relationships, row: Row) -> str:
    return clean(relationship_name(row, found.opinions, report.language))


def moved(report: Report) -> str:
    """How many relationships moved, which way, and the one that moved furthest."""
    found = relationships(report)
    changes = [(change_of(row), row) for row in found.moved] if found else []
    known = [(change, row) for change, row in changes if change is not None]
    if found is None or not known:
        return ""
    far, row = max(known, key=lambda pair: abs(pair[0]))
    text = _n(
        "{n} relationship moved in the last 30 days: “{name}” ({points} points of trust).",
        "{n} relationships moved in the last 30 days, {up} up and {down} down; furthest “{name}”"
        " ({points} points of trust).",
        len(changes),
    )
    if abs(row["as_of"] - last_day(report.period)) > timedelta(days=1):
        # Not those of the period: trust is known as of the last run.
        text = _n(
            "{n} relationship moved in the 30 days to {day}: “{name}” ({points} points of trust).",
            "{n} relationships moved in the 30 days to {day}, {up} up and {down} down; furthest"
            " “{name}” ({points} points of trust).",
            len(changes),
        )
    return text.format(
        n=number(len(changes)),
        day=dated(row["as_of"]),
        up=number(sum(change > 0 for change, _row in known)),
        down=number(sum(change < 0 for change, _row in known)),
        name=_name(report, found, row),
        points=points(far, report.language),
    )


def planned(report: Report) -> str:
    """What has become of the next steps that were planned when the period began."""
    found = relationships(report)
    if found is None:
        return ""
    fates = [fate for row in found.rows if (fate := fate_of(found, row))]
    if not fates:
        return ""
    return _n(
        "{n} next step was planned as of {day}: {fates}.",
        "{n} next steps were planned as of {day}: {fates}.",
        len(fates),
    ).format(
        n=number(len(fates)),
        day=said_day(found, found.first_day),
        fates=", ".join(_fates(fates)),
    )


def _fates(fates: Sequence[Fate]) -> Iterator[str]:
    texts = {
        "gone": _("done or dropped {n}"),
        "replaced": _("replaced by another {n}"),
        "overdue": _("overdue {n}"),
        "ahead": _("still ahead {n}"),
    }
    for fate, text in texts.items():
        if n := sum(one == fate for one in fates):
            yield text.format(n=number(n))


def worst_relationship(report: Report) -> str:
    """The relationships in the lowest states that there are, and the worst of them."""
    found = relationships(report)
    if found is None:
        return ""
    low = _in_trouble(found)
    if not low:
        return ""
    row = low[0]
    return _n(
        "{n} relationship needs care: “{name}” is {state}, trust {score}.",
        "{n} relationships need care; the worst is “{name}”: {state}, trust {score}.",
        len(low),
    ).format(
        n=number(len(low)),
        name=_name(report, found, row),
        state=state_name(report, found, row["state"]).lower(),
        score=whole(row["score"]),
    )


def _in_trouble(found: Relationships) -> list[Row]:
    """Those below the middle: their trust says that more was missed than kept."""
    below = {s.id for s in found.opinions.scored if (s.at_least or 0.0) < NEUTRAL_FLOOR}
    return [row for row in found.rows if row["state"] in below]


NEUTRAL_FLOOR = 45.0
"""States that begin below it are those of docs/engagement.md that ask for an owner or a plan."""


def urgent(report: Report) -> str:
    """The open moments that end first, and what would turn the first of them."""
    part = report.parts.get("open")
    if not isinstance(part, OpenMoments) or not part.moments:
        return ""
    if part.total is None:
        return ""
    first = part.moments[0]
    if part.urgent is None:
        text = _n(
            "{n} moment of truth can still be turned. The first: {record}, until {instant}.",
            "{n} moments of truth can still be turned. The first: {record}, until {instant}.",
            part.total,
        )
    else:
        text = _n(
            "{n} moment of truth can still be turned, {urgent} within three days. The first:"
            " {record}, until {instant}.",
            "{n} moments of truth can still be turned, {urgent} within three days. The first:"
            " {record}, until {instant}.",
            part.total,
        )
    text = text.format(
        n=number(part.total),
        urgent=count(part.urgent),
        record=clean(first.number),
        instant=instant(first.ends, report.period),
    )
    moment = report.mapping.moment(first.moment_id)
    turns = clean(moment.turns_positive.in_(report.language)) if moment else ""
    return f"{text} {turns.rstrip('.')}." if turns else text


def unplanned(report: Report) -> str:
    """Relationships in trouble for which nobody has written a next step."""
    found = relationships(report)
    bare = [row for row in _in_trouble(found) if not row["has_next_step"]] if found else []
    if not bare:
        return ""
    return _n(
        "{n} relationship that needs care has no next step: write one, with its day, in the tool.",
        "{n} relationships that need care have no next step: write one, with its day, in the tool.",
        len(bare),
    ).format(n=number(len(bare)))


def overdue(report: Report) -> str:
    """Promises and next steps whose day is over."""
    found = relationships(report)
    if found is None:
        return ""
    today = found.rows[0]["as_of"]
    late = [row for row in found.rows if row["has_next_step"] and row["due"] and row["due"] < today]
    broken = [c for c in found.contacts if c.is_pending and c.due < today.isoformat()]
    parts = (
        (_("next steps {n}"), len(late)),
        (_("promises {n}"), len(broken)),
    )
    told = ", ".join(text.format(n=number(n)) for text, n in parts if n)
    if not told:
        return ""
    return _("Overdue: {overdue}. Keep them, or say what changed.").format(overdue=told)
