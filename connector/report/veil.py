"""The common figures of a part of the organisation, without what would point at few people.

Within a scope every cell behind which stand fewer people than the minimum is emptied, and what
would give it away with it (`suppress.py`). Emptied cells are 0 in the figures, so that no picture
shows them, and named in `Figures.veiled`, so that words and lines say "–" and not 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from connector.report.figures import (
    Closures,
    Figures,
    JourneyFigures,
    SlaFigures,
    StepFigures,
    TouchpointFigures,
    Veiled,
    Week,
)
from connector.report.source import Source
from connector.report.suppress import hide, hide_in_row
from connector.timestamps import format_instance, midnight

STEP_COLUMNS = ("in_period", "open", "placed", "entered", "left")
SLA_COLUMNS = ("met", "breached", "running")

_PEOPLE = """
SELECT c.steps[$journey] AS step,
       count(DISTINCT w.person) FILTER (l.opened < $until AND (l.is_open
           OR coalesce(l.ended, l.opened) >= $since)) AS in_period,
       count(DISTINCT w.person) FILTER (l.is_open AND l.opened < $until) AS open,
       count(DISTINCT w.person) AS placed
FROM classification AS c
JOIN life AS l ON l.table_name = c.table_name AND l.sys_id = c.sys_id
JOIN who AS w ON w.table_name = c.table_name AND w.sys_id = c.sys_id
WHERE NOT list_contains($measures, c.table_name) GROUP BY 1
"""

_MOVERS = """
SELECT step, count(DISTINCT person) FILTER (way = 'entered') AS entered,
       count(DISTINCT person) FILTER (way = 'left') AS left
FROM (
    SELECT unnest([t.to_step, t.from_step]) AS step, unnest(['entered', 'left']) AS way, w.person
    FROM transition AS t JOIN who AS w ON w.table_name = t.table_name AND w.sys_id = t.sys_id
    WHERE t.journey = $journey AND t.cause = 'customer'
      AND t.happened_at >= $since::TIMESTAMP AND t.happened_at < $until::TIMESTAMP
      AND NOT list_contains($measures, t.table_name)
) GROUP BY 1
"""

_CLOCKS = """
SELECT coalesce(k.steps[$journey], '') AS step,
       count(DISTINCT w.person) FILTER (k.result = 'met') AS met,
       count(DISTINCT w.person) FILTER (k.result = 'breached') AS breached,
       count(DISTINCT w.person) FILTER (k.result = 'running') AS running
FROM clock AS k LEFT JOIN who AS w ON w.sys_id = k.task
WHERE k.in_period GROUP BY 1
"""

_TOUCHPOINTS = """
SELECT c.touchpoint, coalesce(c.steps[$journey], '') AS step, c.band,
       count(DISTINCT w.person) AS people, count(DISTINCT w.person) FILTER (l.is_open) AS open
FROM classification AS c
JOIN life AS l ON l.table_name = c.table_name AND l.sys_id = c.sys_id
LEFT JOIN who AS w ON w.table_name = c.table_name AND w.sys_id = c.sys_id
WHERE l.opened < $until AND (l.is_open OR coalesce(l.ended, l.opened) >= $since)
  AND c.touchpoint <> '' AND NOT list_contains($measures, c.table_name)
GROUP BY ALL
"""

_ENDS = """
SELECT coalesce(nullif(c.value, ''), nullif(c.outcome, ''),
                CASE WHEN c.touchpoint = $voice THEN 'denied' ELSE 'unknown' END) AS how,
       count(DISTINCT w.person) AS people
FROM classification AS c
JOIN life AS l ON l.table_name = c.table_name AND l.sys_id = c.sys_id
LEFT JOIN who AS w ON w.table_name = c.table_name AND w.sys_id = c.sys_id
WHERE NOT l.is_open AND l.ended >= $since AND l.ended < $until
  AND list_contains($tickets, l.table_name) AND NOT list_contains($ignored, c.rule_id)
GROUP BY 1
"""


_WEEKS = """
WITH slice AS (SELECT unnest($starts) AS s, unnest($ends) AS e)
SELECT s, count(DISTINCT w.person) FILTER (l.opened >= s AND l.opened < e) AS opened,
       count(DISTINCT w.person) FILTER (NOT l.is_open AND l.ended >= s AND l.ended < e) AS resolved
FROM slice
JOIN life AS l ON (l.opened >= s AND l.opened < e) OR (l.ended >= s AND l.ended < e)
JOIN who AS w ON w.table_name = l.table_name AND w.sys_id = l.sys_id
WHERE list_contains($tickets, l.table_name) GROUP BY s
"""


def veil(figures: Figures, source: Source, voice: str) -> Figures:
    """The figures as they may be shown of a part; those of the whole are as they were."""
    minimum = figures.minimum_group
    if not source.scope.is_part or minimum <= 1:
        return figures
    found: set[Veiled] = set()
    journeys = tuple(_journey(one, source, minimum, found) for one in figures.journeys)
    return replace(
        figures,
        journeys=journeys,
        touchpoints=_touchpoints(figures, source, minimum, found),
        closures=_closures(figures.closures, source, voice, minimum, found),
        weeks=_weeks(figures, source, minimum, found),
        tables=tuple(table for table in figures.tables if table.is_measure),
        sla_whole=figures.sla_total,
        # Drawn, but not told apart by people yet: of a part they are not shown at all.
        lanes=(),
        weeks_before=(),
        veiled=frozenset(found),
    )


def _journey(
    figures: JourneyFigures, source: Source, minimum: int, found: set[Veiled]
) -> JourneyFigures:
    people: dict[str, dict[str, int]] = {}
    for sql in (_PEOPLE, _MOVERS):
        for row in source.read(sql, journey=figures.journey):
            people.setdefault(row["step"] or "", {}).update(
                {column: row[column] for column in STEP_COLUMNS if column in row}
            )
    places = [step.step for step in figures.steps]
    hidden = _hidden(places, STEP_COLUMNS, people, minimum)
    found |= {(figures.journey, step, column) for step, column in hidden}
    sla = figures.sla
    if sla is not None:
        clocks = {row["step"]: row for row in source.read(_CLOCKS, journey=figures.journey)}
        rows = [row.step for row in sla]
        dark = _hidden(rows, SLA_COLUMNS, clocks, minimum)
        found |= {(figures.journey, step, f"sla_{column}") for step, column in dark}
        sla = tuple(_clocks(row, {c for s, c in dark if s == row.step}) for row in sla)
    return replace(
        figures,
        steps=tuple(_step(s, {c for step, c in hidden if step == s.step}) for s in figures.steps),
        sla=sla,
    )


def _hidden(
    rows: Sequence[str],
    columns: Sequence[str],
    people: Mapping[str, Mapping[str, int]],
    minimum: int,
) -> set[tuple[str, str]]:
    cells = [[people.get(row, {}).get(column, 0) for column in columns] for row in rows]
    # Columns have totals (the head, the last row); rows have none.
    grid = [*cells, [sum(column) for column in zip(*cells, strict=True)]]
    dark: set[tuple[str, str]] = set()
    for c, column in enumerate(columns):
        line = [row[c] for row in grid]
        dark |= {(rows[r], column) for r in hide_in_row(line, minimum) if r < len(rows)}
    return dark


def _step(step: StepFigures, hidden: set[str]) -> StepFigures:
    changed = replace(step, **dict.fromkeys(sorted(hidden), 0))  # type: ignore[arg-type]
    if "in_period" in hidden:
        changed = replace(changed, bands={})
    if "open" in hidden:
        changed = replace(changed, age_seconds=None)
    return replace(changed, dwell_seconds=None) if "left" in hidden else changed


def _clocks(row: SlaFigures, hidden: set[str]) -> SlaFigures:
    if not hidden:
        return row
    return replace(row, breached_open=0, **dict.fromkeys(sorted(hidden), 0))  # type: ignore[arg-type]


def _touchpoints(
    figures: Figures, source: Source, minimum: int, found: set[Veiled]
) -> tuple[TouchpointFigures, ...]:
    """Those of few people are left out; of the others the open ones may be hidden."""
    rows = source.read(_TOUCHPOINTS, journey=figures.shown.journey)
    people = {(r["touchpoint"], r["step"], r["band"]): (r["people"], r["open"]) for r in rows}
    keys = [(t.touchpoint, t.step, t.band) for t in figures.touchpoints]
    counts = [people.get(key, (0, 0)) for key in keys]
    grid = [[*pair, 0] for pair in counts]
    hidden = (
        hide([*grid, [sum(column) for column in zip(*grid, strict=True)]], minimum) if grid else ()
    )
    shown = []
    for r, touchpoint in enumerate(figures.touchpoints):
        if (r, 0) in hidden:
            found.add(("touchpoints", "", ""))
        elif (r, 1) in hidden:
            found.add(("touchpoints", touchpoint.touchpoint, "open"))
            shown.append(replace(touchpoint, open=0))
        else:
            shown.append(touchpoint)
    return tuple(shown)


def _weeks(figures: Figures, source: Source, minimum: int, found: set[Veiled]) -> tuple[Week, ...]:
    """All weeks or none: one line of them shows what another hides."""
    if not figures.weeks:
        return ()
    zone = figures.period.time_zone
    mondays = [week.monday for week in figures.weeks]
    rows = source.read(
        _WEEKS,
        starts=[format_instance(midnight(day, zone)) for day in mondays],
        ends=[format_instance(midnight(day + timedelta(weeks=1), zone)) for day in mondays],
    )
    if all(n >= minimum for row in rows for n in (row["opened"], row["resolved"]) if n):
        return figures.weeks
    found.add(("weeks", "", ""))
    return ()


def _closures(
    closures: Closures, source: Source, voice: str, minimum: int, found: set[Veiled]
) -> Closures:
    people = {row["how"]: row["people"] for row in source.read(_ENDS, voice=voice)}
    ways = sorted(people)
    dark = {
        ways[i]
        for i in hide_in_row([*(people[way] for way in ways), sum(people.values())], minimum)
        if i < len(ways)
    }
    found |= {("closures", way, "") for way in dark}
    named = [way for way in ("confirmed", "presumed", "denied", "unknown") if way in dark]
    kept = {way: 0 if way in dark else n for way, n in closures.outcomes.items()}
    return replace(closures, outcomes=kept, **dict.fromkeys(named, 0))
