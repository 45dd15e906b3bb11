"""What a struck request gets for an answer: bodies and headers as the platform was seen to send.

Sources: servicenow-api.md §1.6 (quota bodies a to d, HTML pages), §6 (the two 429s), §1.4 (202).
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from connector.sandbox.answers import Answer, ApiError, Request, encode, not_authenticated
from connector.sandbox.faults import Fault, FaultPlan, table_of

QUOTA = "Transaction cancelled: maximum execution time exceeded"
QUOTA_DETAIL = (
    f"{QUOTA} Check logs for error trace or enable glide.rest.debug property to verify REST"
    " request processing"
)
HTML = "text/html;charset=UTF-8"
RULE = "1aec1bd9837032105c0ffa65eeaad3c4"
"""The sys_id that made-up rate answers name as their rule."""

_HIBERNATING = b"""<!DOCTYPE html><html><head><title>Instance Hibernating page</title></head><body>
<h1>Your instance is hibernating.</h1><p>Sign in to the developer site to wake your instance up.\
</p></body></html>
"""
_LOGIN = b"""<!DOCTYPE html><html><head><title>Log in | ServiceNow</title></head><body>
<form action="login.do" method="post"><input name="user_name"><input name="user_password"\
 type="password"></form>
</body></html>
"""
_PHRASES = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Time-out"}
_STACK = (
    "java.lang.NullPointerException\n"
    "\tat com.glide.rest.service.RESTProcessor.process(RESTProcessor.java:214)\n"
    "\tat com.glide.rest.handler.impl.ServiceHandlerImpl.invokeService(ServiceHandlerImpl.java:34)"
)


def cancelled() -> Answer:
    """Quota body (a): only the error, and the status says 200."""
    return Answer(200, encode({"error": _quota_error(), "status": "failure"}))


def _quota_error() -> dict[str, str]:
    return {"message": QUOTA, "detail": QUOTA_DETAIL}


def busy() -> ApiError:
    """Every semaphore taken and the queue full: 429 without rate headers (KB0635398)."""
    return ApiError(429, "Too Many Requests")


def rate_exceeded(limit: int, api: str, headers: dict[str, str]) -> ApiError:
    """A rate rule is used up (inbound-REST-API-rate-limiting)."""
    detail = f"Rate limit of {limit} requests per hour for {api} exceeded"
    return ApiError(429, "Rate limit exceeded", detail, headers)


def api_name(path: str) -> str:
    """How the platform calls the API of a path."""
    return "Batch API" if path.rstrip("/").endswith("/batch") else "Table API"


def server_error() -> ApiError:
    """An exception of the server, with its stack."""
    return ApiError(500, "Internal Server Error", _STACK)


def dropped() -> Answer:
    """Session reuse queue overflow: accepted, empty, and not done (KB3047080)."""
    return Answer(202)


def unavailable(status: int) -> Answer:
    """What the load balancer says while a node restarts."""
    title = f"{status} {_PHRASES.get(status, 'Internal Server Error')}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Answer(status, page.encode(), {}, HTML)


def instead(fault: Fault, request: Request, now: datetime) -> Answer:
    """The answer that a struck request gets in place of being done."""
    match fault.kind:
        case "rate_limited":
            return _rate_limited(fault, request, now).answer()
        case "unavailable":
            return unavailable(fault.status or 503)
        case "hibernating":
            return Answer(fault.status or 200, _HIBERNATING, {}, HTML)
    return _ALWAYS_THE_SAME[fault.kind]()


_ALWAYS_THE_SAME: dict[str, Callable[[], Answer]] = {
    "busy": lambda: busy().answer(),
    "login_page": lambda: Answer(200, _LOGIN, {}, HTML),
    "dropped": dropped,
    "server_error": lambda: server_error().answer(),
    "unauthorised": lambda: not_authenticated().answer(),
    "cancelled": cancelled,
}


def _rate_limited(fault: Fault, request: Request, now: datetime) -> ApiError:
    reset = now + timedelta(seconds=fault.retry_after)
    headers = {
        "Retry-After": str(fault.retry_after),
        "X-RateLimit-Limit": str(fault.limit),
        "X-RateLimit-Reset": str(int(reset.timestamp())),
        "X-RateLimit-Rule": RULE,
    }
    return rate_exceeded(fault.limit, api_name(request.path), headers)


# ── answers that were good until now ─────────────────────────────────────────────────────────


class _Rows(msgspec.Struct):
    result: list[msgspec.Raw]


_decoder = msgspec.json.Decoder(_Rows)


def rows_of(answer: Answer) -> list[bytes]:
    """The rows of a list in a good answer, each as its JSON; none where it holds no list."""
    if answer.status != 200 or not answer.body.startswith(b'{"result":['):
        return []
    return [bytes(row) for row in _decoder.decode(answer.body).result]


def afterwards(plan: FaultPlan, fault: Fault, request: Request, answer: Answer) -> Answer:
    """What becomes of a good answer. On the wire nothing changes here: see `wire`."""
    match fault.kind:
        case "failed_after":
            return server_error().answer()
        case "cancelled_after_rows":
            return _with_body(answer, _error_after(_kept(fault, answer)))
        case "cancelled_cut":
            return _with_body(answer, _cut_after(_kept(fault, answer)))
        case "short_page":
            return _with_body(answer, _listed(_kept(fault, answer)))
        case "repeated_rows":
            return _with_body(answer, _listed(_repeated(plan, fault, request, answer)))
    return answer


def _kept(fault: Fault, answer: Answer) -> list[bytes]:
    rows = rows_of(answer)
    return rows[: len(rows) // 2 if fault.rows is None else fault.rows]


def _repeated(plan: FaultPlan, fault: Fault, request: Request, answer: Answer) -> list[bytes]:
    """The page with the last rows of the page before it once more in front."""
    before = plan.last_rows.get(table_of(request.path), [])
    count = 1 if fault.rows is None else fault.rows
    return [*(before[-count:] if count else []), *rows_of(answer)]


def _with_body(answer: Answer, body: bytes) -> Answer:
    return Answer(answer.status, body, answer.headers, answer.content_type)


def _listed(rows: list[bytes]) -> bytes:
    return b'{"result":[' + b",".join(rows) + b"]}"


def _error_after(rows: list[bytes]) -> bytes:
    """Quota body (b): rows that were streamed already, then the error in the same document."""
    error = encode(_quota_error())
    return b'{"result":[' + b",".join(rows) + b'],"error":' + error + b',"status":"failure"}'


def _cut_after(rows: list[bytes]) -> bytes:
    """Quota body (b) as syndesis #3399 saw it: the list ends with a comma, which is no JSON."""
    return b'{"result":[' + b"".join(row + b"," for row in rows) + b"]"
