"""What became of the changes that the store remembers, for those who look before they write."""

from dataclasses import dataclass

from connector.store.database import Store


@dataclass(frozen=True)
class Outcomes:
    """What became of all changes to a table that the store remembers, in records."""

    table: str
    confirmed: int
    refused: int
    kept: tuple[str, ...]
    """Fields."""
    reason: str
    """Of the newest refusal."""


def list_outcomes(store: Store) -> list[Outcomes]:
    """What became of changes, table by table; those that were only planned do not count."""
    rows = store.read(
        "SELECT table_name, count(DISTINCT sys_id) FILTER (status = 'confirmed') AS confirmed,"
        " count(DISTINCT sys_id) FILTER (status = 'refused') AS refused,"
        " coalesce(list(DISTINCT field ORDER BY field) FILTER (status = 'kept'), []) AS kept,"
        " coalesce(arg_max(detail, changed_at) FILTER (status = 'refused'), '') AS reason"
        " FROM change WHERE status IN ('confirmed', 'refused', 'kept') GROUP BY 1 ORDER BY 1"
    )
    return [
        Outcomes(r["table_name"], r["confirmed"], r["refused"], tuple(r["kept"]), r["reason"])
        for r in rows
    ]
