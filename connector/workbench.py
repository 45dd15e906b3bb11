"""What the owners of a mapping ask besides a run: what would move, and that it may.

Each answers from the last finished run and changes nothing but what its name says.
"""

from connector.config import Config
from connector.in_force import accept as accept_word
from connector.journey.model import Mapping
from connector.preview import Preview
from connector.preview import preview as preview_of
from connector.store.database import open_snapshot, open_store, publish_snapshot
from connector.store.lock import locked


def plan(config: Config, mapping: Mapping) -> Preview:
    """What would move from where to where if `mapping` went live. Raises StoreError."""
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        return preview_of(store, config, mapping)


def accept(config: Config, mapping: Mapping, word: str) -> None:
    """Take a person's word (the hash of `mapping`): the next run puts it in force.

    Raises ConfigError for another hash, StoreError before the first run, RunInProgressError while
    one is at work.
    """
    path = config.store.path
    open_snapshot(path, config.store.memory_limit_mb).close()  # nothing to accept before a run
    with locked(path):
        with open_store(path, config.store.memory_limit_mb) as store:
            accept_word(store, mapping, word)
        publish_snapshot(path)
