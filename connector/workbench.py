"""What the owners of a mapping ask besides a run: what would move, and that it may.

Each answers from the last finished run and changes nothing but what its name says.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from connector.config import Config
from connector.contacts import Taken, take_file
from connector.errors import ConfigError
from connector.in_force import accept as accept_word
from connector.journey.model import Mapping
from connector.messages import _
from connector.preview import Preview
from connector.preview import preview as preview_of
from connector.store.database import Store, open_snapshot, open_store, publish_snapshot
from connector.store.lock import locked
from connector.store.runs import last_mark


def plan(config: Config, mapping: Mapping) -> Preview:
    """What would move from where to where if `mapping` went live. Raises StoreError."""
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
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


@contextmanager
def _writing(config: Config) -> Iterator[Store]:
    """The store under its lock, and the copy for readers afterwards. Only after a first run."""
    path, memory = config.store.path, config.store.memory_limit_mb
    open_snapshot(path, memory).close()
    with locked(path):
        with open_store(path, memory) as store:
            yield store
        publish_snapshot(path)
