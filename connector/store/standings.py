"""In which step a record stands, and since when: what depends on the path.

Compares the TEMP TABLE `classified` with what was stored; saves nothing.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from connector.store.classifications import held_columns
from connector.store.database import Store
from connector.store.records import name
from connector.store.runs import naive

_BEGAN = ("u_date", "opened_at", "start_time", "sys_created_on")
_ENDED = ("resolved_at", "end_time", "taken_on", "closed_at")
"""When the present step of a record began, if nothing better is known: the first filled one.

What is over, or stands in the last step, came there when it ended."""

_STEP, _SINCE = "u_journey_step", "u_journey_since"


def stand(
    store: Store, tables: Sequence[str], last_steps: Mapping[str, str], now: datetime, run_id: str
) -> None:
    """TEMP TABLE `standing_next`: every classified record in every journey, and since when.

    A step that stays keeps its time. One that changed began when the record's inputs changed, if
    they did since the last run, else now. On first sight the tool's own earlier word is adopted,
    else the record's timestamps say.
    """
    mark = last_mark(store, run_id)
    store.execute(_COMPARED)
    store.execute(_PLACED_OTHERWISE)
    _gather_lives(store, tables, mark)
    store.execute(_STANDING, last_steps=json.dumps(dict(last_steps)), now=naive(now), mark=mark)
    for table in ("compared", "placed_otherwise", "life"):
        store.execute(f"DROP TABLE {table}")


def _gather_lives(store: Store, tables: Sequence[str], mark: datetime | None) -> None:
    """TEMP TABLE `life` of the records that took another step, or whose inputs changed.

    Of all others nothing is asked: they stay. One table after the other: a union of all would hold
    them all at once.
    """
    held = held_columns(store)
    store.execute(f"CREATE OR REPLACE TEMP TABLE life AS {_NO_LIFE}")
    for table in tables:
        if table in held:
            store.execute(
                f"INSERT INTO life {_life(table, held[table])} WHERE sys_id IN (SELECT sys_id"
                " FROM compared WHERE table_name = $table AND step IS DISTINCT FROM from_step)"
                " OR $mark::TIMESTAMP IS NULL OR inputs_at > $mark::TIMESTAMP",
                table=table,
                mark=mark,
            )


def last_mark(store: Store, run_id: str = "") -> datetime | None:
    """Data until here, naive UTC: the high mark of the last run that ended well, but `run_id`.

    Only runs that placed the records: where one could not, what stands is older.
    """
    rows = store.read(
        "SELECT arg_max(high_mark, started_at) AS mark FROM run"
        " WHERE kind = 'sync' AND outcome IN ('succeeded', 'partial') AND run_id <> $run_id"
        " AND is_placed IS NOT FALSE",
        run_id=run_id,
    )
    mark: datetime | None = rows[0]["mark"]
    return mark


def _life(table: str, columns: set[str]) -> str:
    began = _first_time(_BEGAN, columns)
    ended = _first_time((*_ENDED, *_BEGAN), columns)
    is_over = "active = 'false'" if "active" in columns else "false"
    own = f'"{_STEP}"' if _STEP in columns else "NULL"
    since = _first_time((_SINCE,), columns)
    return (
        f"SELECT '{name(table)[1:-1]}' AS table_name, sys_id,"
        f" TRY_CAST(_inputs_updated_on AS TIMESTAMP) AS inputs_at, {began} AS began,"
        f" {ended} AS ended, {is_over} AS is_over, {own} AS own_step,"
        f" {since} AS own_since FROM current.{name(table)}"
    )


def _first_time(wanted: Sequence[str], columns: set[str]) -> str:
    parts = [f"TRY_CAST({name(column)} AS TIMESTAMP)" for column in wanted if column in columns]
    return f"coalesce({', '.join(parts)}, NULL)" if parts else "NULL::TIMESTAMP"


_NO_LIFE = (
    "SELECT '' AS table_name, '' AS sys_id, NULL::TIMESTAMP AS inputs_at, NULL::TIMESTAMP AS began,"
    " NULL::TIMESTAMP AS ended, false AS is_over, '' AS own_step,"
    " NULL::TIMESTAMP AS own_since WHERE false"
)

_COMPARED = """
CREATE OR REPLACE TEMP TABLE compared AS
SELECT w.*, s.step AS from_step, s.since AS from_since, s.source AS from_source,
    s.resolution AS from_resolution
FROM (
    SELECT table_name, sys_id, rule_id,
        unnest(map_keys(steps)) AS journey, unnest(map_values(steps)) AS step
    FROM classified
) w LEFT JOIN standing s USING (table_name, sys_id, journey)
"""

_PLACED_OTHERWISE = """
CREATE OR REPLACE TEMP TABLE placed_otherwise AS
SELECT table_name, sys_id, rule_id = 'override' AS was_overruled,
    mapping_hash <> (SELECT any_value(mapping_hash) FROM classified) AS is_other_mapping
FROM classification
WHERE rule_id = 'override' OR mapping_hash <> (SELECT any_value(mapping_hash) FROM classified)
"""

_STANDING = """
CREATE OR REPLACE TEMP TABLE standing_next AS
WITH wanted AS (
    SELECT *, from_json($last_steps, '"MAP(VARCHAR, VARCHAR)"')[journey] AS last_step FROM compared
), known AS (
    SELECT w.*, l.inputs_at,
        l.own_step = w.step AND l.own_since IS NOT NULL AS is_adopted, l.own_since,
        least($now, CASE WHEN l.is_over OR w.step = w.last_step THEN l.ended ELSE l.began END)
            AS told,
        (w.from_since IS NULL OR l.inputs_at > w.from_since) AND l.inputs_at <= $now
            AND ($mark::TIMESTAMP IS NULL OR l.inputs_at > $mark::TIMESTAMP) AS is_fresh,
        o.is_other_mapping, o.was_overruled
    FROM wanted w LEFT JOIN life l USING (table_name, sys_id)
    LEFT JOIN placed_otherwise o USING (table_name, sys_id)
), timed AS (
    SELECT *, CASE
        WHEN from_step = step THEN from_since
        WHEN from_step IS NOT NULL THEN CASE WHEN is_fresh THEN inputs_at ELSE $now END
        WHEN is_adopted THEN own_since
        ELSE coalesce(told, $now) END AS since,
    CASE
        WHEN from_step = step THEN from_source
        WHEN from_step IS NOT NULL THEN 'observed'
        WHEN is_adopted THEN 'adopted'
        WHEN told IS NOT NULL THEN 'timestamp'
        ELSE 'observed' END AS source,
    CASE
        WHEN from_step = step THEN coalesce(from_resolution, 'night')
        WHEN from_step IS NULL AND NOT coalesce(is_adopted, false) AND told IS NOT NULL THEN 'exact'
        ELSE 'night' END AS resolution
    FROM known
)
SELECT table_name, sys_id, journey, step, since, source, resolution, rule_id,
    coalesce(from_step, '') AS from_step, from_since,
    CASE WHEN rule_id = 'override' OR (was_overruled AND NOT coalesce(is_fresh, false))
        THEN 'override'
    WHEN is_other_mapping AND NOT coalesce(is_fresh, false)
        THEN 'mapping' ELSE 'customer' END AS cause,
    since AS happened_at
FROM timed
"""
