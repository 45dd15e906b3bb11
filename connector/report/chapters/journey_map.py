"""The map of the monthly report: every relationship across the steps, the worst on top."""

from collections.abc import Iterator

from connector.messages import _, _n, mark
from connector.report.chapters.engagement import lines, step_table
from connector.report.chapters.model import Chapter
from connector.report.chapters.relations import Relationships, measure
from connector.report.layout import Section
from connector.report.report import Report
from connector.report.wording import number

SHOWN = 25
"""Relationships that one page holds; `--only engagement` has them all."""


def write(report: Report, figures: Relationships) -> Iterator[Section]:
    """One table."""
    if not figures.rows:
        yield CHAPTER.section((), (_("No relationship is large enough to be shown here."),))
        return
    rows = figures.rows[:SHOWN]
    more = len(figures.rows) - len(rows)
    text = _n(
        "{n} more relationship stands better; travesia report --only engagement has it.",
        "{n} more relationships stand better; travesia report --only engagement has them.",
        more,
    )
    notes = (text.format(n=number(more)),) if more else ()
    yield CHAPTER.section((step_table(report, figures, rows),), notes)


CHAPTER = Chapter(
    "map",
    mark("Relationships across the journey"),
    ("trust_step", "trust"),
    measure,
    write,
    lines,
)
