"""Step 1 for some records alone: those that somebody asks for by number, with their relatives.

Cursors stay where they are: what changed elsewhere comes with the next whole run.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connector.context import Run
from connector.encoded_query import and_to_every_branch
from connector.errors import ConfigError
from connector.itsm.base import Instance
from connector.journey.model import Mapping as JourneyMapping
from connector.messages import _
from connector.store import records

_NUMBER = "number"

Place = tuple[str, str]
"""(table, sys_id)."""
Rows = dict[str, dict[str, dict[str, str]]]
"""Table → sys_id → record."""


@dataclass
class Asked:
    """The records that were asked for, each by the number that it was asked by; and why not."""

    found: dict[str, Place] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def extract_records(
    run: Run,
    wanted: Mapping[str, Sequence[str]],
    mapping: JourneyMapping,
    numbers: Sequence[str],
    mark: datetime,
) -> Asked:
    """Read records by their numbers, with their parents and children.

    Raises ConfigError if there is none of them in any table that is read.
    """
    asked, fresh = _find(run.instance, wanted, numbers)
    if not asked.found:
        raise ConfigError("--record", list(asked.problems.values()))
    for _depth in range(len(mapping.edges) + 1):
        if not _add_relatives(run.instance, wanted, mapping, fresh):
            break
    for name, found in fresh.items():
        records.ensure_table(run.store, name, wanted[name])
        with run.store.transaction():
            records.land(run.store, name, wanted[name], list(found.values()), run.run_id)
        records.merge(run.store, name, mark, is_by_key=True)
    return asked


def _find(
    instance: Instance, wanted: Mapping[str, Sequence[str]], numbers: Sequence[str]
) -> tuple[Asked, Rows]:
    """Table after table, one question each for all that were not found yet."""
    asked, fresh = Asked(), Rows()
    missing = {number.upper(): number for number in numbers if _is_number(number, asked)}
    for table, columns in wanted.items():
        if not missing or _NUMBER not in columns:
            continue
        query = f"{_NUMBER}IN{','.join(missing.values())}"
        for record in instance.list_records(table, columns, query, len(missing)):
            if number := missing.pop(record.get(_NUMBER, "").upper(), ""):
                asked.found[number] = (table, record["sys_id"])
                _keep(fresh, table, [record])
    text = _("No table that is read has a record {number}; check the number")
    asked.problems |= {number: text.format(number=number) for number in missing.values()}
    return asked, fresh


def _is_number(number: str, asked: Asked) -> bool:
    if not number.isalnum():
        text = _("{number!r} is not a record number")
        asked.problems[number] = text.format(number=number)
    return number not in asked.problems


def _add_relatives(
    instance: Instance,
    wanted: Mapping[str, Sequence[str]],
    mapping: JourneyMapping,
    fresh: Rows,
) -> bool:
    """One step along every edge, both ways; answers whether anything new was found."""
    grown = False
    for edge in mapping.edges:
        if edge.table not in wanted or edge.parent not in wanted:
            continue
        parents = {r.get(edge.field, "") for r in fresh.get(edge.table, {}).values()} - {""}
        missing = sorted(parents - set(fresh.get(edge.parent, {})))
        found = instance.read_records(edge.parent, missing, wanted[edge.parent]) if missing else []
        grown |= _keep(fresh, edge.parent, found)
        known = sorted(fresh.get(edge.parent, {}))
        if known and edge.field in wanted[edge.table]:
            spec = mapping.tables.get(edge.table)
            query = and_to_every_branch(
                spec.filter if spec else "", f"{edge.field}IN{','.join(known)}"
            )
            children = instance.list_records(edge.table, wanted[edge.table], query)
            grown |= _keep(fresh, edge.table, children)
    return grown


def _keep(fresh: Rows, table: str, found: Iterable[dict[str, str]]) -> bool:
    bucket = fresh.setdefault(table, {})
    before = len(bucket)
    bucket.update({record["sys_id"]: record for record in found})
    return len(bucket) > before
