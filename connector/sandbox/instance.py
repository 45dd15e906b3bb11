"""Everything one running sandbox holds beside its records: logins, modes, counts, faults."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from connector.sandbox.clock import VirtualClock
from connector.sandbox.database import Database
from connector.sandbox.faults import FaultPlan
from connector.sandbox.limits import Limits
from connector.sandbox.literals import DateLiterals
from connector.sandbox.policies import Policies

InvalidQuery = Literal["ignore", "no_rows", "query_acl"]

LOGINS = ("admin", "travesia.integration")
"""Users that may log in. Every other user is only somebody that records refer to."""

OAUTH_CLIENT = "sandbox-client"
OAUTH_SECRET = "sandbox-secret"  # noqa: S105 - the sandbox's published test credential
OAUTH_USER = "travesia.integration"

API_KEY = "sandbox-api-key"
API_KEY_USER = "travesia.integration"


class RecordedChange(Protocol):
    """One change of a replayed history: insert if the record is new, else these fields only."""

    @property
    def at(self) -> datetime: ...
    @property
    def table(self) -> str: ...
    @property
    def sys_id(self) -> str: ...
    @property
    def values(self) -> Mapping[str, str]: ...
    @property
    def updated_by(self) -> str: ...


History = Callable[[datetime, datetime], Iterable[RecordedChange]]
"""(after, until) → the changes recorded in between, oldest first."""


def no_history(_after: datetime, _until: datetime) -> Iterable[RecordedChange]:
    """For seeds that do not go on."""
    return ()


@dataclass
class Token:
    """An OAuth access token: whose, and until when on the virtual clock."""

    user: str
    expires: datetime


@dataclass
class Refresh:
    """An OAuth refresh token: whose, until when, and the access token it stands behind."""

    user: str
    expires: datetime
    access: str


@dataclass(frozen=True)
class Session:
    """A person logged in on the pages, and the word that their forms carry."""

    user: str
    word: str


@dataclass
class Counts:
    """What was asked since the start or the last reset."""

    requests: Counter[str] = field(default_factory=Counter)
    batched: Counter[str] = field(default_factory=Counter)
    with_cookies: int = 0


@dataclass
class Instance:
    """One running sandbox."""

    database: Database
    password: str
    seed: str = ""
    history: History = no_history
    invalid_query: InvalidQuery = "ignore"
    date_literals: DateLiterals = "utc"
    policies: Policies = field(default_factory=Policies)
    tokens: dict[str, Token] = field(default_factory=dict)
    refresh_tokens: dict[str, Refresh] = field(default_factory=dict)
    used_assertions: set[str] = field(default_factory=set)
    sla_minute: int = -1
    sessions: dict[str, Session] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    advancing: asyncio.Lock = field(default_factory=asyncio.Lock)
    faults: FaultPlan = field(default_factory=FaultPlan)
    limits: Limits = field(default_factory=Limits)

    @property
    def clock(self) -> VirtualClock:
        """The clock of the database, the only one there is."""
        return self.database.clock
