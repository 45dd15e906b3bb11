"""How much may be written, how, and when: `[write_back]` as the step needs it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from connector.config import Config
from connector.errors import ConfigError
from connector.journey import fields
from connector.journey.model import Mapping, Schema
from connector.journey.rows import TABLE
from connector.messages import _
from connector.off_hours import OffHours

Way = Literal["batch", "import_set"]


@dataclass(frozen=True)
class Settings:
    """How much may be written. Durations as in the config."""

    journey: str
    language: str
    tables: tuple[str, ...]
    batch_size: int
    """The most records of one request; what writes cost decides below it."""
    max_records: int
    settled: timedelta
    backfill: timedelta
    set_aside_after: int
    longest_pause: timedelta = timedelta(days=32)
    """How long a record that was set aside rests at most until it is tried again."""
    workers: int = 1
    via: Way = "batch"
    mode: Literal["record", "table"] = "record"
    """Where it is written: on the record, or in a row of our own table beside it."""
    place: str = ""
    """The table of these rows; "" where it is written on the record."""
    tasks: frozenset[str] = frozenset()
    """Tables whose records are tasks: rows refer to these."""
    off_hours: OffHours | None = None
    """When the tool may be written; None is at any time."""
    relationship: bool = True
    """Whether records refer to the row of their relationship."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns that we fill."""
        asked = fields.fields_on_records(relationship=self.relationship)
        return tuple(one.name for one in asked)


def settings_of(config: Config, mapping: Mapping | None = None) -> Settings:
    """How much may be written, as the configuration says; which tables are tasks, the mapping."""
    wanted = config.write_back
    window = wanted.window
    return Settings(
        journey=config.mapping.journey,
        language=config.mapping.language,
        tables=tuple(wanted.tables),
        batch_size=wanted.batch_size,
        max_records=wanted.max_records_per_run,
        settled=timedelta(days=wanted.settled_days),
        backfill=timedelta(days=wanted.backfill_days),
        set_aside_after=wanted.set_aside_after,
        longest_pause=timedelta(days=wanted.longest_pause_days),
        workers=wanted.workers,
        via=wanted.via,
        mode=wanted.mode,
        place="" if wanted.mode == "record" else TABLE,
        tasks=frozenset(t for t, spec in mapping.tables.items() if spec.is_task)
        if mapping
        else frozenset(),
        off_hours=OffHours.parse(window, config.instance.time_zone) if window else None,
        relationship=refers(config, mapping),
    )


def refers(config: Config, mapping: Mapping | None) -> bool:
    """Whether records refer to their relationships: it is wanted, and there are opinions on it."""
    return config.write_back.relationship and (mapping is None or mapping.engagement is not None)


def narrowed(settings: Settings, tables: tuple[str, ...]) -> Settings:
    """The same settings for fewer tables."""
    return replace(settings, tables=tuple(t for t in settings.tables if t in tables))


def check_columns(schema: Schema, tables: Sequence[str], *, relationship: bool = True) -> None:
    """Raise ConfigError if the instance lacks one of our columns on a table to be written."""
    asked = fields.fields_on_records(relationship=relationship)
    missing = [
        _("The instance's table {table} lacks {columns}; run travesia provision --apply").format(
            table=table, columns=", ".join(lacking)
        )
        for table in tables
        if (lacking := [f.name for f in asked if (table, f.name) not in schema])
    ]
    if missing:
        raise ConfigError("[write_back]", missing)
