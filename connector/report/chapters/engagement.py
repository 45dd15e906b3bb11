"""Engagement: how every relationship stands, step by step, and what weighed most."""

from collections.abc import Iterator

from connector.journey.engagement_fields import RING_CHOICES
from connector.journey.engagement_words import advice, points, reasons_text, ring_of, whole
from connector.messages import _, _n, mark
from connector.report.chapters.model import Chapter, headings, shown_steps
from connector.report.chapters.relations import (
    Relationships,
    change_of,
    measure,
    name_of,
    state_name,
)
from connector.report.layout import Line, Section, Table
from connector.report.report import Report
from connector.report.wording import NOTHING, dated, full_day, number
from connector.store.database import Row


def write(report: Report, figures: Relationships) -> Iterator[Section]:
    """States, scores by step, reasons."""
    if not figures.rows:
        yield CHAPTER.section((), (_("No relationship is large enough to be shown here."),))
        return
    tables = (
        _states(report, figures),
        step_table(report, figures, figures.rows),
        _reasons(report, figures),
    )
    yield CHAPTER.section(tables, _left_out(figures))


def _left_out(figures: Relationships) -> tuple[str, ...]:
    if not figures.too_small:
        return ()
    text = _n(
        "{n} relationship has too few people to be shown, and nothing above it to go to.",
        "{n} relationships have too few people to be shown, and nothing above them to go to.",
        figures.too_small,
    )
    return (text.format(n=number(figures.too_small)),)


def _states(report: Report, figures: Relationships) -> Table:
    return Table(
        _("The state of each relationship"),
        (
            _("Relationship"),
            _("State"),
            _("Since"),
            _("Ring"),
            *headings("trust", "trust_change", "trust_provider", "trust_customer", "trust_people"),
        ),
        tuple(
            (
                name_of(report, figures, row),
                state_name(report, figures, row["state"]),
                full_day(row["since"]) if row["since"] else NOTHING,
                ring_text(report, row),
                *_scores(report, row),
            )
            for row in figures.rows
        ),
        texts=4,
    )


def _scores(report: Report, row: Row) -> tuple[str, ...]:
    change = change_of(row)
    return (
        whole(row["score"]) or NOTHING,
        NOTHING if change is None else points(change, report.language),
        whole(row["provider"]) or NOTHING,
        whole(row["customer_side"]) or NOTHING,
        number(row["people"]),
    )


def ring_text(report: Report, row: Row) -> str:
    """Confirmed, proposed or none, with its day."""
    state = ring_of(row)
    if state == "confirmed":
        return _("on since {day}").format(day=dated(row["ring_confirmed"]))
    if state == "proposed":
        return _("proposed {day}").format(day=dated(row["ring_proposed"]))
    return RING_CHOICES["none"].in_(report.language)


def step_table(report: Report, figures: Relationships, rows: tuple[Row, ...]) -> Table:
    """Relationship × step, each cell the trust that evidence of this step gives."""
    steps = list(shown_steps(report))
    return Table(
        _("Trust by step of the journey"),
        (_("Relationship"), _("State"), _("Ring"), *(name for _id, name in steps)),
        tuple(
            (
                name_of(report, figures, row),
                state_name(report, figures, row["state"]),
                ring_text(report, row),
                *(whole(row["steps"].get(id_)) or NOTHING for id_, _name in steps),
            )
            for row in rows
        ),
        texts=3,
    )


def _reasons(report: Report, figures: Relationships) -> Table:
    return Table(
        _("What weighed most"),
        (_("Relationship"), _("Reasons, in points from 50"), _("What is missing")),
        tuple(
            (
                name_of(report, figures, row),
                reasons_text(row["reasons"], figures.opinions, report.language) or NOTHING,
                advice(row, figures.opinions, report.language) or NOTHING,
            )
            for row in figures.rows
        ),
        texts=3,
    )


def lines(report: Report, figures: Relationships) -> Iterator[Line]:
    """Scores, changes and steps of every relationship."""
    journey = report.journey.id
    for row in figures.rows:
        item, name = row["sys_id"], str(name_of(report, figures, row))
        people = row["people"]
        yield Line("trust", row["score"], people, "", item, name)
        yield Line("trust_change", change_of(row), people, "", item, name)
        yield Line("trust_provider", row["provider"], people, "", item, name)
        yield Line("trust_customer", row["customer_side"], people, "", item, name)
        yield Line("trust_people", people, people, "", item, name)
        for step, score in row["steps"].items():
            yield Line("trust_step", score, people, journey, item, name, step=step)


CHAPTER = Chapter(
    "engagement",
    mark("Engagement"),
    (
        "trust",
        "trust_change",
        "trust_provider",
        "trust_customer",
        "trust_people",
        "trust_step",
    ),
    measure,
    write,
    lines,
)
