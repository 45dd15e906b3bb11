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
from connector.store.words import as_word

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

    Of a record's life something is asked only if its inputs changed or it took another step. Who
    did is known when all are compared: those are then set right, and only those written twice.
    """
    mark = last_mark(store, run_id)
    known = {"last_steps": json.dumps(dict(last_steps)), "now": naive(now), "mark": mark}
    hashes = store.read("SELECT mapping_hash FROM classified LIMIT 1")
    store.execute(_PLACED_OTHERWISE, hash=hashes[0]["mapping_hash"] if hashes else None)
    store.execute(f"CREATE OR REPLACE TEMP TABLE life AS {_NO_LIFE}")
    _gather_lives(store, tables, _IS_FRESH, mark=mark)
    store.execute(f"CREATE OR REPLACE TEMP TABLE standing_next AS {_standing(_COMPARED)}", **known)
    store.execute(_MOVED)
    if store.value("SELECT count(*) FROM moved"):
        _gather_lives(store, tables, _HAS_MOVED)
        store.execute("DELETE FROM standing_next WHERE rowid IN (SELECT _row FROM moved)")
        store.execute(f"INSERT INTO standing_next {_standing('moved')}", **known)
    for table in ("moved", "placed_otherwise", "life"):
        store.execute(f"DROP TABLE {table}")


def _gather_lives(store: Store, tables: Sequence[str], which: str, **known: object) -> None:
    """Add to TEMP TABLE `life` the records that `which` chooses.

    One table after the other: a union of all would hold them all at once.
    """
    held = held_columns(store)
    for table in tables:
        if table in held:
            chosen = which.format(table=name(table)[1:-1])
            store.execute(f"INSERT INTO life {_life(table, held[table])} WHERE {chosen}", **known)


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

_IS_FRESH = "$mark::TIMESTAMP IS NULL OR inputs_at > $mark::TIMESTAMP"
_HAS_MOVED = "sys_id IN (SELECT sys_id FROM moved WHERE table_name = '{table}')"

_COMPARED = """(
    SELECT w.*, s.step AS from_step, s.since AS from_since, s.source AS from_source,
        s.resolution AS from_resolution
    FROM (
        SELECT table_name, sys_id, rule_id,
            unnest(map_keys(steps)) AS journey, unnest(map_values(steps)) AS step
        FROM classified
    ) w LEFT JOIN standing s USING (table_name, sys_id, journey)
)"""

# Those that took another step, and of whose life nothing was asked yet.
_MOVED = """
CREATE OR REPLACE TEMP TABLE moved AS
SELECT n.rowid AS _row, n.table_name, n.sys_id, n.rule_id, n.journey, n.step,
    nullif(n.from_step, '') AS from_step, n.from_since, NULL AS from_source,
    NULL AS from_resolution
FROM standing_next n ANTI JOIN life l ON l.table_name = n.table_name AND l.sys_id = n.sys_id
WHERE n.is_moved
"""

_PLACED_OTHERWISE = """
CREATE OR REPLACE TEMP TABLE placed_otherwise AS
SELECT table_name, sys_id, rule_id = 'override' AS was_overruled,
    mapping_hash <> $hash AS is_other_mapping
FROM classification WHERE rule_id = 'override' OR mapping_hash <> $hash
"""

WORDS = (
    *("observed", "timestamp", "adopted", "audit", "inferred", "exact", "night"),
    *("override", "mapping", "customer"),
)
"""What is said of a standing beside its journey and step, here and where its past is told."""


def _standing(compared: str) -> str:
    """SQL: how those that are `compared` with their last standing stand now."""
    return f"""
WITH wanted AS (
    SELECT *, from_json($last_steps, '"MAP(VARCHAR, VARCHAR)"')[journey] AS last_step
    FROM {compared}
), known AS (
    SELECT w.*, l.inputs_at,
        l.own_step = w.step AND l.own_since IS NOT NULL AS is_adopted, l.own_since,
        least($now, CASE WHEN l.is_over OR w.step = w.last_step THEN l.ended ELSE l.began END)
            AS told,
        (w.from_since IS NULL OR l.inputs_at > w.from_since) AND l.inputs_at <= $now
            AND ($mark::TIMESTAMP IS NULL OR l.inputs_at > $mark::TIMESTAMP) AS is_fresh,
        o.is_other_mapping, o.was_overruled, from_step = step AS is_same
    FROM wanted w LEFT JOIN life l USING (table_name, sys_id)
    LEFT JOIN placed_otherwise o USING (table_name, sys_id)
), timed AS (
    SELECT *, CASE
        WHEN is_same THEN from_since
        WHEN from_step IS NOT NULL THEN CASE WHEN is_fresh THEN inputs_at ELSE $now END
        WHEN is_adopted THEN own_since
        ELSE coalesce(told, $now) END AS since,
    CASE
        WHEN is_same THEN {as_word("from_source")}
        WHEN from_step IS NOT NULL THEN {as_word("'observed'")}
        WHEN is_adopted THEN {as_word("'adopted'")}
        WHEN told IS NOT NULL THEN {as_word("'timestamp'")}
        ELSE {as_word("'observed'")} END AS source,
    CASE
        WHEN is_same THEN coalesce({as_word("from_resolution")}, {as_word("'night'")})
        WHEN from_step IS NULL AND NOT coalesce(is_adopted, false) AND told IS NOT NULL
            THEN {as_word("'exact'")}
        ELSE {as_word("'night'")} END AS resolution
    FROM known
)
SELECT table_name, sys_id, journey, step, since, source, resolution, rule_id,
    CASE WHEN is_same THEN step ELSE coalesce({as_word("from_step")}, {as_word("''")}) END
        AS from_step,
    from_since,
    CASE WHEN rule_id = 'override' OR (was_overruled AND NOT coalesce(is_fresh, false))
        THEN {as_word("'override'")}
    WHEN is_other_mapping AND NOT coalesce(is_fresh, false)
        THEN {as_word("'mapping'")} ELSE {as_word("'customer'")} END AS cause,
    since AS happened_at, NOT coalesce(is_same, false) AS is_moved
FROM timed
"""
