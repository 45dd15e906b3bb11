"""Rows of a table of our own, on their way into the tool: as paced, as held back and as set aside
as the records are (`write_back`), but without a ledger: the next run sees every row again anyway.

The workers speak to the instance only; the store belongs to the one thread that runs the pipeline.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connector.attempt import Attempt
from connector.context import Run
from connector.itsm.base import Instance, UpdateReply
from connector.messages import _
from connector.off_hours import OffHours
from connector.pacing import Pace
from connector.store import set_aside
from connector.store.set_aside import EVERYTHING, Pauses, Verdict
from connector.timestamps import format_instance

TOO_MANY_FORBIDDEN = 3
"""From so many on, a batch of which everything is forbidden speaks of a right, not of its rows."""


@dataclass(frozen=True)
class RowChange:
    """One row to make (`seen` is None) or to bring up to date: only what differs is in `values`."""

    sys_id: str
    name: str
    values: Mapping[str, str]
    seen: Mapping[str, str] | None


@dataclass(frozen=True)
class Terms:
    """How rows go: in `[write_back]` settings; `now` is the instance's clock, pauses count by it.

    `off_hours` None is at any time.
    """

    workers: int
    batch_size: int
    off_hours: OffHours | None
    set_aside_after: int
    longest_pause: timedelta
    now: datetime


@dataclass
class RowsSent:
    """What became of the rows."""

    written: int = 0
    refused: int = 0
    messages: list[str] = field(default_factory=list)
    there: set[str] = field(default_factory=set)
    """sys_ids of rows that the instance answered for: they stand, whatever of their fields does."""


Batch = Sequence[RowChange]
Delivered = tuple[Batch, list[UpdateReply]]
Deliver = Callable[[Instance, Batch], Delivered]
"""Sends one batch; answers what of it was sent, and the replies. Called from several threads."""


def send(
    run: Run, table: str, planned: Sequence[RowChange], terms: Terms, deliver: Deliver
) -> RowsSent:
    """Send all, in batches as large as the instance is quick; check every field of every reply.

    The end of the hours for writing, an instance that stops answering or a missing right ends it
    early, with a sentence; what was not written is planned again by the next run.

    Raises InterruptedRunError between two batches if the run was asked to stop, InstanceError and
    its kinds where the instance refuses us altogether.
    """
    work = _Work(run, table, terms, len(planned))
    with ThreadPoolExecutor(terms.workers, "rows") as pool:
        _send_all(work, planned, pool, deliver)
    _judge(work)
    return work.sent


@dataclass
class _Work:
    """One attempt at a plan of rows."""

    run: Run
    table: str
    terms: Terms
    total: int
    sent: RowsSent = field(default_factory=RowsSent)
    done: int = 0
    kept: dict[str, list[str]] = field(default_factory=dict)
    """Fields that were answered 200 with another value → the rows."""
    taken: dict[str, int] = field(default_factory=dict)
    """Fields → how many rows took them."""

    def __post_init__(self) -> None:
        self.pace = Pace(self.terms.batch_size)
        self.attempt = Attempt(self.run, self.terms.off_hours, self.sent.messages)

    @property
    def pauses(self) -> Pauses:
        return Pauses(self.terms.now, self.terms.set_aside_after, self.terms.longest_pause)


Flying = set[Future[Delivered]]


def _send_all(
    work: _Work, planned: Sequence[RowChange], pool: ThreadPoolExecutor, deliver: Deliver
) -> None:
    flying: Flying = set()
    for batch in _batches(work, planned):
        if not work.attempt.may_go_on():
            break
        flying.add(pool.submit(deliver, work.run.instance, batch))
        while len(flying) >= work.terms.workers:
            _land(work, flying)
    while flying:
        _land(work, flying)


def _batches(work: _Work, planned: Sequence[RowChange]) -> Iterator[Batch]:
    """The plan in parts, as large as the pace allows by then."""
    first = 0
    while first < len(planned):
        yield planned[first : first + (size := work.pace.size)]
        first += size


def _land(work: _Work, flying: Flying) -> None:
    done, _flying = wait(flying, return_when=FIRST_COMPLETED)
    for future in done:
        flying.discard(future)
        _take(work, *future.result())


def _take(work: _Work, batch: Batch, replies: Sequence[UpdateReply]) -> None:
    work.pace.learn(replies)
    statuses = [reply.status for reply in replies]
    if replies and set(statuses) <= {"unknown", "unserviced"}:
        work.attempt.end(
            _("The instance stopped answering while writing; the rest waits for the next run")
        )
    is_closed = set(statuses) == {"forbidden"} and len(statuses) >= TOO_MANY_FORBIDDEN
    if is_closed:
        work.attempt.end(
            _(
                "The integration user may not write {table}: give it the role, the records wait for"
                " the next run"
            ).format(table=work.table)
        )
    answered = {reply.sys_id: reply for reply in replies}
    with work.run.store.transaction():
        for one in batch:
            _take_row(work, one, answered.get(one.sys_id), blames_row=not is_closed)
    work.done += len(batch)
    work.run.progress("write_back", work.table, work.done, work.total)


def _take_row(work: _Work, one: RowChange, reply: UpdateReply | None, *, blames_row: bool) -> None:
    if reply is not None and reply.status == "written":
        _take_written(work, one, reply)
        return
    if not one.values:  # all it carried was said by a person meanwhile
        work.sent.written += 1
        return
    work.sent.refused += 1
    if reply is None or reply.status in ("unknown", "unserviced") or not blames_row:
        return  # nobody's fault: the next run looks, and tries again
    detail = reply.detail or reply.status
    store = work.run.store
    verdict = set_aside.count_against(store, work.table, one.sys_id, "", detail, work.pauses)
    if verdict.is_final:
        text = _("{table} {sys_id} was set aside until {moment} UTC: {reason}")
        work.sent.messages.append(
            text.format(table=work.table, sys_id=one.sys_id, reason=detail, moment=_moment(verdict))
        )


def _take_written(work: _Work, one: RowChange, reply: UpdateReply) -> None:
    """A 200 is not proof: every field of the answer is looked at."""
    work.sent.there.add(one.sys_id)
    kept = [name for name, value in one.values.items() if reply.values.get(name) != value]
    for name in kept:
        work.kept.setdefault(name, []).append(one.sys_id)
    for name in one.values.keys() - set(kept):
        work.taken[name] = work.taken.get(name, 0) + 1
    taken = [name for name in one.values if name not in kept]
    set_aside.forgive(work.run.store, work.table, one.sys_id, taken)
    work.sent.written += not kept
    work.sent.refused += bool(kept)


def _judge(work: _Work) -> None:
    """Once a run: is it the column that is refused by all rows, or one row's field?"""
    with work.run.store.transaction():
        for name, sys_ids in sorted(work.kept.items()):
            if name not in work.taken and len(sys_ids) > 1:
                _refuse_column(work, name, len(sys_ids))
                continue
            for sys_id in sys_ids:
                _refuse_field(work, sys_id, name)


def _refuse_column(work: _Work, name: str, n: int) -> None:
    reason = _("the instance answered 200 and kept another value")
    said = _(
        "{field} on {table} was refused on every record ({n}): {reason}; check its write ACL"
        " and its read-only option"
    )
    work.sent.messages.append(said.format(field=name, table=work.table, n=n, reason=reason))
    verdict = set_aside.count_against(
        work.run.store, work.table, EVERYTHING, name, reason, work.pauses
    )
    if verdict.is_final:
        text = _(
            "{field} on {table} is no longer written; mend the cause, then run travesia sync --full"
        )
        work.sent.messages.append(text.format(field=name, table=work.table))


def _refuse_field(work: _Work, sys_id: str, name: str) -> None:
    reason = _("the instance answered 200 and kept another value")
    verdict = set_aside.count_against(work.run.store, work.table, sys_id, name, reason, work.pauses)
    if verdict.is_final:
        text = _("{field} on {table} {sys_id} is not written until {moment} UTC: {reason}")
        work.sent.messages.append(
            text.format(
                field=name, table=work.table, sys_id=sys_id, reason=reason, moment=_moment(verdict)
            )
        )


def _moment(verdict: Verdict) -> str:
    return format_instance(verdict.retry_at) if verdict.retry_at else "?"
