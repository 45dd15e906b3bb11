"""What the pipeline rests from trying: records, fields of records, columns, a whole table.

A record or its field is tried again after a pause that doubles each time; a column ('*' for the
record) and a table ('*' and no field) rest until a person has mended the cause (`sync --full`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.store.database import Store
from connector.store.runs import naive, utc_now

EVERYTHING = "*"
_SLACK = timedelta(hours=4)
"""A night is shorter than a day: the next run may begin a little earlier than the last."""


@dataclass(frozen=True)
class Refused:
    """A field that records answered 200 to and did not change."""

    table: str
    field: str
    sys_ids: tuple[str, ...]
    is_of_column: bool


@dataclass(frozen=True)
class Pauses:
    """How failures are paused: `now` by the instance's clock, set aside from attempt `after` on."""

    now: datetime
    after: int
    longest: timedelta

    def until(self, attempts: int) -> datetime | None:
        """When to try again after so many attempts: 1, 2, 4, … nights; None is at once."""
        if attempts < self.after:
            return None
        nights = timedelta(days=2 ** min(attempts - self.after, 20))
        return self.now + min(nights, max(self.longest, timedelta(days=1))) - _SLACK


@dataclass(frozen=True)
class Verdict:
    """What a count came to: whether it rests now, and until when (None: until a person acts)."""

    is_final: bool
    attempts: int
    retry_at: datetime | None


def count_against(
    store: Store, table: str, sys_id: str, field: str, reason: str, pauses: Pauses
) -> Verdict:
    """Count a refusal of a record (field ''), of its field, or of a column (sys_id '*')."""
    before = store.value(
        "SELECT attempts FROM set_aside WHERE table_name = $table AND sys_id = $id"
        " AND field = $field",
        table=table,
        id=sys_id,
        field=field,
    )
    attempts = (before or 0) + 1
    retry_at = None if sys_id == EVERYTHING else pauses.until(attempts)
    _put(store, table, sys_id, field, reason, attempts, attempts >= pauses.after, retry_at)
    return Verdict(attempts >= pauses.after, attempts, retry_at)


def set_table_aside(store: Store, table: str, reason: str) -> None:
    """Write nothing to a table any more, until a person runs a full sync."""
    _put(store, table, EVERYTHING, "", reason, 1, True, None)


def _put(  # noqa: PLR0913, PLR0917 - the columns of one row
    store: Store,
    table: str,
    sys_id: str,
    field: str,
    reason: str,
    attempts: int,
    is_final: bool,
    retry_at: datetime | None,
) -> None:
    store.execute(
        "INSERT INTO set_aside (table_name, sys_id, field, reason, attempts, is_final,"
        " first_at, last_at, retry_at)"
        " VALUES ($table, $id, $field, $reason, $attempts, $final, $now, $now, $retry_at)"
        " ON CONFLICT DO UPDATE SET attempts = excluded.attempts, reason = excluded.reason,"
        " last_at = excluded.last_at, is_final = excluded.is_final, retry_at = excluded.retry_at",
        table=table,
        id=sys_id,
        field=field,
        reason=reason[:300],
        attempts=attempts,
        final=is_final,
        now=utc_now(),
        retry_at=naive(retry_at) if retry_at else None,
    )


def leave_out(store: Store, table: str, now: datetime) -> None:
    """Take what rests out of TEMP TABLE `difference`."""
    store.execute(
        "DELETE FROM difference WHERE EXISTS (SELECT 1 FROM set_aside s"
        " WHERE s.table_name = $table AND s.is_final AND s.sys_id IN (difference.sys_id, '*')"
        " AND s.field IN ('', difference.field)"
        " AND (s.retry_at IS NULL OR s.retry_at > $now))",
        table=table,
        now=naive(now),
    )


def resting(store: Store, table: str, now: datetime) -> set[tuple[str, str]]:
    """What rests of a table at `now` (the instance's clock): sys_id or '*', and field or ''."""
    rows = store.read(
        "SELECT sys_id, field FROM set_aside WHERE table_name = $table AND is_final"
        " AND (retry_at IS NULL OR retry_at > $now)",
        table=table,
        now=naive(now),
    )
    return {(row["sys_id"], row["field"]) for row in rows}


def forgive(store: Store, table: str, sys_id: str, fields: Sequence[str]) -> None:
    """A record took a write of these fields: what was counted against them and it is forgotten."""
    store.execute(
        "DELETE FROM set_aside WHERE table_name = $table AND"
        " ((sys_id = $id AND (field = '' OR list_contains($fields, field)))"
        " OR (sys_id = '*' AND list_contains($fields, field)))",
        table=table,
        id=sys_id,
        fields=list(fields),
    )


def forgive_written(store: Store, run_id: str, table: str) -> None:
    """What was counted against records, fields and columns that this run did write is forgotten."""
    store.execute(
        "DELETE FROM set_aside WHERE table_name = $table AND ((sys_id <> '*' AND EXISTS"
        " (SELECT 1 FROM change c WHERE c.run_id = $run_id AND c.table_name = $table"
        " AND c.status = 'confirmed' AND c.sys_id = set_aside.sys_id"
        " AND set_aside.field IN ('', c.field)))"
        " OR (sys_id = '*' AND EXISTS (SELECT 1 FROM change c WHERE c.run_id = $run_id"
        " AND c.table_name = $table AND c.status = 'confirmed' AND c.field = set_aside.field)))",
        run_id=run_id,
        table=table,
    )


def list_refused(store: Store, run_id: str) -> list[Refused]:
    """The fields that records kept in this run though they answered 200, by table and field.

    It is the column's affair if no record took it in this run, and either several refused it or
    none ever took it; else it is the record's own.
    """
    rows = store.read(
        "SELECT table_name, field,"
        " list(sys_id ORDER BY sys_id) FILTER (status = 'kept' AND run_id = $run_id) AS sys_ids,"
        " count(*) FILTER (status = 'confirmed' AND run_id = $run_id) AS taken_now,"
        " count(*) FILTER (status = 'confirmed') AS taken_ever"
        " FROM change GROUP BY ALL ORDER BY 1, 2",
        run_id=run_id,
    )
    return [
        Refused(
            row["table_name"],
            row["field"],
            tuple(row["sys_ids"]),
            row["taken_now"] == 0 and (len(row["sys_ids"]) > 1 or row["taken_ever"] == 0),
        )
        for row in rows
        if row["sys_ids"]
    ]


def count_set_aside(store: Store) -> int:
    """How many records and fields are no longer tried."""
    return int(store.value("SELECT count(*) FROM set_aside WHERE is_final"))


def forgive_all(store: Store) -> None:
    """A full sync tries again what was set aside."""
    store.execute("DELETE FROM set_aside")
