"""One request's way through the sandbox: what befalls it, when its turn comes, what goes back.

    faults instead of it → its turn (session, slot) → the work → quotas → faults after it → the wire

The work itself is done in one piece in the event loop: two clients never see half a write.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from http.cookies import CookieError, SimpleCookie

from starlette.responses import Response

from connector.sandbox import fault_bodies, wire
from connector.sandbox.answers import Answer, ApiError, Request
from connector.sandbox.faults import KINDS, Fault, table_of
from connector.sandbox.instance import Instance
from connector.sandbox.limits import is_write
from connector.sandbox.turns import NOT_AT_ALL, QueueFullError, Waited

Endpoint = Callable[[Instance, Request], Answer]
SESSION_COOKIE = "glide_session_store"


@dataclass(frozen=True)
class Served:
    """What goes back, and how: `broken` on the wire, with the faults `beside` it."""

    answer: Answer
    waited: Waited = NOT_AT_ALL
    broken: Fault | None = None
    beside: tuple[Fault, ...] = ()


async def serve(instance: Instance, request: Request, endpoint: Endpoint) -> Served:
    """The request through faults and limits."""
    plan = instance.faults
    beside = plan.take_all("beside", request)
    if plan.is_restarting(request):
        return Served(fault_bodies.unavailable(503), beside=beside)
    if fault := plan.take("instead", request):
        return replace(_instead(instance, fault, request), beside=beside)
    try:
        async with instance.limits.turns.turn(session_of(request)) as waited:
            answer = await _work(instance, request, endpoint)
    except QueueFullError as full:
        refusal = fault_bodies.dropped() if full.is_session else fault_bodies.busy().answer()
        return Served(refusal, beside=beside)
    return replace(_after(instance, request, answer), waited=waited, beside=beside)


def _instead(instance: Instance, fault: Fault, request: Request) -> Served:
    if not KINDS[fault.kind].on_wire:
        return Served(fault_bodies.instead(fault, request, instance.clock.now()))
    if fault.kind == "node_restart":
        instance.tokens.clear()
        instance.faults.restart(fault)
    return Served(Answer(503), broken=fault)


async def _work(instance: Instance, request: Request, endpoint: Endpoint) -> Answer:
    limits = instance.limits
    limits.begin()
    answer = done(instance, request, endpoint)
    if is_write(request) and table_of(request.path):
        limits.spend_write()
    answer = limits.within_quota(request, answer)
    if (seconds := limits.real_seconds) > 0:
        await asyncio.sleep(seconds)
    return answer


def done(instance: Instance, request: Request, endpoint: Endpoint) -> Answer:
    """The work; a refusal becomes its documented body."""
    try:
        return endpoint(instance, request)
    except ApiError as error:
        return error.answer()


def _after(instance: Instance, request: Request, answer: Answer) -> Served:
    plan = instance.faults
    has_rows = bool(plan.armed) and bool(fault_bodies.rows_of(answer))
    fault = plan.take("after", request, fits=lambda f: has_rows or not KINDS[f.kind].needs_rows)
    changed = fault_bodies.afterwards(plan, fault, request, answer) if fault else answer
    if has_rows and plan.wants_rows_of(request):
        rows = fault_bodies.rows_of(answer)
        plan.last_rows[table_of(request.path)] = rows
    return Served(changed, broken=fault if fault and KINDS[fault.kind].on_wire else None)


def session_of(request: Request) -> str:
    """The session that the request's cookie names, or ''."""
    try:
        cookies = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookies[SESSION_COOKIE].value if SESSION_COOKIE in cookies else ""


# ── going back ───────────────────────────────────────────────────────────────────────────────


async def respond(instance: Instance, served: Served, headers: dict[str, str]) -> Response:
    """The answer on its way, with `headers` beside its own."""
    answer, beside = served.answer, {fault.kind: fault for fault in served.beside}
    headers = {**headers, "Server-Timing": served.waited.header, **answer.headers}
    if answer.status != 204:
        headers["Content-Type"] = answer.content_type
    if skew := beside.get("clock_skew"):
        shifted = instance.clock.now() + timedelta(seconds=skew.seconds)
        headers["Date"] = format_datetime(shifted.replace(microsecond=0), usegmt=True)
    if late := beside.get("latency"):
        await asyncio.sleep(late.ms / 1000)
    return _response(answer, headers, served.broken, beside.get("drip"))


def _response(
    answer: Answer, headers: dict[str, str], broken: Fault | None, drip: Fault | None
) -> Response:
    if broken is not None and broken.kind in ("cut", "reset_mid"):
        reset = broken.kind == "reset_mid"
        return wire.Broken(answer.body, answer.status, headers, broken.share, reset=reset)
    if broken is not None:
        return wire.Lost()
    if drip is not None:
        return wire.Dripping(answer.body, answer.status, headers, drip.bytes, drip.pause_ms / 1000)
    return Response(answer.body, answer.status, headers)


# ── items of a batch ─────────────────────────────────────────────────────────────────────────


def serve_item(instance: Instance, request: Request, endpoint: Endpoint) -> Answer:
    """One item of a batch: rate rules count it singly, and faults may befall it alone."""
    plan, now = instance.faults, instance.clock.now()
    if fault := plan.take("instead", request, "item"):
        return fault_bodies.instead(fault, request, now)
    answer = done(instance, request, charged(endpoint))
    if is_write(request) and table_of(request.path):
        instance.limits.spend_write()
    fault = plan.take("after", request, "item")
    return fault_bodies.afterwards(plan, fault, request, answer) if fault else answer


def charged(endpoint: Endpoint) -> Endpoint:
    """The endpoint behind the rate rules; every answer carries the headers of the rule it met."""

    def counted(instance: Instance, request: Request) -> Answer:
        headers = instance.limits.charge(request, instance.clock.now())
        answer = done(instance, request, endpoint)
        return replace(answer, headers={**answer.headers, **headers}) if headers else answer

    return counted
