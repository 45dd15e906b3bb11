"""How long: in each step, at each touchpoint until the end, and what of it was waiting."""

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
    shown_steps,
)
from connector.report.figures import Figures, Share
from connector.report.layout import Line, Section, Table
from connector.report.lists import at
from connector.report.report import Report
from connector.report.sections import list_notes
from connector.report.wording import count, duration
from connector.store.database import Row

_STAYS = """
SELECT t.from_step AS id, median(t.dwell_seconds) AS half,
       quantile_cont(t.dwell_seconds, 0.9) AS slow, count(*) AS n
FROM transition AS t
WHERE t.journey = $journey AND t.cause = 'customer' AND t.dwell_seconds IS NOT NULL
  AND t.happened_at >= $since::TIMESTAMP AND t.happened_at < $until::TIMESTAMP
  AND NOT list_contains($measures, t.table_name)
GROUP BY 1
"""

_WHOLE = """
SELECT c.touchpoint AS id, count(*) AS n,
       median(epoch(l.ended::TIMESTAMP) - epoch(l.opened::TIMESTAMP)) AS half,
       quantile_cont(epoch(l.ended::TIMESTAMP) - epoch(l.opened::TIMESTAMP), 0.9) AS slow
FROM life AS l
JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
WHERE NOT l.is_open AND l.ended >= $since AND l.ended < $until AND l.ended > l.opened
  AND c.touchpoint <> '' AND NOT list_contains($measures, l.table_name)
GROUP BY 1
"""

_WAITS = """
SELECT c.steps[$journey] AS id, sum(d.seconds) AS whole,
       sum(d.seconds) FILTER (d.band = 'consumer_backstage') AS waiting
FROM band_dwell AS d
JOIN classification AS c ON c.table_name = d.table_name AND c.sys_id = d.sys_id
JOIN life AS l ON l.table_name = d.table_name AND l.sys_id = d.sys_id
WHERE l.opened < $until AND (l.is_open OR coalesce(l.ended, l.opened) >= $since)
  AND c.steps[$journey] IS NOT NULL AND NOT list_contains($measures, d.table_name)
GROUP BY 1
"""


@dataclass(frozen=True)
class Stay:
    """How long records stayed somewhere, in seconds. None is kept from sight.

    `waiting` are the seconds in which the consumer was waited for, of all that are known.
    """

    id: str
    records: Count
    half: float | None
    slow: float | None
    waiting: Share | None = None


@dataclass(frozen=True)
class Durations:
    """Stays by step of the shown journey, and whole lives by the touchpoint of their end."""

    steps: tuple[Stay, ...]
    touchpoints: tuple[Stay, ...]
    is_hiding: bool


def measure(asked: Asked) -> Durations | None:
    """Stays that ended in the period; None before any record was seen to move or to end."""
    journey = asked.journey.id
    stays = asked.source.read(_STAYS, journey=journey)
    lives = asked.source.read(_WHOLE)
    if not stays and not lives:
        return None
    waits = {row["id"]: row for row in asked.source.read(_WAITS, journey=journey)}
    steps = [_stay(asked.base, row, "stay", journey) for row in stays]
    touchpoints = [_stay(asked.base, row, "life") for row in lives]
    placed = {step.id: i for i, step in enumerate(asked.journey.steps)}
    known = sorted((s for s in steps if s.id in placed), key=lambda stay: placed[stay.id])
    return Durations(
        tuple(_with_wait(stay, waits.get(stay.id), asked.base) for stay in known),
        tuple(sorted(touchpoints, key=lambda stay: (-(stay.records or 0), stay.id))),
        asked.base.hides("stay", journey) or asked.base.hides("life"),
    )


def _stay(base: Figures, row: Row, *family: str) -> Stay:
    if base.is_hidden(*family, row["id"]):
        return Stay(row["id"], None, None, None)
    return Stay(row["id"], row["n"], row["half"], row["slow"])


def _with_wait(stay: Stay, row: Row | None, base: Figures) -> Stay:
    # Others' time counts in the share, too: with any of it hidden there is none.
    if row is None or stay.records is None or base.hides("band_time", stay.id):
        return stay
    waiting = Share(int(row["waiting"] or 0), int(row["whole"]))
    return Stay(stay.id, stay.records, stay.half, stay.slow, waiting)


def write(report: Report, figures: Durations) -> Iterator[Section]:
    """Two tables: steps, touchpoints."""
    names = dict(shown_steps(report))
    columns = headings("dwell_median", "dwell_slow", "stays")
    steps = Table(
        _("How long records stayed in each step"),
        (_("Step"), *columns, *headings("waiting_share")),
        tuple((names[s.id], *_cells(s), part(s.waiting)) for s in figures.steps),
    )
    touchpoints = Table(
        _("From opened to ended, by the touchpoint at the end"),
        (_("Touchpoint"), *headings("life_median", "life_slow", "lives")),
        tuple((report.touchpoint_name(s.id), *_ended(report, s)) for s in figures.touchpoints),
    )
    tables = [table for table in (steps, touchpoints) if table.rows]
    notes = few_note(report, is_hiding=figures.is_hiding)
    yield CHAPTER.section(tables, (*list_notes(report, tables), *notes))


def _ended(report: Report, stay: Stay) -> tuple[str, ...]:
    half, slow, _n = _cells(stay)
    return half, slow, report.lists.single(stay.records, at("ended", touchpoint=stay.id))


def _cells(stay: Stay) -> tuple[str, str, str]:
    return duration(stay.half), duration(stay.slow), count(stay.records)


def lines(report: Report, figures: Durations) -> Iterator[Line]:
    """Every stay."""
    journey = report.journey.id
    for stay in figures.steps:
        where = (journey, stay.id, report.step_name(journey, stay.id))
        yield Line("dwell_slow", stay.slow, stay.records or 0, *where)
        yield Line("stays", stay.records, stay.records or 0, *where)
        if stay.waiting:
            yield Line("waiting_share", stay.waiting.ratio, stay.records or 0, *where)
    for stay in figures.touchpoints:
        item = ("", stay.id, report.touchpoint_name(stay.id))
        yield Line("life_median", stay.half, stay.records or 0, *item)
        yield Line("life_slow", stay.slow, stay.records or 0, *item)


CHAPTER = Chapter(
    "durations",
    mark("How long it takes"),
    ("dwell_median", "dwell_slow", "stays", "waiting_share", "life_median", "life_slow", "lives"),
    measure,
    write,
    lines,
)
