"""The relationships of a report: their states, what moved them, and what was promised to them.

States are those of the last run, whatever the period: they look back over their own window.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from connector.journey.engagement_model import Engagement
from connector.journey.engagement_words import relationship_name
from connector.report.chapters.model import Asked
from connector.report.report import Report
from connector.report.source import Source
from connector.report.wording import clean, day_within
from connector.store.database import Row
from connector.store.engagement import MONTH, read_changes, read_left_out, read_relationships
from connector.store.relationship_plans import Plans, read_plans
from connector.store.runs import mark_before

CONTACTS = "u_journey_contact"

_PROMISES = """
SELECT sys_id, u_date, coalesce(nullif(u_customer, ''), u_company, '') AS customer,
       coalesce(u_service, '') AS service, coalesce(u_promise_due, '') AS due,
       coalesce(u_promise_kept, '') AS kept
FROM current.u_journey_contact ORDER BY u_date, sys_id
"""


@dataclass(frozen=True)
class Contact:
    """A line of u_journey_contact: when, and the promise made, by its day ("" = none was dated).

    `kept` is yes, no or "" while it is open. The promise's words stay in the tool.
    """

    sys_id: str
    day: str
    customer: str
    service: str
    due: str
    kept: str

    @property
    def is_pending(self) -> bool:
        """Whether something was promised for a day, and nobody said yet whether it was kept."""
        return bool(self.due) and not self.kept


@dataclass(frozen=True)
class Relationships:
    """Those of the scope, worst first; `rows` and `changes` as `store.engagement` reads them.

    What was planned is told as of `begins`, whose day for the reader is `first_day`; `looked` is
    the last finished run before it.
    """

    opinions: Engagement
    rows: tuple[Row, ...]
    changes: tuple[Row, ...]
    too_small: int
    begins: datetime
    first_day: date
    contacts: tuple[Contact, ...] = field(default=())
    plans: Plans = field(default=Plans(None, {}))
    looked: datetime | None = None

    @property
    def moved(self) -> tuple[Row, ...]:
        """Those that moved within the last 30 days, the largest move first."""
        found = [row for row in self.rows if has_moved(row, self.opinions)]
        return tuple(sorted(found, key=lambda row: -abs(change_of(row) or 0.0)))

    @property
    def is_plan_known(self) -> bool:
        """Whether what was planned at `begins` was seen."""
        return self.plans.began is not None and self.plans.began <= self.begins

    def contacts_of(self, row: Row) -> tuple[Contact, ...]:
        """The lines about this customer and service."""
        key = (row["customer"], row["service"])
        return tuple(one for one in self.contacts if (one.customer, one.service) == key)


def measure(asked: Asked) -> Relationships | None:
    """None where the mapping has no engagement, or no run has computed any."""
    opinions = asked.mapping.engagement
    if opinions is None:
        return None
    store = asked.source.store
    rows = [row for row in read_relationships(store) if row["customer"]]
    if not rows:
        return None
    belongs = _scoped(asked.source)
    mine = [row for row in rows if belongs(row["customer"], row["service"])]
    kept = {row["sys_id"] for row in mine}
    return Relationships(
        opinions,
        tuple(sorted(mine, key=lambda row: _order(row, opinions))),
        tuple(change for change in read_changes(store) if change["sys_id"] in kept),
        read_left_out(store)["too_small"],
        asked.period.start,
        asked.period.local(asked.period.start).date(),
        tuple(c for c in contacts_of_source(asked.source) if belongs(c.customer, c.service)),
        read_plans(store),
        mark_before(store, asked.period.start),
    )


def _scoped(source: Source) -> Callable[[str, str], bool]:
    """Whether what is about this customer and service belongs to the scope of the report."""
    if not source.scope.is_part:
        return lambda _customer, _service: True
    members = {r["id"] for r in source.store.read("SELECT id FROM scope_member")}
    by_service = source.scope.kind == "service"
    return lambda customer, service: (service if by_service else customer) in members


def contacts_of_source(source: Source) -> tuple[Contact, ...]:
    """Every line of u_journey_contact, () where none are read."""
    wanted = ("u_date", "u_customer", "u_company", "u_service", "u_promise_due", "u_promise_kept")
    if not source.has(CONTACTS, *wanted):
        return ()
    return tuple(
        Contact(r["sys_id"], r["u_date"] or "", r["customer"], r["service"], r["due"], r["kept"])
        for r in source.read(_PROMISES)
    )


def _order(row: Row, opinions: Engagement) -> tuple[int, float, str, str]:
    """Ranked ones first, the worst on top; then those of which too little is known."""
    ranked = is_ranked(row, opinions)
    score = (row["score"] or 0.0) if ranked else 0.0
    return (0 if ranked else 1, score, row["customer_name"], row["sys_id"])


def is_ranked(row: Row, opinions: Engagement) -> bool:
    """Whether there is evidence enough to say that it stands better or worse than another."""
    return row["state"] in {state.id for state in opinions.scored}


def change_of(row: Row) -> float | None:
    """Points since 30 days ago; None if there was no score then, or is none now."""
    if row["score"] is None or row["month_score"] is None:
        return None
    return float(row["score"]) - float(row["month_score"])


def has_moved(row: Row, opinions: Engagement) -> bool:
    """Another state than 30 days ago, or another score by so much that it counts."""
    if row["month_state"] is not None and row["month_state"] != row["state"]:
        return True
    points = change_of(row)
    return points is not None and abs(points) >= opinions.formula.moved_points


def name_of(report: Report, figures: Relationships, row: Row) -> str:
    """`Finanzas × ERP`, leading to its row in the tool."""
    text = clean(relationship_name(row, figures.opinions, report.language))
    return report.tool.record(text, "u_journey_engagement", row["sys_id"])


def state_name(report: Report, figures: Relationships, state: str) -> str:
    """The state's name; its id where the mapping knows it no more."""
    known = {one.id: one.name.in_(report.language) for one in figures.opinions.states}
    return known.get(state, state)


def month_before(row: Row) -> date:
    """The day with which a relationship is compared."""
    day: date = row["as_of"]
    return day - timedelta(days=MONTH)


def said_day(figures: Relationships, value: date) -> str:
    """A day of what was planned and has happened, with its year where the time told is a year."""
    return day_within(value, figures.first_day, figures.rows[0]["as_of"])


def changes_since(figures: Relationships, row: Row) -> Sequence[Row]:
    """Changes of its state since the period began, newest first."""
    first, id_ = figures.first_day, row["sys_id"]
    return [c for c in figures.changes if c["sys_id"] == id_ and c["changed_on"] >= first]
