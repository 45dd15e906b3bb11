"""Step 3, write back: what the tool shall hold against what it was seen to hold.

1. Settle what an earlier run sent and never heard of: read those records again, first of all.
2. Plan: wanted fields that differ from the values last seen; equal means no request.
3. Send in batches: marked as sent, sent, checked field by field, confirmed, each in its own
   transaction, so that whatever dies is known to be unknown.
4. Judge: what was refused is set aside with its reason, and tried again after growing pauses.

Refuses to write anything but our own fields on the tables of `[write_back] tables`.
"""

from connector.write_back.plan import WANTED, let_go, plan, plan_lines, write_plan
from connector.write_back.send import held_back, send
from connector.write_back.sent import Sent
from connector.write_back.settings import (
    Settings,
    check_columns,
    narrowed,
    refers,
    settings_of,
)
from connector.write_back.settle import settle

__all__ = [
    "WANTED",
    "Sent",
    "Settings",
    "check_columns",
    "held_back",
    "let_go",
    "narrowed",
    "plan",
    "plan_lines",
    "refers",
    "send",
    "settings_of",
    "settle",
    "write_plan",
]
