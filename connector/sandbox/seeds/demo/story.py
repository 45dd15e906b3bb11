"""The demo's one story, as numbers: when a department's experience turns, and how much.

Finanzas goes live with e-invoicing about five months before the clock, and it goes wrong: many
contacts, slow answers, breached SLAs, reopened tickets, bad surveys. At the same time a second
approval («control de gasto», spend control) is put before its requests: it takes weeks, some wait
for more than ten working days, some lapse. Two months before the clock the service is repaired and
the second approval is dropped: quick answers, quick approvals, good surveys, words after a breach
where there was silence. The two sides meet before and after, and twelve days after the recovery
an agreement on e-invoicing is in force: the ring. Nobody else changes.

All else in the demo asks this module; nothing here makes records.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.sandbox.seeds.demo.organisation import FINANCE

HISTORY = timedelta(days=365)
GO_LIVE_AGO = timedelta(days=152)
RECOVERY_AGO = timedelta(days=61)
AGREED_AFTER = timedelta(days=12)
APOLOGIES = timedelta(days=12)
"""How long before the recovery the provider begins to write to those whose SLA it broke."""
EARLY_LIFE = timedelta(days=14)
"""How long after the go-live a ticket still counts as caused by it."""


@dataclass(frozen=True)
class Mood:
    """How things go for a department in a period. Chances are 0..1, `slowness` a factor on time."""

    slowness: float
    reopened: float
    passed_on: float
    scores: tuple[int, int, int, int, int]
    answers: float
    complains: float
    speaks: float = 0.4
    """How likely an agent is to write to the user when there is something to say."""


USUAL = Mood(1.0, 0.035, 0.22, (3, 5, 14, 42, 36), 0.45, 0.008)
SHAKEN = Mood(3.6, 0.22, 0.55, (38, 30, 18, 10, 4), 0.60, 0.07, 0.12)
RECOVERED = Mood(0.55, 0.01, 0.10, (0, 1, 6, 38, 55), 0.65, 0.0, 0.85)


@dataclass(frozen=True)
class Story:
    """The story laid on the calendar that ends at `now`."""

    now: datetime

    @property
    def begins(self) -> datetime:
        """The first instant of the told year."""
        return self.now - HISTORY

    @property
    def go_live(self) -> datetime:
        """When e-invoicing went live for Finanzas."""
        return self.now - GO_LIVE_AGO

    @property
    def recovery(self) -> datetime:
        """When the service was repaired and the second approval dropped."""
        return self.now - RECOVERY_AGO

    @property
    def agreement(self) -> datetime:
        """When the agreement on e-invoicing enters into force."""
        return self.recovery + AGREED_AFTER

    def is_sorry(self, department: str, at: datetime) -> bool:
        """Whether the provider then writes to a user of that department after a breach."""
        return department != FINANCE or at >= self.recovery - APOLOGIES

    def mood(self, department: str, at: datetime) -> Mood:
        """How things go for a department at an instant."""
        if department != FINANCE or at < self.go_live:
            return USUAL
        return SHAKEN if at < self.recovery else RECOVERED

    def needs_spend_control(self, department: str, at: datetime) -> bool:
        """Whether a request of that department then waits for the second approval."""
        return department == FINANCE and self.go_live <= at < self.recovery

    def is_early_life(self, at: datetime) -> bool:
        """Whether a ticket about e-invoicing is still put down to the go-live."""
        return self.go_live <= at < self.go_live + EARLY_LIFE
