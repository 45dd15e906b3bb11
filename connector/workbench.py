"""What the owners of a mapping ask besides a run: what would move and that it may, their own cases,
what is not covered yet, contacts from a file.

Each answers from the last finished run and changes nothing but what its name says.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from connector.cases import Outcome, faults, run_cases
from connector.config import Config
from connector.contacts import Taken, take_file
from connector.coverage import Coverage, measure_coverage
from connector.errors import ConfigError
from connector.extract import stored_schema
from connector.in_force import accept as accept_word
from connector.in_force import shown, which
from connector.journey.cases import read_cases
from connector.journey.model import Mapping
from connector.messages import _
from connector.preview import Preview
from connector.preview import preview as preview_of
from connector.store.database import (
    Store,
    open_snapshot,
    open_store,
    publish_snapshot,
    snapshot_path,
)
from connector.store.lock import locked
from connector.store.runs import last_mark


def plan(config: Config, mapping: Mapping) -> Preview:
    """What would move from where to where if `mapping` went live. Raises StoreError."""
    with _reading(config) as store:
        return preview_of(store, config, mapping)


def accept(config: Config, mapping: Mapping, word: str) -> None:
    """Take a person's word (the hash of `mapping`): the next run puts it in force.

    Raises ConfigError for another hash, StoreError before the first run, RunInProgressError while
    one is at work.
    """
    with _writing(config) as store:
        accept_word(store, mapping, word)


def import_contacts(config: Config, mapping: Mapping, path: Path) -> Taken:
    """Make the contacts that came from a file those of this one; the next sync places them.

    Raises ConfigError with every fault of the file, StoreError before the first run.
    """
    named = config.contacts.csv
    if named is not None and named.resolve() != path.resolve():
        problem = _(
            "every sync reads {file}, as [contacts] csv says; change that file, or the setting"
        )
        raise ConfigError(config.source, [problem.format(file=named)])
    with _writing(config) as store:
        mark = last_mark(store) or datetime.now(UTC)
        return take_file(store, mapping, path, mark, "import")


def try_cases(config: Config, mapping: Mapping, files: Sequence[Path]) -> list[Outcome]:
    """Try the cases of some files. Raises ConfigError with every fault of the files."""
    found = read_cases(files)
    problems = [*found.problems, *faults(mapping, found.cases, config.mapping.journey)]
    if problems:
        raise ConfigError(_("cases"), problems)
    needs_store = any(case.number for case in found.cases)
    with _reading(config) if needs_store or _has_run(config) else nullcontext() as store:
        return run_cases(
            mapping, found.cases, config.mapping.journey, config.instance.time_zone, store
        )


def coverage(config: Config, mapping: Mapping, language: str) -> Coverage:
    """How far the mapping in force covers the records of the last run. Raises StoreError."""
    with _reading(config) as store:
        in_force = which(store, mapping).mapping
        return measure_coverage(
            store,
            in_force,
            stored_schema(store),
            last_mark(store) or datetime.now(UTC),
            config.report.minimum_group,
            language,
            shown(config, in_force).mapping.journey,
        )


def _has_run(config: Config) -> bool:
    return snapshot_path(config.store.path).exists()


def _reading(config: Config) -> Store:
    return open_snapshot(config.store.path, config.store.memory_limit_mb)


@contextmanager
def _writing(config: Config) -> Iterator[Store]:
    """The store under its lock, and the copy for readers afterwards. Only after a first run."""
    path, memory = config.store.path, config.store.memory_limit_mb
    _reading(config).close()
    with locked(path):
        with open_store(path, memory) as store:
            yield store
        publish_snapshot(path)
