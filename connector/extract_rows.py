"""Mode `table`: the rows of `u_journey`, read like any table, and shown on the records at rest."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from connector import extract
from connector.context import Run
from connector.errors import ConfigError
from connector.itsm.base import Instance
from connector.journey.own_tables import JOURNEY_TABLE, ROW_RECORD, ROW_TABLE
from connector.journey.rows import TABLE, row_id
from connector.messages import _
from connector.store import beside, records
from connector.write_back.beside import OWN

COLUMNS = (*records.SYSTEM_COLUMNS, *(field.name for field in JOURNEY_TABLE.fields))


def without_own(wanted: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The columns to read, without ours: what an earlier mode left on the records is not asked."""
    return {
        table: tuple(name for name in columns if name not in OWN)
        for table, columns in wanted.items()
    }


def check_table(instance: Instance) -> None:
    """Raise ConfigError if the instance lacks our table or one of its columns."""
    known = {c.element for c in instance.list_columns([TABLE])} if _is_there(instance) else set()
    if missing := [field.name for field in JOURNEY_TABLE.fields if field.name not in known]:
        text = _("The instance's table {table} lacks {columns}; run travesia provision --apply")
        said = text.format(table=TABLE, columns=", ".join(missing))
        raise ConfigError("[write_back] mode", [said])


def _is_there(instance: Instance) -> bool:
    return TABLE in instance.list_tables([TABLE])


def rows_of(instance: Instance) -> dict[str, tuple[str, ...]]:
    """Our table with its columns, where the instance has it: deleted rows are found there too."""
    return {TABLE: COLUMNS} if _is_there(instance) else {}


def take_rows(
    run: Run,
    tables: Sequence[str],
    mark: datetime,
    reading: extract.Reading,
    only: Sequence[tuple[str, str]],
) -> extract.Extracted:
    """Read the rows that changed, or those of the records `only`, and show them on the records.

    Answers what came. Where the instance has no such table yet, every record is without a row.
    """
    records.ensure_table(run.store, TABLE, COLUMNS)
    found = extract.Extracted(TABLE, 0, 0, 0, 0, 0)
    if _is_there(run.instance) and not only:
        found = extract.extract_table(run, TABLE, COLUMNS, mark, reading)
    elif only and _is_there(run.instance):
        _take_some(run, [row_id(*one) for one in only], mark)
    with run.store.transaction():
        beside.show_on_records(run.store, TABLE, (ROW_TABLE, ROW_RECORD), tables, OWN)
    return found


def _take_some(run: Run, keys: Sequence[str], mark: datetime) -> None:
    rows = run.instance.read_records(TABLE, keys, COLUMNS)
    with run.store.transaction():
        records.land(run.store, TABLE, COLUMNS, rows, run.run_id)
    records.merge(run.store, TABLE, mark, is_by_key=True)
