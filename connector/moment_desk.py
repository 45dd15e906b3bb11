"""What people ask about moments of truth. Answers from the last finished run; changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from connector import moment_records
from connector.config import Config, did_you_mean
from connector.errors import ConfigError
from connector.extract import stored_schema
from connector.journey.model import Mapping
from connector.journey.moments import OffMoment
from connector.messages import _
from connector.moment_records import Listed, Rate, RecordMoment
from connector.store import classifications
from connector.store.database import Store, open_snapshot

SHOWN = 20
"""So many records of a list are shown to people; --json has more."""

LISTED = 1000
"""So many records of a list are given to programs."""


@dataclass(frozen=True)
class Overview:
    """How the moments went. `watermelons`: records whose times were all kept, and yet.

    `gone_wrong` is given for one moment only. `off`: moments that this instance cannot tell.
    """

    as_of: datetime
    minimum_group: int
    watermelons: Listed
    rates: tuple[Rate, ...]
    off: tuple[OffMoment, ...]
    gone_wrong: Listed | None = None


@dataclass(frozen=True)
class OfRecord:
    """The moments of one record, the heaviest first."""

    table: str
    number: str
    as_of: datetime
    moments: tuple[RecordMoment, ...]


def overview(config: Config, mapping: Mapping, moment_id: str | None = None) -> Overview:
    """All moments, or the one of that id with the records on which it went wrong.

    Raises ConfigError for an unknown moment, StoreError before the first run.
    """
    chosen = _chosen(mapping, moment_id)
    with _reading(config) as store:
        minimum = config.report.minimum_group
        found = moment_records.rates(store, mapping, minimum)
        off = moment_records.off(store, mapping, stored_schema(store))
        melons = moment_records.newest_negative(store, mapping, moment_records.WATERMELON, LISTED)
        wrong = (
            moment_records.newest_negative(store, mapping, chosen[0], LISTED) if moment_id else None
        )
        return Overview(
            as_of=moment_records.as_of(store),
            minimum_group=minimum,
            watermelons=melons,
            rates=tuple(rate for rate in found if rate.moment_id in chosen),
            off=tuple(one for one in off if one.moment_id in chosen),
            gone_wrong=wrong,
        )


def open_moments(config: Config, mapping: Mapping, moment_id: str | None = None) -> Listed:
    """The moments whose window still runs, those that end first first. Raises as `overview`."""
    with _reading(config) as store:
        return moment_records.open_ones(store, mapping, _chosen(mapping, moment_id), LISTED)


def of_record(config: Config, mapping: Mapping, number: str) -> OfRecord:
    """The moments of the record that people call `number`. Raises ConfigError, StoreError."""
    with _reading(config) as store:
        key = classifications.find_record(store, number)
        if key is None:
            problem = _("this is not among the records of the last run; check the number")
            raise ConfigError(number, [problem])
        found = moment_records.of_record(
            store, mapping, stored_schema(store), *key, config.instance.time_zone
        )
        name = classifications.number_of(store, *key)
        return OfRecord(key[0], name, moment_records.as_of(store), found)


def _chosen(mapping: Mapping, moment_id: str | None) -> list[str]:
    """The ids asked for. Raises ConfigError."""
    known = [moment.id for moment in mapping.moments]
    if moment_id is None:
        return known
    found = [one for one in known if one.lower() == moment_id.strip().lower()]
    if not found:
        problem = _("there is no moment of truth of that id{hint}; there are {known}").format(
            hint=did_you_mean(moment_id, known), known=", ".join(known)
        )
        raise ConfigError(moment_id, [problem])
    return found


@contextmanager
def _reading(config: Config) -> Iterator[Store]:
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        yield store
