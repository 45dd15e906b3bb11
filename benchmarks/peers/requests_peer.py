"""Plain requests: what one writes without a library. Offset pages; PATCH one by one, or threads."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import requests
from told import FIELDS, PASSWORD, TABLE, USER, Tally, main, wanted


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.auth = (USER, PASSWORD)
    session.headers["Accept"] = "application/json"
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=32))
    return session


def pull(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """Pages by offset until a short one."""
    page = setting["page"]
    with _session() as session:
        for offset in count(0, page):
            params = {
                "sysparm_query": "ORDERBYsys_id",
                "sysparm_fields": ",".join(FIELDS),
                "sysparm_limit": page,
                "sysparm_offset": offset,
                "sysparm_exclude_reference_link": "true",
                "sysparm_no_count": "true",
                "sysparm_suppress_pagination_header": "true",
            }
            reply = session.get(url + TABLE, params=params, timeout=120)
            reply.raise_for_status()
            records = reply.json()["result"]
            tally.records(records)
            if len(records) < page:
                return


def write(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """One PATCH a record, `threads` at a time."""
    with _session() as session:

        def one(update: tuple[str, dict[str, str]]) -> tuple[str, str]:
            sys_id, values = update
            fields = ",".join(("sys_id", *values))
            reply = session.patch(
                f"{url}{TABLE}/{sys_id}",
                json=values,
                params={"sysparm_fields": fields},
                timeout=120,
            )
            reply.raise_for_status()
            return reply.json()["result"]["sys_id"], "written"

        with ThreadPoolExecutor(setting["threads"]) as pool:
            tally.page(pool.map(one, wanted(setting["updates"])))


main({"pull": pull, "write": write})
