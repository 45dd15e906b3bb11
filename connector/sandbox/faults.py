"""The fault plan: what shall go wrong, with which requests, and how often it did.

Owns the kinds, where and when each strikes; what a struck request gets is made by `fault_bodies`
(as an answer) and `wire` (on the connection). In memory only: a restarted sandbox is quiet.
"""

import base64
import binascii
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec

from connector.sandbox.answers import Request
from connector.sandbox.strict import converted, decoded, near, refused

Stage = Literal["instead", "after", "beside", "batch"]
Where = Literal["request", "item"]


@dataclass(frozen=True)
class Kind:
    """One way to fail: when it acts, its knobs, and whether it can befall an item of a batch."""

    stage: Stage
    knobs: frozenset[str] = frozenset()
    on_items: bool = False
    needs_rows: bool = False
    """Whether it befalls only answers that hold a list with rows."""
    on_wire: bool = False


def _kind(stage: Stage, *knobs: str, **traits: bool) -> Kind:
    return Kind(stage, frozenset(knobs), **traits)


KINDS: dict[str, Kind] = {
    # The request is not done.
    "reset": _kind("instead", on_wire=True),
    "node_restart": _kind("instead", "requests", on_wire=True),
    "rate_limited": _kind("instead", "retry_after", "limit", on_items=True),
    "busy": _kind("instead", on_items=True),
    "unavailable": _kind("instead", "status", on_items=True),
    "hibernating": _kind("instead", "status"),
    "login_page": _kind("instead"),
    "dropped": _kind("instead", on_items=True),
    "server_error": _kind("instead", on_items=True),
    "unauthorised": _kind("instead"),
    "cancelled": _kind("instead", on_items=True),
    # It is done; the answer goes wrong.
    "cancelled_after_rows": _kind("after", "rows", needs_rows=True),
    "cancelled_cut": _kind("after", "rows", needs_rows=True),
    "short_page": _kind("after", "rows", needs_rows=True),
    "repeated_rows": _kind("after", "rows", needs_rows=True),
    "cut": _kind("after", "share", on_wire=True),
    "reset_mid": _kind("after", "share", on_wire=True),
    "lost_answer": _kind("after", on_wire=True),
    "failed_after": _kind("after", on_items=True),
    # It comes, but late or odd. These go together with the others.
    "latency": _kind("beside", "ms"),
    "drip": _kind("beside", "bytes", "pause_ms"),
    "clock_skew": _kind("beside", "seconds"),
    # A batch leaves its last items.
    "unserviced": _kind("batch", "items"),
}

_COMMON = frozenset(
    {"kind", "table", "method", "path", "user", "where", "count", "after", "probability", "seed"}
)
Positive = Annotated[int, msgspec.Meta(ge=1)]
Natural = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a plan.

    Without `count` and `probability` it strikes once; `probability` alone has no end. `after`
    requests that match are let by first.
    """

    kind: str
    table: str = ""
    method: str = ""
    path: str = ""
    user: str = ""
    """As the Basic header or the batch's caller says it; nobody has checked it yet."""
    where: Where = "request"
    count: Positive | None = None
    after: Natural = 0
    probability: Share | None = None
    seed: int = 0
    # Knobs of some kinds.
    requests: Natural = 3
    retry_after: Natural = 1
    limit: Positive = 100
    status: Literal[200, 500, 502, 503, 504] | None = None
    rows: Natural | None = None
    share: Share = 0.5
    ms: Natural = 100
    bytes: Positive = 64
    pause_ms: Natural = 5
    seconds: int = 3600
    items: Positive = 1

    @property
    def limit_of_strikes(self) -> int | None:
        """How often it may strike, None for no end."""
        return 1 if self.count is None and self.probability is None else self.count


@dataclass
class Armed:
    """A fault of the running plan: requests that matched it, and how often it struck."""

    fault: Fault
    dice: random.Random
    seen: int = 0
    fired: int = 0

    def strikes(self) -> bool:
        """Count one matching request and say whether it is struck."""
        self.seen += 1
        most = self.fault.limit_of_strikes
        if self.seen <= self.fault.after or (most is not None and self.fired >= most):
            return False
        chance = self.fault.probability
        if chance is not None and self.dice.random() >= chance:
            return False
        self.fired += 1
        return True


Fits = Callable[[Fault], bool]


@dataclass
class FaultPlan:
    """What is armed now."""

    armed: Sequence[Armed] = ()
    restarting: int = 0
    """Requests that still meet a node that comes up, of those that `restarted` is meant for."""
    restarted: Fault | None = None
    last_rows: dict[str, list[bytes]] = field(default_factory=dict)
    """The rows last listed of each table, while a fault wants to repeat them."""

    def take(
        self, stage: Stage, request: Request, where: Where = "request", fits: Fits = bool
    ) -> Fault | None:
        """The first fault of that stage that strikes this request; later ones are not asked."""
        return next(self._struck(stage, request, where, fits), None)

    def take_all(self, stage: Stage, request: Request) -> tuple[Fault, ...]:
        """Every fault of that stage that strikes this request."""
        return tuple(self._struck(stage, request, "request", bool))

    def _struck(self, stage: Stage, request: Request, where: Where, fits: Fits) -> Iterator[Fault]:
        for one in self.armed:
            fault = one.fault
            is_meant = KINDS[fault.kind].stage == stage and fault.where == where
            if is_meant and _matches(fault, request) and fits(fault) and one.strikes():
                yield fault

    def restart(self, fault: Fault) -> None:
        """A node went down: it takes `fault.requests` requests until it is up."""
        self.restarted, self.restarting = fault, fault.requests

    def is_restarting(self, request: Request) -> bool:
        """Count one request, and say whether it meets a node that comes up."""
        if not self.restarting or self.restarted is None:
            return False
        if self.restarted.user and self.restarted.user != _claimed_user(request):
            return False
        self.restarting -= 1
        return True

    def wants_rows_of(self, request: Request) -> bool:
        """Whether a fault may later repeat what this request lists."""
        return any(
            one.fault.kind == "repeated_rows" and _matches(one.fault, request) for one in self.armed
        )

    def shown(self) -> list[dict[str, object]]:
        """The plan with how often each fault was met and struck."""
        return [{**_said(one.fault), "matched": one.seen, "fired": one.fired} for one in self.armed]


_VERSION = re.compile(r"^/api/now/v\d+/")
_TABLE = re.compile(r"^/api/now/(?:table|stats|import)/([^/]+)")


def plain_path(path: str) -> str:
    """The path without the API's version."""
    return _VERSION.sub("/api/now/", path)


def table_of(path: str) -> str:
    """The table a path is about, or ''."""
    found = _TABLE.match(plain_path(path))
    return found[1] if found else ""


def _matches(fault: Fault, request: Request) -> bool:
    return (
        (not fault.method or fault.method == request.method)
        and (not fault.table or fault.table == table_of(request.path))
        and plain_path(request.path).startswith(plain_path(fault.path))
        and (not fault.user or fault.user == _claimed_user(request))
    )


def _claimed_user(request: Request) -> str:
    scheme, _space, credentials = request.headers.get("authorization", "").partition(" ")
    if request.user or scheme.lower() != "basic":
        return request.user
    try:
        return base64.b64decode(credentials).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _said(fault: Fault) -> dict[str, object]:
    """The fault as it was given: its common keys that say something, and its kind's knobs."""
    every: dict[str, object] = msgspec.to_builtins(fault)
    shown = _COMMON | KINDS[fault.kind].knobs
    return {k: v for k, v in every.items() if k in shown and v not in ("", None)}


def plan_of(body: bytes) -> FaultPlan:
    """The plan in a body: a list of faults. Raises ApiError 400 with one sentence."""
    lines = decoded(body)
    if not isinstance(lines, list):
        raise refused("the body must be a list of faults, each an object with a kind")
    faults = [_fault(f"fault {number}", line) for number, line in enumerate(lines, 1)]
    return FaultPlan([Armed(f, random.Random(f.seed)) for f in faults])  # noqa: S311 - repeatable


def _fault(where: str, line: object) -> Fault:
    if not isinstance(line, dict):
        raise refused(f"{where}: it must be an object with a kind")
    name = line.get("kind")
    if not isinstance(name, str) or name not in KINDS:
        raise refused(f"{where}: unknown kind {name}{near(str(name), KINDS)}")
    known = _COMMON | KINDS[name].knobs
    if unknown := sorted(line.keys() - known):
        raise refused(f"{where} ({name}): unknown key {unknown[0]}{near(unknown[0], known)}")
    fault = converted(line, Fault, f"{where} ({name})", known)
    if fault.where == "item" and not KINDS[name].on_items:
        able = ", ".join(sorted(n for n, kind in KINDS.items() if kind.on_items))
        raise refused(f"{where} ({name}): cannot befall an item of a batch; these can: {able}")
    return msgspec.structs.replace(fault, method=fault.method.upper())
