"""Which mapping is in force, and which one waits for a person's word.

A mapping is told by its hash. `in_force`: places records and writes. `approved`: a person accepted
it, the next run with it puts it in force. Knows nothing of what a mapping says.
"""

from dataclasses import dataclass
from datetime import datetime

from connector.store.database import Store
from connector.store.runs import utc_now


@dataclass(frozen=True)
class InForce:
    """The mapping in force: its hash, its content as JSON (None if it was never kept)."""

    hash: str
    content: str | None
    accepted_at: datetime


def in_force(store: Store) -> InForce | None:
    """The mapping in force, None on a store that never ran, or on a copy of an older version."""
    if not store.value(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'accepted_mapping'"
    ):
        return None
    rows = store.read(
        "SELECT hash, content, accepted_at FROM accepted_mapping WHERE state = 'in_force'"
    )
    return InForce(**rows[0]) if rows else None


def is_approved(store: Store, mapping_hash: str) -> bool:
    """Whether a person accepted this mapping for the next run."""
    found = store.value(
        "SELECT count(*) FROM accepted_mapping WHERE state = 'approved' AND hash = $hash",
        hash=mapping_hash,
    )
    return bool(found)


def approved(store: Store) -> str:
    """The hash that a person accepted for the next run, "" for none."""
    found = store.value("SELECT max(hash) FROM accepted_mapping WHERE state = 'approved'")
    return str(found or "")


def approve(store: Store, mapping_hash: str) -> None:
    """A person's word: the next run with this mapping puts it in force. The last word counts."""
    with store.transaction():
        store.execute("DELETE FROM accepted_mapping WHERE state = 'approved'")
        store.execute(
            "INSERT INTO accepted_mapping VALUES ($hash, 'approved', NULL, $now)",
            hash=mapping_hash,
            now=utc_now(),
        )


def put_in_force(store: Store, mapping_hash: str, content: str) -> None:
    """From now on this one; the one before is remembered without its content."""
    known = in_force(store)
    if known and known.hash == mapping_hash and known.content == content:
        return
    with store.transaction():
        store.execute("DELETE FROM accepted_mapping WHERE state = 'approved'")
        store.execute(
            "UPDATE accepted_mapping SET state = 'replaced', content = NULL"
            " WHERE state = 'in_force' AND hash <> $hash",
            hash=mapping_hash,
        )
        store.execute("DELETE FROM accepted_mapping WHERE state = 'in_force'")
        store.execute(
            "INSERT INTO accepted_mapping VALUES ($hash, 'in_force', $content, $now)",
            hash=mapping_hash,
            content=content,
            now=utc_now(),
        )


def note_run(store: Store, run_id: str, mapping_hash: str, *, is_placed: bool) -> None:
    """With which mapping a run works, and whether it places records or leaves them."""
    store.execute(
        "UPDATE run SET mapping_hash = $hash, is_placed = $is_placed WHERE run_id = $run_id",
        hash=mapping_hash,
        is_placed=is_placed,
        run_id=run_id,
    )
