"""The flow: one run, one screen.

    tool ──extract──▶ records ──classify──▶ classifications ──write back──▶ tool
                                                  └────────────report────▶ files, and the tool

Each step reads the store and writes the store; no step calls another; every step may be repeated.
Whatever dies, dies between two transactions, and the next run repairs it.
"""

import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TextIO

from connector import (
    contacts,
    engagement_rows,
    extract,
    extract_history,
    history,
    log,
    moments,
    reconcile,
    relationships,
    staging,
    write_back,
)
from connector.classify import classify, save_classification, unknown_overrides
from connector.config import Config
from connector.context import Progress, Run, silent
from connector.encoded_query import Context
from connector.engagement_rows import RowChange
from connector.errors import (
    BudgetSpentError,
    ConfigError,
    ConnectorError,
    InstanceError,
    InterruptedRunError,
)
from connector.filters import check_filters
from connector.in_force import InForce, enter, which
from connector.itsm.base import Instance
from connector.itsm.identity import is_same
from connector.journey.model import Mapping as JourneyMapping
from connector.messages import _, _n
from connector.results import Options, RunResult, SoFar, close, summed_up
from connector.schema import Needed, absent_sentences, read_schema
from connector.store import changes, classifications, records, runs, set_aside
from connector.store.changes import Planned
from connector.store.database import (
    Store,
    open_store,
    publish_snapshot,
)
from connector.store.lock import Status as Said
from connector.store.lock import locked
from connector.timestamps import format_instance

_log = log.get("pipeline")

plan_lines = write_back.plan_lines


def run(
    config: Config,
    instance: Instance,
    mapping: JourneyMapping,
    options: Options,
    stop: threading.Event,
    progress: Progress | None = None,
    plan_to: TextIO | None = None,
) -> RunResult:
    """One pass: extract → classify → moments → engagement → write back, under the store's lock.

    The whole plan goes to `plan_to` as JSON Lines, before anything is sent.

    Raises ConnectorError kinds; what was committed before stays, and the next run goes on there.
    """
    started = time.monotonic()
    with _opened(config, instance, mapping, options.kind, stop, progress) as (this, status):
        force = _mapping_in_force(this, mapping, options)
        status.say(phase="extract")
        so_far = _extract(config, this, force, options)
        status.say(phase="classify")
        if force.places:
            _classify(config, this, force.mapping, so_far, save=not options.dry_run)
        else:
            classifications.stay(this.store)
            moments.stay(this.store)
        plan = _plan(config, this, force.mapping, options, so_far)
        rows = _relationships(config, this, force, options, so_far)
        rows = _within_limit(rows, options, sum(p.records for p in plan))
        if plan_to:
            write_back.write_plan(this.store, plan_to)
            plan_to.write(plan_lines(engagement_rows.changes_of(rows)))
        sent = write_back.Sent()
        _recognise(this, so_far, is_accepted=options.accept_instance)
        settings = write_back.settings_of(config)
        may_send = config.write_back.enabled and not options.dry_run and not force.waiting
        if may_send:
            status.say(phase="write_back", planned=sum(p.records for p in plan))
            if options.full:
                set_aside.forgive_all(this.store)
            changes.save_plan(this.store, this.run_id)
            so_far.hold_back(so_far.stranger or write_back.held_back(this, settings))
            may_send = not so_far.held_back
        if may_send:
            sent = write_back.send(this, settings, so_far.mark)
            so_far.take_rows(engagement_rows.send_rows(this, rows, config.write_back.batch_size))
        result = summed_up(this, so_far, plan, sent, may_send, time.monotonic() - started)
        if not options.dry_run:
            close(this, result)
    return result


@contextmanager
def _opened(
    config: Config,
    instance: Instance,
    mapping: JourneyMapping,
    kind: str,
    stop: threading.Event,
    progress: Progress | None,
) -> Iterator[tuple[Run, Said]]:
    """Lock, store, run row; on the way out the snapshot, and in any case the last word."""
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    path = config.store.path
    with locked(path) as status:
        status.say(run_id=run_id, kind=kind, phase="start", outcome=None, message="")
        try:
            with open_store(path, config.store.memory_limit_mb) as store:
                this = Run(store, instance, run_id, stop, progress or silent)
                runs.bind_instance(store, instance.url)
                if kind != "dry_run":
                    runs.begin_run(store, run_id, kind, mapping.hash)
                try:
                    yield this, status
                except ConnectorError as error:
                    _fail(store, run_id, error)
                    raise
            publish_snapshot(path)
        except ConnectorError as error:
            status.say(phase="end", outcome=_outcome_of(error), message=str(error))
            raise
        status.say(phase="end", outcome="finished", message="")


def _mapping_in_force(this: Run, mapping: JourneyMapping, options: Options) -> InForce:
    """The mapping that places the records; the configured one if nobody has to accept it first."""
    if options.dry_run:
        return which(this.store, mapping)
    return enter(this.store, mapping, this.run_id)


def _recognise(this: Run, so_far: SoFar, *, is_accepted: bool) -> None:
    """A copy of the instance is another one, whatever its address: nothing is written to it."""
    known, said = runs.read_identity(this.store), this.instance.identity()
    if said and (not known or is_accepted):
        runs.save_identity(this.store, said)
    elif said and not is_same(known, said):
        so_far.meet_stranger(
            _(
                "This is another instance than the store knows ({said}, not {known}), perhaps a"
                " copy: nothing is written until travesia sync --accept-instance"
            ).format(said=said, known=known)
        )


def _outcome_of(error: ConnectorError) -> str:
    is_stopped = isinstance(error, InterruptedRunError | BudgetSpentError)
    return "interrupted" if is_stopped else "failed"


def _fail(store: Store, run_id: str, error: ConnectorError) -> None:
    """Note why, if the store can still be written; the error itself matters more."""
    try:
        runs.finish_run(store, run_id, _outcome_of(error), {}, str(error))
    except ConnectorError as second:
        _log.error("run_not_closed", run_id=run_id, reason=str(second))
    _log.debug("run_failed", run_id=run_id, error=type(error).__name__)


def _extract(config: Config, this: Run, force: InForce, options: Options) -> SoFar:
    mapping = force.mapping
    needed = read_schema(
        this.instance, force.all, _tables_asked(config, mapping), contacts.schema()
    )
    check_filters(this.instance, mapping, needed.schema)
    wanted = extract.columns_to_read(mapping, needed)
    mark = extract.high_mark(this.instance, timedelta(seconds=config.instance.settle_seconds))
    _check_clock(config, this, mark, is_accepted=options.full)
    so_far = SoFar(mark, tuple(table for table in config.extract.tables if table in wanted))
    if force.waiting:
        so_far.wait_for(force.waiting.hash, force.sentence)
    so_far.messages += absent_sentences(needed.absent)
    if config.write_back.enabled:
        written = [t for t in config.write_back.tables if t in wanted]
        write_back.check_columns(needed.schema, written)
        if config.write_back.via == "import_set":
            staging.check_staging(this.instance, written)
    extract.save_schema(this.store, this.instance, needed.schema, wanted)
    found: tuple[str, str] | None = None
    if not options.dry_run:
        runs.set_high_mark(this.store, this.run_id, mark)
    write_back.settle(this, mark)
    if options.record is not None:
        found = extract.extract_record(this, wanted, mapping, options.record, mark)
        so_far.only = (found[1],)
    else:
        _extract_tables(config, this, mapping, options, wanted, so_far)
    _take_contacts(config, this, mapping, so_far)
    _note_hidden(this.store, wanted, so_far)
    _retain(config, this.store, mark)
    _read_history(config, this, mapping, needed, so_far, found)
    return so_far


def _take_contacts(config: Config, this: Run, mapping: JourneyMapping, so_far: SoFar) -> None:
    """The contacts of the configured file; a faulty one leaves them as they are and is told."""
    if config.contacts.csv is None:
        return
    try:
        contacts.take_file(this.store, mapping, config.contacts.csv, so_far.mark, this.run_id)
    except ConfigError as error:
        so_far.messages.append(str(error))
        so_far.is_partial = True


def _tables_asked(config: Config, mapping: JourneyMapping) -> tuple[str, ...]:
    by_key = [one.table for one in mapping.history] if config.extract.history else []
    return (*config.extract.tables, contacts.TABLE, *by_key)


def _read_history(
    config: Config,
    this: Run,
    mapping: JourneyMapping,
    needed: Needed,
    so_far: SoFar,
    only: tuple[str, str] | None,
) -> None:
    """Journal and audit of the task records that changed, after what is past retention went."""
    if not config.extract.history:
        extract_history.hide_history(this, mapping)
        return
    found = extract_history.read_history(
        this,
        extract_history.sources(mapping, needed),
        [t for t in so_far.asked if t in mapping.tables and mapping.tables[t].is_task],
        so_far.mark,
        timedelta(days=config.extract.history_days),
        only,
    )
    so_far.messages += found.messages


def _extract_tables(
    config: Config,
    this: Run,
    mapping: JourneyMapping,
    options: Options,
    wanted: Mapping[str, Sequence[str]],
    so_far: SoFar,
) -> None:
    lag = timedelta(minutes=config.instance.lag_minutes)
    reading = extract.Reading(lag, options.since, options.full)
    for table in _chosen(wanted, options.tables):
        found = extract.extract_table(
            this, table, wanted[table], so_far.mark, reading, filter_of(mapping, table)
        )
        so_far.extracted[table] = found.new + found.changed
        so_far.messages += _hidden_messages(found)
        so_far.is_partial |= bool(found.lost_columns)


def filter_of(mapping: JourneyMapping, table: str) -> str:
    """The encoded query that limits what is read of a table, "" for none."""
    spec = mapping.tables.get(table)
    return spec.filter if spec else ""


LONGEST_STEP_BACK = timedelta(days=1)
"""So far an instance's clock may fall behind the last run before somebody must look."""


def _check_clock(config: Config, this: Run, mark: datetime, *, is_accepted: bool) -> None:
    """A wrong clock would prune, date and place everything wrongly. Raises InstanceError."""
    ahead = mark - datetime.now(UTC)
    limit = timedelta(hours=config.instance.max_clock_ahead_hours)
    if limit and ahead > limit:
        raise InstanceError(
            _(
                "The instance's clock says {mark}, which is far ahead of this machine's; look at"
                " both clocks, or raise [instance] max_clock_ahead_hours"
            ).format(mark=format_instance(mark))
        )
    last = runs.last_mark(this.store)
    if last is not None and mark < last - LONGEST_STEP_BACK and not is_accepted:
        raise InstanceError(
            _(
                "The instance's clock says {mark}, long before the last run's {last}; if it was"
                " restored from a copy, run travesia sync --full"
            ).format(mark=format_instance(mark), last=format_instance(last))
        )


def _note_hidden(store: Store, wanted: Mapping[str, Sequence[str]], so_far: SoFar) -> None:
    for table, columns in runs.mark_hidden(store, wanted).items():
        so_far.messages.append(
            _("{table}: {columns} are hidden; the rules that need them are off").format(
                table=table, columns=", ".join(columns)
            )
        )


def _chosen(wanted: Mapping[str, Sequence[str]], tables: Sequence[str]) -> list[str]:
    unknown = [table for table in tables if table not in wanted]
    if unknown:
        raise ConfigError(
            "--table",
            [
                _("{table} is not among the tables that are read: {known}").format(
                    table=table, known=", ".join(sorted(wanted))
                )
                for table in unknown
            ],
        )
    return list(tables) or list(wanted)


def _hidden_messages(found: extract.Extracted) -> list[str]:
    said = []
    if found.hidden_rows:
        said.append(
            _n(
                "{table}: {n} record is hidden from the integration user by an ACL",
                "{table}: {n} records are hidden from the integration user by an ACL",
                found.hidden_rows,
            ).format(table=found.table, n=found.hidden_rows)
        )
    if found.lost_columns:
        said.append(
            _(
                "{table}: {columns} could be read until now and no longer can; nothing of the"
                " table was taken over. Give the right back, or run travesia sync --full to go on"
                " without"
            ).format(table=found.table, columns=", ".join(found.lost_columns))
        )
    return said


def _classify(
    config: Config, this: Run, mapping: JourneyMapping, so_far: SoFar, *, save: bool
) -> None:
    this.pause_point()
    schema = extract.stored_schema(this.store)
    context = Context(so_far.mark, config.instance.time_zone)
    classify(this.store, mapping, schema, context.now, this.run_id, context.time_zone)
    history.trace(this.store, mapping, schema, context, this.run_id)
    so_far.messages += unknown_overrides(this.store, mapping)
    if save:
        save_classification(this.store, this.run_id)
    moments.decide_moments(
        this.store,
        mapping,
        schema,
        context,
        this.run_id,
        save=save,
    )


def _relationships(
    config: Config, this: Run, force: InForce, options: Options, so_far: SoFar
) -> list[RowChange]:
    """Only a look at everything can say how a relationship stands: a part of it cannot."""
    if not force.places or options.record is not None or options.tables:
        return []
    this.pause_point()
    rows, message = relationships.of_run(
        config, this, force.mapping, so_far.mark, save=not options.dry_run
    )
    so_far.messages += [message] if message else []
    return rows


def _within_limit(rows: list[RowChange], options: Options, planned: int) -> list[RowChange]:
    """What a pilot has left for relationships when its `planned` records are written."""
    return rows if options.limit is None else rows[: max(0, options.limit - planned)]


def _plan(
    config: Config, this: Run, mapping: JourneyMapping, options: Options, so_far: SoFar
) -> list[Planned]:
    settings = write_back.settings_of(config)
    if options.tables:
        settings = write_back.narrowed(settings, options.tables)
    return write_back.plan(
        this.store,
        mapping,
        settings,
        so_far.mark,
        only=so_far.only,
        limit=options.limit,
        is_retry=options.full,
    )


def _retain(config: Config, store: Store, mark: datetime) -> None:
    """Retention, in the instance's time: old versions, long closed records, old changes.

    Before classification, so that a fresh store and an old one place the same records.
    """
    versions_before = mark - timedelta(days=config.store.keep_versions_days)
    with store.transaction():
        for table in records.list_tables(store):
            records.prune(store, table, versions_before, _closed_before(config, mark))
        changes.prune_changes(store, config.store.keep_versions_days)


def _closed_before(config: Config, mark: datetime) -> str:
    days = round(config.store.keep_records_months * 30.44)
    return format_instance(mark - timedelta(days=days))


def sweep(
    config: Config,
    instance: Instance,
    mapping: JourneyMapping,
    stop: threading.Event,
    progress: Progress | None = None,
    *,
    all_keys: bool = False,
) -> list[reconcile.Swept]:
    """The weekly reconciliation, by counts where they suffice unless `all_keys`; the next sync
    classifies what it brought.

    Raises ConnectorError kinds. A table with a `question` was left as it is: a person decides.
    """
    with _opened(config, instance, mapping, "reconcile", stop, progress) as (this, status):
        status.say(phase="reconcile")
        force = which(this.store, mapping)
        tables = (*config.extract.tables, contacts.TABLE)
        needed = read_schema(instance, force.all, tables, contacts.schema())
        check_filters(instance, mapping, needed.schema)
        wanted = extract.columns_to_read(mapping, needed)
        mark = extract.high_mark(instance, timedelta(seconds=config.instance.settle_seconds))
        _check_clock(config, this, mark, is_accepted=False)
        filters = {table: filter_of(mapping, table) for table in wanted}
        counting = None if all_keys else _counting(config, this.store)
        swept = reconcile.sweep(this, wanted, filters, mark, _closed_before(config, mark), counting)
        questions = [found.question for found in swept if found.question]
        outcome = "partial" if questions else "succeeded"
        counts = {"tables": [asdict(found) for found in swept]}
        runs.finish_run(this.store, this.run_id, outcome, counts, "\n".join(questions))
    return swept


def _counting(config: Config, store: Store) -> reconcile.Counting | None:
    """Counts are taken as of the last whole sync; before it there is nothing to count against."""
    last = runs.last_mark(store)
    if last is None:
        return None
    every = config.schedule.compare_keys_every
    return reconcile.Counting(last, _closed_before(config, last), every)
