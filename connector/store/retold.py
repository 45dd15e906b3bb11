"""The moves of records: as their past tells them (`replay.py`), else as they were seen to move.

replay_move     the moves that were told, of all parts of the records
move_next       every move of this run
"""

import json
from collections.abc import Mapping
from datetime import datetime

from connector.store.database import Store

FLAPPING_SECONDS = 60
"""A shorter stay in a step is a slip of the hand, no stay."""


def begin(store: Store, positions: Mapping[str, int]) -> None:
    """Start over. `positions`: how far along each `journey/step` lies."""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE replay_move (table_name VARCHAR, sys_id VARCHAR,"
        " journey VARCHAR, from_step VARCHAR, to_step VARCHAR, from_since TIMESTAMP,"
        " happened_at TIMESTAMP, source VARCHAR, resolution VARCHAR, cause VARCHAR,"
        " rule_id VARCHAR, outcome VARCHAR)"
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE move_position AS"
        " SELECT unnest(map_keys(p)) AS place, unnest(map_values(p)) AS position"
        " FROM (SELECT from_json($positions, '\"MAP(VARCHAR, BIGINT)\"') AS p)",
        positions=json.dumps(dict(positions)),
    )


def move(store: Store, table: str, mark: datetime | None) -> None:
    """Add to `replay_move` how the records of this part came to where they stand now.

    From where they stood last (nothing is told twice), through their versions since, to their
    present step.
    """
    store.execute(_MOVES, table=table, mark=mark)


_MOVES = f"""
INSERT INTO replay_move
WITH told AS (
    SELECT n.*, c.outcome AS now_outcome, s.since AS stood_since
    FROM standing_next n JOIN replay_part k ON k.sys_id = n.sys_id AND k.moves
    JOIN classified c ON c.table_name = n.table_name AND c.sys_id = n.sys_id
    LEFT JOIN standing s ON s.table_name = n.table_name AND s.sys_id = n.sys_id
        AND s.journey = n.journey
    WHERE n.table_name = $table AND (k.known_by = 'audit' OR n.source <> 'adopted')
), version AS (
    SELECT sys_id, unnest(map_keys(steps)) AS journey, unnest(map_values(steps)) AS step,
        since, rule_id, outcome, is_sure, known_by
    FROM replay_place
), latest AS (
    SELECT sys_id, journey, max(since) AS last_at FROM version GROUP BY sys_id, journey
), row_ AS (
    SELECT sys_id, journey, from_step AS step, stood_since AS since, 0 AS kind, '' AS source,
        '' AS resolution, '' AS cause, '' AS rule_id, '' AS outcome
    FROM told WHERE from_step <> ''
    UNION ALL
    SELECT v.sys_id, v.journey, v.step, v.since, 1,
        CASE WHEN v.known_by = 'timestamp' THEN 'timestamp' WHEN v.is_sure THEN 'audit'
        ELSE 'inferred' END,
        CASE WHEN v.known_by = 'timestamp' OR v.is_sure THEN 'exact' ELSE 'night' END,
        'customer', v.rule_id, v.outcome
    FROM version v JOIN told t ON t.sys_id = v.sys_id AND t.journey = v.journey
    WHERE t.from_step = '' OR (v.since > t.stood_since
        AND ($mark::TIMESTAMP IS NULL OR v.since > $mark::TIMESTAMP))
    UNION ALL
    SELECT t.sys_id, t.journey, t.step, greatest(t.since, l.last_at), 2,
        CASE WHEN l.last_at > t.since THEN 'inferred' ELSE t.source END,
        CASE WHEN l.last_at > t.since THEN 'night' ELSE t.resolution END,
        t.cause, t.rule_id, t.now_outcome
    FROM told t LEFT JOIN latest l ON l.sys_id = t.sys_id AND l.journey = t.journey
), changed AS (
    SELECT * FROM row_ WINDOW w AS (PARTITION BY sys_id, journey ORDER BY since, kind)
    QUALIFY step IS DISTINCT FROM lag(step) OVER w
), steady AS (
    SELECT * FROM changed WINDOW w AS (PARTITION BY sys_id, journey ORDER BY since, kind)
    QUALIFY kind <> 1 OR coalesce(date_diff('second', since, lead(since) OVER w), 1e9)
        >= {FLAPPING_SECONDS}
), kept AS (
    SELECT * FROM steady WINDOW w AS (PARTITION BY sys_id, journey ORDER BY since, kind)
    QUALIFY step IS DISTINCT FROM lag(step) OVER w
), linked AS (
    SELECT *, coalesce(lag(step) OVER w, '') AS from_step, lag(since) OVER w AS from_since
    FROM kept WINDOW w AS (PARTITION BY sys_id, journey ORDER BY since, kind)
)
SELECT $table, sys_id, journey, from_step, step, from_since, since, source, resolution, cause,
    rule_id, outcome
FROM linked WHERE kind > 0
"""


def settle(store: Store) -> None:
    """TEMP TABLE `move_next`: every move of this run; `standing_next` begins where they end.

    Records whose past was told move as it says; the others as they were seen to.
    """
    store.execute(
        "CREATE OR REPLACE TEMP TABLE replay_last AS SELECT table_name, sys_id, journey,"
        " arg_max(to_step, happened_at) AS step, max(happened_at) AS since,"
        " arg_max(source, happened_at) AS source, arg_max(resolution, happened_at) AS resolution"
        " FROM replay_move GROUP BY ALL"
    )
    store.execute(
        "UPDATE standing_next n SET since = l.since, source = l.source, resolution = l.resolution"
        " FROM replay_last l WHERE l.table_name = n.table_name AND l.sys_id = n.sys_id"
        " AND l.journey = n.journey AND l.step = n.step"
        " AND (n.source <> 'adopted' OR l.source = 'audit')"
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE move_next AS"
        " WITH seen AS (SELECT table_name, sys_id, journey, from_step, to_step, from_since,"
        " happened_at, source, resolution, cause, rule_id, outcome FROM replay_move"
        " UNION ALL SELECT n.table_name, n.sys_id, n.journey, n.from_step, n.step, n.from_since,"
        " n.since, n.source, n.resolution, n.cause, n.rule_id, c.outcome FROM standing_next n"
        " JOIN classified c ON c.table_name = n.table_name AND c.sys_id = n.sys_id"
        " WHERE n.is_moved AND NOT EXISTS (SELECT 1 FROM replay_last l"
        " WHERE l.table_name = n.table_name AND l.sys_id = n.sys_id AND l.journey = n.journey))"
        " SELECT s.* EXCLUDE (from_since),"
        " CASE WHEN from_step <> '' THEN date_diff('second', from_since, happened_at) END"
        " AS dwell_seconds, coalesce(b.position < a.position, false) AS is_back_step"
        " FROM seen s LEFT JOIN move_position a ON a.place = s.journey || '/' || s.from_step"
        " LEFT JOIN move_position b ON b.place = s.journey || '/' || s.to_step"
    )
    store.execute("DROP TABLE replay_last")
