"""What a mapping would move: places all records of the last run with it, and sends nothing.

Reads the copy that the last run published; what it computes is gone afterwards.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connector import write_back
from connector.classify import classify
from connector.config import Config
from connector.encoded_query import Context
from connector.errors import StoreError
from connector.extract import stored_schema
from connector.in_force import which
from connector.journey.model import Mapping
from connector.journey.requirements import DeadRule, off_rules
from connector.journey.scope import catalogue_of
from connector.messages import _
from connector.moments import decide_moments
from connector.store import classifications, mappings, moves, standings
from connector.store.database import Store

RUN = "preview"
"""The id of a run that never is."""

ALL = 1_000_000_000
"""More records than any store has: the preview counts what all runs together would write."""


@dataclass(frozen=True)
class Writes:
    """What would be written to one table in all, whatever one run may write."""

    table: str
    records: int
    fields: int


@dataclass(frozen=True)
class Preview:
    """What happens if a mapping goes live.

    `state`: in_force (it is live already), approved (the next run puts it in force), waiting.
    `moves` are the largest first. `off`: rules that need something that is not read yet.
    """

    hash: str
    in_force: str
    state: str
    as_of: datetime
    counted: moves.Compared
    moves: tuple[moves.Moved, ...]
    writes: tuple[Writes, ...]
    is_writing: bool
    records_per_run: int
    off: tuple[DeadRule, ...]


def preview(store: Store, config: Config, mapping: Mapping) -> Preview:
    """Place everything with `mapping` as of the last run, and compare. Raises StoreError."""
    mark = standings.last_mark(store)
    if mark is None:
        raise StoreError(
            _("There is no finished run in {path} yet; run travesia sync first").format(
                path=config.store.path
            )
        )
    now = mark.replace(tzinfo=UTC)
    schema = stored_schema(store)
    classify(store, mapping, schema, now, RUN, config.instance.time_zone)
    decide_moments(
        store,
        mapping,
        schema,
        Context(now, config.instance.time_zone),
        RUN,
        save=False,
    )
    counted, moved = moves.compare(store, config.mapping.journey)
    return Preview(
        hash=mapping.hash,
        in_force=known.hash if (known := mappings.in_force(store)) else "",
        state=_state(store, mapping),
        as_of=now,
        counted=counted,
        moves=tuple(moved),
        writes=_writes(store, config, mapping, now),
        is_writing=config.write_back.enabled,
        records_per_run=config.write_back.max_records_per_run,
        off=_off(store, config, mapping),
    )


def _state(store: Store, mapping: Mapping) -> str:
    if mappings.is_approved(store, mapping.hash):
        return "approved"
    return "waiting" if which(store, mapping).waiting else "in_force"


def _writes(store: Store, config: Config, mapping: Mapping, now: datetime) -> tuple[Writes, ...]:
    settings = replace(write_back.settings_of(config), max_records=ALL)
    planned = write_back.plan(store, mapping, settings, now)
    return tuple(Writes(one.table, one.records, one.changes) for one in planned)


def _off(store: Store, config: Config, mapping: Mapping) -> tuple[DeadRule, ...]:
    held = classifications.held_columns(store)
    catalogue = catalogue_of(mapping, stored_schema(store), held)
    tables = [table for table in config.extract.tables if table in held]
    return tuple(one for table in tables for one in off_rules(mapping, table, catalogue, {}))
