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
from connector.report.population import INITIATIVES, VOICES
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
JOIN (SELECT sys_id, {source} AS source FROM current.sn_cim_register) AS r ON r.sys_id = l.sys_id
WHERE l.table_name = 'sn_cim_register' AND NOT list_contains($ignored, c.rule_id)
"""


STAGES = ("begun", "of_feedback", "done", "given_up", "under_way")


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
    is_untied: bool = False
    """Whether nothing says whose an initiative is, so that none of a part is known."""


def measure(asked: Asked) -> Loop | None:
    """None where no register of improvements is read."""
    source = asked.source
    if asked.until is None or not source.has(INITIATIVES, "opened_at"):
        return None
    voices = source.read(_FUNNEL, table=INITIATIVES, voices=list(VOICES))[0]
    if asked.source.scope.is_part and not _is_tied(asked):
        said = asked.base.counted(voices["said"], "head", "said")
        return Loop(said, None, None, None, None, None, None, None, is_untied=True)
    column = "coalesce(source_id, '')" if source.has(INITIATIVES, "source_id") else "''"
    row = source.read(_OF_INITIATIVES.format(source=column), now=asked.until)[0]
    base = asked.base
    dark = {stage for stage in STAGES if base.is_hidden("improvement", stage)}
    return Loop(
        base.counted(voices["said"], "head", "said"),
        None if "begun" in dark else row["begun"],
        None if dark & {"begun", "of_feedback"} else Share(row["of_feedback"], row["begun"]),
        None if "done" in dark else row["done"],
        None if "given_up" in dark else row["given_up"],
        None if "under_way" in dark else row["open"],
        None if "under_way" in dark else row["age"],
        None if dark & {"done", "given_up"} else row["took"],
    )


def _is_tied(asked: Asked) -> bool:
    opinions = asked.mapping.engagement
    tied = {one.table for one in opinions.relationships} if opinions else set[str]()
    return INITIATIVES in tied | {edge.table for edge in asked.mapping.edges}


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
    stages = (figures.said, figures.begun, figures.of_feedback, figures.done, figures.given_up)
    if figures.is_untied:
        untied = _("Nothing says whose an initiative is: none is told of a part.")
        yield CHAPTER.section(
            (funnel,), (untied, *few_note(report, is_hiding=figures.said is None))
        )
        return
    yield CHAPTER.section(
        (funnel, ages),
        few_note(report, is_hiding=None in (*stages, figures.open)),
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
