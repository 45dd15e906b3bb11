"""What people ask about relationships: how they stand and why, and what the score was worth.

Answers from the last finished run. Only the word on a ring writes: into the store, under its lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from connector.backtest import Backtest, backtest
from connector.config import Config
from connector.errors import ConfigError
from connector.extract import stored_schema
from connector.journey.engagement_model import Engagement
from connector.journey.engagement_words import relationship_name
from connector.journey.model import Mapping
from connector.messages import _, current_language
from connector.store import engagement
from connector.store.database import Row, open_snapshot, open_store, publish_snapshot
from connector.store.lock import locked
from connector.store.runs import last_mark


@dataclass(frozen=True)
class Relationships:
    """Relationships as of the last run; `changes` are those of their states in the window.

    `too_small`: relationships with too few people to be shown; `nobodys`: records that name no
    customer.
    """

    opinions: Engagement
    rows: tuple[Row, ...]
    changes: tuple[Row, ...]
    too_small: int
    nobodys: int


def relationships(
    config: Config, mapping: Mapping, text: str = "", *, moved: bool = False
) -> Relationships:
    """Those whose name contains `text`; with `moved` those that moved within the last 30 days.

    Raises ConfigError if the mapping has no engagement or nothing is called so, StoreError before
    the first run.
    """
    opinions = _opinions(config, mapping)
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        rows = engagement.read_relationships(store)
        changes = engagement.read_changes(store)
        left_out = engagement.read_left_out(store)
    found = _named(rows, opinions, text)
    if moved:
        found = [row for row in found if has_moved(row, opinions)]
    kept = {row["sys_id"] for row in found}
    return Relationships(
        opinions,
        tuple(sorted(found, key=lambda row: _order(row, opinions))),
        tuple(change for change in changes if change["sys_id"] in kept),
        left_out["too_small"],
        left_out["nobodys"],
    )


def has_moved(row: Row, opinions: Engagement) -> bool:
    """Another state than 30 days ago, or another score by so much that it counts."""
    if row["month_state"] is not None and row["month_state"] != row["state"]:
        return True
    points = change_of(row)
    return points is not None and abs(points) >= opinions.formula.moved_points


def change_of(row: Row) -> float | None:
    """Points since 30 days ago; None if there was no score then, or is none now."""
    if row["score"] is None or row["month_score"] is None:
        return None
    return float(row["score"]) - float(row["month_score"])


def confirm_ring(config: Config, mapping: Mapping, text: str, day: date) -> Row:
    """Take a person's word that one relationship is established since `day`; answers it.

    Raises ConfigError if `text` names none or several, or the day is still to come.
    """
    found = relationships(config, mapping, text)
    if len(found.rows) > 1:
        names = [relationship_name(r, found.opinions, current_language()) for r in found.rows]
        problem = _("{text!r} names {n} relationships: {names}; say more of the name").format(
            text=text, n=len(names), names=", ".join(names[:5])
        )
        raise ConfigError("--relationship", [problem])
    row = found.rows[0]
    if day > row["as_of"]:
        raise ConfigError("--confirm-ring", [_("{day} is still to come").format(day=day)])
    with locked(config.store.path):
        with open_store(config.store.path, config.store.memory_limit_mb) as store:
            engagement.confirm_ring(store, row["sys_id"], day)
        publish_snapshot(config.store.path)
    return {**row, "ring_confirmed": row["ring_confirmed"] or day}


def run_backtest(config: Config, mapping: Mapping) -> Backtest | None:
    """The score against what came after; None where there is too little to tell.

    Raises ConfigError if the mapping has no engagement, StoreError before the first run.
    """
    _opinions(config, mapping)
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        now = last_mark(store) or datetime.now(UTC)
        schema = stored_schema(store)
        shown = config.mapping.journey
        return backtest(store, mapping, schema, now, shown, config.instance.time_zone)


def _opinions(config: Config, mapping: Mapping) -> Engagement:
    if mapping.engagement is None:
        problem = _("the mapping has no engagement.toml: no relationship is calculated")
        raise ConfigError(config.source, [problem])
    return mapping.engagement


def _named(rows: Sequence[Row], opinions: Engagement, text: str) -> list[Row]:
    found = [
        row
        for row in rows
        if any(
            text.casefold() in relationship_name(row, opinions, language).casefold()
            for language in ("en", "es")
        )
    ]
    if text and not found:
        problem = _("no relationship is called {text!r}; travesia engagement lists them").format(
            text=text
        )
        raise ConfigError("--relationship", [problem])
    return found


def _order(row: Row, opinions: Engagement) -> tuple[int, float, str]:
    """Ranked ones first, the worst on top; then those of which too little is known."""
    ranked = [state.id for state in opinions.scored]
    is_ranked = row["state"] in ranked
    return (0 if is_ranked else 1, row["score"] or 0.0 if is_ranked else 0.0, row["sys_id"])
