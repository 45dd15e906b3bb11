"""Addresses inside the tool: a record, or the list of exactly the records that a cell counts.

A list is given only where columns of the tool say the whole condition: our own (written back) for
the place on the journey, the table's for open. Else there is no link.
"""

from dataclasses import dataclass
from urllib.parse import quote

from connector.journey.fields import BAND, STEP, TOUCHPOINT
from connector.report.layout import Linked
from connector.report.life import LIVES, Life


@dataclass(frozen=True)
class Tool:
    """Where the tool is ("" = no links), and the tables in which our columns are written."""

    url: str = ""
    written: frozenset[str] = frozenset()

    def record(self, text: str, table: str, sys_id: str) -> str:
        """`text`, leading to a record."""
        if not (self.url and sys_id):
            return text
        return Linked(text, f"{self.url}/{table}.do?sys_id={quote(sys_id, safe='')}")

    def open_at(
        self, text: str, table: str, *, step: str = "", touchpoint: str = "", band: str = ""
    ) -> str:
        """`text`, leading to the open records of a table that stand in this place."""
        places = {STEP: step, TOUCHPOINT: touchpoint, BAND: band}
        conditions = [f"{column}={value}" for column, value in places.items() if value]
        if not (self.url and table in self.written and conditions):
            return text
        query = "^".join([*conditions, *open_conditions(table)])
        return Linked(text, f"{self.url}/{table}_list.do?sysparm_query={quote(query, safe='')}")


NOWHERE = Tool()


def open_conditions(table: str) -> list[str]:
    """What `life` means by open, as conditions of an encoded query."""
    life = LIVES.get(table, Life())
    if life.open_states:
        return [f"{life.state}IN{','.join(life.open_states)}"]
    done = [f"{life.state}NOT IN{','.join(life.done_states)}"] if life.done_states else []
    return ["active=true", *done]
