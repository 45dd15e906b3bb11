"""Does the instance fit the mapping, and may the account do what a run needs?

Only looks. What cannot be learned without writing is said to be so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from connector.check.effects import check_effects
from connector.check.findings import Finding
from connector.check.rights import check_rights
from connector.check.writing import Past, check_writing
from connector.filters import wrong_filters
from connector.itsm.base import Instance, Probe, ProbedInstance
from connector.journey.model import FieldInfo, Schema
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.moments import off_moments
from connector.journey.requirements import dead_rules
from connector.journey.rows import TABLE as ROWS
from connector.journey.scope import catalogue_of
from connector.journey.unknown_values import unknown_values
from connector.messages import _
from connector.schema import Needed, absent_sentences, read_schema

SURVEYS = "asmt_assessment_instance"
SKEW = timedelta(seconds=60)
_UTC_ZONES = frozenset({"UTC", "GMT", "Etc/UTC", "Etc/GMT", "Zulu", "Universal"})


def check_instance(  # noqa: PLR0913 - each says something else of what is to be run
    instance: ProbedInstance,
    mapping: JourneyMapping,
    tables: Sequence[str],
    write_tables: Sequence[str],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    via: str = "batch",
    mode: str = "record",
    relationship: bool = True,
    past: Mapping[str, Past] | None = None,
) -> list[Finding]:
    """Hold the mapping against the instance: clock, login, tables, columns, values, rights.

    `tables` are those to read, `write_tables` those to write, `via` how, `mode` where;
    `relationship` whether records refer to theirs; `past` is what became of earlier writes. Raises
    InstanceError and its kinds where the instance cannot be asked at all.
    """
    findings = [*_clock(instance, clock), *_account(instance.probe())]
    needed = read_schema(instance, [mapping], tables)
    present = {table for table in tables if table not in needed.absent}
    findings += _absent_tables(mapping, needed.absent)
    findings += _voices(mapping, tables)
    findings += [
        Finding("error", _("filters"), said, _("correct it: a typo could read everything"))
        for said in wrong_filters(instance, mapping, needed.schema)
    ]
    findings += _dead_rules(instance, mapping, sorted(present), needed)
    for table, columns in sorted(needed.wanted.items()):
        findings += check_rights(instance, table, columns)
    written = [table for table in write_tables if table in present]
    findings += _unread(write_tables, tables)
    schema = needed.schema
    if mode == "table":
        written, schema = [ROWS], _schema_of_rows(instance)
    findings += check_writing(instance, written, schema, past or {}, via, relationship=relationship)
    findings += check_effects(instance, written, via)
    return findings


def _schema_of_rows(instance: Instance) -> Schema:
    """The columns of our own table, none where the instance lacks it."""
    there = instance.list_tables([ROWS])
    found = instance.list_columns([ROWS]) if there else []
    return {(column.table, column.element): FieldInfo(column.type) for column in found}


def _unread(write_tables: Sequence[str], tables: Sequence[str]) -> Iterator[Finding]:
    for table in write_tables:
        if table not in tables:
            remedy = _("add it to [extract] tables, or take it out of [write_back] tables")
            yield Finding("error", table, _("The table is to be written but not read"), remedy)


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
    if tables and not values:
        text = _("No choice list is seen: the values of rules were held against nothing")
        yield Finding("warn", _("rules"), text, _("let the account read sys_choice"))
    elif not dead:
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
