"""The relationships of a run: their states computed and kept, their rows in the tool planned."""

from datetime import datetime

from connector import engagement_rows, extract
from connector.config import Config
from connector.context import Run
from connector.engagement import Settings, compute_engagement, save_engagement
from connector.journey.engagement_model import Engagement
from connector.journey.model import Mapping
from connector.row_sending import RowChange
from connector.store import parties


def of_run(
    config: Config, this: Run, mapping: Mapping, mark: datetime, *, save: bool, is_retry: bool
) -> tuple[list[RowChange], str]:
    """The rows to write, and a sentence where they cannot be shown in the tool ("" if they can).

    1. Compute every relationship as of `mark`; keep it if `save`.
    2. See the rows in the tool and what people wrote there.
    3. Plan the difference; what rests, set aside, is left out unless `is_retry`.
    4. Say of each record which row is its relationship's, of rows that are or will be there.
    """
    schema = extract.stored_schema(this.store)
    found = compute_engagement(this.store, mapping, schema, mark, settings_of(config))
    if save:
        save_engagement(this.store, found)
    seen = engagement_rows.see_rows(this.instance)
    if seen is None:
        is_missed = config.write_back.enabled and found.relationships > 0
        parties.forget_ledger(this.store)
        return [], engagement_rows.no_table() if is_missed else ""
    shown = config.mapping
    # Planned against what was seen last time: a dry run, which keeps nothing, plans the same.
    rows = engagement_rows.plan_rows(this.store, mapping, shown.journey, shown.language, seen)
    if save:
        engagement_rows.save_seen(this.store, seen, mark)
    rows = rows if is_retry else engagement_rows.leave_out(this.store, rows, mark)
    if mapping.engagement is not None:
        shown_rows = {*seen, *(one.sys_id for one in rows)}
        parties.tie_records(this.store, shown_rows, _followers(mapping, mapping.engagement))
    parties.forget_ledger(this.store)
    return rows, ""


def _followers(mapping: Mapping, engagement: Engagement) -> list[tuple[str, str]]:
    """Tables that name no customer, with the field that leads to the record that does."""
    return [
        (edge.table, edge.field)
        for edge in mapping.edges
        if engagement.relationship(edge.table) is None
        and engagement.relationship(edge.parent) is not None
    ]


def settings_of(config: Config) -> Settings:
    """How engagement is computed, from the settings."""
    return Settings(config.mapping.journey, config.instance.time_zone, config.report.minimum_group)
