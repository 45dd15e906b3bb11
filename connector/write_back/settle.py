"""What an earlier request left open: read those records again, by their keys, before deciding."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from connector import log
from connector.context import Run
from connector.errors import InstanceError
from connector.store import changes, records
from connector.write_back import beside

_log = log.get("write_back")


def settle(run: Run, now: datetime, mode: str = "record") -> int:
    """Read again every record with a change that was sent and never answered for.

    Answers how many changes turn out to have been written.
    """
    confirmed = 0
    for table, sys_ids in changes.list_unanswered(run.store).items():
        _read_again(run, table, sys_ids, now, mode)
        confirmed += changes.settle_unanswered(run.store, table)
        _log.info("settled", run_id=run.run_id, table=table, records=len(sys_ids))
    return confirmed


def look_again(
    run: Run, tables: Mapping[str, Sequence[str]], now: datetime, mode: str = "record"
) -> None:
    """Read again what somebody else wrote while we did (§7.5), so that the next decision knows it.

    An instance that does not answer now is no harm: the next extraction brings them anyway.
    """
    for table, sys_ids in tables.items():
        try:
            _read_again(run, table, sys_ids, now, mode)
        except InstanceError as error:
            _log.info("not_read_again", run_id=run.run_id, table=table, reason=type(error).__name__)


def _read_again(run: Run, table: str, sys_ids: Sequence[str], now: datetime, mode: str) -> None:
    columns = records.list_columns(run.store, table)
    if mode == "table":
        fresh = beside.read_records(run.instance, table, sys_ids, columns)
    else:
        fresh = run.instance.read_records(table, sys_ids, columns)
    with run.store.transaction():
        records.land(run.store, table, columns, fresh, run.run_id)
    records.merge(run.store, table, now, is_by_key=True)
