"""What one run was asked, what it knows on the way, and what it has to say at the end."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from connector import log
from connector.context import Run
from connector.messages import _
from connector.store import runs
from connector.store.changes import Change
from connector.write_back import Sent

_log = log.get("pipeline")


@dataclass(frozen=True)
class Options:
    """What one run shall do, beyond the config."""

    dry_run: bool = False
    tables: tuple[str, ...] = ()
    since: datetime | None = None
    record: str | None = None
    full: bool = False
    limit: int | None = None
    kind: str = "sync"


@dataclass(frozen=True)
class TableCounts:
    """One table's figures of one run, in records (refused: fields)."""

    table: str
    extracted: int = 0
    records: int = 0
    classified: int = 0
    unclassified: int = 0
    planned: int = 0


@dataclass(frozen=True)
class RunResult:
    """What a run did. `outcome` is succeeded or partial; `plan` is every change it decided on."""

    run_id: str
    outcome: str
    high_mark: datetime
    tables: tuple[TableCounts, ...]
    plan: tuple[Change, ...]
    is_sent: bool
    confirmed: int
    refused: int
    set_aside: int
    healed: int
    messages: tuple[str, ...]
    seconds: float


@dataclass
class SoFar:
    """What is known so far of a run."""

    mark: datetime
    asked: tuple[str, ...] = ()
    extracted: dict[str, int] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    only: tuple[str, ...] = ()


def summed_up(
    this: Run,
    so_far: SoFar,
    plan: tuple[Change, ...],
    sent: Sent,
    is_sent: bool,
    seconds: float,
) -> RunResult:
    """What a run did, from its plan, its replies and the classification it left."""
    planned: dict[str, set[str]] = {}
    for change in plan:
        planned.setdefault(change.table, set()).add(change.sys_id)
    rows = this.store.read(
        "SELECT table_name, count(*) AS records,"
        " count(*) FILTER (rule_id = 'unclassified') AS unclassified"
        " FROM classified GROUP BY 1"
    )
    counted = {row["table_name"]: row for row in rows}
    tables = tuple(
        TableCounts(
            table,
            extracted=so_far.extracted.get(table, 0),
            records=counted.get(table, {}).get("records", 0),
            classified=counted.get(table, {}).get("records", 0)
            - counted.get(table, {}).get("unclassified", 0),
            unclassified=counted.get(table, {}).get("unclassified", 0),
            planned=len(planned.get(table, ())),
        )
        for table in sorted({*counted, *so_far.asked})
    )
    healed = {(c.table, c.sys_id) for c in plan if c.is_healing}
    messages = [*so_far.messages, *sent.messages]
    if healed:
        messages.append(
            _("{n} records had journey fields that somebody overwrote").format(n=len(healed))
        )
    is_partial = bool(sent.failed or sent.refused or sent.set_aside)
    return RunResult(
        run_id=this.run_id,
        outcome="partial" if is_partial else "succeeded",
        high_mark=so_far.mark,
        tables=tables,
        plan=plan,
        is_sent=is_sent,
        confirmed=sent.confirmed,
        refused=sent.refused + sent.failed,
        set_aside=sent.set_aside,
        healed=len(healed),
        messages=tuple(messages),
        seconds=seconds,
    )


def close(this: Run, result: RunResult) -> None:
    """Write the run's last line into the store and the log."""
    counts: dict[str, Any] = {
        "tables": [asdict(table) for table in result.tables],
        "planned": len(result.plan),
        "confirmed": result.confirmed,
        "refused": result.refused,
        "set_aside": result.set_aside,
        "healed": result.healed,
    }
    runs.finish_run(this.store, this.run_id, result.outcome, counts, "\n".join(result.messages))
    _log.info(
        "run_finished",
        run_id=this.run_id,
        outcome=result.outcome,
        planned=len(result.plan),
        confirmed=result.confirmed,
        seconds=round(result.seconds, 1),
    )
