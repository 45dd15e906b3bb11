"""How many, and the newest: one small question instead of a list (Aggregate API, §4.2).

Counts are taken before rows are hidden by ACLs: an upper bound of what a list would bring.
"""

from typing import Any

from connector.itsm.base import Count
from connector.itsm.servicenow.decode import BadBody, decode_result, text, whole_number
from connector.itsm.servicenow.gate import Request
from connector.itsm.servicenow.keys import is_moment, table_path
from connector.itsm.servicenow.session import Session

NEWEST = "sys_updated_on"
SAVES = "sys_mod_count"


def count_records(session: Session, table: str, query: str) -> Count:
    """Count the records of a query. Raises InstanceError and its kinds."""
    params = {
        "sysparm_query": query,
        "sysparm_count": "true",
        "sysparm_max_fields": NEWEST,
        "sysparm_sum_fields": SAVES,
        "sysparm_display_value": "false",
    }
    path = table_path(table).replace("/table/", "/stats/")
    return session.call(Request("GET", path, params), _count).value


def _count(body: bytes) -> Count:
    found = decode_result(body)
    if isinstance(found, list) and len(found) == 1:  # as a grouped answer has it
        found = found[0]
    stats: Any = found.get("stats") if isinstance(found, dict) else None
    count = whole_number(text(stats.get("count"))) if isinstance(stats, dict) else None
    if count is None:
        raise BadBody("no count")
    moment = _of(stats, "max", NEWEST)
    saves = whole_number(_of(stats, "sum", SAVES))
    return Count(count, moment if is_moment(moment) else "", saves)


def _of(stats: dict[str, Any], function: str, field: str) -> str:
    found = stats.get(function)
    return text(found.get(field)) if isinstance(found, dict) else ""
