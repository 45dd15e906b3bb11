"""What differs between where records stand and where another mapping would put them.

Compares the TEMP TABLE `classified` with `classification`; saves nothing.
"""

from dataclasses import dataclass

from connector.store import records
from connector.store.database import Store

SAMPLE = 3
"""So many records are named for each move."""


@dataclass(frozen=True)
class Moved:
    """Records of a table that go from one place to another. "" for a place: none.

    `rule_id` would decide, `old_rule_id` decided. `sample`: what people call a few of them.
    """

    table: str
    from_touchpoint: str
    from_step: str
    to_touchpoint: str
    to_step: str
    old_rule_id: str
    rule_id: str
    records: int
    sample: tuple[str, ...]


@dataclass(frozen=True)
class Compared:
    """How many records there are, how many of them move, and how many change otherwise.

    `others` keep touchpoint and step, and change band, outcome, phase, value, or a step of another
    journey. Those that only another rule decides are not counted: nobody sees a difference.
    """

    records: int
    moved: int
    others: int
    unclassified_before: int
    unclassified_after: int


def compare(store: Store, journey: str) -> tuple[Compared, list[Moved]]:
    """All moves, the largest first; steps are those of `journey`."""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE moving AS SELECT coalesce(n.table_name, c.table_name) AS t,"
        " coalesce(n.sys_id, c.sys_id) AS sys_id, coalesce(c.touchpoint, '') AS from_touchpoint,"
        " coalesce(c.steps[$journey], '') AS from_step,"
        " coalesce(n.touchpoint, '') AS to_touchpoint,"
        " coalesce(n.steps[$journey], '') AS to_step, coalesce(c.rule_id, '') AS old_rule_id,"
        " coalesce(n.rule_id, '') AS rule_id,"
        f" ({_SEEN.format('n')}) IS DISTINCT FROM ({_SEEN.format('c')}) AS is_seen"
        f" FROM (SELECT {_PLACE} FROM classified EXCEPT SELECT {_PLACE} FROM classification) n"
        f" FULL JOIN (SELECT {_PLACE} FROM classification EXCEPT SELECT {_PLACE} FROM classified) c"
        " ON c.table_name = n.table_name AND c.sys_id = n.sys_id",
        journey=journey,
    )
    is_move = "from_touchpoint <> to_touchpoint OR from_step <> to_step"
    rows = store.read(
        "SELECT t, from_touchpoint, from_step, to_touchpoint, to_step, old_rule_id, rule_id,"
        f" count(*) AS n, min(sys_id, {SAMPLE}) AS ids FROM moving WHERE {is_move}"
        " GROUP BY ALL ORDER BY n DESC, t, old_rule_id, rule_id, from_step, to_step"
    )
    counts = store.read(
        "SELECT (SELECT count(*) FROM classified) AS records,"
        f" (SELECT count(*) FROM moving WHERE {is_move}) AS moved,"
        f" (SELECT count(*) FROM moving WHERE is_seen AND NOT ({is_move})) AS others,"
        " (SELECT count(*) FROM classification WHERE rule_id = 'unclassified')"
        " AS unclassified_before,"
        " (SELECT count(*) FROM classified WHERE rule_id = 'unclassified') AS unclassified_after"
    )[0]
    names = _numbers(store, [(row["t"], row["ids"]) for row in rows])
    store.execute("DROP TABLE moving")
    moves = [
        Moved(
            table=row["t"],
            from_touchpoint=row["from_touchpoint"],
            from_step=row["from_step"],
            to_touchpoint=row["to_touchpoint"],
            to_step=row["to_step"],
            old_rule_id=row["old_rule_id"],
            rule_id=row["rule_id"],
            records=row["n"],
            sample=tuple(names.get((row["t"], one), one) for one in row["ids"]),
        )
        for row in rows
    ]
    return Compared(**counts), moves


_PLACE = (
    "table_name, sys_id, rule_id, touchpoint, steps, band, is_potential_moment, outcome, phase,"
    " value"
)
_SEEN = "{0}.steps, {0}.band, {0}.is_potential_moment, {0}.outcome, {0}.phase, {0}.value"


def _numbers(store: Store, wanted: list[tuple[str, list[str]]]) -> dict[tuple[str, str], str]:
    """(table, sys_id) → what people call the record, where it has a number."""
    ids: dict[str, list[str]] = {}
    for table, some in wanted:
        ids.setdefault(table, []).extend(some)
    found: dict[tuple[str, str], str] = {}
    for table, some in ids.items():
        if "number" not in records.list_columns(store, table):
            continue
        rows = store.read(
            f"SELECT sys_id, number FROM current.{records.name(table)}"
            " WHERE list_contains($ids, sys_id) AND number <> ''",
            ids=some,
        )
        found |= {(table, row["sys_id"]): row["number"] for row in rows}
    return found
