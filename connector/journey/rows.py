"""Rows of our own table beside the records, for those who want nothing on the ticket itself.

A row's sys_id is made of its record's table and sys_id: sent twice, it is one row.
"""

import hashlib

from connector.journey.own_tables import JOURNEY_TABLE

TABLE = JOURNEY_TABLE.name


def row_id(table: str, sys_id: str) -> str:
    """The sys_id of the row that tells of a record."""
    name = "\n".join(("travesia", TABLE, table, sys_id))
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
