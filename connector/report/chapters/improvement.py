"""The improvement loop: what was said, what came of it, and how long it took."""

from collections.abc import Iterator
from dataclasses import dataclass

from connector.messages import _, mark
from connector.report.chapters.model import (
    Asked,
    Chapter,
    Count,
    few_note,
    headings,
    part,
)
from connector.report.figures import Share
from connector.report.layout import Line, Section, Table
from connector.report.populations import INITIATIVES, VOICES
from connector.report.report import Report
from connector.report.wording import count, duration

_FUNNEL = """
SELECT count(*) FILTER (l.table_name <> $table AND list_contains($voices, c.touchpoint)) AS said
FROM life AS l
JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
WHERE l.opened >= $since AND l.opened < $until AND NOT list_contains($ignored, c.rule_id)
"""

_OF_INITIATIVES = """
SELECT count(*) FILTER (l.opened >= $since AND l.opened < $until) AS begun,
       count(DISTINCT w.person) FILTER (l.opened >= $since AND l.opened < $until) AS begun_by,
       count(DISTINCT w.person) FILTER (NOT l.is_open AND l.ended >= $since
                                        AND l.ended < $until) AS ended_by,
       count(DISTINCT w.person) FILTER (l.is_open AND l.opened < $until) AS open_by,
       count(*) FILTER (l.opened >= $since AND l.opened < $until AND r.source <> '') AS of_feedback,
       count(*) FILTER (NOT l.is_open AND l.ended >= $since AND l.ended < $until
                        AND c.outcome = '') AS done,
       count(*) FILTER (NOT l.is_open AND l.ended >= $since AND l.ended < $until
                        AND c.outcome <> '') AS given_up,
       count(*) FILTER (l.is_open AND l.opened < $until) AS open,
       median(epoch($now::TIMESTAMP) - epoch(l.opened::TIMESTAMP))
           FILTER (l.is_open AND l.opened < $until) AS age,
       median(epoch(l.ended::TIMESTAMP) - epoch(l.opened::TIMESTAMP))
           FILTER (NOT l.is_open AND l.ended >= $since AND l.ended < $until) AS took
FROM life AS l
JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
LEFT JOIN who AS w ON w.table_name = l.table_name AND w.sys_id = l.sys_id
JOIN (SELECT sys_id, {source} AS source FROM current.sn_cim_register) AS r ON r.sys_id = l.sys_id
WHERE l.table_name = 'sn_cim_register' AND NOT list_contains($ignored, c.rule_id)
"""


@dataclass(frozen=True)
class Loop:
    """Voices of the period, initiatives begun, ended and open; ages in seconds.

    Counts are None where they come from too few people. `of_feedback` are those begun that name
    what they come from.
    """

    said: Count
    begun: Count
    of_feedback: Share | None
    done: Count
    given_up: Count
    open: Count
    age: float | None
    took: float | None


def measure(asked: Asked) -> Loop | None:
    """None where no register of improvements is read."""
    source = asked.source
    if asked.until is None or not source.has(INITIATIVES, "opened_at"):
        return None
    voices = source.read(_FUNNEL, table=INITIATIVES, voices=list(VOICES))[0]
    column = "coalesce(source_id, '')" if source.has(INITIATIVES, "source_id") else "''"
    row = source.read(_OF_INITIATIVES.format(source=column), now=asked.until)[0]
    begun, ended, still = (
        0 < row[people] < asked.minimum for people in ("begun_by", "ended_by", "open_by")
    )
    return Loop(
        asked.base.counted(voices["said"], "head", "said"),
        None if begun else row["begun"],
        None if begun else Share(row["of_feedback"], row["begun"]),
        None if ended else row["done"],
        None if ended else row["given_up"],
        None if still else row["open"],
        None if still else row["age"],
        None if ended else row["took"],
    )


def write(report: Report, figures: Loop) -> Iterator[Section]:
    """The funnel, then the ages."""
    funnel = Table(
        _("From what was said to what was done"),
        (_("Stage"), _("In the period")),
        (
            (_("People said something (surveys, ratings, complaints, ideas)"), count(figures.said)),
            (_("Initiatives begun"), count(figures.begun)),
            (_("Of these, naming what they come from"), part(figures.of_feedback)),
            (_("Initiatives done"), count(figures.done)),
            (_("Initiatives given up"), count(figures.given_up)),
            (_("Initiatives open"), count(figures.open)),
        ),
    )
    ages = Table(
        _("How long it takes"),
        headings("improvement_age", "improvement_took"),
        ((duration(figures.age), duration(figures.took)),),
        texts=0,
    )
    stages = (figures.said, figures.begun, figures.done, figures.open)
    yield CHAPTER.section(
        (funnel, ages),
        few_note(report, is_hiding=None in stages),
    )


def lines(_report: Report, figures: Loop) -> Iterator[Line]:
    """The stages and the ages."""
    for stage, n in (
        ("said", figures.said),
        ("begun", figures.begun),
        ("done", figures.done),
        ("given_up", figures.given_up),
        ("open", figures.open),
    ):
        yield Line("improvement_stage", n, n or 0, item=stage)
    ended = (figures.done or 0) + (figures.given_up or 0)
    yield Line("improvement_age", figures.age, figures.open or 0)
    yield Line("improvement_took", figures.took, ended)


CHAPTER = Chapter(
    "improvement",
    mark("Improvement loop"),
    ("improvement_stage", "improvement_age", "improvement_took"),
    measure,
    write,
    lines,
)
