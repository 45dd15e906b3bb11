"""A few harmless questions at the start: who are we there, which clock, how are typos treated.

Facts: servicenow-api.md §1.3 (invalid queries), §1.8 (time zones).
"""

from connector.errors import ForbiddenError, RecordGoneError, RejectedError
from connector.itsm.base import InvalidQueryMode, PagingRight, Probe, Record
from connector.itsm.servicenow.decode import decode_records
from connector.itsm.servicenow.gate import Request
from connector.itsm.servicenow.keys import PLAIN_VALUES, is_id, is_moment, table_path
from connector.itsm.servicenow.session import Session

IMPOSSIBLE_COLUMN = "u_journey_no_such_column"


def probe(session: Session) -> Probe:
    """Ask. Raises InstanceError and its kinds."""
    mine = "sys_id=javascript:gs.getUserID()"
    fields = "sys_id,user_name,time_zone,sys_updated_on"
    found = _users(session, mine, fields)
    me = found[0] if len(found) == 1 else {}
    return Probe(
        user=me.get("user_name", ""),
        time_zone=me.get("time_zone"),
        reads_utc=_reads_utc(session, me),
        invalid_query=_invalid_query_mode(session),
    )


def probe_paging(session: Session, table: str) -> PagingRight:
    """Ask for two rows as paging asks: later than, then by key (query_range on both, §1.3).

    Raises InstanceError and its kinds, but for a plain no.
    """
    params = {
        "sysparm_query": "sys_updated_on>1970-01-01 00:00:00^sys_id>0"
        "^ORDERBYsys_updated_on^ORDERBYsys_id",
        "sysparm_fields": "sys_id,sys_updated_on",
        "sysparm_limit": "2",
        "sysparm_no_count": "true",
        **PLAIN_VALUES,
    }
    try:
        rows = session.call(Request("GET", table_path(table), params), decode_records).value
    except ForbiddenError:
        return "refused"
    keys = [(row.get("sys_updated_on", ""), row.get("sys_id", "")) for row in rows]
    return "ok" if keys == sorted(keys) and all(all(key) for key in keys) else "ignored"


IDENTITY = ("instance_id", "instance_name")
"""Properties of an installation; a copy of it gets others (or its address differs)."""


def identity(session: Session) -> str:
    """`instance_id=… instance_name=…` as far as they may be read, else "".

    Raises InstanceError and its kinds, but for a plain no.
    """
    params = {
        "sysparm_query": f"nameIN{','.join(IDENTITY)}^ORDERBYname",
        "sysparm_fields": "name,value",
        "sysparm_limit": str(2 * len(IDENTITY)),
        "sysparm_no_count": "true",
        **PLAIN_VALUES,
    }
    try:
        rows = session.call(Request("GET", table_path("sys_properties"), params), decode_records)
    except (ForbiddenError, RecordGoneError, RejectedError):
        return ""
    known = {row.get("name", ""): row.get("value", "") for row in rows.value}
    return " ".join(f"{name}={known[name]}" for name in IDENTITY if known.get(name))


def _reads_utc(session: Session, me: Record) -> bool | None:
    """Whether a time we read finds its own row again; None where that cannot be tried."""
    if not is_moment(me.get("sys_updated_on", "")) or not is_id(me.get("sys_id", "")):
        return None
    query = f"sys_id={me['sys_id']}^sys_updated_on={me['sys_updated_on']}"
    return bool(_users(session, query, "sys_id"))


def _invalid_query_mode(session: Session) -> InvalidQueryMode:
    try:
        found = _users(session, f"{IMPOSSIBLE_COLUMN}=1", "sys_id")
    except ForbiddenError:
        return "forbidden"
    return "ignored" if found else "no_rows"


def _users(session: Session, query: str, fields: str) -> list[Record]:
    params = {
        "sysparm_query": query,
        "sysparm_fields": fields,
        "sysparm_limit": "2",
        "sysparm_no_count": "true",
        **PLAIN_VALUES,
    }
    return session.call(Request("GET", table_path("sys_user"), params), decode_records).value
