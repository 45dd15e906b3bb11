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
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connector import extract, log, reconcile, write_back
from connector.check import Finding, check_instance, check_mapping
from connector.classify import classify, save_classification
from connector.config import Config
from connector.context import Progress, Run, silent
from connector.errors import ConfigError, ConnectorError, InterruptedRunError
from connector.explain import Explanation
from connector.explain import explain as explain_record
from connector.itsm import servicenow
from connector.itsm.base import Instance
from connector.journey.mapping import load_mapping
from connector.journey.model import Mapping as JourneyMapping
from connector.messages import _
from connector.provision import Provisioning, apply_provision, plan_provision
from connector.report.publish import PublishResult
from connector.report.publish import publish as publish_report
from connector.report.render import render_all, write_files
from connector.report.report import build_report
from connector.results import Options, RunResult, SoFar, close, summed_up
from connector.store import changes, records, runs
from connector.store.changes import Change
from connector.store.database import (
    Store,
    open_snapshot,
    open_store,
    publish_snapshot,
    snapshot_path,
)
from connector.store.lock import Status as Said
from connector.store.lock import is_locked, locked, read_status
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
) -> RunResult:
    """One pass: extract → classify → write back, under the store's lock.

    Raises ConnectorError kinds; what was committed before stays, and the next run goes on there.
    """
    started = time.monotonic()
    kind = "dry_run" if options.dry_run else options.kind
    with _opened(config, instance, mapping, kind, stop, progress) as (this, status):
        status.say(phase="extract")
        so_far = _extract(config, this, mapping, options)
        status.say(phase="classify")
        _classify(config, this, mapping, so_far, save=not options.dry_run)
        plan = _plan(config, this, mapping, options, so_far)
        sent = write_back.Sent()
        may_send = config.write_back.enabled and not options.dry_run
        if may_send:
            status.say(phase="write_back", planned=len(plan))
            changes.save_plan(this.store, this.run_id, plan)
            sent = write_back.send(this, plan, _write_settings(config))
        if not options.dry_run:
            _retain(config, this.store, so_far.mark)
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


def _outcome_of(error: ConnectorError) -> str:
    return "interrupted" if isinstance(error, InterruptedRunError) else "failed"


def _fail(store: Store, run_id: str, error: ConnectorError) -> None:
    """Note why, if the store can still be written; the error itself matters more."""
    try:
        runs.finish_run(store, run_id, _outcome_of(error), {}, str(error))
    except ConnectorError as second:
        _log.error("run_not_closed", run_id=run_id, reason=str(second))
    _log.error("run_failed", run_id=run_id, error=type(error).__name__)


def _extract(config: Config, this: Run, mapping: JourneyMapping, options: Options) -> SoFar:
    schema, wanted, absent = extract.read_schema(this.instance, mapping, config.extract.tables)
    so_far = SoFar(
        extract.high_mark(this.instance, timedelta(seconds=config.instance.settle_seconds)),
        tuple(table for table in config.extract.tables if table in wanted),
    )
    so_far.messages += [
        _("The instance has no table {table}: its rules are off").format(table=table)
        for table in absent
    ]
    if config.write_back.enabled:
        write_back.check_columns(schema, [t for t in config.write_back.tables if t in wanted])
    extract.save_schema(this.store, this.instance, schema, wanted)
    if not options.dry_run:
        runs.set_high_mark(this.store, this.run_id, so_far.mark)
    if options.full and not options.dry_run:
        changes.forgive_all(this.store)
    write_back.settle(this, so_far.mark)
    if options.record:
        found = extract.extract_record(this, wanted, mapping, options.record, so_far.mark)
        so_far.only = (found[1],)
        return so_far
    reading = extract.Reading(
        lag=timedelta(minutes=config.instance.lag_minutes),
        since=options.since,
        full=options.full,
    )
    for table in _chosen(wanted, options.tables):
        spec = mapping.tables.get(table)
        found_in = extract.extract_table(
            this, table, wanted[table], so_far.mark, reading, spec.filter if spec else ""
        )
        so_far.extracted[table] = found_in.new + found_in.changed
        so_far.messages += _hidden_messages(found_in)
    return so_far


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
            _("{table}: {n} records are hidden from the integration user by an ACL").format(
                table=found.table, n=found.hidden_rows
            )
        )
    if found.hidden_columns:
        said.append(
            _("{table}: {columns} are hidden; the rules that need them are off").format(
                table=found.table, columns=", ".join(found.hidden_columns)
            )
        )
    return said


def _classify(
    config: Config, this: Run, mapping: JourneyMapping, so_far: SoFar, *, save: bool
) -> None:
    this.pause_point()
    classify(
        this.store,
        mapping,
        extract.stored_schema(this.store),
        so_far.mark,
        this.run_id,
        config.instance.time_zone,
    )
    if save:
        save_classification(this.store, this.run_id)


def _plan(
    config: Config, this: Run, mapping: JourneyMapping, options: Options, so_far: SoFar
) -> tuple[Change, ...]:
    settings = _write_settings(config)
    if options.tables:
        settings = write_back.narrowed(settings, options.tables)
    return tuple(
        write_back.plan(
            this.store, mapping, settings, so_far.mark, only=so_far.only, limit=options.limit
        )
    )


def _write_settings(config: Config) -> write_back.Settings:
    wanted = config.write_back
    return write_back.Settings(
        journey=config.mapping.journey,
        language=config.mapping.language,
        tables=tuple(wanted.tables),
        batch_size=wanted.batch_size,
        max_records=wanted.max_records_per_run,
        settled=timedelta(days=wanted.settled_days),
        backfill=timedelta(days=wanted.backfill_days),
        set_aside_after=wanted.set_aside_after,
    )


def _retain(config: Config, store: Store, mark: datetime) -> None:
    """Retention, in the instance's time: old versions, long closed records, old changes."""
    versions_before = mark - timedelta(days=config.store.keep_versions_days)
    closed_before = mark - timedelta(days=round(config.store.keep_records_months * 30.44))
    with store.transaction():
        for table in records.list_tables(store):
            records.prune(store, table, versions_before, format_instance(closed_before))
        changes.prune_changes(store, config.store.keep_versions_days)


def connect(
    config: Config, environment: Mapping[str, str], stop: threading.Event | None = None
) -> servicenow.ServiceNow:
    """The configured instance. Raises ConfigError if there is none, or a secret is missing."""
    settings = config.instance
    is_basic = settings.auth == "basic"
    return servicenow.connect(
        servicenow.Connection(
            url=settings.url,
            auth=settings.auth,
            user=settings.user,
            secret=config.password(environment) if is_basic else "",
            client_id=settings.client_id,
            client_secret="" if is_basic else config.client_secret(environment),
            proxy=settings.proxy,
            ca_bundle=str(settings.ca_bundle or ""),
            timeout_seconds=settings.timeout_seconds,
            page_size=settings.page_size,
            max_attempts=settings.max_attempts,
        ),
        stop,
    )


def mapping_of(config: Config) -> JourneyMapping:
    """The shipped mapping with the organisation's overlay. Raises MappingError."""
    return load_mapping(config.mapping.overlay)


def sweep(
    config: Config,
    instance: Instance,
    mapping: JourneyMapping,
    stop: threading.Event,
    progress: Progress | None = None,
) -> list[reconcile.Swept]:
    """The weekly reconciliation of keys; the next sync classifies what it brought.

    Raises ConnectorError kinds. A table with a `question` was left as it is: a person decides.
    """
    with _opened(config, instance, mapping, "reconcile", stop, progress) as (this, status):
        status.say(phase="reconcile")
        _schema, wanted, _absent = extract.read_schema(instance, mapping, config.extract.tables)
        mark = extract.high_mark(instance, timedelta(seconds=config.instance.settle_seconds))
        swept = reconcile.sweep(this, wanted, mark)
        questions = [found.question for found in swept if found.question]
        outcome = "partial" if questions else "succeeded"
        counts = {"tables": [asdict(found) for found in swept]}
        runs.finish_run(this.store, this.run_id, outcome, counts, "\n".join(questions))
    return swept


@dataclass(frozen=True)
class ReportResult:
    """Where a report went."""

    files: tuple[Path, ...]
    published: PublishResult | None


def report(  # noqa: PLR0913, PLR0917 - what a reader chooses about a report, spelled out
    config: Config,
    mapping: JourneyMapping,
    period_from: datetime,
    period_to: datetime,
    language: str,
    formats: Sequence[str],
    out: Path,
    publish: bool,
    instance: Instance | None,
) -> ReportResult:
    """Report on [period_from, period_to) from the last finished run; publish it if asked.

    Raises StoreError before the first run, InstanceError kinds while publishing (the files are
    written by then).
    """
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        built = build_report(
            store,
            mapping,
            period_from,
            period_to,
            language,
            config.instance.time_zone,
            config.report.minimum_group,
            journey=config.mapping.journey,
        )
    files = tuple(write_files(built, out, formats))
    if not publish or instance is None:
        return ReportResult(files, None)
    return ReportResult(files, publish_report(instance, built, render_all(built, formats)))


def explain(config: Config, mapping: JourneyMapping, number: str) -> Explanation:
    """Why a record stands where it stands, as of the last finished run."""
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        schema = extract.stored_schema(store)
        return explain_record(store, mapping, schema, number, config.instance.time_zone)


def check(config: Config, environment: Mapping[str, str]) -> list[Finding]:
    """What stands in the way of a good run: the mapping alone, or held against the instance."""
    mapping = mapping_of(config)
    found = check_mapping(mapping)
    if not config.has_instance:
        return found
    instance = connect(config, environment)
    return found + check_instance(
        instance, mapping, config.extract.tables, config.write_back.tables
    )


@dataclass(frozen=True)
class Status:
    """What is known without asking the instance."""

    is_running: bool
    now: dict[str, Any]
    runs: tuple[dict[str, Any], ...] = ()
    cursors: tuple[dict[str, Any], ...] = ()
    set_aside: tuple[dict[str, Any], ...] = ()


def status(config: Config) -> Status:
    """The sidecar's word, and the last finished runs. Never waits for a run."""
    path = config.store.path
    now = read_status(path)
    if not snapshot_path(path).exists():
        return Status(is_locked(path), now)
    with open_snapshot(path, config.store.memory_limit_mb) as store:
        return Status(
            is_locked(path),
            now,
            tuple(runs.list_runs(store)),
            tuple(store.read("SELECT table_name, updated_on, is_complete FROM cursor ORDER BY 1")),
            tuple(
                store.read(
                    "SELECT table_name, sys_id, field, reason, attempts, is_final, last_at"
                    " FROM set_aside ORDER BY last_at DESC, table_name, sys_id, field"
                )
            ),
        )


def last_success(config: Config, kind: str) -> datetime | None:
    """When a run of this kind last ended well (aware UTC), None if never."""
    if not snapshot_path(config.store.path).exists():
        return None
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        found = store.value(
            "SELECT max(finished_at) FROM run WHERE kind = $kind"
            " AND outcome IN ('succeeded', 'partial')",
            kind=kind,
        )
    return found.replace(tzinfo=UTC) if found else None


def provision(config: Config, environment: Mapping[str, str], apply: bool) -> Provisioning:
    """What the instance lacks to show the journey; made there if `apply`. Never deletes.

    Answers the plan, or what was made. Raises ConfigError where a person must settle something.
    """
    mapping = mapping_of(config)
    instance = connect(config, environment)
    tables, journey = config.write_back.tables, config.mapping.journey
    if not apply:
        return plan_provision(instance, mapping, tables, journey)
    return Provisioning(tuple(apply_provision(instance, mapping, tables, journey)))
