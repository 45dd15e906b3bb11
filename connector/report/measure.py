"""Figures from the store: a handful of set-based reads, then sums over small rows.

Reads `classification`, `standing`, `transition`, `run` and `current.*`; writes nothing.
One grouped read (the cube) serves every count, so the figures of a report agree with each other.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from connector.journey.model import Journey
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.sources import tables_reaching
from connector.report.cube import CUBE, Cube, before_of, closures_of, count
from connector.report.departments import has_clocks, measure_departments
from connector.report.figures import (
    WHOLE,
    Compared,
    Figures,
    JourneyFigures,
    Period,
    Scope,
    Share,
    SlaFigures,
    StepFigures,
    TableFigures,
    TouchpointFigures,
)
from connector.report.lanes import measure_lanes
from connector.report.life import MEASURES
from connector.report.months import measure_months
from connector.report.source import DATA_UNTIL, Source, open_source
from connector.report.trend import measure_flows, measure_weeks, measure_weeks_before
from connector.report.veil import veil
from connector.store.database import Row, Store

_MOVES = """
SELECT journey, from_step, to_step, count(*) AS n
FROM transition
WHERE cause = 'customer' AND happened_at >= $since AND happened_at < $until
  AND NOT list_contains($measures, table_name)
GROUP BY ALL
"""

_DWELL = """
SELECT journey, from_step AS step, median(dwell_seconds) AS seconds, count(*) AS n
FROM transition
WHERE cause = 'customer' AND happened_at >= $since AND happened_at < $until
  AND dwell_seconds IS NOT NULL AND NOT list_contains($measures, table_name)
GROUP BY ALL
"""

_AGE = """
SELECT s.journey, s.step, median(epoch($now) - epoch(s.since)) AS seconds
FROM standing AS s
JOIN life AS l ON l.table_name = s.table_name AND l.sys_id = s.sys_id
WHERE l.is_open AND l.opened < $until AND NOT list_contains($measures, s.table_name)
GROUP BY ALL
"""

_SLA = """
SELECT steps, result, is_open, count(*) AS n FROM clock WHERE in_period GROUP BY ALL
"""


def measure(
    store: Store,
    mapping: JourneyMapping,
    period: Period,
    journey: str,
    minimum_group: int,
    *,
    scope: Scope = WHOLE,
    compared: Compared = "previous",
) -> Figures:
    """All figures of `period`; `journey` is the one shown. Raises StoreError, ConfigError."""
    source = open_source(store, mapping, period, scope, minimum_group)
    return measure_all(source, journey, minimum_group, compared)


def measure_all(source: Source, journey: str, minimum_group: int, compared: Compared) -> Figures:
    """All figures of what a source shows. Raises StoreError.

    1. Read up to when the data reach.  2. Read the cube and the moves.  3. Sum.
    """
    period, mapping = source.period, source.mapping
    run = source.read(DATA_UNTIL)[0]
    data_until = _aware(run["until"])
    cube = source.read(CUBE)
    in_period = [row for row in cube if row["in_period"] and row["table_name"] not in MEASURES]
    total = count(in_period)
    departments = measure_departments(source, minimum_group)
    weeks = measure_weeks(source, data_until)
    touchpoints = _touchpoints(mapping, in_period, journey)
    figures = Figures(
        period=period,
        scope=source.scope,
        data_until=data_until,
        moves_since=_aware(run["since"]),
        records=total,
        open=count(in_period, _is("is_open")),
        open_now=count(cube, lambda row: row["is_open"] and row["table_name"] not in MEASURES),
        journeys=_journeys(source, cube, _Reach(data_until, _aware(run["since"])), journey),
        touchpoints=touchpoints,
        tables=_tables(source, cube),
        ticket_tables=source.tickets,
        closures=closures_of(source, cube),
        visible=_visible(in_period),
        unclassified=Share(count(in_period, _is("is_unclassified")), total),
        low_confidence=Share(count(in_period, _is("is_low")), total),
        flow=measure_flows(source, [(period.start, period.end)])[0],
        compared=compared,
        before=before_of(source, compared, minimum_group),
        weeks=weeks,
        departments=departments,
        months=measure_months(source, data_until, departments, minimum_group),
        minimum_group=minimum_group,
        lanes=measure_lanes(source, journey, touchpoints),
        weeks_before=measure_weeks_before(source, weeks),
    )
    return veil(figures, source)


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def _is(column: str) -> Callable[[Row], bool]:
    return lambda row: bool(row[column])


def _is_open(row: Row) -> bool:
    return bool(row["in_period"] and row["is_open"])


def _count_where(cube: Cube, column: str, value: str) -> int:
    return count(cube, lambda row: row[column] == value)


def _visible(in_period: Cube) -> Share:
    placed = [row for row in in_period if row["band"]]
    return Share(count(placed, lambda row: row["band"] == "visible"), count(placed))


# Steps ------------------------------------------------------------------------------------


class _Reach(NamedTuple):
    """Up to when the data reach, and since when moves are watched."""

    until: datetime | None
    moves: datetime | None


def _journeys(source: Source, cube: Cube, reach: _Reach, shown: str) -> tuple[JourneyFigures, ...]:
    ordered = sorted(source.mapping.journeys.values(), key=lambda journey: journey.id != shown)
    moves = source.read(_MOVES)
    dwell = {(row["journey"], row["step"]): row for row in source.read(_DWELL)}
    ages = _ages(source, reach.until)
    is_observed = reach.moves is not None and reach.moves <= source.period.start
    sla = _sla_rows(source)
    return tuple(
        JourneyFigures(
            journey.id,
            tuple(
                replace(
                    step,
                    left=step.left if step.left or is_observed else None,
                    dwell_seconds=dwell.get((journey.id, step.step), {}).get("seconds"),
                    dwell_records=dwell.get((journey.id, step.step), {}).get("n", 0),
                    age_seconds=ages.get((journey.id, step.step)),
                )
                for step in _steps(source, journey, cube, moves)
            ),
            None if sla is None else _sla(journey, sla),
        )
        for journey in ordered
    )


def _steps(source: Source, journey: Journey, cube: Cube, moves: Sequence[Row]) -> list[StepFigures]:
    mine = [row for row in moves if row["journey"] == journey.id]
    by_step: dict[str, list[Row]] = {step.id: [] for step in journey.steps}
    for row in cube:
        step = _step_of(row, journey.id)
        if step in by_step and row["table_name"] not in MEASURES:
            by_step[step].append(row)
    return [
        StepFigures(
            step=step,
            tables=_tables_reaching(source, journey.id, step),
            placed=count(rows),
            in_period=count(rows, _is("in_period")),
            open=count(rows, _is_open),
            entered=_count_where(mine, "to_step", step),
            left=_count_where(mine, "from_step", step),
            bands=_bands(rows),
        )
        for step, rows in by_step.items()
    ]


def _step_of(row: Row, journey: str) -> str:
    return str((row["steps"] or {}).get(journey) or "")


def _bands(rows: Cube) -> dict[str, int]:
    bands: Counter[str] = Counter()
    for row in rows:
        if row["in_period"] and row["band"]:
            bands[row["band"]] += row["n"]
    return dict(sorted(bands.items()))


def _tables_reaching(source: Source, journey: str, step: str) -> tuple[str, ...]:
    """The tables at rest of which some live rule places a record at this step by itself."""
    tables = [table for table in source.columns if table not in MEASURES]
    return tables_reaching(source.mapping, journey, step, tables, source.off)


def _ages(source: Source, data_until: datetime | None) -> dict[tuple[str, str], float]:
    if data_until is None:
        return {}
    rows = source.read(_AGE, now=data_until.replace(tzinfo=None))
    return {(row["journey"], row["step"]): max(row["seconds"], 0.0) for row in rows}


# SLA --------------------------------------------------------------------------------------


def _sla_rows(source: Source) -> list[Row] | None:
    return source.read(_SLA) if has_clocks(source) else None


def _sla(journey: Journey, rows: Sequence[Row]) -> tuple[SlaFigures, ...]:
    counts: dict[str, Counter[str]] = {step.id: Counter() for step in journey.steps}
    for row in rows:
        count = counts.setdefault(_step_of(row, journey.id), Counter())
        count[row["result"]] += row["n"]
        count["breached_open"] += row["n"] * (row["result"] == "breached" and row["is_open"])
    return tuple(
        SlaFigures(step, count["met"], count["breached"], count["running"], count["breached_open"])
        for step, count in counts.items()
    )


# Touchpoints, tables, closures ------------------------------------------------------------


def _touchpoints(
    mapping: JourneyMapping, in_period: Cube, shown: str
) -> tuple[TouchpointFigures, ...]:
    totals: Counter[tuple[str, str, str]] = Counter()
    still_open: Counter[tuple[str, str, str]] = Counter()
    for row in in_period:
        if row["touchpoint"]:
            key = (row["touchpoint"], _step_of(row, shown), row["band"])
            totals[key] += row["n"]
            still_open[key] += row["n"] if row["is_open"] else 0
    known = mapping.touchpoints
    return tuple(
        TouchpointFigures(
            touchpoint=key[0],
            kind=known[key[0]].kind if key[0] in known else "touchpoint",
            step=key[1],
            band=key[2],
            in_period=n,
            open=still_open[key],
        )
        for key, n in sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def _tables(source: Source, cube: Cube) -> tuple[TableFigures, ...]:
    names = sorted({row["table_name"] for row in cube})
    found = [name for name in source.mapping.tables if name in names]
    return tuple(
        _table(name, [row for row in cube if row["table_name"] == name])
        for name in (*found, *(name for name in names if name not in found))
    )


def _table(name: str, rows: Cube) -> TableFigures:
    now = [row for row in rows if row["in_period"]]
    return TableFigures(
        table=name,
        is_measure=name in MEASURES,
        placed=count(rows),
        in_period=count(now),
        open=count(now, _is("is_open")),
        unclassified=count(now, _is("is_unclassified")),
        low_confidence=count(now, _is("is_low")),
    )
