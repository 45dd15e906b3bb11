"""The population of records: where they stand, what became of them, and who is behind them.

By step, touchpoint, band and lane; by the steps that they have reached since they were opened; by
the longest time in which nothing of them was seen; the initiatives among them by what came of them.
All are figures of the same records, so what one of them hides another might tell.
"""

from collections.abc import Iterator, Mapping, Sequence

from connector.report.lanes import SUPPLIER
from connector.report.population import (
    AGENTS,
    ENDINGS,
    INITIATIVES,
    SILENCES,
    VOICES,
    Population,
    Seen,
    family,
    slice_sql,
    slices,
    steps_of,
)
from connector.report.protect import Family
from connector.report.source import Source

_FATE = """CASE WHEN l.is_open THEN 'open' WHEN c.outcome = '' THEN 'ended'
            WHEN list_contains($endings, c.outcome) THEN c.outcome ELSE 'other' END"""

_IS_NEW = "coalesce(l.opened >= $since AND l.opened < $until, FALSE)"
_HAS_ENDED = "coalesce(NOT l.is_open AND l.ended >= $since AND l.ended < $until, FALSE)"

_SQL = """
WITH heat AS ({heat}), cohort AS ({cohort}),
reached AS (
    SELECT table_name, sys_id, to_step AS step FROM transition
    WHERE journey = $shown AND to_step <> ''
    UNION SELECT table_name, sys_id, steps[$shown] FROM classification
    WHERE steps[$shown] IS NOT NULL
), path AS (
    SELECT table_name, sys_id, list(step) AS steps, max(list_position($steps, step)) AS furthest
    FROM reached GROUP BY ALL
), unseen AS (
    SELECT table_name, sys_id, max(seconds) AS seconds FROM invisible_stretch GROUP BY ALL
)
SELECT {steps}, {visits}, c.touchpoint, c.band, c.band <> '' AS has_band,
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
       {is_new} AS is_new, coalesce(h.first_day, '') AS month,
       coalesce(NOT l.is_open AND l.ended >= $since AND l.ended < $until
                AND l.ended > l.opened, FALSE) AS is_life,
       c.table_name = 'sysapproval_approver' AS is_approval,
       list_contains($voices, c.touchpoint) AND c.table_name <> $initiatives AS is_voice,
       CASE WHEN c.touchpoint = $agents THEN coalesce(k.first_day, '') ELSE '' END AS agents_month,
       c.touchpoint = $agents AND k.first_day IS NOT NULL AS is_agents,
       CASE WHEN u.seconds IS NOT NULL AND coalesce(l.opened < $until
                AND (l.is_open OR coalesce(l.ended, l.opened) >= $since), FALSE)
            THEN len(list_filter($limits, x -> u.seconds >= x))::VARCHAR ELSE '' END AS silence,
       c.table_name = $initiatives AND {is_new} AS is_begun,
       c.table_name = $initiatives AND {is_new} AND coalesce(i.source, '') <> '' AS is_of_feedback,
       c.table_name = $initiatives AND {has_ended} AND c.outcome = '' AS is_done,
       c.table_name = $initiatives AND {has_ended} AND c.outcome <> '' AS is_given_up,
       c.table_name = $initiatives AND coalesce(l.is_open AND l.opened < $until, FALSE)
           AS is_under_way,
       w.person
FROM classification AS c
LEFT JOIN life AS l ON l.table_name = c.table_name AND l.sys_id = c.sys_id
LEFT JOIN who AS w ON w.table_name = c.table_name AND w.sys_id = c.sys_id
LEFT JOIN heat AS h ON l.opened >= h.s AND l.opened < h.e AND l.opened < $until
LEFT JOIN cohort AS k ON l.opened >= k.s AND l.opened < k.e
LEFT JOIN path AS v ON v.table_name = c.table_name AND v.sys_id = c.sys_id
LEFT JOIN unseen AS u ON u.table_name = c.table_name AND u.sys_id = c.sys_id
LEFT JOIN ({initiatives}) AS i ON c.table_name = $initiatives AND i.sys_id = c.sys_id
WHERE NOT list_contains($ignored, c.rule_id) AND NOT list_contains($measures, c.table_name)
"""


def standing(
    source: Source, journeys: Mapping[str, str], seen: Seen, other: Mapping[str, object]
) -> Population:
    """Every record of the scope; `journeys`: name of a column → id, `other`: the other period."""
    shown = next(name for name, id_ in journeys.items() if id_ == seen.journey)
    steps = [step.id for step in source.mapping.journeys[seen.journey].steps]
    has_source = source.has(INITIATIVES, "source_id")
    sql = _SQL.format(
        heat=slice_sql("month"),
        cohort=slice_sql("cohort"),
        steps=steps_of(journeys, "c", ""),
        visits=", ".join(_visits(len(steps))),
        is_new=_IS_NEW,
        has_ended=_HAS_ENDED,
        initiatives=f"SELECT sys_id, source_id AS source FROM current.{INITIATIVES}"
        if has_source
        else "SELECT '' AS sys_id, '' AS source",
    )
    params = {
        **journeys,
        **other,
        **slices(source, "month", seen.months, 31),
        **slices(source, "cohort", seen.cohorts, 31),
        **{f"step_id_{i}": step for i, step in enumerate(steps)},
        "steps": steps,
        "shown": seen.journey,
        "supplier": SUPPLIER,
        "endings": list(ENDINGS),
        "voices": list(VOICES),
        "initiatives": INITIATIVES,
        "agents": AGENTS,
        "limits": list(SILENCES),
    }
    families = (*_heads(), *_places(shown, journeys), *_cohort(steps), *_others())
    return Population(sql, families, params)


def _visits(count: int) -> Iterator[str]:
    """For each step what became there of a record opened in the period; "" where it never was."""
    for i in range(count):
        said = (
            f"CASE WHEN NOT {_IS_NEW} OR c.steps[$shown] IS NULL THEN ''"
            f" WHEN c.steps[$shown] = $step_id_{i} THEN {_FATE}"
            f" WHEN list_contains(v.steps, $step_id_{i})"
            f" THEN CASE WHEN v.furthest > {i + 1} THEN 'went_on' ELSE 'went_back' END"
            " ELSE '' END"
        )
        yield f"{said} AS visit_{i}, ({said}) <> '' AS has_visit_{i}"


def _heads() -> Iterator[Family]:
    yield family("head", "records", in_period=True)
    yield family("head", "open", in_period=True, is_open=True)
    yield family("head", "open_now", is_open=True)
    yield family("head", "banded", in_period=True, has_band=True)
    yield family("head", "visible", in_period=True, band="visible")
    yield family("head", "unclassified", in_period=True, is_unclassified=True)
    yield family("head", "low", in_period=True, is_low=True)
    yield family("head", "records_before", in_other=True)
    yield family("head", "said", is_new=True, is_voice=True)


def _places(shown: str, journeys: Mapping[str, str]) -> Iterator[Family]:
    place = ("touchpoint", "at_step", "at_band")
    yield family("touchpoint", by=place, in_period=True)
    yield family("touchpoint_open", by=place, in_period=True, is_open=True)
    yield family("lane", by=(shown, "lane"), in_period=True)
    yield family("heat", by=("touchpoint", "month"))
    yield family("life", by=("touchpoint",), is_life=True)
    yield family("approval", by=("touchpoint",), is_new=True, is_approval=True)
    for step, id_ in journeys.items():
        yield family("placed", id_, by=(step,))
        yield family("in_period", id_, by=(step,), in_period=True)
        yield family("open", id_, by=(step,), in_period=True, is_open=True)
        yield family("band", id_, by=(step, "band"), in_period=True)


def _cohort(steps: Sequence[str]) -> Iterator[Family]:
    for i, step in enumerate(steps):
        yield family("cohort", step, by=(f"visit_{i}",))
        yield Family(("cohort_reached", step), (), ((f"has_visit_{i}", True),))


def _others() -> Iterator[Family]:
    yield family("silence", by=("silence",))
    yield family("agents", by=("agents_month",))
    yield family("agents_ready", by=("agents_month",), is_open=False)
    yield family("agents", is_agents=True)
    yield family("agents_ready", is_agents=True, is_open=False)
    for stage in ("begun", "of_feedback", "done", "given_up", "under_way"):
        yield Family(("improvement", stage), (), ((f"is_{stage}", True),))
