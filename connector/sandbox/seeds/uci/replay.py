"""The UCI year as an instance: incidents as they stood, and what happened to them next.

Owns the reading of the log into ServiceNow's fields. The data and its licence: `log.py`.

- **The log knows the future**: nearly every row carries the final `resolved_at`, `resolved_by`,
  `closed_at` and `closed_code`. They stay blank until the row's state or time has reached them. A
  row that is Resolved (Closed) before that final time gets the moment it became so.
- `Awaiting Evidence` is On Hold with hold reason 2, the value that the default choice list leaves
  free: nothing in the log says that a change (5) or the caller (1) is waited for. The choice is
  added with its label. The state `-100` (two incidents) is kept as it is, with no label: real
  instances hold such values and a client has to place them.
- `caller_id` "Caller 2403" and the like become records with that display value and a stable id.
- `task_sla` rows are **derived from made_sla** and say so in their definition: one per incident,
  against one definition per priority, running from `opened_at`, completed on resolution, breached
  from the version on which made_sla is false (in this log mostly the closing one). There are no
  targets in the data, so breach times and percentages stay empty.

It has no requests, approvals, surveys, descriptions or journals, and none are invented.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connector.errors import ConfigError
from connector.messages import _
from connector.sandbox.seeds.base import Batch, Record, base_records, stamped, sys_id
from connector.sandbox.seeds.uci.log import Row, Version, read_log
from connector.sandbox.seeds.uci.references import (
    REFERENCES,
    chunks,
    definition_id,
    reference,
    reference_records,
    user_name,
)
from connector.timestamps import format_instance, parse_instance

SYSTEM_USER = "system"
_STATES = {
    "New": ("1", ""),
    "Active": ("2", ""),
    "Awaiting User Info": ("3", "1"),
    "Awaiting Evidence": ("3", "2"),
    "Awaiting Problem": ("3", "3"),
    "Awaiting Vendor": ("3", "4"),
    "Resolved": ("6", ""),
    "Closed": ("7", ""),
    "-100": ("-100", ""),
}
_CHANNELS = {
    "Phone": "phone",
    "Self service": "self-service",
    "Email": "email",
    "IVR": "ivr",
    "Direct opening": "direct",
}
_NOTIFY = {"Do Not Notify": "1", "Send Email": "2"}
_AS_THEY_ARE = (
    *("number", "active", "reassignment_count", "reopen_count", "made_sla", "opened_at"),
    *("category", "subcategory", "u_symptom", "knowledge", "u_priority_confirmation"),
)


@dataclass(frozen=True)
class Change:
    """One recorded update of one record.

    `values` holds only what changed, or every field (with sys_created_on and sys_created_by) if
    `is_new`; it may be empty: somebody touched the record in a way that the log does not show.
    `mod_count` is the log's own count, without anybody else's writes.
    """

    at: datetime
    table: str
    sys_id: str
    values: Record
    updated_by: str
    mod_count: int
    is_new: bool


def load(path: Path | None, until: datetime) -> Iterator[Batch]:
    """Every reference record, and each incident and its task_sla as they stood at `until`.

    Incidents that were not created by then are absent. Raises ConfigError for an unusable file.
    """
    log = read_log(path)
    moment = format_instance(until)
    yield from base_records()
    yield from reference_records(log)
    incidents = (_incident_record(versions) for _number, versions in log.until(moment))
    yield from chunks("incident", incidents)
    slas = (_sla_record(versions) for _number, versions in log.until(moment))
    yield from chunks("task_sla", slas)


def changes(path: Path | None, after: datetime, until: datetime) -> Iterator[Change]:
    """What the log says happened with after < time ≤ until, in the order in which it happened.

    Raises ConfigError for an unusable file.
    """
    log = read_log(path)
    for number, index in log.between(format_instance(after), format_instance(until)):
        versions = log.incidents[number]
        yield _incident_change(versions, index)
        yield from _sla_changes(versions, index)


# ── incidents ────────────────────────────────────────────────────────────────────────────────


def incident_id(number: str) -> str:
    """The sys_id of an incident of the UCI year."""
    return sys_id("uci", "incident", number)


def _incident_record(versions: Sequence[Version]) -> Record:
    last = versions[-1]
    row = last.row
    return {
        "sys_id": incident_id(row["number"]),
        **_incident_values(last),
        **_created(versions[0]),
        "sys_updated_on": last.at,
        "sys_updated_by": user_name(row["sys_updated_by"]),
        "sys_mod_count": str(last.mod_count),
    }


def _incident_change(versions: Sequence[Version], index: int) -> Change:
    version = versions[index]
    values = _incident_values(version)
    if index:
        values = _difference(_incident_values(versions[index - 1]), values)
    else:
        values |= _created(version)
    row = version.row
    return Change(
        parse_instance(version.at),
        "incident",
        incident_id(row["number"]),
        values,
        user_name(row["sys_updated_by"]),
        version.mod_count,
        index == 0,
    )


def _created(first: Version) -> Record:
    row = first.row
    return {
        "sys_created_on": row["sys_created_at"] or min(row["opened_at"] or first.at, first.at),
        "sys_created_by": user_name(row["sys_created_by"] or row["opened_by"]),
    }


def _incident_values(version: Version) -> Record:
    row = version.row
    state, hold_reason = _state(row)
    return {
        "sys_class_name": "incident",
        "state": state,
        "incident_state": state,
        "hold_reason": hold_reason,
        **{column: row[column] for column in _AS_THEY_ARE},
        **{column: row[column][:1] for column in ("impact", "urgency", "priority")},
        **{column: reference(table, row[column]) for column, table in REFERENCES.items()},
        "contact_type": _CHANNELS.get(row["contact_type"], row["contact_type"].lower()),
        "notify": _NOTIFY.get(row["notify"], ""),
        **_endings(version, row),
    }


def _state(row: Row) -> tuple[str, str]:
    try:
        return _STATES[row["incident_state"]]
    except KeyError:
        sentence = _("{number} has the unknown state {state}; is this the UCI year?")
        raise ConfigError(
            "UCI 498", [sentence.format(number=row["number"], state=row["incident_state"])]
        ) from None


def _endings(version: Version, row: Row) -> Record:
    """What the log tells too early: blank until the state or the time has reached it."""
    resolved = version.resolved_since or _reached(row["resolved_at"], version.at)
    return {
        "resolved_at": _shown(row["resolved_at"], version.resolved_since, version.at),
        "closed_at": _shown(row["closed_at"], version.closed_since, version.at),
        "resolved_by": reference("sys_user", row["resolved_by"]) if resolved else "",
        "close_code": row["closed_code"] if resolved else "",
    }


def _shown(final: str, since: str, at: str) -> str:
    """The final moment once reached; before it, when the present state began; else blank."""
    return _reached(final, at) or (since if final else "")


def _reached(moment: str, at: str) -> str:
    return moment if moment <= at else ""


# ── task_sla, derived ────────────────────────────────────────────────────────────────────────


def sla_id(number: str) -> str:
    """The sys_id of the derived task_sla of an incident."""
    return sys_id("uci", "task_sla", number)


def _sla_values(version: Version) -> Record:
    row = version.row
    is_over = bool(version.resolved_since)
    shown = _shown(row["resolved_at"], version.resolved_since, version.at)
    return {
        "task": incident_id(row["number"]),
        "sla": definition_id(row["priority"][:1]),
        "stage": "completed" if is_over else "in_progress",
        "active": "false" if is_over else "true",
        "has_breached": "true" if row["made_sla"] == "false" else "false",
        "start_time": row["opened_at"],
        "end_time": (shown or version.resolved_since) if is_over else "",
    }


def _sla_steps(versions: Sequence[Version]) -> Iterator[tuple[int, Record, Record]]:
    """(index, values before, values after) of each version that moved the derived row."""
    before: Record = {}
    for index, version in enumerate(versions):
        values = _sla_values(version)
        if values != before:
            yield index, before, values
        before = values


def _sla_record(versions: Sequence[Version]) -> Record:
    steps = [*_sla_steps(versions)]
    index, _before, values = steps[-1]
    return stamped(
        sla_id(versions[0].row["number"]),
        values,
        created_on=versions[0].at,
        updated_on=versions[index].at,
        by=SYSTEM_USER,
        mod_count=len(steps) - 1,
    )


def _sla_changes(versions: Sequence[Version], index: int) -> Iterator[Change]:
    steps = [*_sla_steps(versions[: index + 1])]
    moved, before, values = steps[-1]
    if moved == index:
        at = versions[index].at
        created = {} if before else {"sys_created_on": at, "sys_created_by": SYSTEM_USER}
        yield Change(
            parse_instance(at),
            "task_sla",
            sla_id(versions[0].row["number"]),
            _difference(before, values) | created,
            SYSTEM_USER,
            len(steps) - 1,
            not before,
        )


def _difference(before: Record, after: Record) -> Record:
    return {field: value for field, value in after.items() if before.get(field) != value}
