"""Do the choice lists of our own columns hold what the mapping writes into them?

An instance drops a value that its list lacks, and says 200 (servicenow-api.md §2.2): after a step
or a touchpoint was added to the mapping, the list must grow before anything is written.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from connector.check.findings import Finding
from connector.itsm.base import Instance
from connector.messages import _, _n

NAMED = 5
"""So many missing values are named."""


def check_own_choices(
    instance: Instance, tables: Sequence[str], wanted: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    """What the lists of `tables` (those to write) lack of `wanted`: column → values.

    A column without any list takes every value; one that is not there yet is told elsewhere.
    """
    held: dict[tuple[str, str], set[str]] = {}
    for choice in instance.list_choices(tables) if tables else []:
        held.setdefault((choice.table, choice.element), set()).add(choice.value)
    for table in tables:
        lists = {field: held.get((table, field), set()) for field in wanted}
        missing = [
            value
            for field, values in wanted.items()
            for value in values
            if lists[field] and value not in lists[field]
        ]
        if missing:
            text = _n(
                "{n} value that the mapping writes is in no choice list yet: {values}",
                "{n} values that the mapping writes are in no choice list yet: {values}",
                len(missing),
            )
            said = text.format(n=len(missing), values=_few(missing))
            yield Finding("warn", table, said, _("run travesia provision --apply"), "write")


def _few(values: Sequence[str]) -> str:
    told = ", ".join(dict.fromkeys(values[:NAMED]))
    return f"{told} …" if len(values) > NAMED else told
