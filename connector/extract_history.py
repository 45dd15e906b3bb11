"""Step 1, second half: what happened to the records that changed, from their journal and audit.

1. The records that are open or were closed lately, and whose present version has a history that was
   not read yet: those that changed in this run, and at first sight all.
2. By their keys, a hundred and fifty a request, only the columns and fields that the mapping names.
3. What came replaces what was known of those records, in one transaction.

Refuses to read a text. A source that an ACL hides is left out with one line: what needs it is
unknown then, and the rest works.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector import log
from connector.context import Run
from connector.encoded_query import and_to_every_branch
from connector.errors import ForbiddenError, RecordGoneError, RejectedError
from connector.journey.model import History
from connector.journey.model import Mapping as JourneyMapping
from connector.messages import _
from connector.schema import Needed
from connector.store import history
from connector.timestamps import format_instance

_log = log.get("extract_history")

KEYS_PER_REQUEST = 150
"""33 bytes each: well below the 10,000 characters that a query string may have."""

KEYS_IN_MEMORY = 20 * KEYS_PER_REQUEST

TEXTS = frozenset({"value", "comments", "work_notes"})
"""Columns of a journal that are never read, whatever a mapping asks."""


@dataclass(frozen=True)
class Source:
    """One table of entries, as this instance has it."""

    spec: History
    columns: tuple[str, ...]
    where: str


@dataclass
class HistoryRead:
    """What was read: entries by source, and one sentence for each source that could not be."""

    entries: dict[str, int]
    messages: list[str]


def sources(mapping: JourneyMapping, needed: Needed) -> list[Source]:
    """The tables of entries that the instance has, with the columns to read."""
    found = []
    for spec in mapping.history:
        table = mapping.tables[spec.table]
        columns = tuple(
            c for c in table.columns if (spec.table, c) in needed.schema and c not in TEXTS
        )
        if spec.record in columns:
            found.append(Source(spec, ("sys_id", *columns), table.filter))
    return found


def read_history(
    run: Run,
    found: Sequence[Source],
    tables: Sequence[str],
    mark: datetime,
    kept: timedelta,
    only: Sequence[tuple[str, str]] = (),
) -> HistoryRead:
    """Read the history of the records of `tables` that is not known yet, up to the high mark.

    Those of `only` (table, sys_id) are read anew, whatever is known of them, and nothing else.
    Raises InstanceError kinds; InterruptedRunError between two requests if asked to stop.
    """
    result = HistoryRead({}, [])
    history.begin(run.store, tables, format_instance(mark - kept))
    for source in found:
        history.ensure(run.store, source.spec.table, source.columns)
        history.prune(run.store, source.spec.table, source.spec.record)
        fault = _read_source(run, source, tables, mark, only, result)
        if fault:
            history.hide(run.store, source.spec.table)
            result.messages.append(fault)
    history.end(run.store)
    return result


def hide_history(run: Run, mapping: JourneyMapping) -> None:
    """No history is read any more: what an earlier run read of it is no longer asked."""
    for spec in mapping.history:
        history.hide(run.store, spec.table)


def _read_source(
    run: Run,
    source: Source,
    tables: Sequence[str],
    mark: datetime,
    only: Sequence[tuple[str, str]],
    result: HistoryRead,
) -> str:
    """Answers the sentence why not, "" if it could be read."""
    count = 0
    try:
        if not _can_be_read(run, source, tables, mark):
            return _shows_nothing(source.spec.table)
        for table in tables:
            for keys in _batches(run, source, table, only):
                count += _take(run, source, table, keys, mark)
                run.progress("history", source.spec.table, count, None)
                run.pause_point()
    except (ForbiddenError, RejectedError, RecordGoneError) as error:
        return _refused(source.spec.table, error)
    result.entries[source.spec.table] = count
    _log.info("history", run_id=run.run_id, table=source.spec.table, entries=count)
    return ""


def _can_be_read(run: Run, source: Source, tables: Sequence[str], mark: datetime) -> bool:
    """An ACL that hides every row answers 200 and none. Those touched most often must have some."""
    if history.has_entries(run.store, source.spec.table):
        return True
    touched = {
        table: history.list_touched(run.store, source.spec.table, table, KEYS_PER_REQUEST)
        for table in tables
    }
    if not any(touched.values()):
        return True
    return any(
        next(_entries(run, source, table, keys, mark), None) is not None
        for table, keys in touched.items()
        if keys
    )


def _shows_nothing(table: str) -> str:
    return _(
        "{table} shows no entry of any record (an ACL may hide them): what needs it is off, and"
        " times are known to one night"
    ).format(table=table)


def _refused(table: str, error: ForbiddenError | RejectedError | RecordGoneError) -> str:
    return _(
        "{table} cannot be read ({reason}): what needs it is off, and times are known to one"
        " night; give the integration user the right, or set [extract] history = false"
    ).format(table=table, reason=error.status or type(error).__name__)


def _batches(
    run: Run, source: Source, table: str, only: Sequence[tuple[str, str]]
) -> Iterator[Sequence[str]]:
    if only:
        if keys := [sys_id for name, sys_id in only if name == table]:
            yield keys
        return
    last = ""
    while keys := history.list_pending(run.store, source.spec.table, table, last, KEYS_IN_MEMORY):
        last = keys[-1]
        for start in range(0, len(keys), KEYS_PER_REQUEST):
            yield keys[start : start + KEYS_PER_REQUEST]


def _take(run: Run, source: Source, table: str, keys: Sequence[str], mark: datetime) -> int:
    spec = source.spec
    taken = history.Taken(table, keys, list(_entries(run, source, table, keys, mark)))
    if not taken.entries and len(keys) == 1 and not history.has_entries(run.store, spec.table):
        return 0  # one record without any entry proves nothing of the right to read
    until = format_instance(mark)
    history.take(run.store, spec.table, spec.record, taken, source.columns, until)
    return len(taken.entries)


def _entries(
    run: Run, source: Source, table: str, keys: Sequence[str], mark: datetime
) -> Iterator[Mapping[str, str]]:
    """Entries of these records up to the mark: a later one comes with the version it made."""
    of = f"{source.spec.of}={table}^" if source.spec.of else ""
    asked = f"{of}{source.spec.record}IN{','.join(keys)}^sys_created_on<={format_instance(mark)}"
    query = and_to_every_branch(source.where, asked) if source.where else asked
    yield from run.instance.list_records(source.spec.table, source.columns, query)
