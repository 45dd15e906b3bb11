"""What every step of one run shares: the store, the instance, the run's id, the way to stop it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from connector.errors import InterruptedRunError
from connector.itsm.base import Instance
from connector.messages import _
from connector.store.database import Store

Progress = Callable[[str, str, int, int | None], None]
"""Told how far a long step is: event, table, done, total (None where it is not known)."""


def silent(_event: str, _table: str, _done: int, _total: int | None) -> None:
    """A Progress that nobody watches."""


@dataclass(frozen=True)
class Run:
    """One pass of the pipeline."""

    store: Store
    instance: Instance
    run_id: str
    stop: threading.Event
    progress: Progress = silent

    def pause_point(self) -> None:
        """Between two transactions: raises InterruptedRunError if the run was asked to stop."""
        if self.stop.is_set():
            raise InterruptedRunError(
                _("The run was stopped; what it had done is kept, the next run goes on from there")
            )
