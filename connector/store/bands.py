"""How long records stood in each band, and how long the consumer saw nothing of them.

Pieces come from the versions of the past (`replay.py`) where the audit can be read: exact to the
second. Else from one look a night: then every length is known to ± 1 night, and nothing is said of
the time before the first look. Works on TEMP TABLEs until `save`.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from connector.store.database import Row, Store
from connector.store.records import name
from connector.store.replay import Table
from connector.store.runs import naive

_KEY = "table_name, sys_id"


def begin(store: Store, waits: Sequence[str], last_steps: Mapping[str, str]) -> None:
    """Start over. While a record stands at one of `waits`, it waits for the consumer; what was
    resolved and stands in the last step of each journey (`last_steps`) is over.
    """
    store.execute(
        "CREATE OR REPLACE TEMP TABLE last_step AS SELECT unnest(map_keys(m)) AS journey,"
        " unnest(map_values(m)) AS step"
        " FROM (SELECT from_json($last, '\"MAP(VARCHAR, VARCHAR)\"') AS m)",
        last=json.dumps(dict(last_steps)),
    )
    store.execute("CREATE OR REPLACE TEMP TABLE piece_next AS FROM band_piece LIMIT 0")
    store.execute("CREATE OR REPLACE TEMP TABLE dwell_next AS FROM band_dwell LIMIT 0")
    store.execute("CREATE OR REPLACE TEMP TABLE stretch_next AS FROM invisible_stretch LIMIT 0")
    store.execute(
        "CREATE OR REPLACE TEMP TABLE waiting_at AS SELECT unnest($waits::VARCHAR[]) AS touchpoint",
        waits=list(waits),
    )


_NOW_BAND = (
    "CASE WHEN c.touchpoint IN (SELECT touchpoint FROM waiting_at) THEN 'consumer_backstage'"
    " ELSE c.band END"
)


def take(store: Store, table: Table, now: datetime) -> None:
    """The pieces of one part of the past, from its placed versions, up to the present band."""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE piece_part AS WITH version AS ("
        f" SELECT p.sys_id, p.since, p.band, {_NOW_BAND} AS now_band,"
        " row_number() OVER (PARTITION BY p.sys_id ORDER BY p.since DESC) = 1 AS is_last"
        " FROM replay_place p JOIN classified c ON c.table_name = $table AND c.sys_id = p.sys_id"
        " WHERE p.known_by = 'audit'), filled AS ("
        " SELECT sys_id, since,"
        " CASE WHEN is_last AND band = '' THEN now_band ELSE band END AS band,"
        " CASE WHEN is_last AND band = '' THEN 'night' ELSE 'exact' END AS resolution FROM version"
        " UNION ALL SELECT sys_id, $now, now_band, 'night' FROM version"
        " WHERE is_last AND band <> '' AND band <> now_band)"
        " FROM filled QUALIFY band IS DISTINCT FROM"
        " lag(band) OVER (PARTITION BY sys_id ORDER BY since)",
        table=table.name,
        now=naive(now),
    )
    store.execute(
        "INSERT INTO piece_next SELECT $table, sys_id, band, since, resolution FROM piece_part",
        table=table.name,
    )
    if table.journal:
        _take_stretches(store, table, now)


def _take_stretches(store: Store, table: Table, now: datetime) -> None:
    """The longest time between two things that the consumer saw, waits for the consumer apart."""
    store.execute(
        "INSERT INTO stretch_next WITH span AS ("
        f" SELECT r.sys_id, {table.born} AS born, {_ended(table)} AS ended"
        f" FROM current.{name(table.name)} r WHERE r.sys_id IN (SELECT sys_id FROM piece_part)"
        "), event AS ("
        " SELECT sys_id, born AS seen_at, false AS waits FROM span"
        " UNION ALL SELECT sys_id, since, band = 'consumer_backstage' FROM (FROM replay_place"
        " QUALIFY rule_id IS DISTINCT FROM"
        " lag(rule_id) OVER (PARTITION BY sys_id ORDER BY since)) moved"
        " WHERE band IN ('visible', 'consumer_backstage')"
        " UNION ALL SELECT sys_id, entered, false FROM replay_entry WHERE is_public"
        " UNION ALL SELECT sys_id, ended, false FROM span"
        "), gap AS (SELECT e.sys_id, e.seen_at, e.waits,"
        " lead(e.seen_at) OVER (PARTITION BY e.sys_id ORDER BY e.seen_at, e.waits) AS next_at"
        " FROM event e JOIN span s ON s.sys_id = e.sys_id"
        " WHERE e.seen_at BETWEEN s.born AND s.ended)"
        " SELECT $table, sys_id, max(date_diff('second', seen_at, next_at)) AS seconds,"
        " arg_max(seen_at, date_diff('second', seen_at, next_at)),"
        " arg_max(next_at, date_diff('second', seen_at, next_at)), 'exact'"
        " FROM gap WHERE NOT waits AND next_at > seen_at GROUP BY sys_id",
        table=table.name,
        now=naive(now),
    )


def _ended(table: Table) -> str:
    """When a record `r` was over, the present for an open one, as SQL."""
    ends = [
        f"TRY_CAST(r.{name(c)} AS TIMESTAMP)"
        for c in ("resolved_at", "closed_at")
        if c in table.columns
    ]
    over = f"least($now, coalesce({', '.join([*ends, '$now'])}))"
    return f"CASE WHEN {_is_over(table)} THEN {over} ELSE $now END" if ends else "$now"


def _is_over(table: Table) -> str:
    """Whether a record `r` is closed, or resolved and not taken up again, as SQL."""
    if "resolved_at" not in table.columns:
        return "r.active = 'false'"
    resolved = f"SELECT sys_id FROM current.{name(table.name)} WHERE resolved_at <> ''"
    return (
        "(r.active = 'false' OR r.sys_id IN (SELECT n.sys_id FROM standing_next n"
        f" JOIN last_step l USING (journey) WHERE n.table_name = $table AND n.sys_id IN ({resolved}"
        " AND active <> 'false') GROUP BY 1 HAVING bool_and(n.step = l.step)))"
    )


def settle(store: Store, tables: Sequence[Table], now: datetime) -> None:
    """What one look tells of records without a past, and the time in each band of all."""
    for table in tables:
        if "active" in table.columns:
            _look(store, table, now)
            _measure(store, table, now)


def _look(store: Store, table: Table, now: datetime) -> None:
    store.execute(
        "INSERT INTO piece_next WITH last AS (SELECT sys_id, arg_max(band, since) AS band"
        " FROM band_piece WHERE table_name = $table GROUP BY sys_id), seen AS ("
        f" SELECT c.sys_id, {_NOW_BAND} AS band FROM classified c"
        f" JOIN current.{name(table.name)} r ON r.sys_id = c.sys_id"
        " LEFT JOIN last l ON l.sys_id = c.sys_id WHERE c.table_name = $table"
        " AND c.touchpoint <> '' AND (r.active = 'true' OR l.sys_id IS NOT NULL)"
        f" AND {_NOW_BAND} IS DISTINCT FROM l.band)"
        " SELECT $table, s.sys_id, s.band, $now, 'night' FROM seen s WHERE s.sys_id NOT IN"
        " (SELECT sys_id FROM piece_next WHERE table_name = $table)",
        table=table.name,
        now=naive(now),
    )


def _measure(store: Store, table: Table, now: datetime) -> None:
    """TEMP TABLE `dwell_next`: of all that is open or whose pieces changed."""
    store.execute(
        "INSERT INTO dwell_next WITH changed AS ("
        " SELECT DISTINCT sys_id FROM piece_next WHERE table_name = $table"
        f"), wanted AS (SELECT r.sys_id, {_ended(table)} AS ended"
        f" FROM current.{name(table.name)} r"
        " WHERE r.active = 'true' OR r.sys_id IN (SELECT sys_id FROM changed)"
        "), piece AS ("
        " SELECT sys_id, band, since, resolution FROM piece_next WHERE table_name = $table"
        " UNION ALL SELECT sys_id, band, since, resolution FROM band_piece p"
        " WHERE table_name = $table AND NOT EXISTS (SELECT 1 FROM piece_next n"
        " WHERE n.table_name = $table AND n.sys_id = p.sys_id AND n.since <= p.since)"
        "), timed AS (SELECT p.*, w.ended, lead(p.since) OVER w AS next_at,"
        " coalesce(lead(p.resolution) OVER w, 'exact') AS next_resolution"
        " FROM piece p JOIN wanted w ON w.sys_id = p.sys_id"
        " WINDOW w AS (PARTITION BY p.sys_id ORDER BY p.since))"
        " SELECT $table, sys_id, band, sum(greatest(0, date_diff('second', since,"
        " least(coalesce(next_at, ended), ended)))), CASE WHEN bool_and(resolution = 'exact'"
        " AND (next_resolution = 'exact' OR next_at >= ended)) THEN 'exact' ELSE 'night' END"
        " FROM timed WHERE band <> '' GROUP BY sys_id, band",
        table=table.name,
        now=naive(now),
    )


def save(store: Store) -> None:
    """Keep what differs; call it in the transaction that keeps the places."""
    store.execute(
        "DELETE FROM band_piece p WHERE EXISTS (SELECT 1 FROM piece_next n"
        " WHERE n.table_name = p.table_name AND n.sys_id = p.sys_id AND n.since <= p.since)"
    )
    store.execute("INSERT INTO band_piece FROM piece_next")
    for table, temporary in (("band_dwell", "dwell_next"), ("invisible_stretch", "stretch_next")):
        store.execute(f"DELETE FROM {table} WHERE ({_KEY}) IN (SELECT ({_KEY}) FROM {temporary})")
        store.execute(f"INSERT INTO {table} FROM {temporary}")
    for table in ("band_piece", "band_dwell", "invisible_stretch"):
        store.execute(
            f"DELETE FROM {table} WHERE rowid IN (SELECT b.rowid FROM {table} b"
            " ANTI JOIN classified c ON c.table_name = b.table_name AND c.sys_id = b.sys_id)"
        )


# --- looking up -----------------------------------------------------------------------------------


def read_bands(store: Store, table: str, sys_id: str) -> tuple[list[Row], Row | None]:
    """A record's time in each band (band, seconds, resolution), and its longest time unseen."""
    key = {"table": table, "id": sys_id}
    rows = store.read(
        "SELECT band, seconds, resolution FROM band_dwell"
        " WHERE table_name = $table AND sys_id = $id ORDER BY seconds DESC, band",
        **key,
    )
    stretch = store.read(
        "SELECT seconds, began_at, ended_at, resolution FROM invisible_stretch"
        " WHERE table_name = $table AND sys_id = $id",
        **key,
    )
    return rows, stretch[0] if stretch else None


def band_totals(store: Store, journey: str) -> list[Row]:
    """Per table, step of `journey` and band: records, seconds of all, resolution (the coarsest).

    `longest` is the longest time unseen of any of them, NULL where nobody knows.
    """
    return store.read(
        "SELECT d.table_name, coalesce(c.steps[$journey], '') AS step, d.band,"
        " count(*) AS records, sum(d.seconds) AS seconds, max(s.seconds) AS longest,"
        " CASE WHEN bool_and(d.resolution = 'exact') THEN 'exact' ELSE 'night' END AS resolution"
        " FROM band_dwell d JOIN classification c ON c.table_name = d.table_name"
        " AND c.sys_id = d.sys_id LEFT JOIN invisible_stretch s ON s.table_name = d.table_name"
        " AND s.sys_id = d.sys_id GROUP BY ALL ORDER BY ALL",
        journey=journey,
    )
