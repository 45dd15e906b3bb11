"""The life of a change: planned → sent → confirmed, or refused, failed, dropped.

Plans are computed here, in SQL, from wanted values against the values last seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.store import records, set_aside
from connector.store.database import Store
from connector.store.runs import utc_now


@dataclass(frozen=True)
class Change:
    """One field of one record: what the tool holds, and what it shall hold."""

    table: str
    sys_id: str
    number: str
    field: str
    from_value: str
    to_value: str
    is_healing: bool


@dataclass(frozen=True)
class Window:
    """Which records may be written.

    Open ones, those closed since `settled_after`, and those never written that closed since
    `backfill_after` (all in the tool's own time format).
    """

    settled_after: str
    backfill_after: str
    only: tuple[str, ...] = ()
    """sys_ids; () = all."""
    place: str = ""
    """The table whose rows hold the values, "" for the records themselves: what was confirmed
    elsewhere was not overwritten here."""


def begin_plan(store: Store) -> None:
    """Start an empty plan: TEMP TABLE `plan`, one row per change, records numbered from 1."""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE plan (record_no BIGINT, table_name VARCHAR, sys_id VARCHAR,"
        " number VARCHAR, field VARCHAR, position INTEGER, from_value VARCHAR, to_value VARCHAR,"
        " is_healing BOOLEAN)"
    )


def plan_table(
    store: Store,
    table: str,
    wanted: Mapping[str, str],
    passengers: Sequence[str],
    window: Window,
    limit: int,
    *,
    now: datetime | None = None,
) -> int:
    """Add what one table needs to the plan, by sys_id and field; at most `limit` records.

    `wanted` maps each field to the SQL expression of its value over `d` (a row of TEMP TABLE
    `desired`). Fields in `passengers` never cause a change, they only ride along.
    What rests at `now` (the instance's clock), set aside, is left out; None leaves nothing out.
    Answers how many records it added.
    """
    columns = set(records.list_columns(store, table))
    if not columns:
        return 0
    pairs = ", ".join(
        _pair(field, expression, order, columns)
        for order, (field, expression) in enumerate(wanted.items())
    )
    # One join for all fields: a join for each would hold its buffers beside all the others'.
    store.execute(
        "CREATE OR REPLACE TEMP TABLE difference AS"
        " SELECT sys_id, p.field, p.position, p.seen, p.wanted FROM ("
        f"SELECT c.sys_id, unnest([{pairs}]) AS p FROM current.{records.name(table)} c"
        " JOIN desired d ON d.table_name = $table AND d.sys_id = c.sys_id"
        ") WHERE p.is_known AND p.seen IS DISTINCT FROM p.wanted",
        table=table,
    )
    if now is not None:
        set_aside.leave_out(store, table, now)
    before = _last_record(store)
    store.execute(
        _PLAN.format(
            table=records.name(table),
            number="coalesce(c.number, '')" if "number" in columns else "''",
            closed=_closed(columns),
            is_open=_is_open(columns),
            never="coalesce(c.u_journey_step, '') = ''" if "u_journey_step" in columns else "true",
            only="list_contains($only, c.sys_id)" if window.only else "len($only) = 0",
        ),
        table=table,
        passengers=list(passengers),
        settled=window.settled_after,
        backfill=window.backfill_after,
        only=list(window.only),
        limit=limit,
        before=before,
        place=window.place,
    )
    store.execute("DROP TABLE difference")
    return _last_record(store) - before


def _last_record(store: Store) -> int:
    return int(store.value("SELECT coalesce(max(record_no), 0) FROM plan"))


@dataclass(frozen=True)
class Planned:
    """How much a plan holds of one table."""

    table: str
    records: int
    changes: int
    healed: int
    """Records with a field that somebody overwrote."""


def count_plan(store: Store) -> list[Planned]:
    """What the plan holds, per table."""
    rows = store.read(
        "SELECT table_name, count(DISTINCT sys_id) AS records, count(*) AS changes,"
        " count(DISTINCT sys_id) FILTER (is_healing) AS healed FROM plan GROUP BY 1 ORDER BY 1"
    )
    return [Planned(r["table_name"], r["records"], r["changes"], r["healed"]) for r in rows]


def read_plan(store: Store, first: int, last: int) -> list[Change]:
    """The changes of the plan's records `first` to `last` (from 1), in order."""
    rows = store.read(
        "SELECT table_name, sys_id, number, field, from_value, to_value, is_healing FROM plan"
        " WHERE record_no BETWEEN $first AND $last ORDER BY record_no, position",
        first=first,
        last=last,
    )
    return [Change(*row.values()) for row in rows]


def iterate_plan(store: Store, size: int) -> Iterator[list[Change]]:
    """The plan in parts of `size` records: constant memory however long it is."""
    for first in range(1, _last_record(store) + 1, size):
        yield read_plan(store, first, first + size - 1)


def list_plan_ranges(store: Store) -> list[tuple[int, int]]:
    """The first and last record number of each table's part of the plan, in order."""
    rows = store.read(
        "SELECT min(record_no) AS first, max(record_no) AS last FROM plan"
        " GROUP BY table_name ORDER BY 1"
    )
    return [(row["first"], row["last"]) for row in rows]


def _pair(field: str, expression: str, order: int, columns: set[str]) -> str:
    # A column the instance has but hides from us (NULL) is not known to differ: leave it alone.
    # A column it does not have yet counts as empty, so that a plan can be read before provisioning.
    column = f"c.{records.name(field)}"
    seen, known = (column, f"{column} IS NOT NULL") if field in columns else ("''", "true")
    return (
        f"{{'field': '{field}', 'position': {order}, 'seen': {seen}, 'wanted': {expression},"
        f" 'is_known': {known}}}"
    )


def _closed(columns: set[str]) -> str:
    return (
        "coalesce(nullif(c.closed_at, ''), c._inputs_updated_on)"
        if "closed_at" in columns
        else "c._inputs_updated_on"
    )


def _is_open(columns: set[str]) -> str:
    return "coalesce(c.active, 'true') <> 'false'" if "active" in columns else "false"


_PLAN = """
INSERT INTO plan
WITH cause AS (
    SELECT DISTINCT sys_id FROM difference WHERE NOT list_contains($passengers, field)
), chosen AS (
    SELECT c.sys_id, {number} AS number
    FROM current.{table} c JOIN cause USING (sys_id)
    WHERE {only}
      AND ({is_open} OR {closed} >= $settled OR ({never} AND {closed} >= $backfill))
    ORDER BY {is_open} DESC, c._inputs_updated_on DESC, c.sys_id
    LIMIT $limit
), held AS (
    SELECT sys_id, field, arg_max(to_value, changed_at) AS value
    FROM change WHERE table_name = $table AND status = 'confirmed' AND coalesce(detail, '') = $place
      AND sys_id IN (SELECT sys_id FROM chosen)
    GROUP BY sys_id, field
)
SELECT $before + dense_rank() OVER (ORDER BY n.sys_id), $table, n.sys_id, n.number, d.field,
       d.position, d.seen, d.wanted, coalesce(h.value = d.wanted, false)
FROM chosen n JOIN difference d ON d.sys_id = n.sys_id
LEFT JOIN held h ON h.sys_id = d.sys_id AND h.field = d.field
"""


def save_plan(store: Store, run_id: str) -> None:
    """Store the plan; older plans that were never sent are dropped."""
    with store.transaction():
        store.execute(
            "UPDATE change SET status = 'dropped', changed_at = $now WHERE status = 'planned'",
            now=utc_now(),
        )
        store.execute(
            "INSERT INTO change (run_id, table_name, sys_id, number, field, from_value, to_value,"
            " is_healing, status, changed_at) SELECT $run_id, table_name, sys_id, number, field,"
            " from_value, to_value, is_healing, 'planned', $now FROM plan",
            run_id=run_id,
            now=utc_now(),
        )


def mark(
    store: Store, run_id: str, table: str, sys_ids: Sequence[str], status: str, detail: str = ""
) -> None:
    """Move all changes of records to a status; of what is confirmed, `detail` says the place."""
    store.execute(
        "UPDATE change SET status = $status, detail = $detail, changed_at = $now"
        " WHERE run_id = $run_id AND table_name = $table AND list_contains($ids, sys_id)",
        run_id=run_id,
        table=table,
        ids=list(sys_ids),
        status=status,
        detail=detail,
        now=utc_now(),
    )


def mark_field(store: Store, run_id: str, change: Change, status: str, detail: str) -> None:
    """Move one field of one record to a status."""
    store.execute(
        "UPDATE change SET status = $status, detail = $detail, changed_at = $now"
        " WHERE run_id = $run_id AND table_name = $table AND sys_id = $id AND field = $field",
        run_id=run_id,
        table=change.table,
        id=change.sys_id,
        field=change.field,
        status=status,
        detail=detail,
        now=utc_now(),
    )


def list_unanswered(store: Store) -> dict[str, list[str]]:
    """table → sys_ids of records with a change that was sent and never answered for."""
    rows = store.read(
        "SELECT DISTINCT table_name, sys_id FROM change WHERE status = 'sent' ORDER BY ALL"
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["table_name"], []).append(row["sys_id"])
    return found


def settle_unanswered(store: Store, table: str) -> int:
    """After re-reading: confirm sent changes whose value is there now, drop the rest.

    What was dropped is planned again if it is still wanted. Answers how many were confirmed.
    """
    columns = [c for c in records.list_columns(store, table) if c.startswith(records.OWN_PREFIX)]
    # One look at the table, at what was sent alone: each further one takes memory of its own.
    fields = ", ".join(f"'{column}'" for column in columns)
    values = ", ".join(map(records.name, columns))
    seen = (
        f"SELECT sys_id, unnest([{fields}]) AS field, unnest([{values}]) AS value"
        f" FROM current.{records.name(table)} WHERE sys_id IN"
        " (SELECT sys_id FROM change WHERE status = 'sent' AND table_name = $table)"
    )
    with store.transaction():
        before = _count_sent(store, table)
        if columns:
            store.execute(
                f"UPDATE change SET status = 'confirmed', changed_at = $now FROM ({seen}) s"
                " WHERE change.status = 'sent' AND change.table_name = $table"
                " AND s.sys_id = change.sys_id AND s.field = change.field"
                " AND s.value = change.to_value",
                table=table,
                now=utc_now(),
            )
        lost = _count_sent(store, table)
        store.execute(
            "UPDATE change SET status = 'dropped', detail = 'outcome unknown, read again',"
            " changed_at = $now WHERE status = 'sent' AND table_name = $table",
            table=table,
            now=utc_now(),
        )
    return before - lost


def _count_sent(store: Store, table: str) -> int:
    return int(
        store.value(
            "SELECT count(*) FROM change WHERE table_name = $table AND status = 'sent'",
            table=table,
        )
    )


def read_mod_counts(store: Store, table: str, sys_ids: Sequence[str]) -> dict[str, int]:
    """sys_id → the version that was last seen of a record, where it is known."""
    rows = store.read(
        "SELECT sys_id, try_cast(sys_mod_count AS BIGINT) AS n"
        f" FROM current.{records.name(table)} WHERE list_contains($ids, sys_id)",
        ids=list(sys_ids),
    )
    return {row["sys_id"]: row["n"] for row in rows if row["n"] is not None}


def read_own(
    store: Store, table: str, names: Sequence[str], sys_ids: Sequence[str]
) -> dict[str, dict[str, str | None]]:
    """sys_id → those of our columns, as last seen in the tool; None is hidden."""
    present = [name for name in names if name in records.list_columns(store, table)]
    shown = "".join(f", {records.name(name)}" for name in present)
    rows = store.read(
        f"SELECT sys_id{shown} FROM current.{records.name(table)}"
        " WHERE list_contains($ids, sys_id)",
        ids=list(sys_ids),
    )
    return {row.pop("sys_id"): row for row in rows}


def prune_changes(store: Store, keep_days: int) -> None:
    """Retention: of old changes only the last confirmed value of each field is kept."""
    store.execute(
        "DELETE FROM change USING (SELECT table_name, sys_id, field, max(changed_at) AS newest"
        " FROM change WHERE status = 'confirmed' GROUP BY ALL) k"
        " WHERE change.table_name = k.table_name AND change.sys_id = k.sys_id"
        " AND change.field = k.field AND change.changed_at < k.newest"
        f" AND change.changed_at < $now - INTERVAL {int(keep_days)} DAY",
        now=utc_now(),
    )
