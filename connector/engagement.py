"""Step 3, engagement: the state of every relationship, from the evidence in its records.

1. The ledger: every line of evidence with its day, by relationship; small groups rolled up.
2. Scores and states, day by day over the window, with the reasons for each change.
3. The ring: proposed by evidence. Only people confirm it.

A pure function of (latest records, moments, mapping, now), but for the ring, whose first proposal
stands. Never about single people or agents: people are counted, and nothing else is kept of them.
"""

from dataclasses import dataclass
from datetime import datetime

from connector import log
from connector.encoded_query import Context
from connector.journey.model import Mapping, Schema
from connector.journey.scope import catalogue_of
from connector.ledger import Asked, build_ledger, formulas_of
from connector.store import classifications, engagement, parties
from connector.store.database import Store

_log = log.get("engagement")


@dataclass(frozen=True)
class Settings:
    """Whose time, which journey is shown, and how small a group may be."""

    journey: str
    time_zone: str
    minimum_group: int


@dataclass(frozen=True)
class EngagementResult:
    """What one computation found: how many relationships, and how much is in none."""

    relationships: int
    too_small: int
    nobodys: int


def compute_engagement(
    store: Store, mapping: Mapping, schema: Schema, now: datetime, settings: Settings
) -> EngagementResult:
    """Compute every relationship as of `now`, into TEMP TABLEs. Saves nothing. Raises StoreError.

    The records must have been classified on this connection.
    """
    if mapping.engagement is None:
        return EngagementResult(0, 0, 0)
    catalogue = catalogue_of(mapping, schema, classifications.held_columns(store))
    context = Context(now, settings.time_zone)
    asked = Asked(mapping, mapping.engagement, settings.journey, catalogue, context)
    build_ledger(store, asked)
    parties.group(store, settings.minimum_group)
    parties.name_parties(store)
    engagement.compute(store, formulas_of(asked))
    left_out = parties.left_out(store)
    count = int(store.value("SELECT count(*) FROM engagement_next"))
    _log.info("engagement", relationships=count, too_small=left_out["too_small"])
    return EngagementResult(count, left_out["too_small"], left_out["nobodys"])


def save_engagement(store: Store, result: EngagementResult) -> None:
    """Keep what the last `compute_engagement` of this connection found."""
    engagement.save(store, result.too_small, result.nobodys)
