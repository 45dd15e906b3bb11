"""Addresses inside the tool: a record, or a list of records. Which list is right: `lists.py`."""

from dataclasses import dataclass
from urllib.parse import quote

from connector.report.layout import Linked


@dataclass(frozen=True)
class Tool:
    """Where the tool is ("" = no links), and the tables in which our columns are written.

    Records are kept here for so many months after they closed; 0 for ever.
    """

    url: str = ""
    written: frozenset[str] = frozenset()
    kept_months: int = 0

    def record(self, text: str, table: str, sys_id: str) -> str:
        """`text`, leading to a record."""
        if not (self.url and sys_id):
            return text
        return Linked(text, f"{self.url}/{table}.do?sys_id={quote(sys_id, safe='')}")

    def listed(self, text: str, table: str, query: str) -> str:
        """`text`, leading to the records of a table that an encoded query matches."""
        if not self.url:
            return text
        return Linked(text, f"{self.url}/{table}_list.do?sysparm_query={quote(query, safe='')}")


NOWHERE = Tool()
