"""What people had planned for each relationship, and since when that is known.

A history like that of records: what was seen in the tool is appended where it differs from what was
seen before, with the instant of the run, and never rewritten. No texts: a next step is told from
another by a mark.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise

from connector.store.database import Store
from connector.store.runs import naive


@dataclass(frozen=True)
class Plan:
    """What stood in the row of a relationship from `seen_at` on (aware UTC; the run that saw it).

    `mark` is the same for the same words of the next step, "" for none; None where it is not known.
    """

    seen_at: datetime
    ring_confirmed: date | None
    has_owner: bool
    has_next_step: bool
    due: date | None
    mark: str | None


NONE = Plan(datetime.min.replace(tzinfo=UTC), None, False, False, None, "")
"""Nobody wrote anything."""


@dataclass(frozen=True)
class Plans:
    """All that was seen, by relationship, oldest first. `began`: the first look at the tool."""

    began: datetime | None
    of: dict[str, tuple[Plan, ...]]

    def at(self, sys_id: str, instant: datetime) -> Plan | None:
        """What stood in the tool at `instant`, as far as seen; None before the first look."""
        if self.began is None or instant < self.began:
            return None
        seen = [plan for plan in self.of.get(sys_id, ()) if plan.seen_at <= instant]
        return seen[-1] if seen else NONE

    def after(self, sys_id: str, instant: datetime) -> list[tuple[Plan, Plan]]:
        """What changed after `instant`: (before, then), oldest first; what began with the first
        look did not change."""
        plans = (NONE, *self.of.get(sys_id, ()))
        since = max(instant, self.began) if self.began else instant
        return [(a, b) for a, b in pairwise(plans) if b.seen_at > since]


def append(store: Store, at: datetime) -> None:
    """Keep what TEMP TABLE `looked` differs in from what was known; `at` is when it was seen.

    A row that is no longer in the tool has nothing in it any more. Call it in the transaction that
    replaces what was last seen.
    """
    store.execute(
        "INSERT INTO engagement_plan_start SELECT $at"
        " WHERE NOT EXISTS (FROM engagement_plan_start)",
        at=naive(at),
    )
    store.execute(_APPEND, at=naive(at))


_APPEND = """
INSERT INTO engagement_plan
WITH known AS (
    SELECT * FROM engagement_plan
    QUALIFY row_number() OVER (PARTITION BY sys_id ORDER BY rowid DESC) = 1
)
SELECT coalesce(n.sys_id, k.sys_id), $at, n.ring_confirmed, coalesce(n.has_owner, false),
    coalesce(n.has_next_step, false), n.due, coalesce(n.step_mark, '')
FROM looked n FULL JOIN known k USING (sys_id)
WHERE n.ring_confirmed IS DISTINCT FROM k.ring_confirmed
   OR coalesce(n.has_owner, false) <> coalesce(k.has_owner, false)
   OR n.due IS DISTINCT FROM k.due
   OR coalesce(n.step_mark, '') IS DISTINCT FROM CASE WHEN k.sys_id IS NULL THEN ''
      ELSE k.step_mark END
"""
# The last one that was written, not the one with the latest instant: a run under a wrong clock
# would be compared with for ever.


def read_plans(store: Store) -> Plans:
    """The whole history; none in the snapshot of a version that kept none. Raises StoreError."""
    if not store.value("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'engagement_plan'"):
        return Plans(None, {})
    began = store.value("SELECT began_at FROM engagement_plan_start")
    rows = store.read("SELECT * FROM engagement_plan ORDER BY sys_id, seen_at")
    found: dict[str, list[Plan]] = {}
    for row in rows:
        plan = Plan(
            row["seen_at"].replace(tzinfo=UTC),
            row["ring_confirmed"],
            row["has_owner"],
            row["has_next_step"],
            row["due"],
            row["step_mark"],
        )
        found.setdefault(row["sys_id"], []).append(plan)
    return Plans(
        began.replace(tzinfo=UTC) if began else None,
        {sys_id: tuple(plans) for sys_id, plans in found.items()},
    )
