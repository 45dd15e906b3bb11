"""Who moved, and why; each opens with what was planned and what has happened since."""

from collections.abc import Iterator

from connector.journey.engagement_words import points, reasons_text, whole
from connector.messages import _, mark
from connector.report.chapters.model import Chapter
from connector.report.chapters.planned import (
    FATES,
    fate_of,
    next_text,
    notes,
    planned_text,
    since_text,
    was_planned,
)
from connector.report.chapters.relations import (
    Relationships,
    change_of,
    has_moved,
    measure,
    name_of,
    said_day,
)
from connector.report.layout import Line, Section, Table
from connector.report.report import Report
from connector.report.wording import NOTHING
from connector.store.database import Row


def write(report: Report, figures: Relationships) -> Iterator[Section]:
    """Those that moved, the largest move first; then those that planned something and did not."""
    planned = [
        row
        for row in figures.rows
        if _has_plan(figures, row) and not has_moved(row, figures.opinions)
    ]
    rows = (*figures.moved, *planned)
    if not rows:
        nothing = _("No relationship moved in the last 30 days, and no next step is written.")
        yield CHAPTER.section((), (nothing,))
        return
    table = Table(
        _("Relationships that moved in the last 30 days, or that have a next step"),
        (
            _("Relationship"),
            _("Planned as of {day}").format(day=said_day(figures, figures.first_day)),
            _("What happened since"),
            _("Next step now"),
            _("Trust, in 30 days"),
            _("What moved it, in points"),
        ),
        tuple(_row(report, figures, row) for row in rows),
        texts=6,
    )
    where = _(
        "What was planned is written in the tool, in the relationship's own row; open it there."
    )
    yield CHAPTER.section((table,), (where, *notes(report, figures)))


def _has_plan(figures: Relationships, row: Row) -> bool:
    """Whether a next step is written now, or was when the period began."""
    plan = was_planned(figures, row)
    return bool(row["has_next_step"] or (plan and plan.has_next_step))


def _row(report: Report, figures: Relationships, row: Row) -> tuple[str, ...]:
    return (
        name_of(report, figures, row),
        planned_text(figures, row),
        since_text(report, figures, row),
        next_text(figures, row),
        trust_text(report, row),
        reasons_text(row["moves"], figures.opinions, report.language) or NOTHING,
    )


def trust_text(report: Report, row: Row) -> str:
    """`58 → 52 (−6.1)`; one number where there is nothing to hold it against."""
    change = change_of(row)
    now = whole(row["score"]) or NOTHING
    if change is None:
        return now
    return f"{whole(row['month_score'])} → {now} ({points(change, report.language)})"


def lines(_report: Report, figures: Relationships) -> Iterator[Line]:
    """How many moved, and what became of the next steps; the points are those of engagement."""
    moved = figures.moved
    yield Line("relationships_moved", len(moved), len(figures.rows))
    fates = [fate_of(figures, row) for row in figures.rows]
    if figures.is_plan_known:
        for fate in FATES:
            n = fates.count(fate)
            yield Line("steps_planned", n, n, item=fate)


CHAPTER = Chapter(
    "moved",
    mark("Who moved, and why"),
    ("relationships_moved", "steps_planned", "trust_change", "trust"),
    measure,
    write,
    lines,
)
