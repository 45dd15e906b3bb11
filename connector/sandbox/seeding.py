"""The data folder: an instance is reopened as it is, or made whole from a seed."""

import os
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from connector.sandbox import seeds
from connector.sandbox.clock import VirtualClock
from connector.sandbox.database import Database
from connector.sandbox.instance import History, Instance, no_history
from connector.sandbox.schema import Schema, load_schema, without
from connector.sandbox.seeds import demo, uci
from connector.sandbox.seeds.base import Record
from connector.timestamps import parse_instance

PASSWORD_VARIABLE = "TRAVESIA_SANDBOX_PASSWORD"  # noqa: S105 - the name of a variable
DEFAULT_PASSWORD = "sandbox"  # noqa: S105 - the sandbox's published test credential
FILE = "instance.db"


def holds_instance(data: Path) -> bool:
    """Whether the folder has an instance already."""
    return (data / FILE).exists()


def open_instance(
    data: Path,
    seed: str,
    until: datetime | None,
    uci_year: Path | None,
    frozen: bool = False,
    *,
    lacking: Collection[str] = (),
) -> Instance:
    """The instance in `data`: reopened as it is, or made from `seed` where there is none.

    A new one appears whole or not at all, without the tables `lacking` (plug-ins that it has not
    got). Raises ConfigError for an unknown seed or table and for absent data, SandboxError for a
    file that is no instance.
    """
    path = data / FILE
    if not path.exists():
        _create(path, without(load_schema(), lacking), seed, until, uci_year)
    database = Database(path)
    if frozen:
        database.clock.freeze(True)
    seed = database.engine.meta("seed")
    return Instance(
        database,
        password=os.environ.get(PASSWORD_VARIABLE) or DEFAULT_PASSWORD,
        seed=seed,
        history=_history(seed, uci_year, database),
    )


def _history(seed: str, year: Path | None, database: Database) -> History:
    """What the instance's clock brings when it is advanced."""
    if seed == "uci":
        return lambda after, until: uci.changes(year, after, until)
    if seed != "demo":
        return no_history
    created = parse_instance(database.engine.meta("created"))
    return lambda after, until: (
        change
        for change in demo.changes(created, after, until)
        if change.table in database.catalogue
    )


def _create(
    path: Path, schema: Schema, seed: str, until: datetime | None, year: Path | None
) -> None:
    start, batches = seeds.initial(seed, until, year)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name("unfinished.db")
    for suffix in ("", "-wal", "-shm"):
        unfinished.with_name(unfinished.name + suffix).unlink(missing_ok=True)
    database = Database(unfinished, schema, VirtualClock(start, frozen=True))
    with database.transaction():
        for table, records in batches:
            if table in database.catalogue:
                database.load(table, _told(schema, table, records))
        database.engine.set_meta("seed", seed)
        database.clock.freeze(False)
    database.close()
    unfinished.rename(path)


def _told(schema: Schema, table: str, records: list[Record]) -> list[Record]:
    """The records, without what is told of tables that the instance lacks."""
    teller = {"sys_journal_field": "name", "sys_audit": "tablename"}.get(table)
    if teller is None:
        return records
    return [record for record in records if record[teller] in schema.tables]
