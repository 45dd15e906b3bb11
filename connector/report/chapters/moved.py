"""Who moved, and why; each opens with what was planned and what has happened since."""

from collections.abc import Iterator

from connector.journey.engagement_words import points, reasons_text, whole
from connector.messages import _, mark
from connector.report.chapters.model import Chapter
from connector.report.chapters.relations import (
    Contact,
    Relationships,
    change_of,
    changes_since,
    has_moved,
    measure,
    month_before,
    name_of,
    state_name,
)
from connector.report.layout import Line, Section, Table
from connector.report.report import Report
from connector.report.wording import NOTHING, day
from connector.store.database import Row


def write(report: Report, figures: Relationships) -> Iterator[Section]:
    """Those that moved, the largest move first; then those that planned something and did not."""
    planned = [
        row for row in figures.rows if row["has_next_step"] and not has_moved(row, figures.opinions)
    ]
    rows = (*figures.moved, *planned)
    if not rows:
        yield CHAPTER.section((), (_("No relationship moved in the last 30 days."),))
        return
    table = Table(
        _("Relationships that moved in the last 30 days"),
        (
            _("Relationship"),
            _("Planned"),
            _("What happened since"),
            _("Trust"),
            _("What moved it, in points"),
        ),
        tuple(_row(report, figures, row) for row in rows),
        texts=5,
    )
    note = _(
        "What was planned is written in the tool, in the relationship's own row; open it there."
    )
    yield CHAPTER.section((table,), (note,) if any(r["has_next_step"] for r in rows) else ())


def _row(report: Report, figures: Relationships, row: Row) -> tuple[str, ...]:
    return (
        name_of(report, figures, row),
        planned_text(row),
        since_text(report, figures, row),
        trust_text(report, row),
        reasons_text(row["moves"], figures.opinions, report.language) or NOTHING,
    )


def planned_text(row: Row) -> str:
    """Whether somebody wrote a next step, and for when. Its words stay in the tool."""
    if not row["has_next_step"]:
        return _("Nothing was planned")
    if not row["due"]:
        return _("A next step, without a day")
    if row["due"] < row["as_of"]:
        return _("A next step for {day}: overdue").format(day=day(row["due"]))
    return _("A next step for {day}").format(day=day(row["due"]))


def since_text(report: Report, figures: Relationships, row: Row) -> str:
    """Changes of state, contacts and promises of the last 30 days."""
    begun = month_before(row)
    said = [
        _("{day}: {old} → {new}").format(
            day=day(change["changed_on"]),
            old=state_name(report, figures, change["from_state"]),
            new=state_name(report, figures, change["to_state"]),
        )
        for change in reversed(changes_since(figures, row, begun))
    ]
    met = [one for one in figures.contacts_of(row) if one.day > begun.isoformat()]
    if met:
        said.append(_("contacts noted: {n}").format(n=len(met)))
    due = [one for one in figures.contacts_of(row) if _is_due(one, row)]
    if kept := sum(one.kept == "yes" for one in due):
        said.append(_("promises kept: {n}").format(n=kept))
    if broken := sum(one.kept != "yes" for one in due):
        said.append(_("promises not kept: {n}").format(n=broken))
    if pending := sum(_is_ahead(one, row) for one in figures.contacts_of(row)):
        said.append(_("promises pending: {n}").format(n=pending))
    if row["last_contact"]:
        said.append(_("last visible contact {day}").format(day=day(row["last_contact"])))
    return "; ".join(said) or NOTHING


def _is_ahead(one: Contact, row: Row) -> bool:
    today: str = row["as_of"].isoformat()
    return one.is_pending and one.due >= today


def _is_due(one: Contact, row: Row) -> bool:
    """Whether a promise fell due in the last 30 days."""
    today: str = row["as_of"].isoformat()
    return month_before(row).isoformat() < one.due < today


def trust_text(report: Report, row: Row) -> str:
    """`58 → 52 (−6.1)`; one number where there is nothing to hold it against."""
    change = change_of(row)
    now = whole(row["score"]) or NOTHING
    if change is None:
        return now
    return f"{whole(row['month_score'])} → {now} ({points(change, report.language)})"


def lines(_report: Report, figures: Relationships) -> Iterator[Line]:
    """How many moved; each one's points are among those of the engagement."""
    moved = figures.moved
    yield Line("relationships_moved", len(moved), len(figures.rows))


CHAPTER = Chapter(
    "moved",
    mark("Who moved, and why"),
    ("relationships_moved", "trust_change", "trust"),
    measure,
    write,
    lines,
)
