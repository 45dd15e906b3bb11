"""Step 1 as a run needs it: which tables, up to which instant, what is told, what is let go.

How one table is read: `extract.py`; journal and audit: `extract_history.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from connector import (
    contacts,
    extract,
    extract_history,
    extract_record,
    extract_rows,
    staging,
    write_back,
)
from connector.config import Config
from connector.context import Run
from connector.errors import ConfigError, InstanceError
from connector.filters import check_filters
from connector.in_force import InForce
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.rows import TABLE as ROWS
from connector.messages import _, _n
from connector.results import Options, SoFar
from connector.schema import Needed, absent_sentences, read_schema
from connector.store import changes, records, runs
from connector.store.database import Store
from connector.timestamps import format_instance


def take_in(config: Config, this: Run, force: InForce, options: Options) -> SoFar:
    """Step 1 of a run: everything that changed in the tool, up to one mark for all tables.

    1. Learn what the mapping needs and the instance has; hold the clocks together.
    2. Settle what an earlier run sent and nobody saw arrive.
    3. Read the tables (or one record and its relatives), the contacts' file, the history by key.
    4. Say what is hidden; let go of what is past retention.

    Raises ConfigError, InstanceError and its kinds, StoreError.
    """
    mapping = force.mapping
    needed = read_schema(
        this.instance, force.all, _tables_asked(config, mapping), contacts.schema()
    )
    check_filters(this.instance, mapping, needed.schema)
    wanted = extract.columns_to_read(mapping, needed)
    is_beside = config.write_back.mode == "table"
    wanted = extract_rows.without_own(wanted) if is_beside else wanted
    mark = extract.high_mark(this.instance, timedelta(seconds=config.instance.settle_seconds))
    check_clock(config, this, mark, is_accepted=options.full)
    so_far = SoFar(mark, tuple(table for table in config.extract.tables if table in wanted))
    if force.waiting:
        so_far.wait_for(force.waiting.hash, force.sentence)
    so_far.messages += absent_sentences(needed.absent)
    if config.write_back.enabled:
        written = _written(config, wanted)
        _check_place(config, this, mapping, needed, written)
    extract.save_schema(this.store, this.instance, needed.schema, wanted)
    found: tuple[tuple[str, str], ...] = ()
    if not options.dry_run:
        runs.set_high_mark(this.store, this.run_id, mark)
    write_back.settle(this, mark, config.write_back.mode)
    if options.numbers:
        asked = extract_record.extract_records(this, wanted, mapping, options.numbers, mark)
        found = tuple(asked.found.values())
        so_far.only = tuple(sys_id for _table, sys_id in found)
        so_far.by_number = {number: sys_id for number, (_t, sys_id) in asked.found.items()}
        so_far.not_found = asked.problems
    else:
        _extract_tables(config, this, mapping, options, wanted, so_far)
    if is_beside:
        _take_rows(config, this, wanted, options, so_far, found)
    _take_contacts(config, this, mapping, so_far)
    _note_hidden(this.store, wanted, so_far)
    _retain(config, this.store, mark)
    _read_history(config, this, mapping, needed, so_far, found)
    return so_far


def _written(config: Config, wanted: Mapping[str, Sequence[str]]) -> list[str]:
    return [table for table in config.write_back.tables if table in wanted]


def _take_rows(
    config: Config,
    this: Run,
    wanted: Mapping[str, Sequence[str]],
    options: Options,
    so_far: SoFar,
    only: Sequence[tuple[str, str]],
) -> None:
    """The rows of our own table, shown on the records; what is hidden of them is told."""
    written, reading = _written(config, wanted), _reading(config, options)
    found = extract_rows.take_rows(this, written, so_far.mark, reading, only)
    so_far.messages += _hidden_messages(found)
    so_far.is_partial |= bool(found.lost_columns)


def _check_place(
    config: Config,
    this: Run,
    mapping: JourneyMapping,
    needed: Needed,
    written: Sequence[str],
) -> None:
    """Raise ConfigError if what is written, or the way there, is not prepared in the instance."""
    is_beside = config.write_back.mode == "table"
    refers = write_back.refers(config, mapping)
    if is_beside:
        extract_rows.check_table(this.instance)
    else:
        write_back.check_columns(needed.schema, written, relationship=refers)
    if config.write_back.via == "import_set":
        tables = [ROWS] if is_beside else written
        staging.check_staging(this.instance, tables, relationship=refers)


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
    only: Sequence[tuple[str, str]],
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


def _reading(config: Config, options: Options) -> extract.Reading:
    lag = timedelta(minutes=config.instance.lag_minutes)
    return extract.Reading(lag, options.since, options.full)


def _extract_tables(
    config: Config,
    this: Run,
    mapping: JourneyMapping,
    options: Options,
    wanted: Mapping[str, Sequence[str]],
    so_far: SoFar,
) -> None:
    reading = _reading(config, options)
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


def check_clock(config: Config, this: Run, mark: datetime, *, is_accepted: bool) -> None:
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


def _retain(config: Config, store: Store, mark: datetime) -> None:
    """Retention, in the instance's time: old versions, long closed records, old changes.

    Before classification, so that a fresh store and an old one place the same records.
    """
    versions_before = mark - timedelta(days=config.store.keep_versions_days)
    with store.transaction():
        for table in records.list_tables(store):
            records.prune(store, table, versions_before, closed_before(config, mark))
        changes.prune_changes(store, config.store.keep_versions_days)


def closed_before(config: Config, mark: datetime) -> str:
    days = round(config.store.keep_records_months * 30.44)
    return format_instance(mark - timedelta(days=days))
