"""Moments of truth at rest: taking over what differs, the heaviest of each record, looking up.

Works on one moment of one table at a time, so that the memory it needs does not grow with the
number of moments. A dry run leaves the table `moment` alone: what differs waits in TEMP TABLEs
that lie over it (`VIEW moment_now`).
"""

from collections.abc import Collection, Sequence

from connector.store.classifications import held_columns
from connector.store.database import Row, Store
from connector.store.records import name

_COLUMNS = (
    "table_name, sys_id, moment_id, polarity, started_at, window_ends_at, decided_at, evidence,"
    " weight"
)
_VALUES = "polarity, started_at, window_ends_at, decided_at, evidence, weight"
_OF = "moment_id = $moment AND table_name = $table"

# The heaviest decided moment of a record, else an open one, else a neutral one: as one number, of
# class, weight (two digits) and whether it is negative, which wins among equals.
_SCORE = (
    "CASE polarity WHEN 'negative' THEN 3001 WHEN 'positive' THEN 3000 WHEN 'open' THEN 2000"
    " ELSE 1000 END + weight * 10"
)


def begin(store: Store) -> None:
    """Start over: nothing differs yet, and the records that are left out of the figures."""
    store.execute("CREATE OR REPLACE TEMP TABLE moment_new AS FROM moment LIMIT 0")
    store.execute(
        "CREATE OR REPLACE TEMP TABLE moment_gone AS"
        " SELECT table_name, sys_id, moment_id FROM moment LIMIT 0"
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE moment_ignored AS SELECT table_name, sys_id FROM classified"
        " WHERE touchpoint = '' AND rule_id <> 'unclassified'"
    )
    store.execute(
        "CREATE OR REPLACE TEMP VIEW moment_now AS"
        f" SELECT {_COLUMNS} FROM moment ANTI JOIN moment_gone"
        " USING (table_name, sys_id, moment_id)"
        f" UNION ALL SELECT {_COLUMNS} FROM moment_new"
    )


def see(store: Store, seen: str) -> None:
    """TEMP TABLE `moment_seen`: what is asked of the records that have the moment.

    By itself: what it joins need not stay in memory for what follows.
    """
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE moment_seen AS SELECT * FROM ({seen}) WHERE potential"
    )


def take(
    store: Store,
    table: str,
    moment_id: str,
    verdicts: str,
    needed: Collection[str] = (),
    *,
    save: bool,
) -> None:
    """Make the moment's rows of a table those of `verdicts`, touching only what differs.

    `verdicts` answers sys_id, polarity, started_at, window_ends_at, decided_at, evidence, weight.
    `needed` are the sources of history that a record must have been read from.
    """
    known = "".join(
        f" AND sys_id IN (SELECT sys_id FROM history_read WHERE source = '{name(source)[1:-1]}'"
        " AND table_name = $table)"
        for source in sorted(needed)
    )
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE moment_verdict AS SELECT * FROM ({verdicts})"
        " WHERE sys_id NOT IN"
        f" (SELECT sys_id FROM moment_ignored WHERE table_name = $table){known}",
        table=table,
    )
    differs = store.value(
        "CREATE OR REPLACE TEMP TABLE moment_differs AS"
        " SELECT coalesce(n.sys_id, o.sys_id) AS sys_id, o.sys_id IS NOT NULL AS is_old,"
        " n.sys_id IS NOT NULL AS is_new, n.* EXCLUDE (sys_id)"
        " FROM moment_verdict n FULL JOIN"
        f" (SELECT sys_id, hash({_VALUES}) AS old FROM moment WHERE {_OF}) o"
        f" ON o.sys_id = n.sys_id WHERE o.old IS DISTINCT FROM hash({_qualified()})"
        " OR o.sys_id IS NULL OR n.sys_id IS NULL",
        table=table,
        moment=moment_id,
    )
    if differs:
        with store.transaction():
            _apply(store, table, moment_id, save=save)
    store.execute("DROP TABLE moment_differs")
    store.execute("DROP TABLE moment_verdict")
    store.execute("DROP TABLE IF EXISTS moment_seen")


def _qualified() -> str:
    return ", ".join(f"n.{column.strip()}" for column in _VALUES.split(","))


def _apply(store: Store, table: str, moment_id: str, *, save: bool) -> None:
    of = {"table": table, "moment": moment_id}
    if save:
        store.execute(
            f"DELETE FROM moment WHERE {_OF}"
            " AND sys_id IN (SELECT sys_id FROM moment_differs WHERE is_old)",
            **of,
        )
    else:
        store.execute(
            "INSERT INTO moment_gone SELECT $table, sys_id, $moment FROM moment_differs"
            " WHERE is_old",
            **of,
        )
    store.execute(
        f"INSERT INTO {'moment' if save else 'moment_new'} ({_COLUMNS})"
        f" SELECT $table, sys_id, $moment, {_VALUES} FROM moment_differs WHERE is_new",
        **of,
    )


def drop_others(store: Store, live: Collection[tuple[str, str]], *, save: bool) -> None:
    """Let go of the rows of moments that are no longer in force. `live`: (table, moment id)."""
    for row in store.read("SELECT DISTINCT table_name, moment_id FROM moment"):
        if (row["table_name"], row["moment_id"]) in live:
            continue
        of = {"table": row["table_name"], "moment": row["moment_id"]}
        if save:
            store.execute(f"DELETE FROM moment WHERE {_OF}", **of)
        else:
            store.execute(
                "INSERT INTO moment_gone SELECT table_name, sys_id, moment_id FROM moment"
                f" WHERE {_OF}",
                **of,
            )


HEAVIEST = (
    "SELECT table_name, sys_id,"
    " CASE score // 1000 WHEN 3 THEN CASE score % 10 WHEN 1 THEN 'negative' ELSE 'positive' END"
    " WHEN 2 THEN 'potential' ELSE 'neutral' END AS choice"
    f" FROM (SELECT table_name, sys_id, max({_SCORE}) AS score FROM {{moments}} GROUP BY ALL) AS s"
)
"""What the heaviest of its `moments` is, of each record: table_name, sys_id, choice."""


def choose(store: Store) -> None:
    """TEMP TABLE `record_moment`: table_name, sys_id, choice (what its heaviest moment is)."""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE record_moment AS " + HEAVIEST.format(moments="moment_now")
    )


def ensure_chosen(store: Store) -> None:
    """TEMP TABLE `record_moment`, empty where no step has chosen yet."""
    store.execute(
        "CREATE TEMP TABLE IF NOT EXISTS record_moment"
        " (table_name VARCHAR, sys_id VARCHAR, choice VARCHAR)"
    )


def stay(store: Store) -> None:
    """Choose among the moments of the last run: nothing is decided anew."""
    begin(store)
    choose(store)


def counts_now(store: Store) -> dict[str, int]:
    """Polarity → how many moments, as the step found them."""
    rows = store.read("SELECT polarity, count(*) AS n FROM moment_now GROUP BY 1")
    return {row["polarity"]: row["n"] for row in rows}


# --- looking up -----------------------------------------------------------------------------------


def of_record(store: Store, table: str, sys_id: str) -> list[Row]:
    """The moments of one record as of the last run, the heaviest first."""
    return store.read(
        "SELECT * FROM moment WHERE table_name = $table AND sys_id = $id"
        " ORDER BY weight DESC, moment_id",
        table=table,
        id=sys_id,
    )


def count_by_priority(store: Store, tables: Sequence[str]) -> list[Row]:
    """moment_id, table_name, priority ('' where there is none), polarity, n."""
    held = held_columns(store)
    found: list[Row] = []
    for table in tables:
        if "priority" not in held.get(table, set()):
            found += store.read(
                "SELECT moment_id, table_name, '' AS priority, polarity, count(*) AS n FROM moment"
                " WHERE table_name = $table GROUP BY ALL",
                table=table,
            )
            continue
        found += store.read(
            "SELECT moment_id, table_name, coalesce(r.priority, '') AS priority, polarity,"
            f" count(*) AS n FROM moment m JOIN current.{name(table)} r ON r.sys_id = m.sys_id"
            " WHERE table_name = $table GROUP BY ALL",
            table=table,
        )
    return found


def answers_of(store: Store, query: str, sys_id: str) -> Row:
    """What a query over all records says of one."""
    rows = store.read(f"SELECT * FROM ({query}) WHERE sys_id = $id", id=sys_id)
    return rows[0] if rows else {}


def numbers_of(store: Store, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What people call some records; `table/sys_id` where they have no number."""
    found = {(table, sys_id): f"{table}/{sys_id}" for table, sys_id in keys}
    held = held_columns(store)
    for table in {table for table, _sys_id in keys if "number" in held.get(table, set())}:
        rows = store.read(
            f"SELECT sys_id, number FROM current.{name(table)}"
            " WHERE sys_id IN (SELECT unnest($ids::VARCHAR[])) AND number <> ''",
            ids=[sys_id for of, sys_id in keys if of == table],
        )
        found |= {(table, row["sys_id"]): row["number"] for row in rows}
    return found


def tables_with_moments(store: Store) -> list[str]:
    """The tables whose records have moments."""
    rows = store.read("SELECT DISTINCT table_name FROM moment ORDER BY 1")
    return [row["table_name"] for row in rows]


def newest(store: Store, moment_id: str, polarity: str, limit: int) -> tuple[int, list[Row]]:
    """How many moments are so, and the newest of them."""
    where = "moment_id = $moment AND polarity = $polarity"
    of = {"moment": moment_id, "polarity": polarity}
    rows = store.read(
        f"SELECT * FROM moment WHERE {where} ORDER BY decided_at DESC, table_name, sys_id"
        " LIMIT $limit",
        limit=limit,
        **of,
    )
    return store.value(f"SELECT count(*) FROM moment WHERE {where}", **of), rows


def open_ones(store: Store, moment_ids: Sequence[str], limit: int) -> tuple[int, list[Row]]:
    """How many moments are open, and those whose windows end first; endless ones last."""
    where = "polarity = 'open' AND moment_id IN (SELECT unnest($ids::VARCHAR[]))"
    rows = store.read(
        f"SELECT * FROM moment WHERE {where}"
        " ORDER BY window_ends_at NULLS LAST, weight DESC, table_name, sys_id, moment_id"
        " LIMIT $limit",
        ids=list(moment_ids),
        limit=limit,
    )
    return store.value(f"SELECT count(*) FROM moment WHERE {where}", ids=list(moment_ids)), rows
