"""`mappings`: try one's own cases on a mapping, and see what it does not cover."""

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from connector import services, workbench
from connector.cases import Outcome
from connector.cli.options import AsJson, examples, flag
from connector.cli.output import bullet, moment, print_json, say, table
from connector.cli.plan import MappingsFolder
from connector.cli.session import UsageError, session_of
from connector.cli.shape import MAPPING, command, group
from connector.coverage import Coverage, FieldValue, Group, RuleHits
from connector.errors import ConnectorError
from connector.journey.nearly import Tested
from connector.messages import _, _n, current_language
from connector.wording import number, percent

app = typer.Typer()
mappings = group(
    app,
    "mappings",
    MAPPING,
    _("Try a mapping on your own cases, and see what it covers."),
    examples(("travesia mappings coverage", _("what the rules cover"))),
)

FREQUENT = 5
"""So many values of a column are shown; --json has more."""


@command(
    mappings,
    "",
    _(
        "Try your own cases: records, and the place each should come to.\n\n"
        "A case gives field values, or the number of a record of the last run. Says which rule "
        "decided and what almost did. Exit 1 if a case fails."
    ),
    examples(
        ("travesia mappings test cases.toml", _("with your settings")),
        ("travesia mappings test a.csv --mappings ours", _("with a folder to try")),
    ),
    name="test",
)
def try_cases(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help=_("Files of cases: TOML or CSV."))
    ],
    folder: MappingsFolder = None,
    as_json: AsJson = False,
) -> None:
    """Parse, try, show. Raises ConnectorError (exit 1) if a case failed."""
    config = session_of(context).config_if_any()
    mapping = services.mapping_of(config, folder)
    found = workbench.try_cases(config, mapping, files)
    if as_json:
        print_json(found)
    else:
        for one in found:
            _show_case(one)
    failed = sum(not one.passed for one in found)
    if failed:
        text = _n("{n} of {all} case failed", "{n} of {all} cases failed", len(found))
        raise ConnectorError(text.format(n=failed, all=len(found)))


def _show_case(one: Outcome) -> None:
    bullet("ok" if one.passed else "error", f"{one.name} · {one.rule_id}")
    if one.passed:
        return
    say(f"  {one.source}")
    for different in one.differences:
        text = _("  {what}: expected {expected}, found {found}")
        say(
            text.format(
                what=different.what,
                expected=different.expected or "—",
                found=different.found or "—",
            )
        )
    if one.conditions:
        text = _("  {rule} decided: {parts}")
        say(text.format(rule=one.rule_id, parts=", ".join(_seen(t) for t in one.conditions)))
    for near in one.almost:
        if near.missing:
            text = _("  {rule} almost did, but for {parts}")
            parts = ", ".join(_seen(tested) for tested in near.missing)
            say(text.format(rule=near.rule_id, parts=parts))
        else:
            say(_("  {rule} matches too, but stands later").format(rule=near.rule_id))
    if one.note:
        say(f"  {one.note}")


def _seen(tested: Tested) -> str:
    found = ", ".join(f"{name} = {value or '—'}" for name, value in tested.values)
    return f"{tested.text} ({found})"


@command(
    mappings,
    "",
    _(
        "Show what the rules cover, and what the next rule could be written from.\n\n"
        "Hits of every rule, rules that never hit, low confidence, and what unclassified records "
        "have in common: never free text, never values of fewer records than \\[report] "
        "minimum_group."
    ),
    examples(
        ("travesia mappings coverage", _("for a person")),
        ("travesia mappings coverage --csv > coverage.csv", _("for a spreadsheet")),
    ),
)
def coverage(
    context: typer.Context,
    as_json: AsJson = False,
    as_csv: Annotated[bool, flag("--csv", text=_("Answer as CSV: rules, values, groups."))] = False,
) -> None:
    """Measure, show."""
    if as_json and as_csv:
        raise UsageError(_("--json and --csv contradict each other: choose one"))
    config = session_of(context).config()
    mapping = services.mapping_of(config)
    found = workbench.coverage(config, mapping, current_language())
    if as_json:
        print_json(found)
    elif as_csv:
        _write_csv(found)
    else:
        say(
            _("Mapping {hash}, records as of {when}").format(
                hash=found.hash, when=moment(found.as_of, config.instance.time_zone)
            )
        )
        _show_coverage(found)


HEADS = ("kind", "table", "rule_or_query", "records", "unclassified", "low", "overrides", "off")


def _write_csv(found: Coverage) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(HEADS)
    writer.writerows(_csv_rows(found))


def _csv_rows(found: Coverage) -> Iterator[tuple[object, ...]]:
    for one in found.tables:
        yield "table", one.table, "", one.records, one.unclassified, one.low, "", ""
    for step in found.steps:
        yield "step", "", step.step, _records(step.records), "", "", "", ""
    for rule in found.rules:
        place = (rule.table, rule.rule_id, rule.records, "", rule.low, rule.overrides, rule.off)
        yield ("rule", *place)
    for table_name, values in found.values:
        for value in values:
            query = f"{value.column}={value.value}"
            yield "value", table_name, query, value.records, value.unclassified, "", "", ""
    for some in found.groups:
        yield "group", some.table, some.query, some.records, some.unclassified, "", "", ""


def _show_coverage(found: Coverage) -> None:
    say()
    table(
        (_("Table"), _("Records"), _("Unclassified"), _("Low confidence")),
        [
            (
                one.table,
                one.records,
                _share(one.unclassified, one.records),
                _share(one.low, one.records),
            )
            for one in found.tables
        ],
        numbers=3,
    )
    table(
        (_("Step"), _("Records")),
        [(one.name.in_(current_language()), _records(one.records)) for one in found.steps],
        numbers=1,
    )
    _show_hits([rule for rule in found.rules if rule.records])
    _show_silent([rule for rule in found.rules if not rule.records])
    for name, values in found.values:
        _show_values(name, values)
    _show_groups(found.groups)


def _records(records: int | None) -> str:
    return _("no source in this tool") if records is None else str(records)


def _share(part: int, whole: int) -> str:
    return f"{number(part)} ({percent(part / whole, 1)})" if whole else "—"


def _show_hits(rules: Sequence[RuleHits]) -> None:
    rows = [(rule.table, f"{rule.rule_id}{_remarks(rule)}", rule.records) for rule in rules]
    heads = (_("Table"), _("Rule"), _("Records"))
    table(heads, rows, title=_("Rules that decided"), numbers=1)


def _remarks(rule: RuleHits) -> str:
    """What is worth saying of few rules needs no column of its own: ids would be cut for it."""
    said = [_("low confidence")] if rule.low else []
    said += [_("overruled: {n}").format(n=rule.overrides)] if rule.overrides else []
    return f" ({', '.join(said)})" if said else ""


def _show_silent(rules: Iterable[RuleHits]) -> None:
    rows = [(rule.table, rule.rule_id, rule.off or _("never hit")) for rule in rules]
    if rows:
        heads = (_("Table"), _("Rule"), _("Why"))
        table(heads, rows, title=_("Rules that decided nothing"))


def _show_values(name: str, values: Sequence[FieldValue]) -> None:
    shown: dict[str, list[FieldValue]] = {}
    for value in values:
        shown.setdefault(value.column, []).append(value)
    rows = [
        (one.column, _value(one), one.unclassified, one.records)
        for column in shown.values()
        for one in column[:FREQUENT]
    ]
    heads = (_("Column"), _("Value"), _("Unclassified"), _("Of all"))
    title = _("What unclassified records of {table} have").format(table=name)
    table(heads, rows, title=title, numbers=2)


def _value(one: FieldValue) -> str:
    return f"{one.value} ({one.label})" if one.label else one.value or _("empty")


def _show_groups(groups: Sequence[Group]) -> None:
    if not groups:
        return
    rows = [(some.table, some.query, some.unclassified, some.records) for some in groups]
    heads = (_("Table"), _("Encoded query"), _("Unclassified"), _("Of all"))
    table(heads, rows, title=_("What the next rule could ask"), numbers=2)
    say(
        _("Paste a query into a list filter of the tool, look at the records, then write the rule.")
    )
