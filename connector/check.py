"""Is the mapping sound, and does the instance fit it? Findings with what to do, before a run.

Only looks: never writes, neither to the instance nor to the store. A mapping that does not load at
all is told by `load_mapping`; here are the quieter things.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from connector.errors import ForbiddenError
from connector.itsm.base import Instance, Probe, ProbedInstance
from connector.journey.contacts import contact_touchpoints, decode, read_contacts
from connector.journey.fields import RECORD_FIELDS
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.model import Rule, Schema
from connector.journey.moments import off_moments
from connector.journey.overlays import OverlayEntry
from connector.journey.requirements import dead_rules
from connector.journey.scope import catalogue_of
from connector.journey.unknown_values import unknown_values
from connector.messages import _, _n, current_language
from connector.schema import Needed, absent_sentences, read_schema

Level = Literal["ok", "warn", "error"]

SURVEYS = "asmt_assessment_instance"
EFFECTS = ("replaces", "equal", "new", "near")
SKEW = timedelta(seconds=60)
_UTC_ZONES = frozenset({"UTC", "GMT", "Etc/UTC", "Etc/GMT", "Zulu", "Universal"})


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `sentence` says what was found, `remedy` what to do ("" = nothing)."""

    level: Level
    subject: str
    sentence: str
    remedy: str = ""


def check_mapping(mapping: JourneyMapping) -> list[Finding]:
    """What can be said of the mapping alone."""
    summary = _("{journeys} journeys, {touchpoints} touchpoints, {rules} rules; hash {hash}")
    words = {
        "journeys": len(mapping.journeys),
        "touchpoints": len(mapping.touchpoints),
        "rules": len(mapping.rules),
        "hash": mapping.hash,
    }
    return [
        Finding("ok", _("mapping"), summary.format(**words)),
        *_unreached_steps(mapping),
    ]


def check_overlay(entries: Sequence[OverlayEntry]) -> list[Finding]:
    """What an own folder does to the shipped one, and where it probably does something else."""
    if not entries:
        return []
    counts = {effect: sum(one.effect == effect for one in entries) for effect in EFFECTS}
    summary = _("your folder replaces {replaces} shipped entries and adds {new} of its own")
    words = {"replaces": counts["replaces"], "new": counts["new"] + counts["near"]}
    replaced = [f"{_(one.kind)} {one.id}" for one in entries if one.effect == "replaces"]
    said = summary.format(**words) + (": " + ", ".join(replaced) if replaced else "")
    return [
        Finding("ok", _("overlay"), said),
        *(_odd_entry(one) for one in entries if one.effect in ("equal", "near")),
    ]


def _odd_entry(one: OverlayEntry) -> Finding:
    kind = _(one.kind)
    if one.effect == "equal":
        text = _("the {kind} {id} is equal to the shipped one")
        remedy = _("take it out: an upgrade could then improve it")
        return Finding("warn", one.source, text.format(kind=kind, id=one.id), remedy)
    text = _("the {kind} {id} is new, and looks like the shipped {near}")
    remedy = _("if you meant that one, use its id")
    return Finding("warn", one.source, text.format(kind=kind, id=one.id, near=one.near), remedy)


def check_contacts(path: Path, mapping: JourneyMapping) -> list[Finding]:
    """Whether the file of contacts can be read; its names are looked up by the next sync."""
    try:
        text = decode(path.read_bytes())
    except (OSError, ValueError) as error:
        return [Finding("error", path.name, str(error))]
    found = read_contacts(text, path.name, contact_touchpoints(mapping))
    n = len(found.lines)
    said = _n("{n} contact can be read", "{n} contacts can be read", n).format(n=n)
    faults = [Finding("error", _("contacts"), problem) for problem in found.problems]
    return faults or [Finding("ok", path.name, said)]


def check_instance(
    instance: ProbedInstance,
    mapping: JourneyMapping,
    tables: Sequence[str],
    write_tables: Sequence[str],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[Finding]:
    """Hold the mapping against the instance: clock, login, tables, columns, values, rights.

    `tables` are those to read, `write_tables` those to write. Raises InstanceError and its kinds
    where the instance cannot be asked at all.
    """
    findings = [*_clock(instance, clock), *_account(instance.probe())]
    needed = read_schema(instance, [mapping], tables)
    present = {table for table in tables if table not in needed.absent}
    findings += _absent_tables(mapping, needed.absent)
    findings += _voices(mapping, tables)
    findings += _dead_rules(instance, mapping, sorted(present), needed)
    for table, columns in sorted(needed.wanted.items()):
        findings += _readable(instance, table, columns)
    findings += _own_columns(write_tables, needed.schema, present, tables)
    return findings


def worst(findings: Sequence[Finding]) -> Level:
    """The worst level of all."""
    levels: tuple[Level, ...] = ("error", "warn", "ok")
    found = {finding.level for finding in findings}
    return next((level for level in levels if level in found), "ok")


def _unreached_steps(mapping: JourneyMapping) -> Iterator[Finding]:
    for journey in mapping.journeys.values():
        reached = {_step_of(mapping, rule, journey.id) for rule in mapping.rules}
        missing = [
            step.name.in_(current_language()) for step in journey.steps if step.id not in reached
        ]
        if missing:
            text = _("No rule leads to {steps}; these steps will stay empty in reports")
            yield Finding(
                "warn",
                _("journey {id}").format(id=journey.id),
                text.format(steps=", ".join(missing)),
                _("add a rule, or read the journey without them"),
            )


def _step_of(mapping: JourneyMapping, rule: Rule, journey: str) -> str:
    touchpoint = mapping.touchpoints.get(rule.touchpoint)
    return rule.steps.get(journey) or (touchpoint.steps.get(journey, "") if touchpoint else "")


def _clock(instance: Instance, clock: Callable[[], datetime]) -> Iterator[Finding]:
    away = instance.now() - clock()
    if abs(away) <= SKEW:
        yield Finding("ok", _("clock"), _("The instance's clock agrees with this machine's"))
        return
    text = (
        _("The instance's clock is {away} ahead of this machine's")
        if away > timedelta()
        else _("The instance's clock is {away} behind this machine's")
    )
    remedy = _("set this machine's clock by NTP; runs follow the instance's clock anyway")
    yield Finding("warn", _("clock"), text.format(away=_length(abs(away))), remedy)


def _length(time: timedelta) -> str:
    hours, seconds = divmod(round(time.total_seconds()) % 86400, 3600)
    days = f"{time.days} d " if time.days else ""
    return f"{days}{hours} h {seconds // 60} min {seconds % 60} s"


def _account(probe: Probe) -> Iterator[Finding]:
    who = probe.user or "?"
    if probe.reads_utc is False:
        yield Finding(
            "error",
            _("account"),
            _("The instance reads our times in another time zone than UTC; pages would miss rows"),
            _("set the time zone of {user} to GMT").format(user=who),
        )
    elif probe.reads_utc is None:
        yield Finding(
            "warn",
            _("account"),
            _("The account cannot see its own user record, so its time zone is not known"),
            _("let it read its own sys_user record, and set its time zone to GMT"),
        )
    elif probe.time_zone and probe.time_zone not in _UTC_ZONES:
        yield Finding(
            "warn",
            _("account"),
            _("The time zone of {user} is {zone}; relative dates in filters are read in it").format(
                user=who, zone=probe.time_zone
            ),
            _("set the time zone of {user} to GMT").format(user=who),
        )
    else:
        text = _("Logged in as {user}; times are read as UTC")
        yield Finding("ok", _("account"), text.format(user=who))
    yield Finding("ok", _("queries"), _invalid_query_sentence(probe))


def _invalid_query_sentence(probe: Probe) -> str:
    return {
        "ignored": _("A condition on an unknown column is ignored: a typo would read every row"),
        "no_rows": _("A condition on an unknown column finds no rows"),
        "forbidden": _("A condition on an unknown column is refused"),
    }[probe.invalid_query]


def _absent_tables(mapping: JourneyMapping, absent: Sequence[str]) -> Iterator[Finding]:
    plugins = [t for t in absent if t in mapping.tables and mapping.tables[t].optional]
    for sentence in absent_sentences(plugins):
        yield Finding("warn", _("tables"), sentence)
    for table in absent:
        if table not in plugins:
            text = _("The instance has no table {table}")
            remedy = _("check its name, or take it out of [extract] tables")
            yield Finding("error", table, text.format(table=table), remedy)


def _voices(mapping: JourneyMapping, tables: Sequence[str]) -> Iterator[Finding]:
    """Surveys are asked for, never taken: say what their lack means."""
    if SURVEYS in mapping.tables and SURVEYS not in tables:
        yield Finding(
            "warn",
            SURVEYS,
            _("Surveys are not read: no voice is heard"),
            _("where you may read them, add {table} to [extract] tables").format(table=SURVEYS),
        )


def _dead_rules(
    instance: Instance, mapping: JourneyMapping, tables: Sequence[str], needed: Needed
) -> Iterator[Finding]:
    values: dict[tuple[str, str], set[str]] = {}
    for choice in instance.list_choices(tables) if tables else []:
        values.setdefault((choice.table, choice.element), set()).add(choice.value)
    told = _unread_plugins(mapping, needed)
    dead = [
        rule
        for rule in dead_rules(mapping, tables, needed.schema, values)
        if rule.reason not in told
    ]
    for rule in dead:
        text = _("Rule {rule} can never match: {reason}")
        yield Finding(
            "warn",
            rule.table,
            text.format(rule=rule.rule_id, reason=rule.reason),
            _("correct the rule in your overlay, or leave it: it does no harm"),
        )
    for one in unknown_values(mapping, tables, needed.schema, values):
        text = _("Rule {rule} asks for {field} {value!r}, which the choice list lacks{hint}")
        words = {"rule": one.id, "field": one.field, "value": one.value, "hint": one.hint}
        yield Finding("warn", one.table, text.format(**words))
    yield from _off_moments(mapping, tables, needed)
    if not dead:
        text = _("Every rule finds its columns and choice values in the instance")
        yield Finding("ok", _("rules"), text)


def _off_moments(
    mapping: JourneyMapping, tables: Sequence[str], needed: Needed
) -> Iterator[Finding]:
    told = _unread_plugins(mapping, needed)
    catalogue = catalogue_of(mapping, needed.schema, {t: set(c) for t, c in needed.wanted.items()})
    for table in tables:
        for off in off_moments(mapping, table, catalogue):
            if off.reason not in told:
                text = _("Moment {moment} cannot be told: {reason}")
                yield Finding("warn", table, text.format(moment=off.moment_id, reason=off.reason))


def _unread_plugins(mapping: JourneyMapping, needed: Needed) -> set[str]:
    """Why rules are off that need a plug-in's table: one line for the table says it already."""
    unread = (
        table
        for table, spec in mapping.tables.items()
        if spec.optional and table not in needed.wanted
    )
    return {_("the table {table} is not read").format(table=table) for table in unread}


def _readable(instance: Instance, table: str, columns: Sequence[str]) -> Iterator[Finding]:
    try:
        rows = list(instance.list_records(table, columns, limit=1))
    except ForbiddenError as error:
        yield Finding("error", table, str(error), _("give the account read access to the table"))
        return
    hidden = [column for column in columns if rows and column not in rows[0]]
    if hidden:
        text = _("The account does not see {columns}; rules that need them are unsure")
        remedy = _("give the account read access to these columns")
        yield Finding("warn", table, text.format(columns=", ".join(hidden)), remedy)
    else:
        yield Finding("ok", table, _("{n} columns can be read").format(n=len(columns)))


def _own_columns(
    write_tables: Sequence[str], known: Schema, present: set[str], tables: Sequence[str]
) -> Iterator[Finding]:
    for table in write_tables:
        if table not in tables:
            remedy = _("add it to [extract] tables, or take it out of [write_back] tables")
            yield Finding("error", table, _("The table is to be written but not read"), remedy)
            continue
        missing = [f.name for f in RECORD_FIELDS if (table, f.name) not in known]
        if table in present and missing:
            text = _("{n} of the {all} journey columns are missing")
            yield Finding(
                "warn",
                table,
                text.format(n=len(missing), all=len(RECORD_FIELDS)),
                _("run travesia provision --apply"),
            )
        elif table in present:
            yield Finding("ok", table, _("All journey columns are there"))
