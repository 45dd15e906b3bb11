"""The one gate: every answer of the instance passes `checked`, every failure becomes our own type.

Status → class by one table; a 200 that is an error, cut JSON or an HTML page is a failure too
(servicenow-api.md §1.6). Sentences name method, path and table, never host, query or body.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import requests
import urllib3.exceptions

from connector.errors import (
    AuthenticationError,
    ForbiddenError,
    IncompleteResponseError,
    InstanceError,
    RateLimitedError,
    RecordGoneError,
    RejectedError,
    UnavailableError,
)
from connector.itsm.servicenow.decode import (
    QUOTA_PHRASE,
    BadBody,
    as_utf8,
    error_detail,
    printable,
)
from connector.messages import _
from connector.timestamps import parse_http_date

T = TypeVar("T")

JSON = "application/json"
ANYTHING = "*/*"

_TABLE = re.compile(r"^/api/now/(?:v\d+/)?(?:table|stats|import)/([a-z0-9_]+)")
_LOGIN_PAGE = re.compile(rb"login\.do|login_with_sso|user_password|auth_redirect", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_HIBERNATING = re.compile(rb"hibernat", re.IGNORECASE)

_BY_STATUS: dict[int, type[InstanceError]] = {
    202: UnavailableError,  # "session reuse queue overflow": the request was dropped (KB3047080)
    401: AuthenticationError,
    403: ForbiddenError,
    404: RecordGoneError,
    408: UnavailableError,
    429: RateLimitedError,
    499: UnavailableError,  # seen when the platform closes the call itself (KB3047080)
}


@dataclass(frozen=True)
class Request:
    """One call, before it is sent. `path` is under the instance; `body` is sent as it is."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    content_type: str = JSON
    accept: str = JSON
    is_authorised: bool = True
    is_repeatable: bool | None = None
    """Whether sending it twice does no harm; None = by its method (a POST does harm)."""

    @property
    def table(self) -> str:
        """The table the path is about, or ""."""
        match = _TABLE.match(self.path)
        return match[1] if match else ""

    @property
    def may_repeat(self) -> bool:
        """Whether it may be sent again when the answer was lost."""
        return self.method != "POST" if self.is_repeatable is None else self.is_repeatable


def checked(
    request: Request, response: requests.Response, body: bytes, decode: Callable[[bytes], T]
) -> T:
    """The decoded body of a good answer. Raises the InstanceError that fits any other."""
    status = response.status_code
    where = _where(request, response)
    if request.accept == JSON:
        body = as_utf8(body, _charset(response))
    if 300 <= status < 400:
        raise InstanceError(_redirected(request, response), **where)
    if status >= 400 or status == 202:
        raise _refused(request, response, body, where)
    if request.accept == JSON and _is_html(response):
        raise _page_instead(request, body, where)
    try:
        return decode(body)
    except BadBody as bad:
        raise _incomplete(request, bad, where) from None


def lost(
    request: Request, error: Exception, host: str, *, by_certificate: bool = False
) -> InstanceError:
    """What requests, urllib3 or the socket said → the InstanceError that fits.

    `by_certificate`: a client certificate logs in; a server that wants another may just hang up.
    """
    where: dict[str, Any] = {"method": request.method, "path": request.path}
    place = {"host": host, "method": request.method, "path": request.path}
    if isinstance(error, _TLS) and (untrusted := _untrusted(str(error), place, where)):
        return untrusted
    if isinstance(error, requests.exceptions.ProxyError | urllib3.exceptions.ProxyError):
        text = _("The proxy did not let us through to {host}; check proxy")
        return UnavailableError(text.format(**place), **where)
    if isinstance(error, _TIMEOUTS) or (error.args and isinstance(error.args[0], _TIMEOUTS)):
        text = _("{host} did not answer {method} {path} in time; raise timeout_seconds if it stays")
        return UnavailableError(text.format(**place), **where)
    if isinstance(error, _CUT_SHORT):
        text = _("The answer to {method} {path} broke off; try again, or set a smaller page_size")
        return IncompleteResponseError(text.format(**place), **where)
    if isinstance(error, requests.exceptions.ConnectionError | urllib3.exceptions.HTTPError):
        text = _("Cannot reach {host}; check url, proxy and the network")
        if by_certificate:
            text = _(
                "{host} is out of reach or hangs up on our certificate; check url, proxy, the"
                " network, client_certificate and client_key"
            )
        return UnavailableError(text.format(**place), **where)
    text = _("{method} {path} could not be sent; check url, proxy and ca_bundle")
    return InstanceError(text.format(**place), **where)


def _untrusted(said: str, place: dict[str, str], where: dict[str, Any]) -> InstanceError | None:
    """The two ends that do not trust each other; None for any other TLS failure."""
    if "certificate verify failed" in said.lower():
        text = _("The certificate of {host} is not trusted; set ca_bundle to your own authority's")
        return InstanceError(text.format(**place), **where)
    if _REFUSED_CERTIFICATE.search(said):
        text = _("{host} did not take our certificate; check client_certificate and client_key")
        return AuthenticationError(text.format(**place), **where)
    return None


_REFUSED_CERTIFICATE = re.compile(
    r"alert (certificate required|bad certificate|unknown ca|certificate unknown"
    r"|certificate expired|certificate revoked|access denied|handshake failure)",
    re.IGNORECASE,
)
"""What a server says that wants another client certificate (RFC 8446 §6.2), by OpenSSL's words."""
_TLS = (requests.exceptions.SSLError, urllib3.exceptions.SSLError)
_TIMEOUTS = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)
_CUT_SHORT = (
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.DecodeError,
)


def _where(request: Request, response: requests.Response) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "transaction_id": printable(response.headers.get("X-Transaction-ID", "")[:64]),
    }


def _refused(
    request: Request, response: requests.Response, body: bytes, where: dict[str, Any]
) -> InstanceError:
    status = response.status_code
    detail = error_detail(body)
    where["detail"] = detail
    if QUOTA_PHRASE in detail:
        return IncompleteResponseError(_cancelled(request), **where)
    if status == 429:
        text = _(
            "The instance limits our requests (HTTP 429); run later, or ask for a higher limit"
        )
        return RateLimitedError(text, retry_after=retry_after(response), **where)
    kind = _BY_STATUS.get(status, UnavailableError if status >= 500 else RejectedError)
    if kind is RecordGoneError and _is_html(response):
        return InstanceError(_("There is no ServiceNow REST API at this url; check it"), **where)
    return kind(_sentence(kind, request, status, detail), **where)


def _sentence(kind: type[InstanceError], request: Request, status: int, detail: str) -> str:
    # Details may go on with a stack trace: the first line says it.
    said = detail.strip().partition("\n")[0][:200].rstrip(".; ") or f"HTTP {status}"
    words = {
        "said": said,
        "method": request.method,
        "path": request.path,
        "table": request.table,
        "status": status,
    }
    return _template(kind, request.table, detail).format(**words)


def _template(kind: type[InstanceError], table: str, detail: str) -> str:
    if kind is ForbiddenError and table:
        return _("The account may not do {method} on table {table} ({said}); ask for the role")
    if kind is RejectedError and "Invalid table" in detail:
        return _("The instance has no table {table}; check its name")
    return {
        AuthenticationError: _(
            "The instance refused the login ({said}); check user, password, client secret, key or"
            " certificate"
        ),
        ForbiddenError: _("The account may not do {method} {path} ({said}); ask for the role"),
        RecordGoneError: _(
            "{method} {path}: the record is gone, or hidden from the account ({said})"
        ),
        UnavailableError: _("The instance is not available (HTTP {status}); try again later"),
    }.get(kind, _("The instance refused {method} {path} ({said})"))


def _redirected(request: Request, response: requests.Response) -> str:
    target = response.headers.get("Location", "")
    match = re.match(r"^(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#]*@)?([^/?#:]+)", target, re.IGNORECASE)
    text = _("{method} {path} was sent on to {host}; set url to the instance's own address")
    return text.format(
        method=request.method,
        path=request.path,
        host=printable(match[1]) if match else _("another page of the same host"),
    )


def _charset(response: requests.Response) -> str:
    found = _CHARSET.search(response.headers.get("Content-Type", ""))
    return found[1] if found else ""


def _is_html(response: requests.Response) -> bool:
    return "html" in response.headers.get("Content-Type", "").lower()


def _page_instead(request: Request, body: bytes, where: dict[str, Any]) -> InstanceError:
    if _LOGIN_PAGE.search(body):
        text = _("The instance showed its login page instead of data; check the account's login")
        return AuthenticationError(text, **where)
    if QUOTA_PHRASE.encode() in body:
        return IncompleteResponseError(_cancelled(request), **where)
    if _HIBERNATING.search(body):
        text = _("The instance is hibernating; wake it up in its developer portal")
    else:
        text = _("The instance answered with a web page instead of data; it may be restarting")
    return UnavailableError(text, **where)


def _incomplete(request: Request, bad: BadBody, where: dict[str, Any]) -> IncompleteResponseError:
    where["detail"] = bad.detail
    if QUOTA_PHRASE in bad.detail:
        return IncompleteResponseError(_cancelled(request), **where)
    if bad.detail:
        text = _("The instance answered {method} {path} with an error inside a success: {said}")
    else:
        text = _("The answer to {method} {path} was cut or is no JSON; try again later")
    words = {"method": request.method, "path": request.path, "said": bad.detail.rstrip(".")}
    return IncompleteResponseError(text.format(**words), **where)


def _cancelled(request: Request) -> str:
    return _(
        "The instance cancelled {method} {path} because it took too long; a smaller page may pass"
    ).format(method=request.method, path=request.path)


def retry_after(response: requests.Response) -> float | None:
    """Seconds to wait, by Retry-After (seconds or a date) or else X-RateLimit-Reset; None = unsaid.

    Dates are held against the answer's own Date header: the instance's clock need not be ours.
    """
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal():
        return float(value)
    now = _date(response.headers.get("Date", "")) or datetime.now(UTC)
    moment = _date(value) or _epoch(response.headers.get("X-RateLimit-Reset", ""))
    return max(0.0, (moment - now).total_seconds()) if moment else None


def _date(text: str) -> datetime | None:
    try:
        return parse_http_date(text)
    except (ValueError, TypeError):
        return None


def _epoch(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def too_slow(request: Request, seconds: float) -> IncompleteResponseError:
    """The answer began and came so slowly that nobody should wait for its end."""
    text = _(
        "The answer to {method} {path} was not whole after {seconds} seconds; set a smaller"
        " page_size, or raise timeout_seconds"
    )
    return IncompleteResponseError(
        text.format(method=request.method, path=request.path, seconds=round(seconds)),
        method=request.method,
        path=request.path,
    )


def too_big(request: Request, limit: int) -> IncompleteResponseError:
    """The answer outgrows what is held in memory: ask for less at once."""
    text = _("The answer to {method} {path} is larger than {limit} MB; set a smaller page_size")
    return IncompleteResponseError(
        text.format(method=request.method, path=request.path, limit=limit // 2**20),
        method=request.method,
        path=request.path,
    )
