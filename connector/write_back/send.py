"""Send the plan: few workers, batches as large as the instance is quick, one record never in the
way of another.

The workers only speak to the instance; the store is read and written by the one thread that runs
the pipeline. Marked as sent before, confirmed after: whatever dies in between is known as unknown.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from datetime import datetime

from connector import log
from connector.attempt import Attempt
from connector.context import Run
from connector.errors import ConnectorError, InstanceError, InterruptedRunError
from connector.itsm.base import RecordUpdate, UpdateReply
from connector.journey import fields
from connector.messages import _
from connector.pacing import Pace
from connector.store import changes
from connector.store.changes import Change
from connector.write_back.beside import about, send_rows
from connector.write_back.replies import Batch, Key, take
from connector.write_back.sent import Sent
from connector.write_back.settings import Settings
from connector.write_back.settle import look_again
from connector.write_back.verdicts import judge

Flying = dict[Future[list[UpdateReply]], Batch]

_OWN = [one.name for one in fields.RECORD_FIELDS]
_log = log.get("write_back")


def held_back(run: Run, settings: Settings) -> str:
    """Why nothing may be sent at this hour, in one sentence; "" where it may."""
    hours = settings.off_hours
    if hours is None or hours.is_open(run.instance.now()):
        return ""
    return _(
        "It is not the time to write ({window}, {zone}): the plan is saved and nothing was sent;"
        " run travesia sync in these hours"
    ).format(window=hours, zone=hours.zone)


def send(run: Run, settings: Settings, now: datetime) -> Sent:
    """Send the plan that `changes.save_plan` stored. One poisoned record never stops the others.

    `now` is the instance's; pauses count from it. What no record can be written to (no right on a
    table), an instance that stops answering, or the end of the hours for writing ends the attempt
    there, and says so; the rest waits for the next run.

    Raises InterruptedRunError between two batches if the run was asked to stop; InstanceError
    where the instance refuses us altogether, or an import created a record.
    """
    work = _Work(run, settings, now)
    try:
        with ThreadPoolExecutor(settings.workers, "write") as pool:
            _send_all(work, pool)
    except (InstanceError, InterruptedRunError):
        judge(run, settings, now, work.sent)
        raise
    judge(run, settings, now, work.sent)
    look_again(run, work.sent.crossed, now, settings.mode)
    counts = {k: v for k, v in asdict(work.sent).items() if isinstance(v, int)}
    _log.info("written", run_id=run.run_id, **counts, milliseconds=round(work.pace.milliseconds))
    return work.sent


@dataclass
class _Work:
    """One attempt at a plan."""

    run: Run
    settings: Settings
    now: datetime
    sent: Sent = field(default_factory=Sent)
    done: int = 0

    def __post_init__(self) -> None:
        self.pace = self.new_pace()
        self.total = sum(one.records for one in changes.count_plan(self.run.store))
        self.attempt = Attempt(self.run, self.settings.off_hours, self.sent.messages)

    def new_pace(self) -> Pace:
        """Import sets begin with one record: a wrong transform map must not spoil a batch."""
        return Pace(self.settings.batch_size, size=1 if self.settings.via == "import_set" else 0)

    @property
    def deliver(self) -> Callable[[Sequence[RecordUpdate]], list[UpdateReply]]:
        instance = self.run.instance
        is_quiet = self.settings.via == "import_set"
        return instance.import_updates if is_quiet else instance.send_updates

    @property
    def in_flight(self) -> int:
        """How many batches may be on their way: one until the first answer of an import set."""
        is_on_trial = self.settings.via == "import_set" and self.pace.size == 1
        return 1 if is_on_trial else self.settings.workers


def _send_all(work: _Work, pool: ThreadPoolExecutor) -> None:
    flying: Flying = {}
    try:
        for part in _parts(work, flying):
            if not work.attempt.may_go_on():
                break
            batch = _by_record(part)
            if part[0].table in work.sent.closed_tables:
                work.done += len(batch)
                continue
            flying[_submit(work, pool, batch)] = batch
            while len(flying) >= work.in_flight:
                _land(work, flying)
        while flying:
            _land(work, flying)
    except BaseException:
        _salvage(work, flying)
        raise


def _parts(work: _Work, flying: Flying) -> Iterator[list[Change]]:
    """The plan in parts of one table each, as large as the pace allows by then."""
    for first, last in changes.list_plan_ranges(work.run.store):
        if work.settings.via == "import_set":
            while flying:  # each table has a transform map of its own: begin with one record
                _land(work, flying)
            work.pace = work.new_pace()
        while first <= last:
            until = min(last, first + work.pace.size - 1)
            yield changes.read_plan(work.run.store, first, until)
            first = until + 1  # noqa: PLW2901 - where the next part begins


def _by_record(planned: Sequence[Change]) -> dict[Key, list[Change]]:
    found: dict[Key, list[Change]] = {}
    for change in planned:
        found.setdefault((change.table, change.sys_id), []).append(change)
    return found


def _submit(work: _Work, pool: ThreadPoolExecutor, batch: Batch) -> Future[list[UpdateReply]]:
    store = work.run.store
    table, sys_ids = next(iter(batch))[0], [key[1] for key in batch]
    with store.transaction():
        changes.mark(store, work.run.run_id, table, sys_ids, "sent", work.settings.place)
    work.sent.requests += 1
    is_quiet = work.settings.via == "import_set"
    updates = _whole_rows(work, batch) if is_quiet else _differences(batch)
    if work.settings.mode == "record":
        return pool.submit(work.deliver, updates)
    numbers = {sys_id: changes_[0].number for (_table, sys_id), changes_ in batch.items()}
    is_task = table in work.settings.tasks
    told = {one.sys_id: about(one, numbers[one.sys_id], is_task=is_task) for one in updates}
    return pool.submit(send_rows, work.run.instance, updates, told, work.settings.via)


def _differences(batch: Batch) -> list[RecordUpdate]:
    return [
        RecordUpdate(table, sys_id, {change.field: change.to_value for change in of_record})
        for (table, sys_id), of_record in batch.items()
    ]


def _whole_rows(work: _Work, batch: Batch) -> list[RecordUpdate]:
    """What differs beside all that stands: the row of an import clears what it leaves out.

    A record of which we do not see all of our columns is left out, and read again by the next run.
    """
    table, sys_ids = next(iter(batch))[0], [key[1] for key in batch]
    asked = set(work.settings.fields)
    held = changes.read_own(work.run.store, table, _OWN, sys_ids)
    rows = []
    for update in _differences(batch):
        values = {**held.get(update.sys_id, {}), **update.values}
        known = {name: value for name, value in values.items() if value is not None}
        if known.keys() >= asked:
            rows.append(RecordUpdate(table, update.sys_id, known))
    if hidden := len(batch) - len(rows):
        text = _("{table}: not imported, as not all journey columns are readable: {n}")
        work.sent.messages.append(text.format(table=table, n=hidden))
    return rows


def _land(work: _Work, flying: Flying) -> None:
    done, _flying = wait(flying, return_when=FIRST_COMPLETED)
    for future in done:
        _take(work, flying.pop(future), future.result())


def _take(work: _Work, batch: Batch, replies: list[UpdateReply]) -> None:
    work.pace.learn(replies)
    work.done += len(batch)
    take(work.run, batch, replies, work.settings, work.now, work.sent)
    if replies and all(reply.status in ("unknown", "unserviced") for reply in replies):
        work.attempt.end(
            _("The instance stopped answering while writing; the rest waits for the next run")
        )
    work.run.progress("write_back", next(iter(batch))[0], work.done, work.total)


def _salvage(work: _Work, flying: Flying) -> None:
    """Something ended the attempt: what is on its way is heard out, and counts."""
    for future, batch in list(flying.items()):
        if future.cancel():
            continue  # stays `sent`: the next run reads it again
        try:
            _take(work, batch, future.result())
        except ConnectorError as error:
            _log.warning("not_heard", run_id=work.run.run_id, reason=type(error).__name__)
