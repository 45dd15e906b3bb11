"""Where the records of a step come from: the tables of which some live rule places one there."""

from collections.abc import Collection, Iterable

from connector.journey.model import Mapping, Rule
from connector.journey.requirements import off_rules
from connector.journey.scope import Catalogue

Off = Collection[tuple[str, str]]
"""(table, rule id) of rules that cannot match on this instance."""


def off_here(mapping: Mapping, tables: Iterable[str], catalogue: Catalogue) -> set[tuple[str, str]]:
    """The rules of `tables` that cannot match on what can be read."""
    return {
        (table, dead.rule_id)
        for table in tables
        if catalogue.has_table(table)
        for dead in off_rules(mapping, table, catalogue, {})
    }


def tables_reaching(
    mapping: Mapping, journey: str, step: str, tables: Iterable[str], off: Off
) -> tuple[str, ...]:
    """Of `tables`, those of which some live rule places a record at this step by itself.

    None at all: the step has no source in this tool, which is something else than no records.
    """
    reaching = [rule for rule in mapping.rules if _step(mapping, rule, journey) == step]
    return tuple(
        table
        for table in tables
        if any(table in rule.tables and (table, rule.id) not in off for rule in reaching)
    )


def _step(mapping: Mapping, rule: Rule, journey: str) -> str:
    if rule.ignore or rule.inherit:
        return ""
    touchpoint = mapping.touchpoints.get(rule.touchpoint)
    return rule.steps.get(journey) or (touchpoint.steps.get(journey, "") if touchpoint else "")
