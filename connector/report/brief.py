"""One page before a meeting with a customer, or about a service: what is open, what was promised,
what moved, and three questions to ask. Of records it names numbers, of people nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from connector.config import did_you_mean
from connector.errors import ConfigError
from connector.journey.engagement_model import Engagement
from connector.journey.engagement_words import line_name, points, ring_of, whole
from connector.journey.model import Mapping
from connector.messages import _, _n, speaking
from connector.report.chapters import planned
from connector.report.chapters.engagement import ring_text
from connector.report.chapters.moved import trust_text
from connector.report.chapters.open_moments import OPEN, Open, more_notes, named, open_table
from connector.report.chapters.relations import (
    Contact,
    Relationships,
    change_of,
    changes_since,
    contacts_of_source,
    has_moved,
    month_before,
    name_of,
    state_name,
)
from connector.report.figures import Figures, Period, Scope, ScopeKind
from connector.report.layout import Section, Table, safe
from connector.report.links import NOWHERE, Tool
from connector.report.measure import measure_all
from connector.report.report import Report, plain
from connector.report.source import open_source
from connector.report.wording import NOTHING, clean, count, day, full_day, number
from connector.store.database import Row, Store
from connector.store.engagement import MONTH, read_changes, read_relationships
from connector.store.relationship_plans import read_plans
from connector.store.runs import mark_before
from connector.store.standings import last_mark
from connector.timestamps import midnight

SHOWN_MOMENTS = 15
QUESTIONS = 3


@dataclass(frozen=True)
class Brief:
    """What is known of one customer or service as of the last run."""

    scope: Scope
    report: Report
    relationships: Relationships
    moments: tuple[Open, ...]
    open_count: int

    @property
    def stem(self) -> str:
        """The file's name without language and ending."""
        return f"travesia_brief_{plain(self.scope.name or self.scope.sys_id)}"

    @property
    def pending(self) -> tuple[Contact, ...]:
        """Promises made to the customer, or about the service, that nobody has settled."""
        return tuple(one for one in self.relationships.contacts if one.is_pending)


@dataclass(frozen=True)
class BriefView:
    """The page in words: everything that its template may show."""

    language: str
    title: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    questions_title: str
    questions: tuple[str, ...]


def brief_of(  # what a page needs to know, spelled out
    store: Store,
    mapping: Mapping,
    text: str,
    *,
    journey: str = "travesia",
    time_zone: str = "UTC",
    minimum_group: int = 5,
    tool: Tool = NOWHERE,
) -> Brief:
    """The page about the one customer or service whose name is or contains `text`.

    Raises ConfigError if there is none or several, StoreError.
    """
    if mapping.engagement is None:
        raise _refusal(_("the mapping has no engagement.toml: no relationship is calculated"))
    rows = [row for row in read_relationships(store) if row["customer"]]
    scope, mine = _subject(text, rows)
    mark = last_mark(store)
    until = mark or datetime.now(UTC).replace(tzinfo=None)
    end = until.replace(tzinfo=UTC)
    source = open_source(
        store, mapping, Period(end.replace(day=1, hour=0), end, time_zone), scope, 0
    )
    kept = {row["sys_id"] for row in mine}
    first_day = mine[0]["as_of"] - timedelta(days=MONTH)
    begins = midnight(first_day, time_zone)
    found = Relationships(
        mapping.engagement,
        tuple(sorted(mine, key=lambda row: (row["score"] is None, row["score"] or 0.0))),
        tuple(c for c in read_changes(store) if c["sys_id"] in kept),
        0,
        begins,
        first_day,
        tuple(c for c in contacts_of_source(source) if scope.sys_id in (c.customer, c.service)),
        read_plans(store),
        mark_before(store, begins),
    )
    figures: Figures = measure_all(source, journey, minimum_group, "none")
    open_rows = source.read(OPEN)
    return Brief(
        scope,
        Report(figures, mapping, "en", tool=tool),
        found,
        named(store, open_rows[:SHOWN_MOMENTS], until),
        len(open_rows),
    )


def _subject(text: str, rows: Sequence[Row]) -> tuple[Scope, list[Row]]:
    """The one customer or service that is meant, with its relationships."""
    known = {_scope(row, "customer"): row for row in rows}
    known |= {_scope(row, "service"): row for row in rows if row["service"]}
    wanted = text.strip().casefold()
    exact = [scope for scope in known if wanted in (scope.name.casefold(), scope.sys_id)]
    found = exact or [scope for scope in known if wanted and wanted in scope.name.casefold()]
    if len(found) != 1:
        raise _refusal(_which(text, found, [scope.name for scope in known]))
    scope = found[0]
    side = "service" if scope.kind == "service" else "customer"
    return scope, [row for row in rows if row[side] == scope.sys_id]


def _scope(row: Row, side: str) -> Scope:
    kinds: dict[str, ScopeKind] = {"core_company": "company", "cmdb_ci_service": "service"}
    kind = "service" if side == "service" else kinds.get(row["customer_table"], "department")
    return Scope(kind, row[side], row[f"{side}_name"] or row[side])


def _which(text: str, found: Sequence[Scope], names: Sequence[str]) -> str:
    if found:
        listed = ", ".join(sorted(scope.name for scope in found)[:5])
        return _("{text!r} may be several: {names}; say more of the name").format(
            text=text, names=listed
        )
    return _("no customer or service with a relationship is called {text!r}{hint}").format(
        text=text, hint=did_you_mean(text, names)
    )


def _refusal(sentence: str) -> ConfigError:
    return ConfigError("brief", [sentence])


# In words -----------------------------------------------------------------------------------------


def brief_view(brief: Brief, language: str) -> BriefView:
    """Put the page into words."""
    report = brief.report.in_language(language)
    with speaking(language):
        return BriefView(
            language,
            _("Before the meeting: {name}").format(name=clean(brief.scope.name)),
            tuple(_facts(brief)),
            tuple(safe(section) for section in _sections(brief, report)),
            _("Three questions to ask"),
            tuple(_questions(brief, report))[:QUESTIONS],
        )


def _facts(brief: Brief) -> Iterator[tuple[str, str]]:
    rows = brief.relationships.rows
    yield _("As of"), full_day(rows[0]["as_of"]) if rows else NOTHING
    yield _("Open moments of truth"), number(brief.open_count)
    yield _("Promises pending"), number(len(brief.pending))
    figures = brief.report.figures
    ended = figures.counted(figures.flow.resolved, "head", "resolved")
    yield _("Tickets that ended this month"), count(ended)


def _sections(brief: Brief, report: Report) -> Iterator[Section]:
    yield _standing(brief, report)
    moments = (open_table(report, brief.moments),) if brief.moments else ()
    notes = more_notes(brief.open_count, brief.moments)
    yield Section("open", _("Moments that can still be turned"), "", moments, notes)
    pending = (_promises(brief),) if brief.pending else ()
    none = () if pending else (_("Nothing is promised and pending."),)
    yield Section("promises", _("Promises pending"), "", pending, none)


def _standing(brief: Brief, report: Report) -> Section:
    """Those of which there is something to say, row by row; the others in one line."""
    found = brief.relationships
    told = [row for row in found.rows if _is_told(found, row)]
    tables = (_states(report, found, told),) if told else ()
    notes = (*_quiet(brief, report, told), *planned.notes(report, found))
    return Section("relationships", _("How it stands"), "", tables, notes)


def _is_told(found: Relationships, row: Row) -> bool:
    """Whether it moved, something was planned or promised, or people met."""
    return (
        has_moved(row, found.opinions)
        or bool(row["has_next_step"])
        or planned.fate_of(found, row) is not None
        or bool(changes_since(found, row))
        or any(one.is_pending or _is_since(found, one) for one in found.contacts_of(row))
    )


def _is_since(found: Relationships, contact: Contact) -> bool:
    return contact.day >= found.first_day.isoformat()


def _states(report: Report, found: Relationships, rows: Sequence[Row]) -> Table:
    """State and trust in one column; without what was planned, where none of it is known."""
    plans = [planned.planned_text(found, row) for row in rows]
    is_planned = any(plan != NOTHING for plan in plans)
    head = (_("Planned as of {day}").format(day=day(found.first_day)),) if is_planned else ()
    return Table(
        _("Relationships"),
        (
            _("Relationship"),
            _("State and trust"),
            _("Ring"),
            *head,
            _("What happened since {day}").format(day=day(found.first_day)),
            _("Next step now"),
        ),
        tuple(
            (
                name_of(report, found, row),
                f"{state_name(report, found, row['state'])}: {trust_text(report, row)}",
                ring_text(report, row),
                *((plan,) if is_planned else ()),
                planned.since_text(report, found, row),
                planned.next_text(found, row),
            )
            for row, plan in zip(rows, plans, strict=True)
        ),
        texts=5 + is_planned,
    )


def _quiet(brief: Brief, report: Report, told: Sequence[Row]) -> Iterator[str]:
    """`ERP (transactional, 54)`: the other side of each, how it stands, its trust."""
    found = brief.relationships
    others = [row for row in found.rows if row not in told]
    if not others:
        return
    yield _("Did not move, and nothing is planned: {relationships}.").format(
        relationships=" · ".join(_short(brief, report, row) for row in others)
    )


def _short(brief: Brief, report: Report, row: Row) -> str:
    found = brief.relationships
    unnamed = found.opinions.unnamed_service.in_(report.language)
    side = "customer" if brief.scope.kind == "service" else "service"
    name = clean(row[f"{side}_name"] or row[side] or unnamed)
    state = state_name(report, found, row["state"]).lower()
    return f"{name} ({', '.join(filter(None, (state, whole(row['score']))))})"


def _promises(brief: Brief) -> Table:
    today = brief.relationships.rows[0]["as_of"]
    rows = tuple(
        (
            brief.report.tool.record(_day(one.due), "u_journey_contact", one.sys_id),
            _day(one.day),
            _("overdue") if one.due < today.isoformat() else _("pending"),
        )
        for one in brief.pending
    )
    return Table(_("Promises pending"), (_("For"), _("Made on"), _("How it stands")), rows, texts=3)


def _day(text: str) -> str:
    try:
        return full_day(date.fromisoformat(text[:10]))
    except ValueError:
        return clean(text) or NOTHING


def _questions(brief: Brief, report: Report) -> Iterator[str]:
    """What the figures ask, the most pressing first; the last ones may always be asked."""
    found = brief.relationships
    today = found.rows[0]["as_of"].isoformat()
    late = sum(one.due < today for one in brief.pending)
    if late:
        yield _n(
            "We promised something and its day is over: what does it need to be kept?",
            "We promised {n} things and their days are over: which of them matters most?",
            late,
        ).format(n=number(late))
    yield from _asked_of_rows(found, report)
    if any(ring_of(row) == "proposed" for row in found.rows):
        yield _ring()
    yield _("What should we do that we do not do yet?")
    yield _("What could we stop doing, and nobody would miss it?")
    yield _ring()


def _ring() -> str:
    return _("Would you put on the ring?")


def _asked_of_rows(found: Relationships, report: Report) -> Iterator[str]:
    opinions: Engagement = found.opinions
    moved = [r for r in found.rows if has_moved(r, opinions) and change_of(r) is not None]
    fallen = [row for row in moved if _fell(row)]
    for row in (fallen or moved)[:1]:
        yield _("Trust in “{name}” went from {old} to {new} since {day}: what happened?").format(
            name=str(name_of(report, found, row)),
            old=whole(row["month_score"]),
            new=whole(row["score"]),
            day=full_day(month_before(row)),
        )
    for reason in _heaviest(found):
        yield _("“{line}” weighs most ({points} points): what would have to change?").format(
            line=line_name(reason["line"], opinions, report.language),
            points=points(reason["points"], report.language),
        )
    if found.rows and not any("voice" in row["dimensions"] for row in found.rows):
        yield _("Nobody has said how it goes: how does it go?")


def _fell(row: Row) -> bool:
    return bool(row["month_score"] and row["score"] and row["score"] < row["month_score"])


def _heaviest(found: Relationships) -> list[Row]:
    """The reason that costs most trust, of all relationships on the page."""
    costs = [reason for row in found.rows for reason in row["reasons"] if reason["points"] < 0]
    return sorted(costs, key=lambda reason: float(reason["points"]))[:1]
