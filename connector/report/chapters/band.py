"""What the other party could see: time in each band, the longest silences, and what they cost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connector.journey.fields import BAND_CHOICES
from connector.messages import _, mark
from connector.report.band_weeks import measure_band_weeks
from connector.report.chapters.model import (
    Asked,
    Chapter,
    Count,
    few_note,
    headings,
    part,
    shown_steps,
)
from connector.report.figures import BANDS, Figures, Share, WeekBands
from connector.report.layout import Line, Section, Table
from connector.report.population import SILENCES
from connector.report.report import Report
from connector.report.wording import NOTHING, clean, count, duration, instant
from connector.store.database import Row
from connector.store.moments import numbers_of

LONGEST = 10
_TIMES = """
SELECT c.steps[$journey] AS step, d.band, sum(d.seconds)::BIGINT AS seconds,
       bool_and(d.resolution = 'exact') AS is_exact
FROM band_dwell AS d
JOIN classification AS c ON c.table_name = d.table_name AND c.sys_id = d.sys_id
JOIN life AS l ON l.table_name = d.table_name AND l.sys_id = d.sys_id
WHERE l.opened < $until AND (l.is_open OR coalesce(l.ended, l.opened) >= $since)
  AND c.steps[$journey] IS NOT NULL AND NOT list_contains($measures, d.table_name)
GROUP BY ALL
"""

_LONGEST = """
SELECT s.table_name, s.sys_id, s.seconds, s.began_at, s.ended_at
FROM invisible_stretch AS s
JOIN life AS l ON l.table_name = s.table_name AND l.sys_id = s.sys_id
JOIN classification AS c ON c.table_name = s.table_name AND c.sys_id = s.sys_id
WHERE NOT list_contains($ignored, c.rule_id)
  AND l.opened < $until AND (l.is_open OR coalesce(l.ended, l.opened) >= $since)
ORDER BY s.seconds DESC, s.table_name, s.sys_id LIMIT $n
"""

_COST = """
SELECT len(list_filter($limits, x -> s.seconds >= x)) AS class,
       count(DISTINCT (s.table_name, s.sys_id)) AS records,
       count(*) FILTER (m.polarity = 'negative') AS lost,
       count(*) FILTER (m.polarity IN ('negative', 'positive')) AS decided
FROM invisible_stretch AS s
JOIN life AS l ON l.table_name = s.table_name AND l.sys_id = s.sys_id
JOIN classification AS c ON c.table_name = s.table_name AND c.sys_id = s.sys_id
LEFT JOIN moment AS m ON m.table_name = s.table_name AND m.sys_id = s.sys_id
WHERE NOT list_contains($ignored, c.rule_id)
  AND l.opened < $until AND (l.is_open OR coalesce(l.ended, l.opened) >= $since)
GROUP BY 1 ORDER BY 1
"""


_ENTRIES = """
SELECT p.band, count(*) AS n
FROM band_piece AS p
JOIN life AS l ON l.table_name = p.table_name AND l.sys_id = p.sys_id
WHERE p.since >= $since::TIMESTAMP AND p.since < $until::TIMESTAMP AND p.band <> ''
  AND NOT list_contains($measures, p.table_name)
GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True)
class StepBand:
    """Seconds in each band of the records of the period that stand in this step.

    None is kept from sight.
    """

    step: str
    seconds: dict[str, Count]


@dataclass(frozen=True)
class Stretch:
    """One record's longest time unseen, in seconds."""

    table: str
    sys_id: str
    number: str
    seconds: int
    began: datetime
    ended: datetime


@dataclass(frozen=True)
class Silence:
    """Records by their longest time unseen, from `since` seconds on, and their moments lost."""

    since: int
    records: Count
    lost: Share | None


@dataclass(frozen=True)
class Bands:
    """`is_exact` where the audit told every time to the second; else ± 1 night."""

    steps: tuple[StepBand, ...]
    longest: tuple[Stretch, ...]
    silences: tuple[Silence, ...]
    is_exact: bool
    is_hiding: bool
    weeks: tuple[WeekBands, ...] = ()
    totals: dict[str, Count] = field(default_factory=dict)
    """Seconds in each band, of all steps together."""
    entries: dict[str, Count] = field(default_factory=dict)
    """How often a record came to each band within the period."""


def measure(asked: Asked) -> Bands | None:
    """None where no time in a band is known."""
    rows = asked.source.read(_TIMES, journey=asked.journey.id)
    if not rows:
        return None
    silences, is_hiding = _silences(asked)
    return Bands(
        tuple(
            StepBand(step.id, mine)
            for step in asked.journey.steps
            if (mine := {r["band"]: _seconds(asked.base, r) for r in rows if r["step"] == step.id})
        ),
        _longest(asked),
        silences,
        all(row["is_exact"] for row in rows),
        is_hiding or asked.base.hides("band_time"),
        measure_band_weeks(asked.source, asked.base.data_until, asked.minimum),
        {band: _total(asked.base, rows, band) for band in BANDS},
        _entries(asked),
    )


def _entries(asked: Asked) -> dict[str, Count]:
    rows = asked.source.read(_ENTRIES)
    return {row["band"]: asked.base.counted(row["n"], "entries", row["band"]) for row in rows}


def _seconds(base: Figures, row: Row) -> Count:
    return base.counted(row["seconds"], "band_time", row["step"], row["band"])


def _total(base: Figures, rows: Sequence[Row], band: str) -> Count:
    whole = sum(row["seconds"] for row in rows if row["band"] == band)
    return base.counted(whole, "band_time_all", band)


def _longest(asked: Asked) -> tuple[Stretch, ...]:
    rows = asked.source.read(_LONGEST, n=LONGEST)
    numbers = numbers_of(asked.source.store, [(r["table_name"], r["sys_id"]) for r in rows])
    return tuple(
        Stretch(
            row["table_name"],
            row["sys_id"],
            numbers[row["table_name"], row["sys_id"]],
            row["seconds"],
            row["began_at"].replace(tzinfo=UTC),
            row["ended_at"].replace(tzinfo=UTC),
        )
        for row in rows
    )


def _silences(asked: Asked) -> tuple[tuple[Silence, ...], bool]:
    rows: Sequence[Row] = asked.source.read(_COST, limits=list(SILENCES))
    found = []
    for row in rows:
        class_ = str(row["class"])
        since = SILENCES[row["class"] - 1] if row["class"] else 0
        # A share with its whole is both of its sides.
        is_dark = any(
            asked.base.is_hidden(side, class_) for side in ("silence_won", "silence_lost")
        )
        lost = None if is_dark else Share(row["lost"], row["decided"])
        found.append(Silence(since, asked.base.counted(row["records"], "silence", class_), lost))
    return tuple(found), any(one.lost is None or one.records is None for one in found)


def write(report: Report, figures: Bands) -> Iterator[Section]:
    """Time by step and band, what silence costs, and the longest silences."""
    if not figures.is_hiding and not any(any(row.seconds.values()) for row in figures.steps):
        yield CHAPTER.section((), (_("No time in any band is known of these records."),))
        return
    tables = [_times(report, figures)]
    if figures.entries:
        tables.append(_entry_table(report, figures.entries))
    if figures.silences:
        tables += [_costs(figures), _records(report, figures)]
    notes = [] if figures.is_exact else [_("Some of these times are known to ± 1 night only.")]
    yield CHAPTER.section(tables, (*notes, *few_note(report, is_hiding=figures.is_hiding)))


def _times(report: Report, figures: Bands) -> Table:
    names = dict(shown_steps(report))
    rows = [(names[row.step], *_time_cells(row.seconds)) for row in figures.steps]
    return Table(
        _("Time in each band, of all records together"),
        (
            _("Step"),
            *(BAND_CHOICES[band].in_(report.language) for band in BANDS),
            *headings("visible_time_share"),
        ),
        (*rows, (_("All"), *_time_cells(figures.totals))),
    )


def _entry_table(report: Report, entries: dict[str, Count]) -> Table:
    return Table(
        _("How often records came to each band in the period"),
        (_("Band"), *headings("band_entries")),
        tuple((BAND_CHOICES[band].in_(report.language), count(entries.get(band, 0)))
              for band in BANDS),
    )  # fmt: skip


def _time_cells(seconds: dict[str, Count]) -> tuple[str, ...]:
    known = [n for n in seconds.values() if n is not None]
    is_whole = len(known) == len(seconds)
    share = Share(seconds.get("visible") or 0, sum(known)) if is_whole else None
    return (*(duration(seconds.get(band, 0)) for band in BANDS), part(share))


def _costs(figures: Bands) -> Table:
    return Table(
        _("Moments lost, by the longest time unseen"),
        (_("Longest time unseen"), *headings("unseen_records", "unseen_lost_share")),
        tuple(
            (_class_name(row.since), count(row.records), part(row.lost)) for row in figures.silences
        ),
    )


def _class_name(since: int) -> str:
    if not since:
        return _("under {time}").format(time=duration(SILENCES[0]))
    longer = [limit for limit in SILENCES if limit > since]
    if not longer:
        return _("{time} or more").format(time=duration(since))
    return _("{time} to under {longer}").format(time=duration(since), longer=duration(longer[0]))


def _records(report: Report, figures: Bands) -> Table:
    return Table(
        _("The longest times in which the other party saw nothing"),
        (_("Record"), _("Table"), _("From"), _("Until"), _("Time unseen")),
        tuple(
            (
                report.tool.record(clean(one.number), one.table, one.sys_id),
                report.table_name(one.table) or NOTHING,
                instant(one.began, report.period),
                instant(one.ended, report.period),
                duration(one.seconds),
            )
            for one in figures.longest
        ),
        texts=4,
    )


def lines(report: Report, figures: Bands) -> Iterator[Line]:
    """Seconds by step and band, and what silence costs."""
    journey = report.journey.id
    for row in figures.steps:
        name = report.step_name(journey, row.step)
        for band, seconds in row.seconds.items():
            yield Line("band_seconds", seconds, seconds or 0, journey, row.step, name, band)
    for band, n in figures.entries.items():
        yield Line("band_entries", n, n or 0, band=band)
    for silence in figures.silences:
        item = f">= {silence.since} s"
        yield Line("unseen_records", silence.records, silence.records or 0, item=item)
        if silence.lost:
            yield Line("unseen_lost_share", silence.lost.ratio, silence.lost.whole, item=item)


CHAPTER = Chapter(
    "band",
    mark("What could be seen"),
    ("band_seconds", "band_entries", "visible_time_share", "unseen_records", "unseen_lost_share"),
    measure,
    write,
    lines,
)
