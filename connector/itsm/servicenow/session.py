"""Sending: an HTTP session for each request in flight, one gate, the one retry loop.

The session keeps no cookies (calls that share a session are served one at a time, §1.4), obeys no
environment, follows no redirect and retries nothing; the loop here does, and a stop ends its waits.
"""

import copy
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import parse_qsl

import requests
import tenacity
import urllib3.exceptions

from connector import log
from connector.errors import InstanceError, InterruptedRunError, RateLimitedError
from connector.itsm.servicenow import gate
from connector.itsm.servicenow.auth import Headers, decode_token, login_of
from connector.itsm.servicenow.budget import Budget
from connector.itsm.servicenow.deadline import whole_within
from connector.itsm.servicenow.decode import whole_number
from connector.itsm.servicenow.gate import Request
from connector.itsm.servicenow.limiter import LONGEST_ASKED_WAIT_SECONDS, LOOK_SECONDS, Limiter
from connector.itsm.servicenow.settings import Connection, check_settings
from connector.messages import _
from connector.timestamps import parse_http_date

T = TypeVar("T")
Sleep = Callable[[float], None]
Adapt = Callable[[InstanceError], bool]
"""Told of a failure; answers True if it changed the request, which then goes again at once.

It may raise the error to give up."""

CONNECT_SECONDS = 10.0
WHOLE_AFTER = 4
"""An answer has to begin within `timeout_seconds`, and to be whole after so many times that."""
ATTEMPTS_AT_A_STRANGER = 3
MAX_BODY_BYTES = 64 * 1024 * 1024
"""A page of 5,000 records with 40 columns is 8 MB: anything near this is a mistake."""
_CHUNK = 256 * 1024
"""The most to take at once of what has arrived: less would be many small steps a page."""
_FOREIGN = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,  # an unreadable CA bundle
    ValueError,  # a proxy scheme or a header that cannot be sent
)

_log = log.get("servicenow")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A good answer: its decoded body, and the response for its headers."""

    value: T
    response: requests.Response
    seconds: float = 0.0
    """How long the request that was answered so took, its body included."""

    @property
    def total(self) -> int | None:
        """X-Total-Count, where the instance sent it."""
        return whole_number(self.response.headers.get("X-Total-Count", ""))

    @property
    def date(self) -> datetime | None:
        """The instance's clock when it answered."""
        try:
            return parse_http_date(self.response.headers.get("Date", ""))
        except (ValueError, TypeError):
            return None


def never(_error: InstanceError) -> bool:
    """The default Adapt: nothing can be changed about the request."""
    return False


class Session:
    """Sends requests to one instance. Safe to share between threads."""

    def __init__(
        self,
        settings: Connection,
        stop: threading.Event | None = None,
        sleep: Sleep | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = check_settings(settings)
        self._settings = settings
        self._stop = stop or threading.Event()
        self._cancelled = threading.Event()
        self._sleep_instead = sleep
        self._clock = clock
        self._login = login_of(settings, lambda r: self.call(r, decode_token).value)
        self._idle: list[requests.Session] = []
        self._has_answered = threading.Event()
        self._limiter = Limiter(settings.workers, clock)
        kept = Path(settings.budget_file) if settings.budget_file else None
        self._budget = Budget(settings.requests_per_hour, settings.longest_budget_seconds, kept)

    def __repr__(self) -> str:
        return f"Session({self.url!r})"

    def call(
        self,
        make: Request | Callable[[], Request],
        decode: Callable[[bytes], T],
        adapt: Adapt = never,
    ) -> Answer[T]:
        """Send until it is answered well, and decode it.

        `make` builds the request anew for each attempt. Raises InstanceError and its kinds,
        InterruptedRunError if the run was asked to stop.
        """
        build = make if callable(make) else lambda: make
        attempts = _Attempts(self._settings, build, adapt, self._has_answered)
        loop = tenacity.Retrying(
            retry=attempts.is_worth_another,
            wait=attempts.wait,
            stop=attempts.are_used_up,
            sleep=self._sleep,
            before_sleep=attempts.note,
            reraise=True,
        )
        return loop(self._once, attempts, decode)

    def until(self, cancelled: threading.Event) -> "Session":
        """This session for a worker that may be told to give up, while the run itself goes on."""
        mine = copy.copy(self)
        mine._cancelled = cancelled
        return mine

    def refuse_if_stopped(self) -> None:
        """Raise InterruptedRunError if the run was asked to stop, or the worker to give up."""
        if self._stop.is_set() or self._cancelled.is_set():
            raise InterruptedRunError(_("Stopped as asked; what was done stays"))

    def _sleep(self, seconds: float) -> None:
        if self._sleep_instead:
            self._sleep_instead(seconds)
            return
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0 and not self._cancelled.is_set():
            if self._stop.wait(min(left, LOOK_SECONDS)):
                return

    def _once(self, attempts: "_Attempts", decode: Callable[[bytes], T]) -> Answer[T]:
        self.refuse_if_stopped()
        request = attempts.next_request()
        self._budget.spend(self._wait)
        if not request.is_authorised:  # for a token, on behalf of a request that has its turn
            return self._answered(request, decode)
        with self._limiter.turn(self.refuse_if_stopped, is_retry=attempts.is_retry) as turn:
            answer = self._answered(request, decode)
            turn.answer = answer.response
            return answer

    def _answered(self, request: Request, decode: Callable[[bytes], T]) -> Answer[T]:
        began = self._clock()
        response, body = self._exchange(request)
        seconds = self._clock() - began
        return Answer(gate.checked(request, response, body, decode), response, seconds)

    def _without_secrets(self, request: Request, login: Headers, body: bytes) -> bytes:
        """A refusal may quote what it refuses, and its sentence goes into errors and logs."""
        s = self._settings
        known = {s.secret, s.client_secret, s.refresh_token, s.api_key}
        known |= {value.split()[-1] for value in login.values() if value}
        if (
            not request.is_authorised
        ):  # a token request: tokens and signed claims of the form are secrets too
            known |= {value for _name, value in parse_qsl((request.body or b"").decode())}
        for secret in sorted(known - {""}, key=len, reverse=True):
            body = body.replace(secret.encode(), b"***")
        return body

    def _exchange(self, request: Request) -> tuple[requests.Response, bytes]:
        if not request.is_authorised:
            return self._send(request, {})
        login = self._login.headers()
        response, body = self._send(request, login)
        if response.status_code == 401 and self._login.renew(login):
            self._budget.spend(self._wait)
            return self._send(request, self._login.headers())
        return response, body

    def _send(self, request: Request, login: Headers) -> tuple[requests.Response, bytes]:
        try:
            with (
                self._leased() as session,
                session.request(
                    request.method,
                    self.url + request.path,
                    params=dict(request.params),
                    data=request.body,
                    headers=_headers(request, login),
                    timeout=(CONNECT_SECONDS, self._settings.timeout_seconds),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                self._has_answered.set()
                with whole_within(WHOLE_AFTER * self._settings.timeout_seconds, request, response):
                    body = self._read(request, response)
                if response.status_code >= 400:
                    body = self._without_secrets(request, login, body)
                return response, body
        except _FOREIGN as error:
            by_certificate = self._settings.auth == "mutual_tls"
            host = _host(self.url)
            raise gate.lost(request, error, host, by_certificate=by_certificate) from error

    def _read(self, request: Request, response: requests.Response) -> bytes:
        parts, size = [], 0
        while part := response.raw.read1(_CHUNK, decode_content=True):
            self.refuse_if_stopped()
            size += len(part)
            if size > MAX_BODY_BYTES:
                raise gate.too_big(request, MAX_BODY_BYTES)
            parts.append(part)
        return b"".join(parts)

    def _wait(self, seconds: float) -> None:
        self._sleep(seconds)
        self.refuse_if_stopped()

    @contextmanager
    def _leased(self) -> Iterator[requests.Session]:
        """An HTTP session for this request alone; warm ones are used again."""
        try:
            session = self._idle.pop()
        except IndexError:
            session = _new_session(self._settings)
        try:
            yield session
        finally:
            self._idle.append(session)


class _Attempts:
    """The attempts of one call: when to go on, how long to wait. Told so by tenacity's loop.

    A failure that the caller's `adapt` answered by changing the request costs no attempt.
    """

    def __init__(
        self,
        settings: Connection,
        make: Callable[[], Request],
        adapt: Adapt,
        has_answered: threading.Event,
    ) -> None:
        self._settings = settings
        self._make = make
        self._adapt = adapt
        self._has_answered = has_answered
        self._request: Request | None = None
        self._forgiven = 0
        self._just_adapted = False
        self._made = 0
        self._jitter = tenacity.wait_random_exponential(
            multiplier=settings.first_wait_seconds, max=settings.longest_wait_seconds
        )

    def next_request(self) -> Request:
        """The request of the next attempt."""
        self._request = self._make()
        self._made += 1
        return self._request

    @property
    def is_retry(self) -> bool:
        """Whether the attempt under way is not the first."""
        return self._made > 1

    def is_worth_another(self, state: tenacity.RetryCallState) -> bool:
        """Whether the failure may pass, and sending again does no harm."""
        error = _failure(state)
        self._just_adapted = False
        if error is None or not error.retryable or self._request is None:
            return False
        if _asked_wait(error) > LONGEST_ASKED_WAIT_SECONDS:
            return False
        # A 429 says that nothing was done, so even a POST may go again.
        if not self._request.may_repeat and not isinstance(error, RateLimitedError):
            return False
        self._just_adapted = self._adapt(error)
        self._forgiven += self._just_adapted
        return True

    def are_used_up(self, state: tenacity.RetryCallState) -> bool:
        """Whether the attempts of the settings were all made.

        An instance that never answered at all is more likely a wrong address than a bad moment.
        """
        allowed = self._settings.max_attempts
        if not self._has_answered.is_set():
            allowed = min(allowed, ATTEMPTS_AT_A_STRANGER)
        return state.attempt_number - self._forgiven >= allowed

    def wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds until the next attempt: what the instance asked, else full jitter."""
        error = _failure(state)
        if self._just_adapted or error is None:
            return 0.0
        if isinstance(error, RateLimitedError) and error.retry_after is not None:
            return error.retry_after
        return float(self._jitter(state))

    def note(self, state: tenacity.RetryCallState) -> None:
        """One line per failed attempt."""
        error = _failure(state)
        if error is not None:
            _log.warning(
                "again",
                method=error.method,
                path=error.path,
                status=error.status,
                transaction=error.transaction_id,
                attempt=state.attempt_number,
                wait_seconds=round(state.upcoming_sleep, 1),
            )


def _failure(state: tenacity.RetryCallState) -> InstanceError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, InstanceError) else None


def _asked_wait(error: InstanceError) -> float:
    return (error.retry_after or 0.0) if isinstance(error, RateLimitedError) else 0.0


def _headers(request: Request, login: Headers) -> dict[str, str]:
    return {"Accept": request.accept, "Content-Type": request.content_type, **login}


def _host(url: str) -> str:
    return url.partition("://")[2]


def _new_session(settings: Connection) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no .netrc, no proxy or CA bundle but those of the settings
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = settings.user_agent
    session.verify = settings.ca_bundle or True
    if settings.auth == "mutual_tls":
        session.cert = (settings.client_certificate, settings.client_key)
    if settings.proxy:
        session.proxies = {"http": settings.proxy, "https": settings.proxy}
    return session
