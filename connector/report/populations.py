"""What the figures of a report count, as populations of things that belong to people.

Records, moves, SLA clocks, tickets opened, tickets resolved, moments of truth, time in a band: each
with the figures that it is split into. `withheld.py` reads them. The definitions are those
of the figures themselves (`cube.py`, `measure.py`, `trend.py`, the chapters).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from connector.report.cube import VOICE
from connector.report.departments import has_clocks
from connector.report.figures import Period
from connector.report.lanes import SUPPLIER
from connector.report.protect import Family
from connector.report.source import Source
from connector.store.records import name as quoted
from connector.timestamps import format_instance, midnight

ENDINGS = ("lost", "abandoned", "failed")
"""Outcomes told apart; all others of no value are one more."""

VOICES = ("survey_answered", "article_feedback", "complaint", "compliment", "idea_submitted")
"""Touchpoints at which people say how it goes, or what they would like."""

INITIATIVES = "sn_cim_register"

NOWHERE = "-"
"""In a cell's name: the record stands in no step, or in no band."""


@dataclass(frozen=True)
class Population:
    """`sql` answers every attribute of the families, and `person` (a hash, or NULL)."""

    sql: str
    families: tuple[Family, ...]
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Every attribute that some family asks for."""
        asked = (name for family in self.families for name in family.attributes)
        return tuple(dict.fromkeys(asked))


@dataclass(frozen=True)
class Seen:
    """What a report is about, beside its source: the journey shown, its weeks, the other period."""

    journey: str
    weeks: Sequence[date] = ()
    before: Period | None = None
    months: Sequence[date] = ()


def populations(source: Source, seen: Seen) -> Iterator[Population]:
    """Every population that some figure of a report counts."""
    journeys = {f"step_{i}": id_ for i, id_ in enumerate(source.mapping.journeys)}
    before = seen.before
    other = {
        "other_since": format_instance(before.start) if before else "",
        "other_until": format_instance(before.end) if before else "",
    }
    yield _standing(source, journeys, seen, other)
    yield _moves(journeys, seen)
    yield from _tickets(source, seen, other)
    if has_clocks(source):
        yield _clocks(source, journeys, other)
    yield _moments(seen)
    yield _band_times(seen)


def _family(*name: str, by: tuple[str, ...] = (), **only: Any) -> Family:
    return Family(name, by, tuple(sorted(only.items())))


# The populations ----------------------------------------------------------------------------------

_STANDING = """
WITH heat AS (SELECT unnest($month_starts::VARCHAR[]) AS s, unnest($month_ends::VARCHAR[]) AS e,
                     unnest($months::VARCHAR[]) AS month)
SELECT {steps}, c.touchpoint, c.band, c.band <> '' AS has_band,
       coalesce(nullif(c.steps[$shown], ''), '-') AS at_step,
       coalesce(nullif(c.band, ''), '-') AS at_band,
       CASE WHEN c.touchpoint = '' THEN '' WHEN starts_with(c.touchpoint, $supplier) THEN 'supplier'
            WHEN c.band = 'visible' THEN 'visible'
            WHEN c.band = 'consumer_backstage' THEN 'consumer' ELSE 'provider' END AS lane,
       c.rule_id = 'unclassified' AS is_unclassified,
       c.confidence = 'low' AND c.rule_id <> 'unclassified' AS is_low,
       coalesce(l.is_open, FALSE) AS is_open,
       coalesce(l.opened < $until AND (l.is_open OR coalesce(l.ended, l.opened) >= $since),
                l.is_open, FALSE) AS in_period,
       coalesce(l.opened < $other_until
                AND (l.is_open OR coalesce(l.ended, l.opened) >= $other_since),
                l.is_open, FALSE) AS in_other,
       coalesce(l.opened >= $since AND l.opened < $until, FALSE) AS is_new,
       coalesce(h.month, '') AS month,
       coalesce(NOT l.is_open AND l.ended >= $since AND l.ended < $until
                AND l.ended > l.opened, FALSE) AS is_life,
       CASE WHEN l.is_open THEN 'open' WHEN c.outcome = '' THEN 'ended'
            WHEN list_contains($endings, c.outcome) THEN c.outcome ELSE 'other' END AS fate,
       c.table_name = 'sysapproval_approver' AS is_approval,
       list_contains($voices, c.touchpoint) AND c.table_name <> $initiatives AS is_voice,
       w.person
FROM classification AS c
LEFT JOIN life AS l ON l.table_name = c.table_name AND l.sys_id = c.sys_id
LEFT JOIN who AS w ON w.table_name = c.table_name AND w.sys_id = c.sys_id
LEFT JOIN heat AS h ON l.opened >= h.s AND l.opened < h.e AND l.opened < $until
WHERE NOT list_contains($ignored, c.rule_id) AND NOT list_contains($measures, c.table_name)
"""


def _steps(journeys: Mapping[str, str], record: str, nowhere: str) -> str:
    """One column a journey: the step, or `nowhere`; "" belongs to no figure."""
    return ", ".join(
        f"coalesce(nullif({record}.steps[${name}], ''), '{nowhere}') AS {name}" for name in journeys
    )


def _standing(
    source: Source, journeys: Mapping[str, str], seen: Seen, other: Mapping[str, str]
) -> Population:
    shown = next(name for name, id_ in journeys.items() if id_ == seen.journey)
    families = [
        _family("head", "records", in_period=True),
        _family("head", "open", in_period=True, is_open=True),
        _family("head", "open_now", is_open=True),
        _family("head", "banded", in_period=True, has_band=True),
        _family("head", "visible", in_period=True, band="visible"),
        _family("head", "unclassified", in_period=True, is_unclassified=True),
        _family("head", "low", in_period=True, is_low=True),
        _family("head", "records_before", in_other=True),
        _family("touchpoint", by=("touchpoint", "at_step", "at_band"), in_period=True),
        _family(
            "touchpoint_open", by=("touchpoint", "at_step", "at_band"), in_period=True, is_open=True
        ),
        _family("lane", by=(shown, "lane"), in_period=True),
        _family("heat", by=("touchpoint", "month")),
        _family("life", by=("touchpoint",), is_life=True),
        _family("cohort", by=(shown, "fate"), is_new=True),
        _family("approval", by=("touchpoint",), is_new=True, is_approval=True),
        _family("head", "said", is_new=True, is_voice=True),
    ]
    for step, id_ in journeys.items():
        families += [
            _family("placed", id_, by=(step,)),
            _family("in_period", id_, by=(step,), in_period=True),
            _family("open", id_, by=(step,), in_period=True, is_open=True),
            _family("band", id_, by=(step, "band"), in_period=True),
        ]
    sql = _STANDING.format(steps=_steps(journeys, "c", ""))
    params = {
        **journeys,
        **other,
        **_slices(source, "month", seen.months, 31),
        "shown": seen.journey,
        "supplier": SUPPLIER,
        "endings": list(ENDINGS),
        "voices": list(VOICES),
        "initiatives": INITIATIVES,
    }
    return Population(sql, tuple(families), params)


def _slices(source: Source, name: str, days: Sequence[date], length: int) -> dict[str, object]:
    """Weeks (7) or months (31) from these first days, by the clock of the report."""
    zone = source.period.time_zone
    ends = [day + timedelta(days=length) for day in days]
    if length > 7:  # months end where the next begins
        ends = [end.replace(day=1) for end in ends]
    return {
        f"{name}s": [f"{day:%Y-%m-%d}" for day in days],
        f"{name}_starts": [format_instance(midnight(day, zone)) for day in days],
        f"{name}_ends": [format_instance(midnight(day, zone)) for day in ends],
    }


_MOVES = """
SELECT t.journey, coalesce(t.from_step, '') AS from_step, coalesce(t.to_step, '') AS to_step,
       t.dwell_seconds IS NOT NULL AS is_timed, w.person
FROM transition AS t
LEFT JOIN who AS w ON w.table_name = t.table_name AND w.sys_id = t.sys_id
WHERE t.cause = 'customer' AND t.happened_at >= $since::TIMESTAMP
  AND t.happened_at < $until::TIMESTAMP AND NOT list_contains($measures, t.table_name)
"""


def _moves(journeys: Mapping[str, str], seen: Seen) -> Population:
    families = [_family("move", by=("from_step", "to_step"), journey=seen.journey)]
    for id_ in journeys.values():
        families += [
            _family("entered", id_, by=("to_step",), journey=id_),
            _family("left", id_, by=("from_step",), journey=id_),
            _family("stay", id_, by=("from_step",), journey=id_, is_timed=True),
        ]
    return Population(_MOVES, tuple(families))


_OPENED = """
WITH slice AS (SELECT unnest($week_starts::VARCHAR[]) AS s, unnest($week_ends::VARCHAR[]) AS e,
                      unnest($weeks::VARCHAR[]) AS monday)
SELECT coalesce(s.monday, '') AS week, {at} >= $since AND {at} < $until AS in_period,
       {at} >= $other_since AND {at} < $other_until AS in_other, {how} AS how, w.person
FROM life AS l
JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
LEFT JOIN slice AS s ON {at} >= s.s AND {at} < s.e
LEFT JOIN who AS w ON w.table_name = l.table_name AND w.sys_id = l.sys_id
WHERE list_contains($tickets, l.table_name) AND NOT list_contains($ignored, c.rule_id)
  AND {at} IS NOT NULL
"""

_HOW = (
    "coalesce(nullif(c.value, ''), nullif(c.outcome, ''),"
    f" CASE WHEN c.touchpoint = '{VOICE}' THEN 'denied' ELSE 'unknown' END)"
)


def _tickets(source: Source, seen: Seen, other: Mapping[str, str]) -> Iterator[Population]:
    params = {**other, **_slices(source, "week", seen.weeks, 7)}
    ended = "CASE WHEN l.is_open THEN NULL ELSE l.ended END"
    for way, at, how in (("opened", "l.opened", "''"), ("resolved", ended, _HOW)):
        families = [
            _family("head", way, in_period=True),
            _family("head", f"{way}_before", in_other=True),
            _family("week", way, by=("week",)),
        ]
        if way == "resolved":
            families.append(_family("closures", by=("how",), in_period=True))
        yield Population(_OPENED.format(at=at, how=how), tuple(families), params)


_CLOCKS = """
SELECT {steps}, k.result, k.is_open, k.in_period, {priority} AS priority,
       coalesce(k.started < $other_until AND (k.runs
           OR coalesce(k.ended, k.started) >= $other_since), FALSE) AS in_other, w.person
FROM clock AS k LEFT JOIN who AS w ON w.sys_id = k.task{ranked}
"""


def _clocks(source: Source, journeys: Mapping[str, str], other: Mapping[str, str]) -> Population:
    families = [
        _family("sla_all", by=("result",), in_period=True),
        _family("sla_late_all", in_period=True, result="breached", is_open=True),
        _family("sla_before", by=("result",), in_other=True),
    ]
    for step, id_ in journeys.items():
        families += [
            _family("sla", id_, by=(step, "result"), in_period=True),
            _family("sla_late", id_, by=(step,), in_period=True, result="breached", is_open=True),
        ]
    tables = [table for table in source.tickets if source.has(table, "priority")]
    ranked, priority = "", "''"
    if tables:
        of_tables = " UNION ALL ".join(
            f"SELECT sys_id, coalesce(priority, '') AS priority FROM current.{quoted(table)}"
            for table in tables
        )
        ranked = f" LEFT JOIN ({of_tables}) AS r ON r.sys_id = k.task"
        priority = "CASE WHEN r.sys_id IS NULL THEN '' ELSE 'p' || r.priority END"
        families += [
            _family("priority", by=("priority", "result"), in_period=True),
            _family("priority_usual", by=("priority", "result")),
        ]
    sql = _CLOCKS.format(steps=_steps(journeys, "k", NOWHERE), priority=priority, ranked=ranked)
    return Population(sql, tuple(families), {**journeys, **other})


_MOMENTS = """
SELECT m.moment_id, coalesce(c.steps[$journey], '') AS step, m.polarity,
       CASE WHEN c.steps[$journey] IS NULL OR list_contains($measures, c.table_name) THEN ''
            WHEN starts_with(c.touchpoint, $supplier) THEN 'supplier'
            WHEN c.band = 'visible' THEN 'visible'
            WHEN c.band = 'consumer_backstage' THEN 'consumer' ELSE 'provider' END AS lane,
       CASE WHEN m.polarity IN ('negative', 'positive')
                AND NOT coalesce(m.decided_at >= $since::TIMESTAMP
                                 AND m.decided_at < $until::TIMESTAMP, FALSE) THEN ''
            WHEN m.polarity = 'negative' THEN 'lost' WHEN m.polarity = 'positive' THEN 'won'
            WHEN m.polarity = 'open' THEN 'open'
            WHEN m.window_ends_at >= $since::TIMESTAMP AND m.window_ends_at < $until::TIMESTAMP
            THEN 'neutral' ELSE '' END AS kind,
       m.polarity <> 'open' AS is_over, w.person
FROM moment AS m
LEFT JOIN classification AS c ON c.table_name = m.table_name AND c.sys_id = m.sys_id
LEFT JOIN who AS w ON w.table_name = m.table_name AND w.sys_id = m.sys_id
"""


def _moments(seen: Seen) -> Population:
    families = (
        _family("moment", by=("moment_id", "kind")),
        _family("moment_over", by=("moment_id",), is_over=True),
        _family("moment_usual", by=("moment_id",), polarity="negative"),
        _family("lane_won", by=("step", "lane"), kind="won"),
        _family("lane_lost", by=("step", "lane"), kind="lost"),
    )
    return Population(_MOMENTS, families, {"journey": seen.journey, "supplier": SUPPLIER})


_BAND_TIMES = """
SELECT c.steps[$journey] AS step, d.band, w.person
FROM band_dwell AS d
JOIN classification AS c ON c.table_name = d.table_name AND c.sys_id = d.sys_id
JOIN life AS l ON l.table_name = d.table_name AND l.sys_id = d.sys_id
LEFT JOIN who AS w ON w.table_name = d.table_name AND w.sys_id = d.sys_id
WHERE l.opened < $until AND (l.is_open OR coalesce(l.ended, l.opened) >= $since)
  AND c.steps[$journey] IS NOT NULL AND NOT list_contains($measures, d.table_name)
  AND d.seconds > 0
"""


def _band_times(seen: Seen) -> Population:
    families = (
        _family("band_time", by=("step", "band")),
        _family("band_time_all", by=("band",)),
    )
    return Population(_BAND_TIMES, families, {"journey": seen.journey})
