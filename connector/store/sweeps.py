"""What earlier sweeps left: how a table's count stood to ours when its keys were compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.store import records
from connector.store.database import Store
from connector.store.runs import naive


@dataclass(frozen=True)
class Held:
    """What is at rest of a table: how many records, their newest change, and all their saves."""

    records: int
    newest: str = ""
    saves: int = 0


def is_keys_turn(store: Store, table: str, every: int) -> bool:
    """Whether so many sweeps are due to compare the keys, or none ever did."""
    found = store.value("SELECT max(counted) FROM sweep WHERE table_name = $table", table=table)
    return found is None or found + 1 >= every


def hidden(store: Store, table: str) -> int | None:
    """What the instance counted and the account could not see; None before keys were compared."""
    found = store.value("SELECT max(hidden) FROM sweep WHERE table_name = $table", table=table)
    return None if found is None else int(found)


def held(store: Store, table: str, but: Sequence[str]) -> Held:
    """What is at rest that came from the tool, without the records `but`."""
    if not records.list_columns(store, table):
        return Held(0)
    with store.given("changed", [{"sys_id": key} for key in but], records.texts(("sys_id",))):
        row = store.read(
            "SELECT count(*) AS n, coalesce(max(sys_updated_on), '') AS newest,"
            " coalesce(sum(try_cast(sys_mod_count AS BIGINT)), 0) AS saves"
            f" FROM current.{records.name(table)} ANTI JOIN changed USING (sys_id)"
            " WHERE sys_id NOT IN (SELECT sys_id FROM contact_line)"
        )[0]
    return Held(row["n"], row["newest"], int(row["saves"]))


def note_counted(store: Store, table: str, now: datetime) -> None:
    """The counts agreed, and nothing more was asked."""
    store.execute(
        "UPDATE sweep SET counted = counted + 1, swept_at = $now WHERE table_name = $table",
        table=table,
        now=naive(now),
    )


def note_keys(store: Store, table: str, hidden_rows: int, now: datetime) -> None:
    """The keys were compared, and nothing is open."""
    store.execute(
        "INSERT OR REPLACE INTO sweep VALUES ($table, 0, $hidden, $now)",
        table=table,
        hidden=hidden_rows,
        now=naive(now),
    )


def forget(store: Store, table: str) -> None:
    """Compare keys next time, whatever the counts say."""
    store.execute("DELETE FROM sweep WHERE table_name = $table", table=table)
