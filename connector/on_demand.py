"""On demand: the journey of one record, anew, because somebody asked from inside the tool.

The UI action "Refresh journey" (off unless an admin turns it on) leaves a row in
`u_journey_request`. `travesia serve` looks there every few seconds ([on_demand]), with one request
while the queue is empty, syncs each record that is asked for once, however often it was asked for,
and marks the rows `done` or `failed` with one sentence. A row that cannot be served now (another
run holds the store) stays queued. Nothing else of the tool is touched.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from connector import log
from connector.errors import (
    ConfigError,
    ConnectorError,
    InterruptedRunError,
    RunInProgressError,
)
from connector.itsm.base import Instance, Record
from connector.journey.own_tables import REQUEST_TABLE, ROW_NUMBER
from connector.messages import _, _n, speaking
from connector.results import RunResult

AT_ONCE = 20
"""Requests that one look takes; the next look takes the next."""

MOST_RECORDS = 5
"""Records that one look syncs: each is a run of its own, and the schedule waits meanwhile."""

MOST_SKIPPED = 20
"""Looks left out, at most, after one that failed: a broken instance is not asked all the time."""

STATE, MESSAGE = "u_state", "u_message"
QUEUED, DONE, FAILED = "queued", "done", "failed"
_LONGEST = 255

_log = log.get("on_demand")

Refresh = Callable[[str], RunResult]
"""Syncs the record of that number. Raises ConnectorError kinds."""


@dataclass(frozen=True)
class Answered:
    """What one look did, in requests (rows of the queue)."""

    done: int = 0
    failed: int = 0


def answer_requests(instance: Instance, refresh: Refresh, language: str) -> Answered:
    """One look at the queue: sync what is asked for, mark the rows in that language.

    Raises InstanceError kinds where the queue cannot be read or a row cannot be marked, and
    InterruptedRunError.
    """
    rows = instance.list_records(
        REQUEST_TABLE.name, (ROW_NUMBER, STATE), f"{STATE}={QUEUED}", AT_ONCE
    )
    wanted: dict[str, list[Record]] = {}
    for row in rows:
        wanted.setdefault(row.get(ROW_NUMBER, ""), []).append(row)
    done = failed = 0
    for number, asked in islice(wanted.items(), MOST_RECORDS):
        with speaking(language):
            verdict = _verdict(refresh, number)
        if verdict is None:
            break
        state, message = verdict
        for row in asked:
            _mark(instance, row["sys_id"], state, message)
        done += len(asked) * (state == DONE)
        failed += len(asked) * (state == FAILED)
        _log.info("refreshed", state=state, requests=len(asked))
    return Answered(done, failed)


def _verdict(refresh: Refresh, number: str) -> tuple[str, str] | None:
    """State and sentence of one record; None where another run is at work."""
    try:
        result = refresh(number)
    except InterruptedRunError:
        raise
    except RunInProgressError:
        return None
    except ConfigError as error:
        return FAILED, " ".join(error.problems)
    except ConnectorError as error:
        return FAILED, str(error)
    return _of(result)


def _of(result: RunResult) -> tuple[str, str]:
    if not result.planned_changes:
        return DONE, _("It was up to date.")
    if result.waiting_mapping:
        return FAILED, _("Nothing was written: a changed mapping waits for travesia plan.")
    if result.held_back:
        return FAILED, result.held_back
    if not result.is_sent:
        return FAILED, _("Nothing was written: write-back is off.")
    if result.refused:
        n = result.refused
        return FAILED, _n(
            "{n} field was refused; travesia status names it.",
            "{n} fields were refused; travesia status names them.",
            n,
        ).format(n=n)
    n = result.confirmed
    return DONE, _n(
        "Brought up to date, {n} record written.",
        "Brought up to date, {n} records written.",
        n,
    ).format(n=n)


def _mark(instance: Instance, sys_id: str, state: str, message: str) -> None:
    """Say what became of a request. Raises InstanceError, also where the mark does not hold."""
    values = {STATE: state, MESSAGE: message[:_LONGEST]}
    now = instance.update_record(REQUEST_TABLE.name, sys_id, values)
    if now.get(STATE, state) != state:
        problem = _("The state of a request in {table} cannot be written; check the role").format(
            table=REQUEST_TABLE.name
        )
        raise ConfigError("[on_demand]", [problem])


@dataclass
class Watcher:
    """Looks at the queue when told to; after a failure it leaves out some looks, more each time."""

    look: Callable[[], Answered]
    _failures: int = 0
    _to_skip: int = 0

    def __call__(self) -> None:
        """One look, unless it is one to leave out. Raises ConnectorError kinds."""
        if self._to_skip:
            self._to_skip -= 1
            return
        try:
            self.look()
        except InterruptedRunError:
            raise
        except ConnectorError:
            self._failures += 1
            self._to_skip = min(2**self._failures, MOST_SKIPPED)
            raise
        self._failures = 0
