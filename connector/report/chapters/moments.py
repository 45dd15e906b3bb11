"""Moments of truth: won, lost and open; the watermelons first; each beside what is usual."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connector.journey.fields import MOMENT_CHOICES
from connector.journey.moment_model import Moment
from connector.messages import _, mark
from connector.moment_records import WATERMELON
from connector.report.chapters.model import (
    Asked,
    Chapter,
    Count,
    few_note,
    headings,
    part,
)
from connector.report.figures import Figures, Share
from connector.report.layout import Line, Section, Table
from connector.report.lists import at
from connector.report.report import Report
from connector.report.sections import list_notes
from connector.report.wording import clean, count, instant
from connector.store.database import Row
from connector.store.moments import HEAVIEST, numbers_of

SHOWN_MELONS = 20

_DECIDED = "decided_at >= $since::TIMESTAMP AND decided_at < $until::TIMESTAMP"
_ENDED = "window_ends_at >= $since::TIMESTAMP AND window_ends_at < $until::TIMESTAMP"

NOW_ORDER = ("negative", "potential", "positive", "neutral")
"""What the heaviest moment of a record can be: what can still be attended to comes first."""

KINDS = ("lost", "won", "neutral", "open")
"""How a moment can have gone in the period, in the order of the columns."""

_COUNTS = f"""
SELECT moment_id, kind, count(*) AS n
FROM (SELECT table_name, sys_id, moment_id, CASE
        WHEN polarity = 'negative' AND {_DECIDED} THEN 'lost'
        WHEN polarity = 'positive' AND {_DECIDED} THEN 'won'
        WHEN polarity = 'neutral' AND {_ENDED} THEN 'neutral'
        WHEN polarity = 'open' THEN 'open' ELSE 'other' END AS kind FROM moment) AS m
GROUP BY ALL
"""

_USUAL = """
SELECT moment_id, count(*) FILTER (polarity = 'negative') AS lost, count(*) AS whole
FROM moment
WHERE polarity <> 'open' GROUP BY 1
"""

_NOW = f"""
SELECT l.table_name, coalesce(h.choice, CASE WHEN c.is_potential_moment THEN 'potential' END)
           AS choice, count(*) AS n
FROM life AS l
JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
LEFT JOIN ({HEAVIEST.format(moments="moment")}) AS h
    ON h.table_name = l.table_name AND h.sys_id = l.sys_id
WHERE l.is_open AND NOT list_contains($ignored, c.rule_id)
  AND NOT list_contains($measures, l.table_name)
GROUP BY ALL
"""

_MELONS = """
SELECT table_name, sys_id, decided_at FROM moment
WHERE moment_id = $melon AND polarity = 'negative'
  AND decided_at >= $since::TIMESTAMP AND decided_at < $until::TIMESTAMP
ORDER BY decided_at DESC, table_name, sys_id
"""


@dataclass(frozen=True)
class Tally:
    """One moment: how it went in the period, how many are open now, and how it usually goes.

    `share` lost of those ended in the period, `usual` of all that ever ended; None for a moment
    that can be nothing but lost, and where too few people are behind it.
    """

    moment_id: str
    won: Count
    lost: Count
    neutral: Count
    open: Count
    share: Share | None
    usual: Share | None


@dataclass(frozen=True)
class Record:
    """A record that is named, by its number, and when it happened."""

    table: str
    sys_id: str
    number: str
    at: datetime


@dataclass(frozen=True)
class Moments:
    """`melons` are the newest of `melon_count` watermelons of the period.

    `now`: (table, what the heaviest moment is) → records open now; {} of a part.
    """

    tallies: tuple[Tally, ...]
    melons: tuple[Record, ...]
    melon_count: int
    is_hiding: bool
    now: Mapping[tuple[str, str], int] = field(default_factory=dict)


def measure(asked: Asked) -> Moments | None:
    """None where the mapping has no moments of truth, or no run has asked for any."""
    cells = {(row["moment_id"], row["kind"]): row for row in asked.source.read(_COUNTS)}
    known = [moment for moment in asked.mapping.moments if _is_known(moment.id, cells)]
    if not known:
        return None
    usual = {row["moment_id"]: row for row in asked.source.read(_USUAL)}
    tallies = tuple(_tally(moment, cells, usual.get(moment.id), asked.base) for moment in known)
    melons = asked.source.read(_MELONS, melon=WATERMELON)
    named = _named(asked, melons[:SHOWN_MELONS])
    is_hiding = asked.base.hides("moment") or asked.base.hides("moment_usual")
    return Moments(tallies, named, len(melons), is_hiding, _now(asked))


def _now(asked: Asked) -> dict[tuple[str, str], int]:
    if asked.source.scope.is_part:
        return {}
    rows = asked.source.read(_NOW)
    return {(row["table_name"], row["choice"]): row["n"] for row in rows if row["choice"]}


def _is_known(moment_id: str, cells: dict[tuple[str, str], Row]) -> bool:
    return any((moment_id, kind) in cells for kind in (*KINDS, "other"))


def _tally(
    moment: Moment,
    cells: dict[tuple[str, str], Row],
    usual: Row | None,
    base: Figures,
) -> Tally:
    counts = {
        kind: base.counted(
            int(cells.get((moment.id, kind), {}).get("n", 0)), "moment", moment.id, kind
        )
        for kind in KINDS
    }
    can_go_well = any(one.polarity != "negative" for one in moment.evidence)
    ended = [counts[kind] for kind in KINDS[:3]]
    share = None
    if can_go_well and None not in ended:
        share = Share(counts["lost"] or 0, sum(n or 0 for n in ended))
    is_dark = base.is_dark("moment_over", moment.id) or base.is_dark("moment_usual", moment.id)
    is_told = can_go_well and usual is not None and not is_dark
    return Tally(
        moment.id,
        counts["won"],
        counts["lost"],
        counts["neutral"],
        counts["open"],
        share,
        Share(usual["lost"], usual["whole"]) if is_told and usual else None,
    )


def _named(asked: Asked, rows: Sequence[Row]) -> tuple[Record, ...]:
    numbers = numbers_of(asked.source.store, [(r["table_name"], r["sys_id"]) for r in rows])
    return tuple(
        Record(
            row["table_name"],
            row["sys_id"],
            numbers[row["table_name"], row["sys_id"]],
            row["decided_at"].replace(tzinfo=UTC),
        )
        for row in rows
    )


def write(report: Report, figures: Moments) -> Iterator[Section]:
    """Watermelons, then every moment, the one lost most often first."""
    tables = [_melons(report, figures)] if figures.melons else []
    tables.append(_tallies(report, figures))
    if figures.now:
        tables.append(_now_table(report, figures.now))
    note = _(
        "Green outside, red inside: every agreed time was kept, and the person is not content."
    )
    notes = [note] if figures.melons else []
    notes += list_notes(report, tables)
    yield CHAPTER.section(tables, (*notes, *few_note(report, is_hiding=figures.is_hiding)))


def _now_table(report: Report, cells: Mapping[tuple[str, str], int]) -> Table:
    """Open records by what the tool shows as their moment of truth."""
    shown = [one for one in NOW_ORDER if any(choice == one for _table, choice in cells)]
    tables = sorted({table for table, _choice in cells}, key=lambda t: (report.table_name(t), t))
    return Table(
        _("Records open now, by their heaviest moment"),
        (_("Table"), *(MOMENT_CHOICES[choice].in_(report.language) for choice in shown)),
        tuple(
            (
                report.table_name(table),
                *(
                    report.lists.link(n, table, at("open", moment=choice)) if n else ""
                    for choice in shown
                    for n in (cells.get((table, choice), 0),)
                ),
            )
            for table in tables
        ),
    )


def _melons(report: Report, figures: Moments) -> Table:
    caption = _("Watermelons: {n} in the period").format(n=count(figures.melon_count))
    rows = tuple(
        (
            report.tool.record(clean(melon.number), melon.table, melon.sys_id),
            report.table_name(melon.table),
            instant(melon.at, report.period),
        )
        for melon in figures.melons
    )
    return Table(caption, (_("Record"), _("Table"), _("Decided")), rows, texts=3)


def _tallies(report: Report, figures: Moments) -> Table:
    ordered = sorted(figures.tallies, key=lambda t: (-(t.lost or 0), t.moment_id))
    return Table(
        _("Moments of truth"),
        (
            _("Moment"),
            *headings("moments_lost", "moments_won", "moments_neutral", "moments_open"),
            *headings("moments_lost_share", "moments_usual"),
        ),
        tuple(
            (
                moment_name(report, t.moment_id),
                count(t.lost),
                count(t.won),
                count(t.neutral),
                count(t.open),
                part(t.share),
                part(t.usual),
            )
            for t in ordered
        ),
    )


def moment_name(report: Report, moment_id: str) -> str:
    """`M08 Repeat contact`; its id where the mapping knows it no more."""
    moment = report.mapping.moment(moment_id)
    return clean(f"{moment_id} {moment.name.in_(report.language)}" if moment else moment_id)


def lines(report: Report, figures: Moments) -> Iterator[Line]:
    """Every tally."""
    for t in figures.tallies:
        item = ("", t.moment_id, moment_name(report, t.moment_id))
        for figure, n in (
            ("moments_lost", t.lost),
            ("moments_won", t.won),
            ("moments_neutral", t.neutral),
            ("moments_open", t.open),
        ):
            yield Line(figure, n, n or 0, *item)
        if t.share:
            yield Line("moments_lost_share", t.share.ratio, t.share.whole, *item)
        if t.usual:
            yield Line("moments_usual", t.usual.ratio, t.usual.whole, *item)
    for (table, choice), n in sorted(figures.now.items()):
        name = f"{report.table_name(table)}: {MOMENT_CHOICES[choice].in_(report.language)}"
        yield Line("moments_now", n, n, "", f"{table} {choice}", name)


CHAPTER = Chapter(
    "moments",
    mark("Moments of truth"),
    (
        "moments_lost",
        "moments_won",
        "moments_neutral",
        "moments_open",
        "moments_lost_share",
        "moments_usual",
        "moments_now",
    ),
    measure,
    write,
    lines,
)
