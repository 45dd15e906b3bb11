"""Where records stand: the SQL that places them and keeps what differs.

Works on TEMP TABLEs until `save`: `classified` (what the mapping says now, the columns of
`classification`), `standing_next` (in which step since when). Placing knows nothing of rules: it is
handed a query that answers a rule for each record, and what each rule gives.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.store import bands, overrides
from connector.store.database import Row, Store
from connector.store.records import name
from connector.store.words import WORD, as_word

UNCLASSIFIED = "unclassified"
"""The rule id of a record that no rule matched."""

WORDS = (UNCLASSIFIED,)
"""What `place` says beside what the rules say."""

_RESULTS = (
    '[{"rule_id": "VARCHAR", "touchpoint": "VARCHAR", "steps": "MAP(VARCHAR, VARCHAR)",'
    ' "band": "VARCHAR", "is_potential_moment": "BOOLEAN", "outcome": "VARCHAR",'
    ' "phase": "VARCHAR", "value": "VARCHAR", "confidence": "VARCHAR", "inherit": "VARCHAR",'
    ' "last_visible": "VARCHAR"}]'
)
_RESULT = (
    f"STRUCT(rule_id {WORD}, touchpoint {WORD}, steps MAP({WORD}, {WORD}), band {WORD},"
    f" is_potential_moment BOOLEAN, outcome {WORD}, phase {WORD}, value {WORD}, confidence {WORD},"
    f" inherit VARCHAR, last_visible {WORD})"
)
_WORDS = (
    *("table_name", "rule_id", "touchpoint", "band", "outcome", "phase", "value", "confidence"),
    *("mapping_hash", "last_visible"),
)
_TAKEN = ("band", "is_potential_moment", "outcome", "phase", "value", "confidence", "last_visible")
_NOTHING = as_word("''")
_EMPTY = {"is_potential_moment": "false"}


@dataclass(frozen=True)
class Parent:
    """The record that `field` points to, in one of `tables`."""

    field: str
    tables: tuple[str, ...]


@dataclass(frozen=True)
class Children:
    """Records of `table` whose `field` points here; `has_active`: it is known which are open."""

    table: str
    field: str
    has_active: bool


def held_columns(store: Store) -> dict[str, set[str]]:
    """The tables at rest with their columns."""
    rows = store.read(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'current'"
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["table_name"], set()).add(row["column_name"])
    return found


def begin(store: Store, results: Sequence[Mapping[str, Any]], positions: Mapping[str, int]) -> None:
    """Start over: what each rule gives, and how far along each `journey/step` lies.

    All words that these say must have been learned (`words.py`).
    """
    worded = ", ".join(f"{as_word(column)} AS {column}" for column in _WORDS)
    store.execute(
        "CREATE OR REPLACE TEMP TABLE classified AS SELECT * REPLACE"
        f" ({worded}, steps::MAP({WORD}, {WORD}) AS steps) FROM classification LIMIT 0"
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE rule_result AS"
        f" SELECT unnest(from_json($results, '{_RESULTS}'), recursive := false)::{_RESULT} AS r",
        results=json.dumps(list(results)),
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE step_position AS SELECT unnest(map_entries(p)) AS e"
        " FROM (SELECT from_json($positions, '\"MAP(VARCHAR, INTEGER)\"') AS p)",
        positions=json.dumps(dict(positions)),
    )


def compute_fact(store: Store, fact_table: str, query: str) -> int:
    """Compute a fact into a TEMP TABLE of that name, unless it is there already.

    Answers how many texts it holds: rows times columns.
    """
    if fact_table not in store.facts:
        rows = store.value(f"CREATE OR REPLACE TEMP TABLE {name(fact_table)} AS {query}")
        columns = store.value("SELECT count(*) FROM pragma_table_info($name)", name=fact_table)
        store.facts[fact_table] = int(rows) * int(columns)
    return store.facts[fact_table]


def room(store: Store) -> int:
    """The memory that the store may use, in bytes."""
    number, unit = str(store.value("SELECT current_setting('memory_limit')")).split()
    return int(float(number) * {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}.get(unit, 2**40))


def drop_facts(store: Store) -> None:
    """Drop all that `compute_fact` made."""
    while store.facts:
        fact_table, _size = store.facts.popitem()
        store.execute(f"DROP TABLE IF EXISTS {name(fact_table)}")


def place(
    store: Store,
    table: str,
    query: str,
    mapping_hash: str,
    *,
    parents: Sequence[Parent] = (),
    children: Sequence[Children] = (),
) -> None:
    """Classify one table. `query` answers sys_id, rule_id (NULL for none) and the parents' fields.

    Tables that it takes its place from must have been placed before.
    """
    store.execute(f"CREATE OR REPLACE TEMP TABLE placed AS {query}")
    # Most rules need nobody's place: only of the others is it asked whom they follow.
    store.execute(
        "CREATE OR REPLACE TEMP TABLE follower AS SELECT * FROM placed WHERE rule_id IN"
        " (SELECT r.rule_id FROM rule_result WHERE r.inherit <> '')"
    )
    # Looked up apart: beside the rules' results it would hold all that was placed so far.
    store.execute(
        "CREATE OR REPLACE TEMP TABLE followed AS SELECT g.follower, o.* FROM ("
        "SELECT sys_id AS follower, arg_min(table_name, rank) AS table_name,"
        f" arg_min(origin_id, rank) AS sys_id FROM ({_origins(parents, children)}) GROUP BY sys_id"
        ") g JOIN classified o USING (table_name, sys_id)"
    )
    taken = ", ".join(_taken(column) for column in _TAKEN)
    store.execute(
        "INSERT INTO classified BY NAME"
        f" SELECT {as_word('$table')} AS table_name, p.sys_id,"
        f" CASE WHEN {_LEFT_OUT} THEN {_UNPLACED} ELSE r.r.rule_id END AS rule_id,"
        f" CASE WHEN {_LEFT_OUT} OR {_IGNORED} THEN {_NOTHING} WHEN r.r.inherit = 'all'"
        " THEN o.touchpoint ELSE r.r.touchpoint END AS touchpoint,"
        f" CASE WHEN {_LEFT_OUT} THEN {_NOWHERE} WHEN {_FOLLOWS} THEN o.steps ELSE r.r.steps END"
        " AS steps,"
        f" {taken},"
        f" CASE WHEN {_FOLLOWS} THEN o.table_name || '/' || o.sys_id ELSE '' END AS inherited_from,"
        f" {as_word('$hash')} AS mapping_hash"
        " FROM placed p LEFT JOIN rule_result r ON r.r.rule_id = p.rule_id"
        " LEFT JOIN followed o ON o.follower = p.sys_id AND r.r.inherit <> ''",
        table=table,
        hash=mapping_hash,
    )
    store.execute("DROP TABLE placed")
    store.execute("DROP TABLE follower")
    store.execute("DROP TABLE followed")


_UNPLACED = as_word(f"'{UNCLASSIFIED}'")
_NOWHERE = f"MAP {{}}::MAP({WORD}, {WORD})"
_FOLLOWS = "o.sys_id IS NOT NULL"
_LEFT_OUT = f"(r.r.rule_id IS NULL OR (r.r.inherit = 'all' AND NOT {_FOLLOWS}))"
_IGNORED = f"({_FOLLOWS} AND cardinality(o.steps) = 0)"
"""The record it follows is left out of the figures: so is this one."""


def _taken(column: str) -> str:
    empty = _EMPTY.get(column, _NOTHING)
    return (
        f"CASE WHEN {_LEFT_OUT} OR {_IGNORED} THEN {empty}"
        f" WHEN r.r.inherit = 'all' THEN o.{column} ELSE r.r.{column} END AS {column}"
    )


def _origins(parents: Sequence[Parent], children: Sequence[Children]) -> str:
    """sys_id, table_name, origin_id, rank: whom a record may follow, best first."""
    parts = [_from_parent(parent, rank) for rank, parent in enumerate(parents)]
    parts += [_from_children(one) for one in children]
    nobody = (
        f"SELECT '' AS sys_id, {_NOTHING} AS table_name, '' AS origin_id, 0::BIGINT AS rank"
        " WHERE false"
    )
    return " UNION ALL ".join([nobody, *parts])


def _from_parent(parent: Parent, rank: int) -> str:
    tables = ", ".join(f"'{name(table)[1:-1]}'" for table in parent.tables)
    return (
        f"SELECT p.sys_id, c.table_name, c.sys_id, {rank} FROM follower p JOIN classified c"
        f" ON c.sys_id = p.{name(parent.field)} AND c.table_name IN ({tables})"
        f" WHERE c.rule_id <> '{UNCLASSIFIED}'"
    )


def _from_children(one: Children) -> str:
    """The least advanced open child; when none is open, the most advanced closed one."""
    is_open = "k.active = 'true'" if one.has_active else "true"
    table, field = name(one.table), name(one.field)
    return (
        f"SELECT k.{field}, c.table_name, c.sys_id, row_number() OVER (PARTITION BY k.{field}"
        " ORDER BY cardinality(c.steps) = 0,"
        f" coalesce({is_open}, false) DESC,"
        f" CASE WHEN {is_open} THEN w.weight ELSE -w.weight END, c.sys_id)"
        f" FROM classified c JOIN current.{table} k ON k.sys_id = c.sys_id"
        f" LEFT JOIN ({_WEIGHTS}) w ON w.steps = c.steps"
        f" WHERE c.table_name = '{table[1:-1]}' AND c.rule_id <> '{UNCLASSIFIED}'"
        f" AND k.{field} IN (SELECT sys_id FROM follower)"
    )


# How far along a record stands, over all journeys: a journey with more steps says more.
_WEIGHTS = """
SELECT d.steps, coalesce(sum(s.e.value), 0) AS weight
FROM (SELECT DISTINCT steps FROM classified) d
LEFT JOIN step_position s ON d.steps[split_part(s.e.key, '/', 1)] = split_part(s.e.key, '/', 2)
GROUP BY d.steps
"""


def counts(store: Store) -> list[Row]:
    """Per table and rule: records, ignored, low in confidence."""
    return store.read(
        "SELECT table_name, rule_id, count(*) AS records,"
        " count(*) FILTER (cardinality(steps) = 0) AS ignored,"
        " count(*) FILTER (confidence = 'low') AS low"
        " FROM classified GROUP BY table_name, rule_id ORDER BY table_name, rule_id"
    )


# --- saving ---------------------------------------------------------------------------------------


def save(store: Store, run_id: str) -> None:
    """Keep what differs, and every move, in one transaction, from the TEMP TABLEs."""
    with store.transaction():
        store.execute(
            "INSERT INTO transition BY NAME SELECT *, $run_id AS run_id FROM move_next",
            run_id=run_id,
        )
        overrides.save(store)
        bands.save(store)
        _merge(store, "classification", "classified")
        _merge(store, "standing", "standing_next")


def stay(store: Store) -> None:
    """TEMP TABLEs `classified`, `standing_next`: everything as the last placing run left it."""
    store.execute("CREATE OR REPLACE TEMP TABLE classified AS FROM classification")
    store.execute("CREATE OR REPLACE TEMP TABLE standing_next AS FROM standing")
    overrides.stay(store)


def _merge(store: Store, target: str, source: str) -> None:
    """Make `target` hold the rows of `source`, touching only those that differ.

    Rows are compared by two hashes of 64 bits, of the record's key and of the whole row: neither
    keys nor values of all records need be held beside each other.
    """
    columns = store.read(
        "SELECT column_name AS name, data_type AS type FROM information_schema.columns"
        " WHERE table_schema = 'main' AND table_catalog = current_database()"
        " AND table_name = $target ORDER BY ordinal_position",
        target=target,
    )
    names = ", ".join(f'"{column["name"]}"' for column in columns)
    texts = ", ".join(f'"{column["name"]}"::{column["type"]}' for column in columns)
    store.execute(
        "CREATE OR REPLACE TEMP TABLE differing AS SELECT n._row AS new_row, o._row AS old_row FROM"
        f" (SELECT rowid AS _row, hash(sys_id) AS _key, hash({texts}) AS _hash FROM {source}) n"
        f" FULL JOIN (SELECT rowid AS _row, hash(sys_id) AS _key, hash({names}) AS _hash"
        f" FROM {target}) o ON o._key = n._key AND o._hash = n._hash"
        " WHERE n._row IS NULL OR o._row IS NULL"
    )
    store.execute(
        f"DELETE FROM {target} WHERE rowid IN"
        " (SELECT old_row FROM differing WHERE old_row IS NOT NULL)"
    )
    store.execute(
        f"INSERT INTO {target} ({names}) SELECT {names} FROM {source}"
        " WHERE rowid IN (SELECT new_row FROM differing WHERE new_row IS NOT NULL)"
    )
    store.execute("DROP TABLE differing")


# --- looking up -----------------------------------------------------------------------------------


def find_record(store: Store, number: str) -> tuple[str, str] | None:
    """(table, sys_id) of the record that people call `number`; `table/sys_id` is found too."""
    table, _slash, sys_id = number.partition("/")
    held = held_columns(store)
    if sys_id:
        return (table, sys_id) if table in held else None
    for candidate in sorted(t for t, columns in held.items() if "number" in columns):
        rows = store.read(
            f"SELECT sys_id FROM current.{name(candidate)} WHERE upper(number) = upper($number)",
            number=number.strip(),
        )
        if rows:
            return candidate, rows[0]["sys_id"]
    return None


def number_of(store: Store, table: str, sys_id: str) -> str:
    """What people call a record; `table/sys_id` where it has no number."""
    if "number" in held_columns(store).get(table, set()):
        rows = store.read(
            f"SELECT number FROM current.{name(table)} WHERE sys_id = $id AND number <> ''",
            id=sys_id,
        )
        if rows:
            return str(rows[0]["number"])
    return f"{table}/{sys_id}"


def read_classification(store: Store, table: str, sys_id: str) -> Row | None:
    """Where a record stood at the end of the last run."""
    rows = store.read(
        "SELECT * FROM classification WHERE table_name = $table AND sys_id = $id",
        table=table,
        id=sys_id,
    )
    return rows[0] if rows else None


def read_placed(store: Store, table: str, sys_id: str) -> Row | None:
    """Where the last `place` of this connection puts a record; None if it places no such one."""
    rows = store.read(
        "SELECT * FROM classified WHERE table_name = $table AND sys_id = $id",
        table=table,
        id=sys_id,
    )
    return rows[0] if rows else None


def read_history(store: Store, table: str, sys_id: str) -> tuple[list[Row], list[Row], list[Row]]:
    """A record's standings, its moves (newest first), and the last changes sent to the tool."""
    key = {"table": table, "id": sys_id}
    return (
        store.read(
            "SELECT * FROM standing WHERE table_name = $table AND sys_id = $id ORDER BY journey",
            **key,
        ),
        store.read(
            "SELECT * FROM transition WHERE table_name = $table AND sys_id = $id"
            " ORDER BY happened_at DESC, journey",
            **key,
        ),
        store.read(
            "SELECT * FROM change WHERE table_name = $table AND sys_id = $id"
            " ORDER BY changed_at DESC, field LIMIT 20",
            **key,
        ),
    )
