"""The sandbox as an ASGI app: routes, headers, who may reach what.

Handlers run directly in the event loop, one at a time: two clients can never see half a write.
What befalls a request before and after its handler (faults, limits, turns) is in `traffic`.
The sandbox's own endpoints and pages answer only to a loopback Host: a page of another site in the
user's browser must not reach them.
"""

import secrets
from dataclasses import replace
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from connector.sandbox import api, auth, control, oauth, pages, tls, traffic, trouble
from connector.sandbox.answers import Answer, ApiError, Request, method_not_allowed
from connector.sandbox.forms import LARGEST
from connector.sandbox.instance import Instance
from connector.sandbox.traffic import Endpoint

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_LARGEST = 2 * LARGEST
"""Bytes of a page's form; between one and two LARGEST the page itself says that it is too much."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "testserver"})


def create_app(instance: Instance) -> Starlette:
    """The ASGI app of one instance."""

    async def rest(http: HttpRequest) -> Response:
        return await _served(instance, http, _rest)

    async def token(http: HttpRequest) -> Response:
        return await _served(instance, http, _token)

    async def own(http: HttpRequest) -> Response:
        return await _control(instance, http)

    async def page(http: HttpRequest) -> Response:
        try:
            request = await _request(http, _LARGEST)
        except ApiError as error:
            return _response(instance, error.answer())
        return _response(instance, traffic.done(instance, request, _page))

    async def broken(_http: HttpRequest, _error: Exception) -> Response:
        return _response(instance, ApiError(500, "Internal Server Error").answer())

    return Starlette(
        routes=[
            Route("/oauth_token.do", token, methods=_METHODS),
            Route("/api/{path:path}", rest, methods=_METHODS),
            Route("/_sandbox/{name}", own, methods=_METHODS),
            Route("/{path:path}", page, methods=["GET", "HEAD", "POST"]),
        ],
        exception_handlers={Exception: broken},
    )


async def _served(instance: Instance, http: HttpRequest, endpoint: Endpoint) -> Response:
    """What an API client meets: the fault plan and the limits stand before the endpoint."""
    request = await _request(http)
    served = await traffic.serve(instance, request, endpoint)
    return await traffic.respond(instance, served, _usual_headers(instance, request))


async def _request(http: HttpRequest, most: int = 0) -> Request:
    """The call with its body; of one larger than `most` (0: any) ApiError 413 as soon as seen."""
    body = await http.body() if not most else await _body(http, most)
    return Request(
        method=http.headers.get("x-http-method-override", http.method).upper(),
        path=http.url.path,
        query_string=http.url.query,
        headers=dict(http.headers),
        body=body,
        base=f"{http.url.scheme}://{http.headers.get('host', '127.0.0.1')}",
        certificate=tls.client_certificate(http.scope),
    )


async def _body(http: HttpRequest, most: int) -> bytes:
    body = bytearray()
    async for piece in http.stream():
        body += piece
        if len(body) > most:
            raise ApiError(413, "Too large", f"more than {most} bytes are not read")
    return bytes(body)


def _rest(instance: Instance, request: Request) -> Answer:
    instance.counts.with_cookies += "cookie" in request.headers
    user = auth.authenticate(instance, request)
    return traffic.charged(api.handle)(instance, replace(request, user=user))


def _token(instance: Instance, request: Request) -> Answer:
    instance.counts.requests[f"{request.method} {request.path}"] += 1
    if request.method != "POST":
        raise method_not_allowed(request.method)
    return oauth.give_token(instance, request)


def _page(instance: Instance, request: Request) -> Answer:
    _loopback_only(request)
    return pages.handle(instance, request)


def _loopback_only(request: Request) -> None:
    host = request.headers.get("host", "").rsplit(":", 1)[0]
    if host not in _LOOPBACK:
        raise ApiError(403, "Operation Failed", "the sandbox answers this on loopback only")


def _response(instance: Instance, answer: Answer) -> Response:
    headers = {**_usual_headers(instance), **answer.headers}
    if answer.status != 204:
        headers["Content-Type"] = answer.content_type
    return Response(answer.body, answer.status, headers)


def _usual_headers(instance: Instance, request: Request | None = None) -> dict[str, str]:
    """What every answer of a real instance carries; cookies too, which clients must not keep.

    Who sends its session's cookie keeps that session.
    """
    session = (traffic.session_of(request) if request else "") or secrets.token_hex(16)
    return {
        "Date": format_datetime(instance.clock.now().replace(microsecond=0), usegmt=True),
        "Server": "travesia-sandbox",
        "X-Transaction-ID": secrets.token_hex(6),
        "Server-Timing": "sem_wait;dur=0, sesh_wait;dur=0",
        "Cache-Control": "no-cache,no-store,must-revalidate,max-age=-1",
        "Set-Cookie": f"{traffic.SESSION_COOKIE}={session}; Max-Age=60; Path=/; HttpOnly",
    }


# ── /_sandbox ────────────────────────────────────────────────────────────────────────────────


async def _control(instance: Instance, http: HttpRequest) -> Response:
    request = await _request(http)
    try:
        _loopback_only(request)
        name = f"{request.method} {request.path.removeprefix('/_sandbox/')}"
        if name == "POST advance":
            return _response(instance, await control.advance(instance, request.body))
        if name == "GET dump":
            return _dump(instance, request)
        return _response(instance, _quick(name, instance, request))
    except ApiError as error:
        return _response(instance, error.answer())


def _quick(name: str, instance: Instance, request: Request) -> Answer:
    match name:
        case "GET health":
            return control.health(instance)
        case "POST clock":
            return control.set_clock(instance, request.body)
        case "POST mode":
            return control.set_mode(instance, request.body)
        case "GET requests":
            return control.requests(instance)
        case "DELETE requests":
            return control.reset_requests(instance)
    return _trouble(name, instance, request)


def _trouble(name: str, instance: Instance, request: Request) -> Answer:
    match name:
        case "GET faults" | "POST faults" | "DELETE faults":
            return trouble.faults(instance, request)
        case "GET limits" | "POST limits" | "DELETE limits":
            return trouble.limits(instance, request)
        case "POST late":
            return trouble.commit_late(instance, request.body)
    raise ApiError(
        404,
        "Not found",
        "health, clock, advance, mode, dump, requests, faults, limits and late are here",
    )


def _dump(instance: Instance, request: Request) -> Response:
    table = request.parameters.get("table", "")
    if table and table not in instance.database.catalogue:
        raise ApiError(400, f"Invalid table {table}")
    lines = control.dump(instance, table, request.flag("bookkeeping"))
    return StreamingResponse(lines, media_type="application/jsonl")
