"""The cube: one grouped read that every count of a report is summed from, and its plainest sums.

Read for the period of the report, and for the one that it is compared with.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from connector.report.departments import has_clocks
from connector.report.figures import Before, Closures, Compared, Share
from connector.report.life import MEASURES
from connector.report.source import Source, count_people
from connector.report.trend import measure_flows
from connector.store.database import Row
from connector.timestamps import format_instance

Cube = Sequence[Row]

CUBE = """
SELECT c.table_name, c.steps, c.touchpoint, c.band, c.value, c.outcome,
       c.rule_id = 'unclassified' AS is_unclassified,
       c.confidence = 'low' AND c.rule_id <> 'unclassified' AS is_low,
       coalesce(l.is_open, FALSE) AS is_open,
       coalesce(l.opened < $until AND (l.is_open OR coalesce(l.ended, l.opened) >= $since),
                l.is_open, FALSE) AS in_period,
       coalesce(NOT l.is_open AND l.ended >= $since AND l.ended < $until, FALSE) AS has_ended,
       count(*) AS n
FROM classification AS c
LEFT JOIN life AS l ON l.table_name = c.table_name AND l.sys_id = c.sys_id
WHERE NOT list_contains($ignored, c.rule_id)
GROUP BY ALL
"""

_RESULTS = "SELECT result, count(*) AS n FROM clock WHERE in_period GROUP BY ALL"

VOICE = "survey_answered"
"""Where a ticket stands about which somebody spoke; without value, it was denied."""


def count(cube: Cube, keep: Callable[[Row], bool] = lambda _row: True) -> int:
    """The records of the rows that are kept."""
    return sum(row["n"] for row in cube if keep(row))


def closures_of(source: Source, cube: Cube) -> Closures:
    """How the tickets that ended in the period of a cube ended."""
    ended = [row for row in cube if row["has_ended"] and row["table_name"] in source.tickets]
    outcomes: Counter[str] = Counter()
    for row in ended:
        outcomes[row["value"] or row["outcome"] or _unsaid(row)] += row["n"]
    return Closures(
        **{how: outcomes.pop(how, 0) for how in ("confirmed", "presumed", "denied", "unknown")},
        outcomes=dict(sorted(outcomes.items())),
    )


def _unsaid(row: Row) -> str:
    return "denied" if row["touchpoint"] == VOICE else "unknown"


def before_of(source: Source, compared: Compared, minimum_group: int) -> Before | None:
    """The other period, None where there is none or too few people were in it."""
    if compared == "none":
        return None
    period = source.period.previous if compared == "previous" else source.period.year_before
    bounds = {"since": format_instance(period.start), "until": format_instance(period.end)}
    if source.scope.is_part and count_people(source, **bounds) < minimum_group:
        return None
    cube = source.read(CUBE, **bounds)
    sla = None
    if has_clocks(source):
        results = {row["result"]: row["n"] for row in source.read(_RESULTS, **bounds)}
        met, breached = results.get("met", 0), results.get("breached", 0)
        sla = Share(met, met + breached)
    return Before(
        period,
        count(cube, lambda row: row["in_period"] and row["table_name"] not in MEASURES),
        measure_flows(source, [(period.start, period.end)])[0],
        closures_of(source, cube),
        sla,
    )
