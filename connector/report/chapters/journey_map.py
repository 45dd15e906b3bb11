"""The map of the monthly report: every relationship across the steps, the worst on top."""

from collections.abc import Iterator

from connector.messages import _, _n, mark
from connector.report.chapters.engagement import lines, step_table
from connector.report.chapters.model import Chapter
from connector.report.chapters.relations import Relationships, is_ranked, measure
from connector.report.layout import Section
from connector.report.report import Report
from connector.report.wording import number
from connector.store.database import Row

SHOWN = 25
"""Relationships that one page holds; `--only engagement` has them all."""

SHOWN_UNRANKED = 5
"""Of these, at most so many that moved and have not enough evidence to be ranked."""


def write(report: Report, figures: Relationships) -> Iterator[Section]:
    """One table."""
    if not figures.rows:
        yield CHAPTER.section((), (_("No relationship is large enough to be shown here."),))
        return
    rows = _shown(figures)
    yield CHAPTER.section((step_table(report, figures, rows),), tuple(_left_out(figures, rows)))


def _shown(figures: Relationships) -> tuple[Row, ...]:
    """The worst that can be ranked, and those that moved of the others: none of these is hidden
    behind ones that stand better."""
    if len(figures.rows) <= SHOWN:
        return figures.rows
    moved = [row for row in figures.moved if not is_ranked(row, figures.opinions)][:SHOWN_UNRANKED]
    ranked = [row for row in figures.rows if is_ranked(row, figures.opinions)]
    kept = {row["sys_id"] for row in (*ranked[: SHOWN - len(moved)], *moved)}
    others = [row for row in figures.rows if row["sys_id"] not in kept and row not in ranked]
    kept |= {row["sys_id"] for row in others[: SHOWN - len(kept)]}
    return tuple(row for row in figures.rows if row["sys_id"] in kept)


def _left_out(figures: Relationships, shown: tuple[Row, ...]) -> Iterator[str]:
    """Better ones and unknown ones by themselves: of the unknown nobody can say that they are."""
    there = {row["sys_id"] for row in shown}
    ranked = [
        is_ranked(row, figures.opinions) for row in figures.rows if row["sys_id"] not in there
    ]
    better, unknown = sum(ranked), len(ranked) - sum(ranked)
    if better:
        yield _n(
            "{n} more relationship stands better; travesia report --only engagement has it.",
            "{n} more relationships stand better; travesia report --only engagement has them.",
            better,
        ).format(n=number(better))
    if unknown:
        yield _n(
            "{n} more relationship has not enough evidence to be ranked; travesia report --only"
            " engagement has it.",
            "{n} more relationships have not enough evidence to be ranked; travesia report --only"
            " engagement has them.",
            unknown,
        ).format(n=number(unknown))


CHAPTER = Chapter(
    "map",
    mark("Relationships across the journey"),
    ("trust_step", "trust"),
    measure,
    write,
    lines,
)
