"""What is asked besides a run: the instance, the mapping, a report, an explanation, a check, the
status. Each answers from the last finished run, or asks the instance and changes
nothing but what its name says.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

from connector import extract
from connector.check import (
    Finding,
    Past,
    annex,
    check_contacts,
    check_instance,
    check_mapping,
    check_on_demand,
    check_overlay,
    check_own_choices,
    list_effects,
)
from connector.check import sheet as change_request
from connector.check.sheet import Nights
from connector.config import Config, did_you_mean
from connector.errors import ConfigError
from connector.explain import Explanation
from connector.explain import explain as explain_record
from connector.export.log import relations_of
from connector.export.run import Wanted
from connector.export.run import export as export_files
from connector.in_force import shown, which
from connector.itsm import servicenow
from connector.journey.mapping import load_mapping
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.overlays import overlay_entries
from connector.journey.own_tables import choices_of_fields
from connector.journey.rows import TABLE as ROWS
from connector.messages import _, speaking
from connector.schema import read_schema
from connector.store import mappings, outcomes, runs, standings
from connector.store.database import open_snapshot, snapshot_path
from connector.store.lock import is_locked, read_status
from connector.write_back import refers


def connect(
    config: Config, environment: Mapping[str, str], stop: threading.Event | None = None
) -> servicenow.ServiceNow:
    """The configured instance. Raises ConfigError if there is none, or a secret is missing."""
    settings = config.instance
    return servicenow.connect(
        servicenow.Connection(
            url=settings.url,
            auth=settings.auth,
            user=settings.user,
            client_id=settings.client_id,
            **_secrets(config, environment),
            jwt_key_file=str(settings.jwt_key_file or ""),
            jwt_key_id=settings.jwt_key_id,
            jwt_algorithm=settings.jwt_algorithm,
            client_certificate=str(settings.client_certificate or ""),
            client_key=str(settings.client_key or ""),
            proxy=settings.proxy,
            ca_bundle=str(settings.ca_bundle or ""),
            timeout_seconds=settings.timeout_seconds,
            page_size=settings.page_size,
            workers=settings.workers,
            requests_per_hour=settings.requests_per_hour,
            longest_budget_seconds=settings.budget_wait_minutes * 60.0,
            budget_file=str(config.store.path.with_suffix(".requests")),
            max_attempts=settings.max_attempts,
        ),
        stop,
    )


class _Secrets(TypedDict, total=False):
    secret: str
    client_secret: str
    refresh_token: str
    api_key: str


def _secrets(config: Config, environment: Mapping[str, str]) -> _Secrets:
    """Only those that the login needs: no other is even looked for. Raises ConfigError."""
    auth, found = config.instance.auth, _Secrets()
    if auth in ("basic", "oauth_password"):
        found["secret"] = config.password(environment)
    if auth.startswith("oauth_"):
        found["client_secret"] = config.client_secret(environment)
    if auth == "oauth_refresh_token":
        found["refresh_token"] = config.refresh_token(environment)
    if auth == "api_key":
        found["api_key"] = config.api_key(environment)
    return found


def mapping_of(config: Config, overlay: Path | None = None) -> JourneyMapping:
    """The shipped mapping with the organisation's overlay, or with another one to try.

    Raises MappingError, and ConfigError if the journey to show is none of its journeys.
    """
    mapping = load_mapping(overlay or config.mapping.overlay)
    shown = config.mapping.journey
    if shown not in mapping.journeys:
        problem = _(
            "[mapping] journey: there is no journey {id!r}{hint}; there are {known}"
        ).format(
            id=shown,
            hint=did_you_mean(shown, mapping.journeys),
            known=", ".join(sorted(mapping.journeys)),
        )
        raise ConfigError(config.source, [problem])
    return mapping


def mapping_in_force(config: Config, configured: JourneyMapping) -> JourneyMapping:
    """The mapping that placed the records of the last run, while the configured one waits."""
    if not snapshot_path(config.store.path).exists():
        return configured
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        return which(store, configured).mapping


def explain(config: Config, mapping: JourneyMapping, number: str) -> Explanation:
    """Why a record stands where it stands, as of the last finished run."""
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        schema = extract.stored_schema(store)
        return explain_record(store, mapping, schema, number, config.instance.time_zone)


def export(config: Config, mapping: JourneyMapping, wanted: Wanted, folder: Path) -> list[Path]:
    """Write records, steps and contacts for other tools, as of the last finished run.

    Raises ConfigError for an unknown journey and for one that nobody accepted yet, StoreError
    before the first run, ConnectorError if the folder cannot be written.
    """
    if wanted.journey and wanted.journey not in mapping.journeys:
        problem = _("--journey: there is no journey {id!r}{hint}; there are {known}").format(
            id=wanted.journey,
            hint=did_you_mean(wanted.journey, mapping.journeys),
            known=", ".join(sorted(mapping.journeys)),
        )
        raise ConfigError(config.source, [problem])
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        in_force = which(store, mapping).mapping
        wanted = replace(wanted, journey=wanted.journey or shown(config, in_force).mapping.journey)
        if wanted.journey not in in_force.journeys:
            problem = _(
                "no record stands in the journey {id!r} yet: the mapping that brings it waits; look"
                " at travesia plan"
            ).format(id=wanted.journey)
            raise ConfigError(config.source, [problem])
        schema = extract.stored_schema(store)
        now = standings.last_mark(store)
        return export_files(
            store, in_force, schema, _utc(now), wanted, folder, relations_of(in_force)
        )


def _utc(moment: datetime | None) -> datetime:
    return moment.replace(tzinfo=UTC) if moment else datetime.now(UTC)


def check(config: Config, environment: Mapping[str, str]) -> list[Finding]:
    """What stands in the way of a good run: the mapping alone, or held against the instance."""
    mapping = mapping_of(config)
    found = check_mapping(mapping)
    if config.mapping.overlay:
        found += check_overlay(overlay_entries(config.mapping.overlay))
    if config.contacts.csv:
        found += check_contacts(config.contacts.csv, mapping)
    if not config.has_instance:
        return found
    instance = connect(config, environment)
    written = config.write_back.tables
    found += check_instance(
        instance,
        mapping,
        config.extract.tables,
        written,
        via=config.write_back.via,
        mode=config.write_back.mode,
        relationship=refers(config, mapping),
        past=_past(config),
    )
    if config.on_demand.enabled:
        found += check_on_demand(instance, written, config.instance.user)
    ours = choices_of_fields(mapping, config.mapping.journey)
    return [*found, *check_own_choices(instance, _holders(config, written), ours)]


def _holders(config: Config, written: Sequence[str]) -> Sequence[str]:
    """The tables that hold our columns."""
    return [ROWS] if config.write_back.mode == "table" else written


def _past(config: Config) -> dict[str, Past]:
    """What became of earlier writes, as of the last finished run."""
    if not snapshot_path(config.store.path).exists():
        return {}
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        return {
            one.table: Past(one.confirmed, one.refused, one.kept, one.reason)
            for one in outcomes.list_outcomes(store)
        }


def sheet(
    config: Config, environment: Mapping[str, str], language: str, *, is_annex: bool = False
) -> str:
    """The change request for the admins of the instance, as Markdown, or the lists behind it.

    Writes nothing anywhere.
    """
    with speaking(language):
        instance, mapping = connect(config, environment), mapping_of(config)
        needed = read_schema(instance, [mapping], config.extract.tables)
        written = [table for table in config.write_back.tables if table in needed.wanted]
        effects = list_effects(instance, _holders(config, written))
        if is_annex:
            return annex(config, needed.wanted, effects)
        return change_request(config, needed.wanted, needed.absent, effects, _nights(config))


def _nights(config: Config) -> Nights:
    if not snapshot_path(config.store.path).exists():
        return Nights()
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        return Nights(*runs.mean_of_syncs(store))


@dataclass(frozen=True)
class Status:
    """What is known without asking the instance."""

    is_running: bool
    now: dict[str, Any]
    runs: tuple[dict[str, Any], ...] = ()
    cursors: tuple[dict[str, Any], ...] = ()
    set_aside: tuple[dict[str, Any], ...] = ()
    accepted_mapping: str = ""
    """The hash of a mapping that a person accepted and no run used yet."""


def status(config: Config) -> Status:
    """The sidecar's word, and the last finished runs. Never waits for a run."""
    path = config.store.path
    now = read_status(path)
    if not snapshot_path(path).exists():
        return Status(is_locked(path), now)
    with open_snapshot(path, config.store.memory_limit_mb) as store:
        return Status(
            is_locked(path),
            now,
            tuple(runs.list_runs(store)),
            tuple(store.read("SELECT table_name, updated_on, is_complete FROM cursor ORDER BY 1")),
            tuple(
                store.read(
                    "SELECT table_name, sys_id, field, reason, attempts, is_final, last_at,"
                    " retry_at FROM set_aside ORDER BY last_at DESC, table_name, sys_id, field"
                )
            ),
            accepted_mapping=mappings.approved(store),
        )


def last_success(config: Config, kind: str) -> datetime | None:
    """When a run of this kind last ended well (aware UTC), None if never."""
    if not snapshot_path(config.store.path).exists():
        return None
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        found = store.value(
            "SELECT max(finished_at) FROM run WHERE kind = $kind"
            " AND outcome IN ('succeeded', 'partial')",
            kind=kind,
        )
    return found.replace(tzinfo=UTC) if found else None
