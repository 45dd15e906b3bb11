"""A plan after it was made: what is taken out of it again, and what became of some of its records.

`changes` makes the plan (TEMP TABLE `plan`) and stores it (table `change`).
"""

from collections.abc import Sequence

from connector.store.database import Row, Store


def let_go(store: Store, field: str, values: Sequence[str], passengers: Sequence[str]) -> None:
    """Take a field out of the plan where it would become one of `values`; and whole records of
    which nothing but `passengers` is left. What stays is numbered anew."""
    store.execute(
        "DELETE FROM plan WHERE field = $field AND list_contains($values, to_value)",
        field=field,
        values=list(values),
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE plan AS"
        " SELECT * REPLACE (dense_rank() OVER (ORDER BY record_no) AS record_no) FROM plan"
        " WHERE record_no IN (SELECT record_no FROM plan WHERE NOT list_contains($some, field))",
        some=list(passengers),
    )


def forget_unplanned(store: Store, run_id: str) -> None:
    """Of the stored plan, drop what `let_go` took out since: it was never sent."""
    store.execute(
        "DELETE FROM change WHERE run_id = $run_id AND status = 'planned' AND NOT EXISTS"
        " (SELECT 1 FROM plan p WHERE p.table_name = change.table_name"
        " AND p.sys_id = change.sys_id AND p.field = change.field)",
        run_id=run_id,
    )


def read_fates(store: Store, run_id: str, sys_ids: Sequence[str]) -> dict[str, Row]:
    """sys_id → how many fields the plan holds of a record, and of them `confirmed` and `refused`.

    What was not sent is neither. A record of which nothing is planned is absent.
    """
    rows = store.read(
        "SELECT p.sys_id, count(*) AS planned,"
        " count(*) FILTER (c.status = 'confirmed') AS confirmed,"
        " count(*) FILTER (c.status IN ('refused', 'kept')) AS refused"
        " FROM plan p LEFT JOIN change c ON c.run_id = $run_id AND c.table_name = p.table_name"
        " AND c.sys_id = p.sys_id AND c.field = p.field"
        " WHERE list_contains($ids, p.sys_id) GROUP BY p.sys_id",
        run_id=run_id,
        ids=list(sys_ids),
    )
    return {row.pop("sys_id"): row for row in rows}
