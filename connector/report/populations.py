"""What the figures of a report count, as populations of things that belong to people.

Records (`standing.py`), moves, SLA clocks, tickets opened, tickets resolved, moments of truth, time
in a band, arrivals in a band: each with the figures that it is split into. `withheld.py` reads
them. The definitions are those of the figures themselves (`cube.py`, `measure.py`, `trend.py`, the
chapters).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC

from connector.report.cube import VOICE
from connector.report.departments import has_clocks
from connector.report.lanes import SUPPLIER
from connector.report.population import (
    NOWHERE,
    READY,
    SILENCES,
    URGENT,
    Population,
    Seen,
    family,
    slice_sql,
    slices,
    steps_of,
)
from connector.report.source import Source
from connector.report.standing import standing
from connector.store.records import name as quoted
from connector.timestamps import format_instance


def populations(source: Source, seen: Seen) -> Iterator[Population]:
    """Every population that some figure of a report counts."""
    journeys = {f"step_{i}": id_ for i, id_ in enumerate(source.mapping.journeys)}
    before = seen.before
    other = {
        "other_since": format_instance(before.start) if before else "",
        "other_until": format_instance(before.end) if before else "",
    }
    yield standing(source, journeys, seen, other)
    yield _moves(journeys, seen)
    yield from _tickets(source, seen, other)
    if has_clocks(source):
        yield _clocks(source, journeys, other)
    yield _moments(source, seen)
    yield _band_times(seen)
    yield Population(_ENTRIES, (family("entries", by=("band",)),))


_MOVES = """
SELECT t.journey, coalesce(t.from_step, '') AS from_step, coalesce(t.to_step, '') AS to_step,
       t.dwell_seconds IS NOT NULL AS is_timed, w.person
FROM transition AS t
LEFT JOIN who AS w ON w.table_name = t.table_name AND w.sys_id = t.sys_id
WHERE t.cause = 'customer' AND t.happened_at >= $since::TIMESTAMP
  AND t.happened_at < $until::TIMESTAMP AND NOT list_contains($measures, t.table_name)
"""


def _moves(journeys: Mapping[str, str], seen: Seen) -> Population:
    families = [family("move", by=("from_step", "to_step"), journey=seen.journey)]
    for id_ in journeys.values():
        families += [
            family("entered", id_, by=("to_step",), journey=id_),
            family("left", id_, by=("from_step",), journey=id_),
            family("stay", id_, by=("from_step",), journey=id_, is_timed=True),
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
    params = {**other, **slices(source, "week", seen.weeks, 7)}
    ended = "CASE WHEN l.is_open THEN NULL ELSE l.ended END"
    for way, at, how in (("opened", "l.opened", "''"), ("resolved", ended, _HOW)):
        families = [
            family("head", way, in_period=True),
            family("head", f"{way}_before", in_other=True),
            family("week", way, by=("week",)),
        ]
        if way == "resolved":
            families.append(family("closures", by=("how",), in_period=True))
        yield Population(_OPENED.format(at=at, how=how), tuple(families), params)


_CLOCKS = """
SELECT {steps}, k.result, k.is_open, k.in_period, {priority} AS priority,
       coalesce(k.started < $other_until AND (k.runs
           OR coalesce(k.ended, k.started) >= $other_since), FALSE) AS in_other, w.person
FROM clock AS k LEFT JOIN who AS w ON w.sys_id = k.task{ranked}
"""


def _clocks(source: Source, journeys: Mapping[str, str], other: Mapping[str, str]) -> Population:
    families = [
        family("sla_all", by=("result",), in_period=True),
        family("sla_late_all", in_period=True, result="breached", is_open=True),
        family("sla_before", by=("result",), in_other=True),
    ]
    for step, id_ in journeys.items():
        families += [
            family("sla", id_, by=(step, "result"), in_period=True),
            family("sla_late", id_, by=(step,), in_period=True, result="breached", is_open=True),
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
            family("priority", by=("priority", "result"), in_period=True),
            family("priority_usual", by=("priority", "result")),
        ]
    sql = _CLOCKS.format(steps=steps_of(journeys, "k", NOWHERE), priority=priority, ranked=ranked)
    return Population(sql, tuple(families), {**journeys, **other})


_MOMENTS = """
WITH heat AS ({heat}), cohort AS ({cohort}),
unseen AS (
    SELECT table_name, sys_id, max(seconds) AS seconds FROM invisible_stretch GROUP BY ALL
)
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
       m.polarity <> 'open' AS is_over,
       coalesce(m.polarity = 'open' AND m.window_ends_at <= $urgent::TIMESTAMP, FALSE) AS is_urgent,
       coalesce(c.touchpoint, '') AS touchpoint, coalesce(h.first_day, '') AS month,
       CASE WHEN m.moment_id = $ready AND m.table_name = 'sc_req_item'
            THEN coalesce(k.first_day, '') ELSE '' END AS newcomers,
       m.moment_id = $ready AND m.table_name = 'sc_req_item' AND k.first_day IS NOT NULL
           AS is_newcomers,
       CASE WHEN u.seconds IS NOT NULL AND NOT list_contains($ignored, coalesce(c.rule_id, ''))
                AND coalesce(l.opened < $until
                             AND (l.is_open OR coalesce(l.ended, l.opened) >= $since), FALSE)
            THEN len(list_filter($limits, x -> u.seconds >= x))::VARCHAR ELSE '' END AS silence,
       w.person
FROM moment AS m
LEFT JOIN classification AS c ON c.table_name = m.table_name AND c.sys_id = m.sys_id
LEFT JOIN life AS l ON l.table_name = m.table_name AND l.sys_id = m.sys_id
LEFT JOIN heat AS h ON l.opened >= h.s AND l.opened < h.e AND l.opened < $until
LEFT JOIN ({due}) AS d ON m.table_name = 'sc_req_item' AND d.sys_id = m.sys_id
LEFT JOIN cohort AS k ON d.due_date >= k.s AND d.due_date < k.e
LEFT JOIN unseen AS u ON u.table_name = m.table_name AND u.sys_id = m.sys_id
LEFT JOIN who AS w ON w.table_name = m.table_name AND w.sys_id = m.sys_id
"""


def _moments(source: Source, seen: Seen) -> Population:
    families = [
        family("moment", by=("moment_id", "kind")),
        family("moment_over", by=("moment_id",), is_over=True),
        family("moment_usual", by=("moment_id",), polarity="negative"),
        family("moment_open_all", polarity="open"),
        family("moment_urgent", is_urgent=True),
        family("lane_won", by=("step", "lane"), kind="won"),
        family("lane_lost", by=("step", "lane"), kind="lost"),
        family("newcomers", "open", by=("newcomers",), polarity="open"),
        family("newcomers", "open", is_newcomers=True, polarity="open"),
    ]
    for way, polarity in (("won", "positive"), ("lost", "negative")):
        families += [
            family(f"heat_{way}", by=("touchpoint", "month"), polarity=polarity),
            family(f"silence_{way}", by=("silence",), polarity=polarity),
            family("newcomers", way, by=("newcomers",), polarity=polarity),
            family("newcomers", way, is_newcomers=True, polarity=polarity),
        ]
    has_days = source.has("sc_req_item", "due_date")
    sql = _MOMENTS.format(
        heat=slice_sql("month"),
        cohort=slice_sql("cohort"),
        due="SELECT sys_id, due_date FROM current.sc_req_item"
        if has_days
        else "SELECT '' AS sys_id, '' AS due_date",
    )
    until = seen.until or source.period.end
    params = {
        **slices(source, "month", seen.months, 31),
        **slices(source, "cohort", seen.cohorts, 31),
        "journey": seen.journey,
        "supplier": SUPPLIER,
        "ready": READY,
        "limits": list(SILENCES),
        "urgent": (until + URGENT).astimezone(UTC).replace(tzinfo=None),
    }
    return Population(sql, tuple(families), params)


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
        family("band_time", by=("step", "band")),
        family("band_time_all", by=("band",)),
    )
    return Population(_BAND_TIMES, families, {"journey": seen.journey})


_ENTRIES = """
SELECT p.band, w.person
FROM band_piece AS p
JOIN life AS l ON l.table_name = p.table_name AND l.sys_id = p.sys_id
LEFT JOIN who AS w ON w.table_name = p.table_name AND w.sys_id = p.sys_id
WHERE p.since >= $since::TIMESTAMP AND p.since < $until::TIMESTAMP AND p.band <> ''
  AND NOT list_contains($measures, p.table_name)
"""
