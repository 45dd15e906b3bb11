"""Per table: may the account read it, see the columns, and filter and sort as paging needs?"""

from collections.abc import Iterator, Sequence

from connector.check.findings import Finding
from connector.errors import ForbiddenError
from connector.itsm.base import ProbedInstance
from connector.messages import _


def check_rights(instance: ProbedInstance, table: str, columns: Sequence[str]) -> Iterator[Finding]:
    """Read one row with all columns, ask once as paging asks. Raises InstanceError kinds."""
    try:
        rows = list(instance.list_records(table, columns, limit=1))
    except ForbiddenError as error:
        remedy = _("give the account read access to the table")
        yield Finding("error", table, str(error), remedy, "read")
        return
    # Whether a row may be seen is known only where there is one.
    said = _("{n} columns can be read") if rows else _("No row came: it is empty, or all is hidden")
    yield Finding("ok", table, said.format(n=len(columns)), aspect="read")
    hidden = [column for column in columns if rows and column not in rows[0]]
    if hidden:
        text = _("The account does not see {columns}; rules that need them are unsure")
        remedy = _("give the account read access to these columns")
        yield Finding("warn", table, text.format(columns=", ".join(hidden)), remedy, "columns")
    elif rows:
        yield Finding("ok", table, _("No column is hidden"), aspect="columns")
    yield _query_rights(instance, table)


def _query_rights(instance: ProbedInstance, table: str) -> Finding:
    found = instance.probe_paging(table)
    if found == "refused":
        return Finding(
            "error",
            table,
            _("The account may not filter and sort by sys_updated_on and sys_id; nothing is read"),
            _("give it query_range (or read) on both columns"),
            "query",
        )
    if found == "ignored":
        return Finding(
            "error",
            table,
            _("The instance ignores a filter or order by sys_updated_on and sys_id"),
            _("let the account read and query both columns"),
            "query",
        )
    text = _("It can be filtered and sorted by sys_updated_on and sys_id")
    return Finding("ok", table, text, aspect="query")
