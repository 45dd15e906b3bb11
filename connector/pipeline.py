"""The flow: one run, one screen.

    tool ──extract──▶ records ──classify──▶ classifications ──write back──▶ tool
                                                  └────────────report────▶ files, and the tool

What a run opens is in `opening.py`, what it reads in `intake.py`, each step in a module of its own.
Each step reads the store and writes the store; no step calls another; every step may be repeated.
Whatever dies, dies between two transactions, and the next run repairs it.
"""

import threading
import time
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TextIO

from connector import (
    contacts,
    engagement_rows,
    extract,
    extract_rows,
    history,
    identity,
    moments,
    reconcile,
    relationships,
    write_back,
)
from connector.classify import (
    classify,
    save_classification,
    unexplained_overrides,
    unknown_overrides,
)
from connector.config import Config
from connector.context import Progress, Run
from connector.encoded_query import Context
from connector.filters import check_filters
from connector.in_force import InForce, enter, shown, which
from connector.intake import check_clock, closed_before, filter_of, take_in
from connector.itsm.base import Instance
from connector.journey.model import Mapping as JourneyMapping
from connector.messages import _n
from connector.opening import opened
from connector.results import Options, RunResult, SoFar, close, summed_up
from connector.row_sending import RowChange, Terms
from connector.schema import read_schema
from connector.store import changes, classifications, runs, set_aside
from connector.store.changes import Planned
from connector.store.database import Store

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
    with opened(config, instance, mapping, options.kind, stop, progress) as (this, status):
        force = _mapping_in_force(this, mapping, options)
        config = shown(config, force.mapping)
        status.say(phase="extract")
        so_far = take_in(config, this, force, options)
        status.say(phase="classify")
        _classify(config, this, force, so_far, save=not options.dry_run)
        rows = _relationships(config, this, force, options, so_far)
        plan = _plan(config, this, force.mapping, options, so_far)
        rows, plan = _within_limits(config, this, options, so_far, rows, plan)
        if plan_to:
            write_back.write_plan(this.store, plan_to)
            plan_to.write(plan_lines(engagement_rows.changes_of(rows)))
            plan_to.flush()
        sent = write_back.Sent()
        if found := identity.differs(
            this.store, instance, is_accepted=options.accept_instance and not options.dry_run
        ):
            so_far.meet_stranger(found)
        settings = write_back.settings_of(config, force.mapping)
        may_send = config.write_back.enabled and not options.dry_run and not force.waiting
        if may_send:
            status.say(phase="write_back", planned=sum(p.records for p in plan))
            if options.full:
                set_aside.forgive_all(this.store)
            changes.save_plan(this.store, this.run_id)
            so_far.hold_back(so_far.stranger or write_back.held_back(this, settings))
            may_send = not so_far.held_back
        if may_send:
            _send_rows(this, rows, settings, so_far)
            sent = write_back.send(this, settings, so_far.mark)
        result = summed_up(this, so_far, plan, sent, may_send, time.monotonic() - started)
        if not options.dry_run:
            close(this, result)
    return result


def _mapping_in_force(this: Run, mapping: JourneyMapping, options: Options) -> InForce:
    """The mapping that places the records; the configured one if nobody has to accept it first."""
    if options.dry_run:
        return which(this.store, mapping)
    return enter(this.store, mapping, this.run_id)


def _classify(config: Config, this: Run, force: InForce, so_far: SoFar, *, save: bool) -> None:
    """Where every record stands, how it came there, its moments; as they were if nothing places."""
    if not force.places:
        classifications.stay(this.store)
        moments.stay(this.store)
        return
    this.pause_point()
    mapping, schema = force.mapping, extract.stored_schema(this.store)
    context = Context(so_far.mark, config.instance.time_zone)
    classify(this.store, mapping, schema, context.now, this.run_id, context.time_zone)
    history.trace(this.store, mapping, schema, context, this.run_id)
    so_far.messages += unknown_overrides(this.store, mapping)
    so_far.messages += unexplained_overrides(this.store)
    if save:
        save_classification(this.store, this.run_id)
    moments.decide_moments(this.store, mapping, schema, context, this.run_id, save=save)


def _relationships(
    config: Config, this: Run, force: InForce, options: Options, so_far: SoFar
) -> list[RowChange]:
    """Only a look at everything can say how a relationship stands: a part of it cannot."""
    if not force.places or options.numbers or options.tables:
        return []
    this.pause_point()
    rows, message = relationships.of_run(
        config,
        this,
        force.mapping,
        so_far.mark,
        save=not options.dry_run,
        is_retry=options.full,
    )
    so_far.messages += [message] if message else []
    return rows


def _within_limits(
    config: Config,
    this: Run,
    options: Options,
    so_far: SoFar,
    rows: list[RowChange],
    plan: list[Planned],
) -> tuple[list[RowChange], list[Planned]]:
    """What a run, or a pilot, has left for relationships beside its planned records; of these, no
    field that refers to a row which is left for later."""
    planned = sum(p.records for p in plan)
    cap = config.write_back.max_records_per_run
    left = max(0, min(cap, options.limit if options.limit is not None else cap) - planned)
    if options.limit is None and len(rows) > left:
        so_far.messages.append(
            _n(
                "{n} relationship waits for the next run ([write_back] max_records_per_run)",
                "{n} relationships wait for the next run ([write_back] max_records_per_run)",
                len(rows) - left,
            ).format(n=len(rows) - left)
        )
    so_far.planned_relationships = min(len(rows), left)
    later = [one.sys_id for one in rows[left:] if one.seen is None]
    return rows[:left], write_back.let_go(this.store, later) if later else plan


def _send_rows(
    this: Run, rows: list[RowChange], settings: write_back.Settings, so_far: SoFar
) -> None:
    """Rows of relationships before the records that refer to them: what is not there is not
    referred to."""
    sent = engagement_rows.send_rows(this, rows, _terms(settings, so_far.mark))
    so_far.take_rows(sent)
    missing = [one.sys_id for one in rows if one.seen is None and one.sys_id not in sent.there]
    write_back.let_go(this.store, missing, this.run_id)


def _terms(settings: write_back.Settings, now: datetime) -> Terms:
    """Rows go as records do."""
    return Terms(
        workers=settings.workers,
        batch_size=settings.batch_size,
        off_hours=settings.off_hours,
        set_aside_after=settings.set_aside_after,
        longest_pause=settings.longest_pause,
        now=now,
    )


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
    with opened(config, instance, mapping, "reconcile", stop, progress) as (this, status):
        status.say(phase="reconcile")
        force = which(this.store, mapping)
        tables = (*config.extract.tables, contacts.TABLE)
        needed = read_schema(instance, force.all, tables, contacts.schema())
        check_filters(instance, mapping, needed.schema)
        wanted = extract.columns_to_read(mapping, needed)
        if config.write_back.mode == "table":
            wanted = {**extract_rows.without_own(wanted), **extract_rows.rows_of(instance)}
        mark = extract.high_mark(instance, timedelta(seconds=config.instance.settle_seconds))
        check_clock(config, this, mark, is_accepted=False)
        filters = {table: filter_of(mapping, table) for table in wanted}
        counting = None if all_keys else _counting(config, this.store)
        swept = reconcile.sweep(this, wanted, filters, mark, closed_before(config, mark), counting)
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
    return reconcile.Counting(last, closed_before(config, last), every)
