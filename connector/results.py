"""What one run was asked, what it knows on the way, and what it has to say at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from connector import log
from connector.context import Run
from connector.messages import _, _n
from connector.row_sending import RowsSent
from connector.store import changes, plans, runs, set_aside
from connector.store.changes import Change, Planned
from connector.write_back import Sent

_log = log.get("pipeline")


SHOWN_RECORDS = 20
"""Records of a plan that a result carries; the whole plan may be millions of changes long."""


@dataclass(frozen=True)
class Options:
    """What one run shall do, beyond the config."""

    dry_run: bool = False
    tables: tuple[str, ...] = ()
    since: datetime | None = None
    record: str | None = None
    full: bool = False
    limit: int | None = None
    accept_instance: bool = False
    queue: tuple[str, ...] = ()
    """Numbers of records that people ask for: they alone; of one that is not there, it is said."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """The records that alone are looked at, by number; () is everything."""
        return self.queue if self.record is None else (self.record,)

    @property
    def kind(self) -> str:
        """`sync` only if everything is read: just such a run says how far the data reach."""
        if self.dry_run:
            return "dry_run"
        if self.numbers:
            return "record"
        return "part" if self.tables else "sync"


@dataclass(frozen=True)
class Looked:
    """What became of one record that was asked for by its number, in fields."""

    number: str
    planned: int = 0
    confirmed: int = 0
    refused: int = 0
    problem: str = ""
    """Why it was not looked at, in one sentence."""


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
    """What a run did. `outcome` is succeeded or partial.

    `plan` holds the changes of the first SHOWN_RECORDS records; all of them go to the plan file.
    """

    run_id: str
    outcome: str
    high_mark: datetime
    tables: tuple[TableCounts, ...]
    planned_records: int
    planned_changes: int
    plan: tuple[Change, ...]
    is_sent: bool
    confirmed: int
    refused: int
    set_aside: int
    healed: int
    messages: tuple[str, ...]
    seconds: float
    waiting_mapping: str = ""
    """The hash of the configured mapping if nobody accepted it yet; nothing was written then."""
    held_back: str = ""
    """Why the plan was saved and not sent, in one sentence; "" if nothing kept it."""
    concurrent: int = 0
    """Records that somebody else wrote while we did; they were read again."""
    planned_relationships: int = 0
    """Rows of relationships to make or to change, beside `planned_records`."""
    confirmed_relationships: int = 0
    """Those that the tool confirmed, beside `confirmed`."""
    asked: tuple[Looked, ...] = ()
    """Of a run for some records, what became of each."""


@dataclass
class SoFar:
    """What is known so far of a run."""

    mark: datetime
    asked: tuple[str, ...] = ()
    extracted: dict[str, int] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    only: tuple[str, ...] = ()
    by_number: Mapping[str, str] = field(default_factory=dict)
    """Number → sys_id of the records that were asked for."""
    not_found: Mapping[str, str] = field(default_factory=dict)
    """Number → why it was not looked at."""
    is_partial: bool = False
    waiting_mapping: str = ""
    held_back: str = ""
    stranger: str = ""
    planned_relationships: int = 0
    confirmed_relationships: int = 0

    def hold_back(self, sentence: str) -> None:
        """The plan waits, and why; "" keeps nothing back."""
        self.held_back = sentence
        if sentence and sentence not in self.messages:
            self.messages.append(sentence)

    def meet_stranger(self, found: str) -> None:
        """The instance is not the one that the store knows: nothing is written."""
        text = _(
            "{found}, perhaps a copy: nothing is written until travesia sync --accept-instance"
        )
        self.stranger = text.format(found=found)
        self.is_partial = True
        self.messages.append(self.stranger)

    def take_rows(self, sent: RowsSent) -> None:
        """What became of the rows of relationships."""
        self.messages += sent.messages
        self.is_partial |= bool(sent.refused)
        self.confirmed_relationships = sent.written

    def wait_for(self, mapping_hash: str, sentence: str) -> None:
        """The configured mapping was not accepted yet: nothing is written."""
        self.waiting_mapping = mapping_hash
        self.messages.append(sentence)
        self.is_partial = True


def summed_up(
    this: Run,
    so_far: SoFar,
    plan: Sequence[Planned],
    sent: Sent,
    is_sent: bool,
    seconds: float,
) -> RunResult:
    """What a run did, from its plan, its replies and the classification it left."""
    planned = {of_table.table: of_table.records for of_table in plan}
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
            planned=planned.get(table, 0),
        )
        for table in sorted({*counted, *so_far.asked})
    )
    healed = sum(of_table.healed for of_table in plan)
    messages = [*so_far.messages, *sent.messages]
    if healed:
        messages.append(
            _n(
                "{n} record had journey fields that somebody overwrote",
                "{n} records had journey fields that somebody overwrote",
                healed,
            ).format(n=healed)
        )
    is_partial = so_far.is_partial or bool(sent.failed or sent.refused or sent.set_aside)
    if aside := set_aside.count_set_aside(this.store):
        messages.append(
            _n(
                "{n} record or field is set aside; travesia status names it",
                "{n} records or fields are set aside; travesia status names them",
                aside,
            ).format(n=aside)
        )
    return RunResult(
        run_id=this.run_id,
        outcome="partial" if is_partial else "succeeded",
        high_mark=so_far.mark,
        tables=tables,
        planned_records=sum(of_table.records for of_table in plan),
        planned_changes=sum(of_table.changes for of_table in plan),
        plan=tuple(changes.read_plan(this.store, 1, SHOWN_RECORDS)),
        is_sent=is_sent,
        confirmed=sent.confirmed,
        refused=sent.refused + sent.failed,
        set_aside=sent.set_aside,
        healed=healed,
        messages=tuple(messages),
        seconds=seconds,
        waiting_mapping=so_far.waiting_mapping,
        held_back=so_far.held_back or so_far.stranger,
        concurrent=sent.concurrent,
        planned_relationships=so_far.planned_relationships,
        confirmed_relationships=so_far.confirmed_relationships,
        asked=_looked(this, so_far),
    )


def _looked(this: Run, so_far: SoFar) -> tuple[Looked, ...]:
    fates = plans.read_fates(this.store, this.run_id, so_far.only) if so_far.only else {}
    found = [Looked(number, **fates.get(sys_id, {})) for number, sys_id in so_far.by_number.items()]
    return (*found, *(Looked(number, problem=why) for number, why in so_far.not_found.items()))


def close(this: Run, result: RunResult) -> None:
    """Write the run's last line into the store and the log."""
    counts: dict[str, Any] = {
        "tables": [asdict(table) for table in result.tables],
        "planned": result.planned_changes,
        "confirmed": result.confirmed,
        "refused": result.refused,
        "set_aside": result.set_aside,
        "healed": result.healed,
        "concurrent": result.concurrent,
        "relationships": result.confirmed_relationships,
        "waiting_mapping": result.waiting_mapping,
    }
    runs.finish_run(this.store, this.run_id, result.outcome, counts, "\n".join(result.messages))
    _log.info(
        "run_finished",
        run_id=this.run_id,
        outcome=result.outcome,
        planned=result.planned_changes,
        confirmed=result.confirmed,
        seconds=round(result.seconds, 1),
    )
