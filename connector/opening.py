"""A run from its first word to its last: the lock, the store, the run's row, the snapshot.

Whatever a run does happens inside `opened`; however it ends, the status says so.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from connector import log
from connector.config import Config
from connector.context import Progress, Run, silent
from connector.errors import BudgetSpentError, ConnectorError, InterruptedRunError
from connector.itsm.base import Instance
from connector.journey.model import Mapping as JourneyMapping
from connector.store import runs
from connector.store.database import Store, open_store, publish_snapshot
from connector.store.lock import Status as Said
from connector.store.lock import locked

_log = log.get("pipeline")


@contextmanager
def opened(
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
            status.say_at_last(phase="end", outcome=_outcome_of(error), message=str(error))
            raise
        status.say(phase="end", outcome="finished", message="")


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
