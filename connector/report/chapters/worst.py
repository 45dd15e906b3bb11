"""The ten worst journeys of the period: the records on which most went wrong, by number only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connector.messages import _, mark
from connector.report.chapters.model import Asked, Chapter, headings
from connector.report.chapters.moments import moment_name
from connector.report.layout import Line, Section, Table
from connector.report.report import Report
from connector.report.wording import NOTHING, clean, instant, number
from connector.store.database import Row
from connector.store.moments import numbers_of

SHOWN = 10

_WORST = """
SELECT m.table_name, m.sys_id, count(*) AS lost, sum(m.weight)::BIGINT AS weight,
       list(struct_pack(moment := m.moment_id, at := m.decided_at)
            ORDER BY m.decided_at, m.moment_id) AS what,
       any_value(c.steps[$journey]) AS step
FROM moment AS m
LEFT JOIN classification AS c ON c.table_name = m.table_name AND c.sys_id = m.sys_id
WHERE m.polarity = 'negative'
  AND m.decided_at >= $since::TIMESTAMP AND m.decided_at < $until::TIMESTAMP
GROUP BY ALL ORDER BY lost DESC, weight DESC, m.table_name, m.sys_id LIMIT $n
"""

_PATH = """
SELECT t.table_name, t.sys_id, t.happened_at, t.to_step FROM transition AS t
WHERE t.journey = $journey AND (t.table_name, t.sys_id) IN (SELECT (table_name, sys_id) FROM (
    SELECT unnest($tables) AS table_name, unnest($ids) AS sys_id))
ORDER BY t.happened_at, t.to_step
"""

_BANDS = """
SELECT p.table_name, p.sys_id, p.since, p.band FROM band_piece AS p
WHERE (p.table_name, p.sys_id) IN (SELECT (table_name, sys_id) FROM (
    SELECT unnest($tables) AS table_name, unnest($ids) AS sys_id))
ORDER BY p.since
"""

_ENDS = """
SELECT l.table_name, l.sys_id, l.ended::TIMESTAMP AS ended FROM life AS l
WHERE NOT l.is_open AND l.ended IS NOT NULL
  AND (l.table_name, l.sys_id) IN (SELECT (table_name, sys_id) FROM (
    SELECT unnest($tables) AS table_name, unnest($ids) AS sys_id))
"""


@dataclass(frozen=True)
class Lost:
    """A moment that went wrong, and when."""

    moment_id: str
    at: datetime


@dataclass(frozen=True)
class Entered:
    """A step that the record came to, and when."""

    step: str
    at: datetime


@dataclass(frozen=True)
class Worst:
    """One record: what went wrong in the period, and its path. `weight` is the sum of moments'."""

    table: str
    sys_id: str
    number: str
    weight: int
    lost: tuple[Lost, ...]
    step: str
    path: tuple[Entered, ...]
    until: datetime
    """When its life ended, or the data do."""
    bands: tuple[Entered, ...] = ()


def measure(asked: Asked) -> tuple[Worst, ...] | None:
    """None where the mapping has no moments of truth."""
    if not asked.mapping.moments:
        return None
    journey = asked.journey.id
    rows = asked.source.read(_WORST, journey=journey, n=SHOWN)
    keys = [(row["table_name"], row["sys_id"]) for row in rows]
    numbers = numbers_of(asked.source.store, keys)
    paths = _entered(asked, keys, _PATH, "happened_at", "to_step")
    bands = _entered(asked, keys, _BANDS, "since", "band")
    ends = _ends(asked, keys)
    return tuple(
        replace(_worst(row, numbers, paths, ends), bands=tuple(bands[key]))
        for row, key in zip(rows, keys, strict=True)
    )


def _entered(
    asked: Asked, keys: Sequence[tuple[str, str]], sql: str, at: str, what: str
) -> dict[tuple[str, str], list[Entered]]:
    found: dict[tuple[str, str], list[Entered]] = {key: [] for key in keys}
    for row in _of(asked, keys, sql):
        entered = Entered(row[what], row[at].replace(tzinfo=UTC))
        found[row["table_name"], row["sys_id"]].append(entered)
    return found


def _ends(asked: Asked, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    until = asked.base.data_until or asked.period.end
    ended = {(r["table_name"], r["sys_id"]): r["ended"] for r in _of(asked, keys, _ENDS)}
    return {key: ended[key].replace(tzinfo=UTC) if key in ended else until for key in keys}


def _of(asked: Asked, keys: Sequence[tuple[str, str]], sql: str) -> list[Row]:
    if not keys:
        return []
    columns = {"tables": [t for t, _id in keys], "ids": [id_ for _t, id_ in keys]}
    wanted = {"journey": asked.journey.id} if "$journey" in sql else {}
    return asked.source.read(sql, **wanted, **columns)


def _worst(
    row: Row,
    numbers: dict[tuple[str, str], str],
    paths: dict[tuple[str, str], list[Entered]],
    ends: dict[tuple[str, str], datetime],
) -> Worst:
    key = (row["table_name"], row["sys_id"])
    lost = tuple(Lost(one["moment"], one["at"].replace(tzinfo=UTC)) for one in row["what"])
    path, until = tuple(paths[key]), ends[key]
    return Worst(*key, numbers[key], row["weight"], lost, row["step"] or "", path, until)


def write(report: Report, figures: tuple[Worst, ...]) -> Iterator[Section]:
    """A row a record."""
    if not figures:
        yield CHAPTER.section((), (_("No moment of truth was lost in this period."),))
        return
    table = Table(
        _("The worst journeys"),
        (
            _("Record"),
            _("Table"),
            _("Stands in"),
            _("What went wrong"),
            _("The last of it"),
            *headings("moments_lost", "worst_weight"),
        ),
        tuple(_row(report, one) for one in figures),
        texts=5,
    )
    yield CHAPTER.section((table,))


def _row(report: Report, one: Worst) -> tuple[str, ...]:
    moments = dict.fromkeys(moment_name(report, lost.moment_id) for lost in one.lost)
    return (
        report.tool.record(clean(one.number), one.table, one.sys_id),
        report.table_name(one.table),
        report.step_name(report.journey.id, one.step) if one.step else NOTHING,
        ", ".join(moments),
        instant(max(lost.at for lost in one.lost), report.period),
        number(len(one.lost)),
        number(one.weight),
    )


def lines(_report: Report, figures: tuple[Worst, ...]) -> Iterator[Line]:
    """A line a record."""
    for one in figures:
        yield Line("worst_weight", one.weight, len(one.lost), "", one.table, one.number)


CHAPTER = Chapter(
    "worst",
    mark("The worst journeys"),
    ("worst_weight", "moments_lost"),
    measure,
    write,
    lines,
)
