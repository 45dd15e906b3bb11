"""The past of records, from their audit and journal, or from their own dates: their versions.

One part of the records at a time, in TEMP TABLEs, so that memory stays the same however many there
are. Placing a version knows nothing of rules: it is handed a query that answers them.

    replay_part     the records of this part; how (`known_by`) their past is known
    replay_source   their versions: the table's columns as they were, and since when (`_version`)
    replay_quiet    until when nothing had happened to each: no entry, no handing on, no machine
    replay_place    where each version stood
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector.store.database import Store
from connector.store.records import list_columns, name
from connector.store.runs import naive
from connector.store.telling import Milestone, Past
from connector.timestamps import format_instance

PART = 10_000
"""Records whose past is in memory at once."""

_BORN = ("opened_at", "start_time", "sys_created_on")
_RULES = (
    '[{"rule_id": "VARCHAR", "place": "INTEGER", "steps": "MAP(VARCHAR, VARCHAR)",'
    ' "band": "VARCHAR", "outcome": "VARCHAR", "is_placed": "BOOLEAN", "needs_event": "BOOLEAN"}]'
)


@dataclass(frozen=True)
class Table:
    """A table whose records have a past: its columns at rest, and which sources can be read."""

    name: str
    columns: frozenset[str]
    audit: bool
    journal: bool

    @property
    def born(self) -> str:
        """When a record `r` of it began, as SQL."""
        known = [f"TRY_CAST(r.{name(c)} AS TIMESTAMP)" for c in _BORN if c in self.columns]
        return f"coalesce({', '.join(known)}, NULL)" if known else "NULL::TIMESTAMP"


@dataclass(frozen=True)
class Whose:
    """Whose past is told: by which mapping, what is new since when (naive UTC, None = all)."""

    mapping_hash: str
    mark: datetime | None
    closed_since: datetime
    """At first sight: of what is open, or was closed since."""
    has_dates: bool
    """The table's own dates tell of the past where the audit does not."""


# --- whose past, and its versions -----------------------------------------------------------------


def choose(store: Store, table: Table, whose: Whose) -> int:
    """TEMP TABLE `replay_record`: whose past is told now. Answers in how many parts.

    What is seen for the first time, and what has entries after the mark; not what a steward placed.
    Its `moves` are told unless another mapping placed it last.
    """
    _find_known(store, table)
    _find_touched(store, table, whose.mark)
    has_dates = _is_late(table) if whose.has_dates else "false"
    store.execute(
        "CREATE OR REPLACE TEMP TABLE replay_record AS SELECT c.sys_id,"
        " CASE WHEN k.sys_id IS NOT NULL THEN 'audit' ELSE 'timestamp' END AS known_by,"
        " p.sys_id IS NULL OR p.mapping_hash = $hash AS moves"
        " FROM classified c"
        " LEFT JOIN classification p ON p.table_name = $table AND p.sys_id = c.sys_id"
        " LEFT JOIN replay_known k ON k.sys_id = c.sys_id"
        " WHERE c.table_name = $table AND c.rule_id <> 'override' AND c.touchpoint <> ''"
        f" AND CASE WHEN p.sys_id IS NULL THEN k.sys_id IS NOT NULL OR ({has_dates})"
        " ELSE k.is_touched END",
        hash=whose.mapping_hash,
        table=table.name,
        **({"since": format_instance(whose.closed_since)} if "$since" in has_dates else {}),
    )
    return -(-int(store.value("SELECT count(*) FROM replay_record")) // PART)


def _find_known(store: Store, table: Table) -> None:
    """TEMP TABLE `replay_read`: the records whose audit is known.

    Audits are purged: of a record that was saved again and has none, nobody knows the path.
    """
    store.execute("CREATE OR REPLACE TEMP TABLE replay_read (sys_id VARCHAR)")
    if table.audit:
        store.execute(
            "INSERT INTO replay_read SELECT sys_id FROM history_read"
            " WHERE source = 'sys_audit' AND table_name = $table"
            " AND (sys_id IN (SELECT documentkey FROM current.sys_audit)"
            f" OR sys_id IN (SELECT sys_id FROM current.{name(table.name)}"
            " WHERE sys_mod_count = '0'))",
            table=table.name,
        )


def _find_touched(store: Store, table: Table, mark: datetime | None) -> None:
    """TEMP TABLE `replay_known`: those of `replay_read`, and which have entries after `mark`."""
    sources = [("sys_audit", "documentkey")] if table.audit else []
    sources += [("sys_journal_field", "element_id")] if table.journal else []
    touched = "".join(
        f" UNION SELECT {key} FROM current.{source} WHERE sys_created_on > $mark"
        for source, key in sources
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE replay_known AS SELECT sys_id,"
        f" sys_id IN (SELECT $mark{touched}) AS is_touched FROM replay_read",
        mark=str(mark or "")[:19],
    )
    store.execute("DROP TABLE replay_read")


def _is_late(table: Table) -> str:
    """Whether a record `c` is open, or was closed lately, as SQL."""
    if not {"active", "closed_at"} <= table.columns:
        return "true"
    return (
        f"c.sys_id IN (SELECT sys_id FROM current.{name(table.name)}"
        " WHERE active IS DISTINCT FROM 'false' OR closed_at >= $since)"
    )


def take_part(store: Store, table: Table, part: int, parts: int, past: Past, now: datetime) -> None:
    """TEMP TABLEs `replay_part`, `replay_source`, `replay_entry` of one part of the records."""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE replay_part AS"
        " FROM replay_record WHERE hash(sys_id) % $parts = $part",
        parts=parts,
        part=part,
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE replay_source AS SELECT r.*, NULL::TIMESTAMP AS _version"
        f" FROM current.{name(table.name)} r LIMIT 0"
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE replay_entry"
        " (sys_id VARCHAR, entered TIMESTAMP, is_public BOOLEAN)"
    )
    if table.audit:
        _read_entries(store, table, past)
        _take_audited(store, table)
    for milestone in past.milestones:
        if milestone.table == table.name and milestone.column in table.columns:
            _take_milestone(store, table, milestone)
    store.execute("DELETE FROM replay_source WHERE _version > $now", now=naive(now))


_AUDITED = "(SELECT sys_id FROM replay_part WHERE known_by = 'audit')"


def _read_entries(store: Store, table: Table, past: Past) -> None:
    """TEMP TABLE `replay_change` (audited fields), and what was written when in `replay_entry`."""
    writer = '"user"' if "user" in list_columns(store, "sys_audit") else "NULL"
    store.execute(
        "CREATE OR REPLACE TEMP TABLE replay_change AS SELECT documentkey AS sys_id,"
        " TRY_CAST(sys_created_on AS TIMESTAMP) AS entered, fieldname,"
        " coalesce(oldvalue, '') AS oldvalue, coalesce(newvalue, '') AS newvalue, sys_id AS entry,"
        f" {writer} AS user_name"
        f" FROM current.sys_audit WHERE documentkey IN {_AUDITED}"
        " AND TRY_CAST(sys_created_on AS TIMESTAMP) IS NOT NULL"
    )
    store.execute(
        "INSERT INTO replay_entry SELECT sys_id, entered, false FROM replay_change"
        " WHERE list_contains($fields, fieldname) AND oldvalue <> ''",
        fields=list(past.internal_fields),
    )
    if table.journal:
        store.execute(
            "INSERT INTO replay_entry SELECT element_id, TRY_CAST(sys_created_on AS TIMESTAMP),"
            f" list_contains($public, element) FROM current.sys_journal_field"
            f" WHERE element_id IN {_AUDITED} AND list_contains($told, element)",
            public=list(past.visible_entries),
            told=[*past.visible_entries, *past.internal_entries],
        )


def _take_audited(store: Store, table: Table) -> None:
    """A version at every audited change and every journal entry, and at the beginning.

    A field held the value that its last change gave it; before its first change the one that this
    replaced; one without any change what it holds now.
    """
    fields = [
        row["fieldname"]
        for row in store.read("SELECT DISTINCT fieldname FROM replay_change ORDER BY 1")
        if row["fieldname"] in table.columns
    ]
    became = "".join(
        f", arg_max(newvalue, entry) FILTER (fieldname = '{f}') AS {name(f)}" for f in fields
    )
    was = "".join(
        f", arg_min(oldvalue, entered) FILTER (fieldname = '{f}') AS {name(f)}" for f in fields
    )
    then = "".join(
        f", coalesce(last_value(b.{name(f)} IGNORE NULLS) OVER w, any_value(f.{name(f)}) OVER w2)"
        f" AS {name(f)}"
        for f in fields
    )
    held = ", ".join(f"coalesce(v.{name(f)}, r.{name(f)}) AS {name(f)}" for f in fields)
    store.execute(
        "CREATE OR REPLACE TEMP TABLE replay_version AS WITH instants AS ("
        "SELECT sys_id, entered FROM replay_change UNION SELECT sys_id, entered FROM replay_entry"
        f" UNION SELECT r.sys_id, {table.born} FROM current.{name(table.name)} r"
        f" WHERE r.sys_id IN {_AUDITED}"
        f"), became AS (SELECT sys_id, entered{became} FROM replay_change GROUP BY ALL"
        f"), was AS (SELECT sys_id{was} FROM replay_change GROUP BY ALL)"
        f" SELECT i.sys_id, i.entered{then} FROM instants i"
        " LEFT JOIN became b ON b.sys_id = i.sys_id AND b.entered = i.entered"
        " LEFT JOIN was f ON f.sys_id = i.sys_id WHERE i.entered IS NOT NULL"
        " WINDOW w AS (PARTITION BY i.sys_id ORDER BY i.entered"
        " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), w2 AS (PARTITION BY i.sys_id)"
    )
    replace = f" REPLACE ({held})" if held else ""
    store.execute(
        f"INSERT INTO replay_source BY NAME SELECT r.*{replace}, v.entered AS _version"
        f" FROM replay_version v JOIN current.{name(table.name)} r ON r.sys_id = v.sys_id"
    )
    store.execute("DROP TABLE replay_version")


def note_events(store: Store, table: Table, past: Past, machines: Sequence[str]) -> None:
    """TEMP TABLE `replay_quiet`: records of the part, and when the first thing happened to them.

    A person's change of another field is no such thing. A record whose audit or journal is not
    known is not there: of it nobody can say that nothing happened.
    """
    store.execute("CREATE OR REPLACE TEMP TABLE replay_quiet (sys_id VARCHAR, until TIMESTAMP)")
    if not (table.audit and table.journal):
        return
    by_machine = (
        "list_contains($machines, lower(c.user_name))"
        if "user" in list_columns(store, "sys_audit")
        else "true"
    )
    store.execute(
        "INSERT INTO replay_quiet WITH happened AS ("
        " SELECT sys_id, entered FROM replay_entry UNION ALL"
        " SELECT sys_id, entered FROM replay_change c"
        f" WHERE list_contains($fields, fieldname) OR {by_machine})"
        " SELECT p.sys_id, coalesce(min(h.entered), TIMESTAMP 'infinity') FROM replay_part p"
        " LEFT JOIN happened h ON h.sys_id = p.sys_id WHERE p.known_by = 'audit'"
        " AND p.sys_id IN (SELECT sys_id FROM history_read"
        " WHERE source = 'sys_journal_field' AND table_name = $table) GROUP BY 1",
        fields=list(past.internal_fields),
        table=table.name,
        **({"machines": [m.lower() for m in machines]} if "$machines" in by_machine else {}),
    )
    store.execute("DROP TABLE replay_change")


def _take_milestone(store: Store, table: Table, milestone: Milestone) -> None:
    """A version at a date of the record's own, where nothing better is known of its past."""
    values = {c: v for c, v in milestone.values.items() if c in table.columns}
    held = ", ".join(f"$v{n} AS {name(column)}" for n, column in enumerate(values))
    replace = f" REPLACE ({held})" if held else ""
    when = f"TRY_CAST(r.{name(milestone.column)} AS TIMESTAMP)"
    store.execute(
        f"INSERT INTO replay_source BY NAME SELECT r.*{replace}, {when} AS _version"
        f" FROM current.{name(table.name)} r WHERE {when} IS NOT NULL AND r.sys_id IN"
        " (SELECT sys_id FROM replay_part WHERE known_by = 'timestamp')",
        **{f"v{n}": value for n, value in enumerate(values.values())},
    )


# --- where each version stood ---------------------------------------------------------------------


def know_rules(store: Store, rules: Sequence[Mapping[str, Any]]) -> None:
    """What each rule of the table gives: rule_id, place, steps, band (of the time), outcome,
    is_placed (it gives steps of its own)."""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE replay_rule AS SELECT r.* FROM"
        f" (SELECT unnest(from_json($rules, '{_RULES}'), recursive := false) AS r)",
        rules=json.dumps(list(rules)),
    )


def place(store: Store, query: str) -> None:
    """TEMP TABLE `replay_place`: where each version stood, and whether that is sure.

    `query` answers of each row of `replay_source` sys_id, `_version`, `likely` (the rule that
    decides if facts were then as now), `sure` (the first rule that needs no such fact and matches)
    and `maybe` (rules before it that could have). What all of these agree on is sure. Where the
    bands of these differ, the last entry written until then says; without one nobody knows ('').
    While nothing had happened yet, rules that need an event could not have decided.
    """
    store.execute(f"CREATE OR REPLACE TEMP TABLE replay_answer AS {query}")
    store.execute(
        "CREATE OR REPLACE TEMP TABLE replay_agreed AS WITH candidate AS ("
        "SELECT a.sys_id, _version, sure, coalesce(_version < q.until, false) AS is_quiet,"
        " unnest(list_append(maybe, sure)) AS rule_id"
        " FROM replay_answer a LEFT JOIN replay_quiet q ON q.sys_id = a.sys_id)"
        " SELECT c.sys_id, c._version, count(DISTINCT CAST(r.steps AS VARCHAR)) = 1"
        " AND bool_and(r.is_placed AND c.sure IS NOT NULL) AS is_sure,"
        " list(DISTINCT r.band) AS bands"
        " FROM candidate c JOIN replay_rule r ON r.rule_id = c.rule_id"
        " LEFT JOIN replay_rule s ON s.rule_id = c.sure"
        " WHERE (s.place IS NULL OR r.place <= s.place) AND NOT (c.is_quiet AND r.needs_event)"
        " GROUP BY ALL"
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE replay_place AS"
        " SELECT a.sys_id, a._version AS since, r.rule_id, r.steps, r.outcome,"
        " k.known_by, coalesce(g.is_sure, false) AS is_sure,"
        " CASE WHEN NOT coalesce(r.is_placed, false) OR k.known_by <> 'audit' THEN ''"
        " WHEN len(g.bands) = 1 THEN g.bands[1]"
        " WHEN e.is_public AND list_contains(g.bands, 'visible') THEN 'visible'"
        " WHEN NOT e.is_public AND list_contains(g.bands, 'provider_backstage')"
        " THEN 'provider_backstage' ELSE '' END AS band"
        " FROM replay_answer a JOIN replay_part k ON k.sys_id = a.sys_id"
        " LEFT JOIN replay_quiet q ON q.sys_id = a.sys_id"
        " LEFT JOIN replay_rule l ON l.rule_id = a.likely"
        " LEFT JOIN replay_rule r ON r.rule_id = CASE WHEN a._version < q.until AND l.needs_event"
        " THEN coalesce(a.sure, a.likely) ELSE a.likely END"
        " LEFT JOIN replay_agreed g ON g.sys_id = a.sys_id AND g._version = a._version"
        " ASOF LEFT JOIN replay_entry e ON e.sys_id = a.sys_id AND a._version >= e.entered"
    )
    store.execute("DROP TABLE replay_answer")
    store.execute("DROP TABLE replay_agreed")
