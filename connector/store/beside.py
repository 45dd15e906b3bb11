"""What stands in rows of our own table, shown on the records at rest as if it stood on them.

So everything that asks what the tool holds (plans, overrides, standings) asks in one way only.
"""

from collections.abc import Sequence

from connector.store.database import Store
from connector.store.records import ensure_table, list_columns, name


def show_on_records(
    store: Store, rows: str, record: tuple[str, str], tables: Sequence[str], columns: Sequence[str]
) -> None:
    """Let `columns` of the records of `tables` hold what their rows in the table `rows` hold.

    `record` names the two columns of a row that say of which record it tells: its table, its
    sys_id. A record without a row holds "" in them; a value hidden in the row is hidden here.
    """
    of_table, of_record = map(name, record)
    for table in tables:
        if not list_columns(store, table):
            continue
        ensure_table(store, table, columns)
        values = ", ".join(
            f"CASE WHEN r.sys_id IS NULL THEN '' ELSE r.{name(c)} END AS {name(c)}" for c in columns
        )
        differs = " OR ".join(f"t.{name(c)} IS DISTINCT FROM s.{name(c)}" for c in columns)
        store.execute(
            f"UPDATE current.{name(table)} t"
            f" SET {', '.join(f'{name(c)} = s.{name(c)}' for c in columns)}"
            f" FROM (SELECT c.sys_id, {values} FROM current.{name(table)} c"
            f" LEFT JOIN current.{name(rows)} r ON r.{of_table} = $table"
            f" AND r.{of_record} = c.sys_id) s WHERE t.sys_id = s.sys_id AND ({differs})",
            table=table,
        )
