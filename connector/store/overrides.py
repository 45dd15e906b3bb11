"""What stewards overruled by hand, in the tool: honoured until the record's own state changes.

An override holds for the state in which the steward said it. The audit tells which that was; where
it cannot be read, it is the state in which the override was first seen here (path-dependent).
Works on the TEMP TABLE `override_next` until it is saved.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.store.database import Row, Store
from connector.store.records import list_columns, name
from connector.store.runs import naive

RULE = "override"
"""The rule id of a record that a steward placed."""

WORDS = (RULE, "high")
"""What `apply` says of a record beside its place."""

_WORD, _REASON = "u_journey_override", "u_journey_override_reason"
_PLACES = (
    '[{"touchpoint": "VARCHAR", "steps": "MAP(VARCHAR, VARCHAR)", "band": "VARCHAR",'
    ' "is_potential_moment": "BOOLEAN", "last_visible": "VARCHAR"}]'
)


def begin(
    store: Store,
    held: Mapping[str, Collection[str]],
    places: Sequence[Mapping[str, Any]],
    now: datetime,
) -> None:
    """TEMP TABLE `override_next`: every override that the tool holds, of the tables in `held`.

    `places` says what each touchpoint of the catalogue gives. One that a steward set or changed
    holds from now on for the present state; one whose record left that state has ended.
    """
    store.execute("CREATE OR REPLACE TEMP TABLE override_next AS FROM journey_override LIMIT 0")
    store.execute(
        "CREATE OR REPLACE TEMP TABLE override_place AS SELECT unnest("
        f"from_json($places, '{_PLACES}'), recursive := false) AS p",
        places=json.dumps(list(places)),
    )
    left = _LEFT if set(list_columns(store, "sys_audit")) >= _AUDITED else _UNKNOWN
    store.execute(f"CREATE OR REPLACE TEMP TABLE state_left AS {left}")
    for table, columns in held.items():
        if _WORD in columns:
            store.execute(_next(table, columns), table=table, now=naive(now))
    store.execute("DROP TABLE state_left")


_AUDITED = {"documentkey", "fieldname", "oldvalue", "sys_created_on"}

# The state that a record first left after the steward's last word on it, and when.
_LEFT = f"""
SELECT documentkey AS sys_id, arg_min(oldvalue, sys_created_on) AS state,
    min(TRY_CAST(sys_created_on AS TIMESTAMP)) AS left_at
FROM current.sys_audit JOIN (
    SELECT documentkey, max(sys_created_on) AS said_at FROM current.sys_audit
    WHERE fieldname IN ('{_WORD}', '{_REASON}') GROUP BY documentkey
) USING (documentkey)
WHERE fieldname = 'state' AND sys_created_on > said_at GROUP BY documentkey
"""
_UNKNOWN = "SELECT NULL::VARCHAR AS sys_id, NULL::VARCHAR AS state, NULL::TIMESTAMP AS left_at"


def _next(table: str, columns: Collection[str]) -> str:
    # NULL is unknown: a column that is hidden for a night neither ends an override nor begins one.
    state = "c.state" if "state" in columns else "''"
    reason = f"coalesce(c.{_REASON}, '')" if _REASON in columns else "''"
    same = f"o.touchpoint IS NOT DISTINCT FROM c.{_WORD} AND o.reason = {reason}"
    has_left = f"o.ended_at IS NULL AND o.state <> '' AND {state} <> o.state"
    return (
        f"INSERT INTO override_next SELECT $table, c.sys_id, c.{_WORD}, {reason},"
        f" CASE WHEN {same} AND o.state <> '' THEN o.state"
        f" ELSE coalesce(l.state, {state}, '') END,"
        f" CASE WHEN {same} THEN o.seen_at ELSE $now END,"
        f" CASE WHEN {same} THEN CASE WHEN {has_left} THEN $now ELSE o.ended_at END"
        " ELSE l.left_at END,"
        " coalesce(o.overruled, '')"
        f" FROM current.{name(table)} c LEFT JOIN journey_override o"
        " ON o.table_name = $table AND o.sys_id = c.sys_id"
        " LEFT JOIN state_left l ON l.sys_id = c.sys_id"
        f" WHERE c.{_WORD} <> ''"
        " UNION ALL SELECT o.* FROM journey_override o"
        f" JOIN current.{name(table)} c USING (sys_id)"
        f" WHERE o.table_name = $table AND c.{_WORD} IS NULL"
    )


def apply(store: Store, table: str) -> None:
    """Let the overrides of one table overrule what its rules said, in `classified`."""
    in_force = "ended_at IS NULL AND table_name = $table"
    if not store.value(f"SELECT count(*) FROM override_next WHERE {in_force}", table=table):
        return
    store.execute(
        "UPDATE override_next o SET overruled = c.rule_id FROM classified c"
        " WHERE o.table_name = $table AND c.table_name = $table AND c.sys_id = o.sys_id"
        " AND o.ended_at IS NULL AND o.touchpoint IN (SELECT p.touchpoint FROM override_place)",
        table=table,
    )
    store.execute(
        f"UPDATE classified c SET rule_id = '{RULE}', touchpoint = t.p.touchpoint,"
        " steps = t.p.steps, band = t.p.band, is_potential_moment = t.p.is_potential_moment,"
        " outcome = '', phase = '', value = '', confidence = 'high', inherited_from = '',"
        " last_visible = t.p.last_visible"
        " FROM override_next o JOIN override_place t ON t.p.touchpoint = o.touchpoint"
        " WHERE o.ended_at IS NULL AND o.table_name = $table AND c.table_name = $table"
        " AND c.sys_id = o.sys_id",
        table=table,
    )


def list_unknown(store: Store) -> list[Row]:
    """Overrides in force that name no touchpoint of the catalogue: table_name, sys_id, touchpoint.

    Reads what `begin` made.
    """
    return store.read(
        "SELECT table_name, sys_id, touchpoint FROM override_next ANTI JOIN"
        " (SELECT p.touchpoint AS touchpoint FROM override_place) USING (touchpoint)"
        " WHERE ended_at IS NULL ORDER BY ALL"
    )


def list_unexplained(store: Store) -> list[Row]:
    """Overrides in force that name a touchpoint but no reason: table_name, sys_id.

    Reads what `begin` made.
    """
    return store.read(
        "SELECT table_name, sys_id FROM override_next"
        " JOIN (SELECT p.touchpoint AS touchpoint FROM override_place) USING (touchpoint)"
        " WHERE ended_at IS NULL AND trim(reason) = '' ORDER BY ALL"
    )


def stay(store: Store) -> None:
    """TEMP TABLE `override_next`: as the last placing run left it."""
    store.execute("CREATE OR REPLACE TEMP TABLE override_next AS FROM journey_override")


def save(store: Store) -> None:
    """Keep what `begin` and `apply` found; call it in the transaction that keeps the places."""
    store.execute("DELETE FROM journey_override")
    store.execute("INSERT INTO journey_override FROM override_next")


def read(store: Store, table: str, sys_id: str) -> Row | None:
    """The steward's word on one record, as the last run saw it; None if there is none."""
    rows = store.read(
        "SELECT * FROM journey_override WHERE table_name = $table AND sys_id = $id",
        table=table,
        id=sys_id,
    )
    return rows[0] if rows else None


def overrides_per_rule(store: Store) -> list[Row]:
    """How often stewards overruled each rule: feedback on the mapping.

    rule_id, touchpoint (what they said instead), records (in force now), ended; most first.
    """
    return store.read(
        "SELECT overruled AS rule_id, touchpoint, count(*) FILTER (ended_at IS NULL) AS records,"
        " count(*) FILTER (ended_at IS NOT NULL) AS ended FROM journey_override"
        " WHERE overruled <> '' GROUP BY ALL ORDER BY records + ended DESC, rule_id, touchpoint"
    )
