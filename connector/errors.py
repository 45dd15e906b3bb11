"""Every error a user can meet. The type carries what to do: exit code, and whether to retry.

ConnectorError                       exit 1   (usage errors exit 64)
├── ConfigError                      exit 2   .source, .problems: all of them at once
│   └── MappingError                          the same, for a file under mappings/
├── InstanceError                    exit 3   .method .path .status .detail .transaction_id
│   ├── AuthenticationError          exit 4   401, or a login page instead of JSON
│   ├── ForbiddenError                        403
│   ├── RecordGoneError                       404 on one record
│   ├── RejectedError                         400, 405, 409, 413, 422 and the like: said no for good
│   ├── RateLimitedError             retryable   429, .retry_after
│   ├── UnavailableError             retryable   202, 5xx, HTML, timeout, connection
│   └── IncompleteResponseError      retryable   200 with an error key, cut JSON, missing result
├── StoreError                       exit 5
│   └── RunInProgressError                    another run holds the lock
├── PartialRunError                  exit 6   raised last: the run finished, N records set aside
│   └── BudgetSpentError                      the hour's requests are used up: the next run goes on
└── InterruptedRunError              exit 130 SIGTERM or Ctrl-C; what was committed stays

Messages are one sentence or two: what happened, to what, what to try. They never hold bodies,
query strings, record contents or secrets.
"""

from collections.abc import Sequence
from typing import ClassVar

from connector.messages import _


class ConnectorError(Exception):
    """The root: catch this to catch everything Travesía raises on purpose."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False


class ConfigError(ConnectorError):
    """A settings file is wrong; `problems` holds every fault found, one sentence each."""

    exit_code = 2

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source = source
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            text = f"{source}: {self.problems[0]}"
        else:
            head = _("{source}: {n} problems:").format(source=source, n=len(self.problems))
            text = "\n  - ".join([head, *self.problems])
        super().__init__(text)


class MappingError(ConfigError):
    """A file under mappings/ is wrong."""


class InstanceError(ConnectorError):
    """The ITSM tool refused, failed or answered nonsense.

    `path` is without host and query string; `detail` is the tool's own sentence, cut to
    300 characters.
    """

    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        path: str = "",
        status: int | None = None,
        detail: str = "",
        transaction_id: str = "",
    ) -> None:
        self.method = method
        self.path = path
        self.status = status
        self.detail = detail[:300]
        self.transaction_id = transaction_id
        super().__init__(message)


class AuthenticationError(InstanceError):
    """401, or a login page instead of JSON: stop, a person must act."""

    exit_code = 4


class ForbiddenError(InstanceError):
    """403: names the table (and field, where the tool says it) that the role lacks."""


class RecordGoneError(InstanceError):
    """404 on one record: deleted, or hidden by an ACL; set it aside."""


class RejectedError(InstanceError):
    """The request was understood and refused: set the record aside."""


class RateLimitedError(InstanceError):
    """429; `retry_after` in seconds where the tool said it."""

    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, **where: object) -> None:
        self.retry_after = retry_after
        super().__init__(message, **where)  # type: ignore[arg-type]  # same keywords as InstanceError


class UnavailableError(InstanceError):
    """The instance did not do it: 202, 5xx, an HTML page, a timeout, a broken connection."""

    retryable = True


class IncompleteResponseError(InstanceError):
    """A 200 that is not an answer: an error key, cut JSON, no result, rows that were not asked.

    `is_whole`: nothing was cut off, so that asking for less at once would not help.
    """

    retryable = True

    def __init__(self, message: str, *, is_whole: bool = False, **where: object) -> None:
        self.is_whole = is_whole
        super().__init__(message, **where)  # type: ignore[arg-type]  # same keywords as InstanceError


class StoreError(ConnectorError):
    """The local store cannot be opened, read or written."""

    exit_code = 5


class RunInProgressError(StoreError):
    """Another run of this instance holds the lock."""


class PartialRunError(ConnectorError):
    """The run finished, but some records were set aside."""

    exit_code = 6


class BudgetSpentError(PartialRunError):
    """The hour's requests are used up; everything committed stays, the next run goes on there."""


class InterruptedRunError(ConnectorError):
    """The run was asked to stop; everything committed stays, the next run goes on from there."""

    exit_code = 130
