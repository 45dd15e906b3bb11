"""What of a rule held for one record, and which rules almost decided. Pure data."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass

from connector.journey.model import Rule, Text
from connector.journey.parts import Part

ALMOST = 3
"""How many of the rules that nearly matched are told."""


@dataclass(frozen=True)
class Tested:
    """One part of a condition: as written, the values found (None = unknown), whether it holds."""

    text: str
    values: tuple[tuple[str, str | None], ...]
    holds: bool


@dataclass(frozen=True)
class Considered:
    """A rule that nearly decided. `missing` is what did not hold; empty = it stands later."""

    rule_id: str
    because: Text
    missing: tuple[Tested, ...]


Branches = list[list[Tested]]
"""The tested parts of a rule, by branch (^NQ)."""


def by_rule(
    parts: Sequence[Part], values: Dict[str, str | None], holds: Sequence[object]
) -> dict[str, Branches]:
    """Rule id → its parts with what they saw; `holds` in the order of `parts`."""
    found: dict[str, Branches] = {}
    for part, is_true in zip(parts, holds, strict=True):
        branches = found.setdefault(part.rule_id, [])
        branches += [[] for _new in range(part.branch + 1 - len(branches))]
        seen = tuple((field, values[field]) for field in part.fields)
        branches[part.branch].append(Tested(part.text, seen, bool(is_true)))
    return found


def nearest_branch(branches: Branches) -> tuple[Tested, ...]:
    """The branch that holds, or that lacks least."""
    if not branches:
        return ()
    nearest: list[Tested] = min(branches, key=lambda branch: len(_missing(branch)))
    return tuple(nearest)


def almost(
    rules: Sequence[Rule], decided: str, tested: Dict[str, Branches]
) -> Iterator[Considered]:
    """Rules that lack one part only, or that match as well but stand later; nearest first."""
    ids = [rule.id for rule in rules]
    place = ids.index(decided) if decided in ids else len(ids)
    near = []
    for rule in rules:
        branch = nearest_branch(tested.get(rule.id, []))
        missing = _missing(branch)
        if rule.id != decided and len(missing) <= 1 and len(missing) < len(branch):
            near.append(Considered(rule.id, rule.because, missing))
    near.sort(key=lambda one: abs(ids.index(one.rule_id) - place))
    yield from near[:ALMOST]


def _missing(branch: Sequence[Tested]) -> tuple[Tested, ...]:
    return tuple(part for part in branch if not part.holds)
