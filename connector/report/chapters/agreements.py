"""Agreements: approvals that lapsed, contracts about to end, promises that changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from connector.messages import _, mark
from connector.report.chapters.model import Asked, Chapter, Count, few_note, part
from connector.report.figures import Share
from connector.report.layout import Line, Section, Table
from connector.report.lists import at
from connector.report.report import Report
from connector.report.sections import list_notes
from connector.report.wording import NOTHING, clean, full_day, number

AHEAD = timedelta(days=92)
"""So far ahead the end of an agreement is looked for: the mapping's three months."""

FATES = ("approval_granted", "approval_rejected", "approval_lapsed", "approval_requested")
"""Touchpoints of an approval, in the order shown."""

_APPROVALS = """
SELECT c.touchpoint, count(*) AS n
FROM life AS l
JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
WHERE l.table_name = 'sysapproval_approver' AND l.opened >= $since AND l.opened < $until
  AND NOT list_contains($ignored, c.rule_id)
GROUP BY 1
"""

_ENDING = """
SELECT a.sys_id, a.number, a.ends, c.outcome
FROM current.ast_contract AS a
JOIN classification AS c ON c.table_name = 'ast_contract' AND c.sys_id = a.sys_id
WHERE a.ends >= $first AND a.ends < $last AND NOT list_contains($ignored, c.rule_id)
ORDER BY a.ends, a.number
"""

_TARGETS = """
SELECT count(*) FILTER (s.sys_created_on >= $since AND s.sys_created_on < $until) AS fresh,
       count(*) FILTER (s.sys_created_on < $since AND s._inputs_updated_on >= $since
                        AND s._inputs_updated_on < $until AND s.active = 'true') AS changed,
       count(*) FILTER (s.active <> 'true' AND s._inputs_updated_on >= $since
                        AND s._inputs_updated_on < $until) AS withdrawn,
       count(*) FILTER (s.active = 'true') AS in_force
FROM current.contract_sla AS s
"""


@dataclass(frozen=True)
class Contract:
    """One whose end is near or has just passed. `outcome` of the journey, "" = none yet."""

    sys_id: str
    number: str
    ends: date
    outcome: str


@dataclass(frozen=True)
class Targets:
    """SLA definitions: new, changed and withdrawn in the period; in force now."""

    fresh: int
    changed: int
    withdrawn: int
    in_force: int


@dataclass(frozen=True)
class Agreements:
    """Each part is None where the tool's records are not read."""

    approvals: dict[str, Count] | None
    contracts: tuple[Contract, ...] | None
    targets: Targets | None

    @property
    def lapsed(self) -> Share | None:
        """Approvals that lapsed, of those asked for in the period that are over.

        None where one of their counts is kept from sight.
        """
        found = self.approvals or {}
        over = [found.get(fate, 0) for fate in FATES[:3]]
        if None in over:
            return None
        return Share(over[2] or 0, sum(n or 0 for n in over))


def measure(asked: Asked) -> Agreements | None:
    """None where neither approvals nor contracts nor SLA definitions are read."""
    source = asked.source
    approvals = None
    if source.has("sysapproval_approver", "state"):
        approvals = {
            row["touchpoint"]: asked.base.counted(row["n"], "approval", row["touchpoint"])
            for row in source.read(_APPROVALS)
        }
    contracts = _contracts(asked) if source.has("ast_contract", "number", "ends") else None
    targets = None
    if source.has("contract_sla", "active", "sys_created_on") and not source.scope.is_part:
        targets = Targets(**source.read(_TARGETS)[0])
    if approvals is None and contracts is None and targets is None:
        return None
    return Agreements(approvals, contracts, targets)


def _contracts(asked: Asked) -> tuple[Contract, ...]:
    local = asked.period.local
    first, end = local(asked.period.start).date(), local(asked.period.end).date()
    rows = asked.source.read(_ENDING, first=first.isoformat(), last=(end + AHEAD).isoformat())
    return tuple(
        Contract(
            row["sys_id"], row["number"] or "", date.fromisoformat(row["ends"][:10]), row["outcome"]
        )
        for row in rows
    )


def write(report: Report, figures: Agreements) -> Iterator[Section]:
    """Approvals, contracts by their end, SLA definitions."""
    tables, notes = [], []
    if figures.approvals is not None:
        tables.append(_approvals(report, figures))
    if figures.contracts:
        tables.append(_contract_table(report, figures.contracts))
    elif figures.contracts is None:
        notes.append(_("Contracts: no source in this tool."))
    else:
        notes.append(_("No contract ends in this period or the three months after it."))
    if figures.targets is not None:
        tables.append(_target_table(figures.targets))
    is_hiding = None in (figures.approvals or {}).values()
    notes += [*list_notes(report, tables), *few_note(report, is_hiding=is_hiding)]
    yield CHAPTER.section(tables, notes)


def _approvals(report: Report, figures: Agreements) -> Table:
    found = figures.approvals or {}
    rows = [
        (
            report.touchpoint_name(fate),
            report.lists.single(found.get(fate, 0), at("opened", touchpoint=fate)),
        )
        for fate in FATES
    ]
    rows.append((_("Lapsed, of those over"), part(figures.lapsed)))
    return Table(
        _("Approvals asked for in the period"), (_("How it stands"), _("Approvals")), tuple(rows)
    )


def _contract_table(report: Report, contracts: tuple[Contract, ...]) -> Table:
    until = report.figures.data_until
    today = report.period.local(until).date() if until else None
    rows = tuple(
        (
            report.tool.record(clean(one.number) or one.sys_id, "ast_contract", one.sys_id),
            full_day(one.ends),
            _days(one.ends, today),
        )
        for one in contracts
    )
    return Table(_("Contracts that end"), (_("Contract"), _("Ends"), _("Days left")), rows, texts=2)


def _days(ends: date, today: date | None) -> str:
    if today is None:
        return NOTHING
    left = (ends - today).days
    return number(left) if left >= 0 else _("ended")


def _target_table(targets: Targets) -> Table:
    rows = (
        (_("New"), number(targets.fresh)),
        (_("Changed"), number(targets.changed)),
        (_("Withdrawn"), number(targets.withdrawn)),
        (_("In force now"), number(targets.in_force)),
    )
    return Table(
        _("What is promised (SLA definitions)"), (_("In the period"), _("Definitions")), rows
    )


def lines(report: Report, figures: Agreements) -> Iterator[Line]:
    """Approvals by fate, the share that lapsed, contracts that end."""
    for fate, n in (figures.approvals or {}).items():
        yield Line("approvals_asked", n, n or 0, "", fate, report.touchpoint_name(fate))
    if figures.approvals is not None and figures.lapsed is not None:
        yield Line("approvals_lapsed_share", figures.lapsed.ratio, figures.lapsed.whole)
    if figures.contracts is not None:
        yield Line("contracts_ending", len(figures.contracts), len(figures.contracts))
    if figures.targets is not None:
        changed = figures.targets.fresh + figures.targets.changed + figures.targets.withdrawn
        yield Line("targets_changed", changed, figures.targets.in_force)


CHAPTER = Chapter(
    "agreements",
    mark("Agreement health"),
    ("approvals_lapsed_share", "approvals_asked", "contracts_ending", "targets_changed"),
    measure,
    write,
    lines,
)
