"""How good the mapping is: what its rules hit, what no rule places, what could not be written."""

from collections.abc import Iterator
from dataclasses import dataclass

from connector.journey.fields import CONFIDENCE, RULE
from connector.messages import _, mark
from connector.report import sections
from connector.report.chapters.model import Asked, Chapter, headings
from connector.report.definitions import heading, meaning
from connector.report.layout import Line, Section, Table
from connector.report.lists import Cell, Is, at
from connector.report.report import Report
from connector.report.wording import clean, number, of
from connector.store.coverage import overrides_per_rule

_HITS = """
SELECT table_name, rule_id, count(*) AS records,
       count(*) FILTER (confidence = 'low') AS low
FROM classification GROUP BY ALL
"""

_ERRORS = """
SELECT table_name, field, count(*) AS n FROM set_aside GROUP BY ALL
ORDER BY n DESC, table_name, field LIMIT 20
"""

SHOWN_DEAD = 40


@dataclass(frozen=True)
class Hits:
    """A rule of a table: the records that it places, and of these those it is not sure of."""

    table: str
    rule: str
    records: int
    low: int


@dataclass(frozen=True)
class Trouble:
    """Records of a table that were set aside at a field ("" = whole records)."""

    table: str
    field: str
    records: int


@dataclass(frozen=True)
class Quality:
    """`dead` rules could match here and place nothing; `off` ones cannot match on this instance."""

    hits: tuple[Hits, ...]
    dead: tuple[tuple[str, str], ...]
    off: int
    overruled: dict[str, int]
    troubles: tuple[Trouble, ...]


def measure(asked: Asked) -> Quality:
    """Over every record kept: rules know no period. Of a part, where a rule may have placed one
    person's records, only the shares are told.
    """
    source = asked.source
    if source.scope.is_part:
        return Quality((), (), 0, {}, ())
    rows = source.read(_HITS)
    rank = {
        (table, rule.id): i for i, rule in enumerate(asked.mapping.rules) for table in rule.tables
    }
    hits = sorted(
        (Hits(r["table_name"], r["rule_id"], r["records"], r["low"]) for r in rows),
        key=lambda h: (h.table, rank.get((h.table, h.rule), len(rank)), h.rule),
    )
    met = {(h.table, h.rule) for h in hits}
    held = {h.table for h in hits}
    dead = [key for key in rank if key[0] in held and key not in met and key not in source.off]
    return Quality(
        tuple(hits),
        tuple(dead),
        sum(1 for table, _rule in source.off if table in held),
        overrides_per_rule(source.store),
        tuple(Trouble(r["table_name"], r["field"], r["n"]) for r in source.read(_ERRORS)),
    )


def write(report: Report, figures: Quality) -> Iterator[Section]:
    """Shares and volumes; rules by hits; dead rules; what was set aside."""
    yield _quality(report)
    if not figures.hits:
        return
    tables = [_hits(report, figures)]
    if figures.dead:
        tables.append(_dead(report, figures))
    if figures.troubles:
        tables.append(_troubles(report, figures))
    off = _("Rules that cannot match on this instance (a table or column is missing): {n}.")
    notes = (off.format(n=number(figures.off)),) if figures.off else ()
    yield Section(
        "rules",
        _("Rules"),
        meaning("rule_records"),
        tuple(tables),
        notes,
        ("rule_records", "rule_low", "rule_overruled", "rules_dead"),
    )


def _quality(report: Report) -> Section:
    """How sure the classification is, and the records by table."""
    figures = report.figures
    shares = Table(
        _("How sure the classification is"),
        (_("Figure"), _("Share")),
        (
            (heading("visible_share"), of(figures.visible)),
            (heading("unclassified_share"), of(figures.unclassified)),
            (heading("low_confidence_share"), of(figures.low_confidence)),
        ),
    )
    volumes = Table(
        _("Records by table"),
        (
            _("Table"),
            heading("records_in_period"),
            heading("records_open"),
            _("All kept"),
            heading("unclassified_share"),
            heading("low_confidence_share"),
        ),
        tuple(
            (
                report.table_name(row.table),
                report.lists.link(row.in_period, row.table, at("in_period")),
                report.lists.link(row.open, row.table, at("in_period", "open")),
                number(row.placed),
                report.lists.link(
                    row.unclassified, row.table, at("in_period", rule="unclassified")
                ),
                report.lists.link(row.low_confidence, row.table, _UNSURE),
            )
            for row in figures.tables
        ),
    )
    return Section(
        "quality",
        _("Sources and quality"),
        meaning("unclassified_share"),
        (shares, volumes) if figures.tables else (shares,),
        sections.list_notes(report, [volumes]),
        (
            "records_in_period",
            "records_open",
            "visible_share",
            "unclassified_share",
            "low_confidence_share",
            "records_placed",
        ),
    )


_UNSURE = Cell(
    (Is(CONFIDENCE, "low"), Is(RULE, "unclassified", is_not=True)),
    ("in_period",),
)


def _hits(report: Report, figures: Quality) -> Table:
    return Table(
        _("What each rule places"),
        (_("Table"), _("Rule"), *headings("rule_records", "rule_low", "rule_overruled")),
        tuple(
            (
                report.table_name(h.table),
                clean(h.rule),
                number(h.records),
                number(h.low),
                number(figures.overruled.get(h.rule, 0)),
            )
            for h in figures.hits
        ),
        texts=2,
    )


def _dead(report: Report, figures: Quality) -> Table:
    shown = figures.dead[:SHOWN_DEAD]
    caption = _("Rules that place nothing: {n}").format(n=number(len(figures.dead)))
    rows = tuple((report.table_name(table), clean(rule)) for table, rule in shown)
    return Table(caption, (_("Table"), _("Rule")), rows, texts=2)


def _troubles(report: Report, figures: Quality) -> Table:
    return Table(
        _("What could not be written back"),
        (_("Table"), _("Field"), _("Set aside")),
        tuple(
            (report.table_name(t.table), clean(t.field) or _("(all)"), number(t.records))
            for t in figures.troubles
        ),
        texts=2,
    )


def lines(_report: Report, figures: Quality) -> Iterator[Line]:
    """Every rule that places something."""
    for h in figures.hits:
        yield Line("rule_records", h.records, h.records, "", f"{h.table} {h.rule}")
    yield Line("rules_dead", len(figures.dead), len(figures.dead))


CHAPTER = Chapter(
    "mapping",
    mark("Mapping quality"),
    ("rule_records", "rule_low", "rule_overruled", "rules_dead"),
    measure,
    write,
    lines,
)
