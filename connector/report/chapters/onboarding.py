"""Onboarding by month of the first day: users ready and agents ready side by side, and what
newcomers had to ask for in their first thirty days.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from connector.messages import _, mark
from connector.report.chapters.model import Asked, Chapter, Count, few_note, headings, part
from connector.report.figures import Figures, Share
from connector.report.layout import Line, Section, Table
from connector.report.months import months_of, slices_of
from connector.report.population import AGENTS, READY
from connector.report.report import Report
from connector.report.suppress import hide_in_row
from connector.report.wording import count, month
from connector.store.database import Row

_USERS = """
WITH slice AS (SELECT unnest($starts) AS s, unnest($ends) AS e, unnest($numbers) AS i)
SELECT i, count(DISTINCT r.requested_for) AS people,
       count(*) FILTER (m.polarity = 'positive') AS ready,
       count(*) FILTER (m.polarity IN ('positive', 'negative')) AS decided,
       count(*) FILTER (m.polarity = 'open') AS open
FROM slice
JOIN current.sc_req_item AS r ON r.due_date >= s AND r.due_date < e
JOIN moment AS m ON m.table_name = 'sc_req_item' AND m.sys_id = r.sys_id AND m.moment_id = $ready
GROUP BY i
"""

_ASKED = """
WITH slice AS (SELECT unnest($starts) AS s, unnest($ends) AS e, unnest($numbers) AS i),
newcomer AS (
    SELECT DISTINCT i, r.requested_for AS person, r.due_date AS first_day
    FROM slice
    JOIN current.sc_req_item AS r ON r.due_date >= s AND r.due_date < e
    JOIN moment AS m ON m.table_name = 'sc_req_item' AND m.sys_id = r.sys_id
      AND m.moment_id = $ready
)
SELECT i, count(t.sys_id) AS contacts, count(DISTINCT t.caller_id) AS people FROM newcomer AS n
LEFT JOIN current.incident AS t ON t.caller_id = n.person AND t.opened_at >= n.first_day
  AND t.opened_at::TIMESTAMP < n.first_day::TIMESTAMP + INTERVAL 30 DAY
GROUP BY i
"""

_AGENTS = """
WITH slice AS (SELECT unnest($starts) AS s, unnest($ends) AS e, unnest($numbers) AS i)
SELECT i, count(*) AS whole, count(*) FILTER (NOT l.is_open) AS ready
FROM slice JOIN life AS l ON l.opened >= s AND l.opened < e
JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
WHERE c.touchpoint = $agents AND NOT list_contains($ignored, c.rule_id)
GROUP BY i
"""


@dataclass(frozen=True)
class Cohort:
    """Those whose first day lies in a month (None: in any of them); None where too few people are
    behind it.

    `contacts` are their incidents of the first thirty days; `agents` the work of making agents
    ready that began in the month: done, of all.
    """

    month: date | None
    people: Count
    ready: Share | None
    open: Count
    contacts: Count
    agents: Share | None


@dataclass(frozen=True)
class Onboarding:
    """The months of a year up to the end of the period, and all together where enough came."""

    cohorts: tuple[Cohort, ...]
    is_hiding: bool
    whole: Cohort | None = None


def measure(asked: Asked) -> Onboarding | None:
    """None where nothing tells who is ready on the first day, nor when agents are."""
    source, until = asked.source, asked.base.data_until
    has_users = source.has("sc_req_item", "requested_for", "due_date")
    if until is None or until <= asked.period.start:
        return None
    months = months_of(asked.period, until)
    slices = slices_of(source, months)
    users = source.read(_USERS, ready=READY, **slices) if has_users else []
    agents = {row["i"]: row for row in source.read(_AGENTS, agents=AGENTS, **slices)}
    if not users and not agents:
        return None
    has_incidents = has_users and source.has("incident", "caller_id", "opened_at")
    found = source.read(_ASKED, ready=READY, **slices) if has_incidents else []
    contacts = {
        row["i"]: None if 0 < row["people"] < asked.minimum else row["contacts"] for row in found
    }
    return _cohorts(months, {row["i"]: row for row in users}, contacts, agents, asked)


def _cohorts(
    months: Sequence[date],
    users: dict[int, Row],
    contacts: dict[int, Count],
    agents: dict[int, Row],
    asked: Asked,
) -> Onboarding:
    # Newcomers are people, in the whole organisation as well: few of them are never shown.
    people = [users[i]["people"] if i in users else 0 for i in range(len(months))]
    hidden = hide_in_row([*people, sum(people)], asked.base.minimum_group)
    cohorts = []
    for i, first in enumerate(months):
        if i not in users and i not in agents:
            continue
        done = _agents(agents.get(i, {"ready": 0, "whole": 0}), first, asked.base)
        if i in hidden:
            cohorts.append(Cohort(first, None, None, None, None, done))
            continue
        row = users.get(i, {"people": 0, "ready": 0, "decided": 0, "open": 0})
        came = contacts.get(i, 0)
        cohorts.append(Cohort(first, row["people"], *_users(row, first, asked.base), came, done))
    is_hiding = any(None in (one.ready, one.open, one.contacts, one.agents) for one in cohorts)
    whole = None
    if sum(people) and len(people) not in hidden and len(cohorts) > 1:
        whole = _together(users, contacts, agents, asked.base)
    return Onboarding(tuple(cohorts), is_hiding, whole)


def _together(
    users: dict[int, Row], contacts: dict[int, Count], agents: dict[int, Row], base: Figures
) -> Cohort:
    """All months as one; their contacts only where those of each month are known."""
    row = {key: sum(one[key] for one in users.values()) for key in ("people", *USERS)}
    work = {key: sum(one[key] for one in agents.values()) for key in ("ready", "whole")}
    known = [n for n in contacts.values() if n is not None]
    came = sum(known) if len(known) == len(contacts) else None
    return Cohort(None, row["people"], *_users(row, None, base), came, _agents(work, None, base))


USERS = ("ready", "decided", "open")


def _users(row: Row, first: date | None, base: Figures) -> tuple[Share | None, Count]:
    """Ready of those decided, and those still open. A share with its whole is both its sides."""
    month_ = (f"{first}",) if first else ()
    is_dark = any(base.is_hidden("newcomers", way, *month_) for way in ("won", "lost"))
    ready = None if is_dark else Share(row["ready"], row["decided"])
    return ready, base.counted(row["open"], "newcomers", "open", *month_)


def _agents(row: Row, first: date | None, base: Figures) -> Share | None:
    month_ = (f"{first}",) if first else ()
    is_dark = any(base.is_hidden(way, *month_) for way in ("agents", "agents_ready"))
    return None if is_dark else Share(row["ready"], row["whole"])


def write(report: Report, figures: Onboarding) -> Iterator[Section]:
    """A row a month."""
    table = Table(
        _("Newcomers by the month of their first day"),
        (
            _("Month"),
            *headings("newcomers", "users_ready", "newcomers_open", "first_contacts"),
            *headings("agents_ready"),
        ),
        tuple(
            (
                month(row.month) if row.month else _("All"),
                count(row.people),
                part(row.ready),
                count(row.open),
                count(row.contacts),
                part(row.agents),
            )
            for row in (*figures.cohorts, *([figures.whole] if figures.whole else ()))
        ),
    )
    yield CHAPTER.section((table,), few_note(report, is_hiding=figures.is_hiding))


def lines(_report: Report, figures: Onboarding) -> Iterator[Line]:
    """Every month that is shown."""
    for row in (*figures.cohorts, *([figures.whole] if figures.whole else ())):
        item = f"{row.month:%Y-%m}" if row.month else "all"
        if row.agents is not None:
            yield Line("agents_ready", row.agents.ratio, row.agents.whole, item=item)
        if row.people is None:
            continue
        yield Line("newcomers", row.people, row.people, item=item)
        if row.ready is not None:
            yield Line("users_ready", row.ready.ratio, row.ready.whole, item=item)
        if row.contacts is not None:
            yield Line("first_contacts", row.contacts, row.people, item=item)


CHAPTER = Chapter(
    "onboarding",
    mark("Onboarding"),
    ("users_ready", "agents_ready", "newcomers", "newcomers_open", "first_contacts"),
    measure,
    write,
    lines,
)
