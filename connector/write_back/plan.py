"""The plan: what each record shall hold against what it was seen to hold."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TextIO

from connector.journey import fields
from connector.journey.model import Mapping as JourneyMapping
from connector.store import changes, moments, parties, plans
from connector.store.changes import Change, Planned, Window
from connector.store.database import Store
from connector.timestamps import format_instance
from connector.write_back.settings import Settings

PART = 500
"""Records of a plan that are in memory at once."""


def plan(
    store: Store,
    mapping: JourneyMapping,
    settings: Settings,
    now: datetime,
    *,
    only: tuple[str, ...] = (),
    limit: int | None = None,
    is_retry: bool = False,
) -> list[Planned]:
    """Plan what the tool needs, by table, record and field; at most `limit` records.

    What was set aside is left out until its pause is over, unless `is_retry`.

    Reads the TEMP TABLEs `classified`, `standing_next` and `override_next` that classification
    left; the plan is a TEMP TABLE too (`changes.iterate_plan`). Whose relationship a record is is
    said by runs that computed them (`parties.tie_records`); others leave that field alone.
    Answers how much it holds of each table.
    """
    is_tied = settings.relationship and parties.are_tied(store)
    wanted = {k: v for k, v in WANTED.items() if is_tied or k != fields.RELATIONSHIP}
    with store.scratching():
        _prepare(store, mapping, settings, is_tied=is_tied)
    window = Window(
        format_instance(now - settings.settled),
        format_instance(now - settings.backfill),
        only,
        settings.place,
    )
    left = settings.max_records if limit is None else min(limit, settings.max_records)
    changes.begin_plan(store)
    with store.scratching():
        for table in sorted(settings.tables):
            left -= changes.plan_table(
                store, table, wanted, PASSENGERS, window, left, now=None if is_retry else now
            )
    return changes.count_plan(store)


_LONGEST_WHY = next(f.max_length for f in fields.RECORD_FIELDS if f.name == fields.WHY)

WANTED: dict[str, str] = {
    fields.STEP: "coalesce(d.step, '')",
    fields.TOUCHPOINT: "d.touchpoint",
    fields.BAND: "d.band",
    fields.MOMENT: "coalesce(d.moment, CASE WHEN d.is_potential_moment THEN 'potential' ELSE ''"
    " END)",
    fields.OUTCOME: "d.outcome",
    fields.VALUE: "d.value",
    fields.SINCE: "coalesce(strftime(d.since, '%Y-%m-%d %H:%M:%S'), '')",
    fields.WHY: "coalesce(d.why, '')",
    fields.RULE: "d.rule_id",
    fields.CONFIDENCE: "d.confidence",
    fields.LAST_VISIBLE: "coalesce(d.last_visible, '')",
    # A record without a place is not written for its relationship alone.
    fields.RELATIONSHIP: "CASE WHEN cardinality(d.steps) > 0"
    " THEN coalesce(d.relationship::VARCHAR, '') ELSE '' END",
}
"""Each of our fields → its wanted value over `desired d`."""

PASSENGERS = tuple(f.name for f in fields.RECORD_FIELDS if not f.causes_write)


def _prepare(store: Store, mapping: JourneyMapping, settings: Settings, *, is_tied: bool) -> None:
    """TEMP TABLE `desired`: one row per classified record, with the texts of the shown journey."""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE rule_why AS"
        " SELECT unnest($rules::VARCHAR[]) AS rule_id, unnest($whys::VARCHAR[]) AS why",
        rules=[rule.id for rule in mapping.rules],
        whys=[rule.because.in_(settings.language)[:_LONGEST_WHY] for rule in mapping.rules],
    )
    moments.ensure_chosen(store)
    # What few records have goes together first: each join of a statement holds its own buffers.
    store.execute(
        "CREATE OR REPLACE TEMP TABLE said AS SELECT table_name, sys_id, choice, reason"
        " FROM record_moment FULL JOIN override_next USING (table_name, sys_id)"
    )
    tied = " LEFT JOIN tied t ON t.sys_id = c.sys_id" if is_tied else ""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE desired AS"  # noqa: S608 - both parts are ours
        f" SELECT c.*{', t.relationship' if is_tied else ''},"
        " c.steps[$journey] AS step, s.since, x.choice AS moment,"
        " coalesce(CASE c.rule_id WHEN 'override' THEN x.reason END, w.why) AS why"
        " FROM classified c"
        " LEFT JOIN standing_next s ON s.table_name = c.table_name AND s.sys_id = c.sys_id"
        " AND s.journey = $journey AND c.steps[$journey] IS NOT NULL"
        " LEFT JOIN rule_why w ON w.rule_id = c.rule_id"
        f" LEFT JOIN said x ON x.table_name = c.table_name AND x.sys_id = c.sys_id{tied}",
        journey=settings.journey,
    )


def let_go(store: Store, rows: Sequence[str], run_id: str = "") -> list[Planned]:
    """Take references to rows that are not in the tool out of the plan: a later run plans them.

    With `run_id` out of what `changes.save_plan` stored for it as well. Answers what is left.
    """
    if rows:
        plans.let_go(store, fields.RELATIONSHIP, rows, PASSENGERS)
        if run_id:
            plans.forget_unplanned(store, run_id)
    return changes.count_plan(store)


def plan_lines(planned: Iterable[Change]) -> str:
    """Changes as JSON Lines: the same changes give the same bytes."""
    return "".join(
        json.dumps(
            {
                "table": change.table,
                "sys_id": change.sys_id,
                "number": change.number,
                "field": change.field,
                "from": change.from_value,
                "to": change.to_value,
            },
            ensure_ascii=False,
        )
        + "\n"
        for change in planned
    )


def write_plan(store: Store, target: TextIO) -> None:
    """Write the whole plan as JSON Lines."""
    for part in changes.iterate_plan(store, PART):
        target.write(plan_lines(part))
