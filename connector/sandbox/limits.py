"""What the instance lets one caller have: requests per hour, rows, time, and turns.

Owns the settings of `/_sandbox/limits` and the counting: rate rules by the hour of the virtual
clock, and a cost counter instead of real time for transaction quotas (60 s Table API, 30 s Batch;
servicenow-api.md §1.6, §6). Turns are in `turns`. In memory only.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from connector.sandbox.answers import Answer, Request
from connector.sandbox.fault_bodies import api_name, cancelled, rate_exceeded, rows_of
from connector.sandbox.faults import table_of
from connector.sandbox.strict import converted, decoded
from connector.sandbox.turns import Turns

Natural = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
_HOUR = timedelta(hours=1)


class RateRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many requests per hour: of one user or of all together, on one table or on any."""

    requests: Positive
    user: str = ""
    table: str = ""


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What work costs on the cost counter, in milliseconds."""

    request: Natural = 0
    row: Natural = 0
    write: Natural = 0


class Quotas(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that one transaction may cost, in milliseconds (c_DefaultQuotaRules)."""

    table: Positive = 60_000
    batch: Positive = 30_000


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that `POST /_sandbox/limits` sets; what it does not name has its default."""

    rates: tuple[RateRule, ...] = ()
    slots: Natural = 0
    """Requests served at a time; 0 for no limit. An example node has 4 (KB0635398)."""
    queue: Natural = 50
    """Requests that may wait for a slot; one more is refused."""
    session_queue: Natural = 10
    """Requests that may wait for one session cookie; one more is dropped."""
    rows: Natural = 0
    """Rows of one answer above which it is cancelled; 0 for no limit."""
    cost_ms: Costs = Costs()
    quota_ms: Quotas = Quotas()
    slept: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """The share of the cost that is really slept, with the slot held: 0 counts only."""


@dataclass
class Limits:
    """The limits in force, and what was used of them."""

    settings: LimitSettings = field(default_factory=LimitSettings)
    turns: Turns = field(default_factory=Turns)
    used: Counter[tuple[int, datetime]] = field(default_factory=Counter)
    """Requests by (number of the rule, hour)."""
    spent_ms: int = 0
    """What the request that is being served has cost so far."""

    def charge(self, request: Request, now: datetime) -> dict[str, str]:
        """Count a request against the rule that holds for it; the headers that tell of the rule.

        A rule for the user beats rules for all; of several the lowest holds. Raises ApiError 429.
        """
        if (index := self._rule(request)) is None:
            return {}
        rule, hour = self.settings.rates[index], now.replace(minute=0, second=0, microsecond=0)
        headers = {
            "X-RateLimit-Limit": str(rule.requests),
            "X-RateLimit-Reset": str(int((hour + _HOUR).timestamp())),
            "X-RateLimit-Rule": f"{index + 1:032x}",
        }
        self.used[index, hour] += 1
        if self.used[index, hour] > rule.requests:
            wait = (hour + _HOUR - now).total_seconds()
            headers["Retry-After"] = str(max(1, int(wait)))
            raise rate_exceeded(rule.requests, api_name(request.path), headers)
        return headers

    def _rule(self, request: Request) -> int | None:
        holding = [
            (not rule.user, rule.requests, index)
            for index, rule in enumerate(self.settings.rates)
            if rule.user in ("", request.user) and rule.table in ("", table_of(request.path))
        ]
        return min(holding)[2] if holding else None

    # ── the cost counter ─────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """A new transaction."""
        self.spent_ms = self.settings.cost_ms.request

    def spend_write(self) -> None:
        """A record was written."""
        self.spent_ms += self.settings.cost_ms.write

    @property
    def is_batch_over(self) -> bool:
        """Whether a batch has used up its time: what is left of it stays unserviced."""
        return self.spent_ms >= self.settings.quota_ms.batch

    def within_quota(self, request: Request, answer: Answer) -> Answer:
        """The answer, or the platform's cancellation where it took too many rows or too long."""
        counts_rows = self.settings.rows or self.settings.cost_ms.row
        rows = len(rows_of(answer)) if counts_rows and request.method == "GET" else 0
        self.spent_ms += rows * self.settings.cost_ms.row
        is_over = self.spent_ms > self.settings.quota_ms.table
        if request.method == "GET" and (is_over or 0 < self.settings.rows < rows):
            return cancelled()
        return answer

    @property
    def real_seconds(self) -> float:
        """How long the request that is being served shall really hold its slot."""
        return self.spent_ms * self.settings.slept / 1000


def limits_of(body: bytes) -> Limits:
    """The limits in a body. Raises ApiError 400 with one sentence."""
    known = {
        name for kind in (LimitSettings, RateRule, Costs, Quotas) for name in kind.__struct_fields__
    }
    settings = converted(decoded(body), LimitSettings, "limits", known)
    turns = Turns(settings.slots, settings.queue, settings.session_queue)
    return Limits(settings, turns)


def shown(limits: Limits, now: datetime) -> dict[str, object]:
    """The limits in force, and what was used of each rule in this hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    used = [limits.used[index, hour] for index in range(len(limits.settings.rates))]
    settings: dict[str, object] = msgspec.to_builtins(limits.settings)
    return {**settings, "used_this_hour": used, "longest_queue": limits.turns.longest_queue}


def is_write(request: Request) -> bool:
    """Whether the request changes records."""
    return request.method in ("POST", "PUT", "PATCH", "DELETE")
