"""On demand: the journey of a record, anew, because somebody asked from inside the tool.

The UI action "Refresh journey" (off unless an admin turns it on) leaves a row in
`u_journey_request`. `travesia serve` looks there every few seconds ([on_demand]), with one request
while the queue is empty, syncs the records that are asked for in one run, and marks each row `done`
or `failed` with one sentence. Rows that cannot be served now (another run holds the store) stay
queued. Nothing else of the tool is touched.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from connector import log
from connector.errors import (
    ConfigError,
    ConnectorError,
    ForbiddenError,
    InterruptedRunError,
    RecordGoneError,
    RejectedError,
    RunInProgressError,
)
from connector.itsm.base import Instance, Record
from connector.journey.own_tables import REQUEST_TABLE, ROW_NUMBER
from connector.messages import _, _n, speaking
from connector.results import Looked, RunResult

AT_ONCE = 20
"""Requests that one look takes, and one run answers; the next look takes the next."""

MOST_SKIPPED = 20
"""Looks left out, at most, after one that failed: a broken instance is not asked all the time."""

STATE, MESSAGE = "u_state", "u_message"
QUEUED, DONE, FAILED = "queued", "done", "failed"
_LONGEST = 255

_log = log.get("on_demand")

Refresh = Callable[[Sequence[str]], RunResult]
"""Syncs the records of these numbers in one run. Raises ConnectorError kinds."""

Verdict = tuple[str, str]
"""State of a request, and what is said on it."""


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
    if not wanted:
        return Answered()
    with speaking(language):
        verdicts = dict(_verdicts(refresh, list(wanted)))
    told: list[str] = []
    for number, (state, message) in verdicts.items():
        for row in wanted[number]:
            _mark(instance, row["sys_id"], state, message)
            told.append(state)
    _log.info("refreshed", records=len(verdicts), requests=len(told), failed=told.count(FAILED))
    return Answered(told.count(DONE), told.count(FAILED))


def _verdicts(refresh: Refresh, numbers: Sequence[str]) -> Iterator[tuple[str, Verdict]]:
    """What is said of each record; of none where another run is at work."""
    try:
        result = refresh(numbers)
    except InterruptedRunError:
        raise
    except RunInProgressError:
        return
    except (ForbiddenError, RecordGoneError, RejectedError) as error:
        if len(numbers) == 1:
            yield numbers[0], (FAILED, str(error))
            return
        for number in numbers:  # one of them may be to blame: the others are not
            yield from _verdicts(refresh, [number])
        return
    except ConnectorError as error:
        yield from ((number, (FAILED, _problem(error, number))) for number in numbers)
        return
    found = {one.number: one for one in result.asked}
    yield from ((n, _of(result, found.get(n, Looked(n)))) for n in numbers)


def _problem(error: ConnectorError, number: str) -> str:
    """What is said of one record; of many faults, those that name it."""
    if not isinstance(error, ConfigError):
        return str(error)
    own = [said for said in error.problems if repr(number) in said or number in said.split()]
    return " ".join(own or error.problems)


def _of(result: RunResult, one: Looked) -> Verdict:
    if one.problem:
        return FAILED, one.problem
    if not one.planned:
        return DONE, _("It was up to date.")
    if kept := _kept_back(result):
        return FAILED, kept
    if one.refused:
        n = one.refused
        return FAILED, _n(
            "{n} field was refused; travesia status names it.",
            "{n} fields were refused; travesia status names them.",
            n,
        ).format(n=n)
    if one.confirmed < one.planned:
        return FAILED, _("The tool did not answer in time; the next run tries again.")
    return DONE, _("Brought up to date.")


def _kept_back(result: RunResult) -> str:
    """Why the run wrote nothing of what it planned, "" where it did."""
    if result.waiting_mapping:
        return _("Nothing was written: a changed mapping waits for travesia plan.")
    if result.held_back or result.is_sent:
        return result.held_back
    return _("Nothing was written: write-back is off.")


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
