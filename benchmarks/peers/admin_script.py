"""The script that an administrator would write with pysnow: the yardstick of benchmarks/nightly.py.

Every table's records that changed since yesterday, a page after the other; a few ifs; one update
for each record. Nothing is kept between nights, nothing is compared, nothing is retried.

    python admin_script.py <url> <since> <tables as JSON> <most updates>
"""

import json
import sys
import time
from itertools import count
from typing import Any

import pysnow

PAGE = 1_000
USER, PASSWORD = "travesia.integration", "sandbox"
CLOSED = {"6", "7", "8", "3", "4", "closed_complete", "closed_incomplete", "delivered"}


def classify(table: str, record: dict[str, str]) -> dict[str, str]:
    """Step and touchpoint by table and state."""
    state = record.get("request_state") or record.get("state") or ""
    if table == "sc_request":
        step, touchpoint = ("construir", "order") if state not in CLOSED else ("usar", "delivery")
    elif table == "sc_req_item":
        step, touchpoint = ("construir", "fulfil") if state not in CLOSED else ("usar", "delivery")
    elif record.get("hold_reason"):
        step, touchpoint = "usar", "wait_for_user"
    else:
        step, touchpoint = ("usar", "support") if state not in CLOSED else ("usar", "resolved")
    return {
        "u_journey_step": step,
        "u_journey_touchpoint": touchpoint,
        "u_journey_band": "visible" if table != "sc_task" else "backstage",
    }


def pages(resource: Any, since: str, fields: list[str]) -> Any:
    """Everything since then, by offset."""
    for offset in count(0, PAGE):
        found = resource.get(
            query=f"sys_updated_on>={since}^ORDERBYsys_updated_on",
            fields=fields,
            limit=PAGE,
            offset=offset,
        ).all()
        yield found
        if len(found) < PAGE:
            return


def main() -> None:
    """Read all, write what is written; tell how long each took."""
    url, since, tables, most = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), int(sys.argv[4])
    host = url.removeprefix("http://")
    client = pysnow.Client(host=host, user=USER, password=PASSWORD, use_ssl=False)
    client.parameters.exclude_reference_link = True
    began, plan, read = time.perf_counter(), [], 0
    for table, spec in tables.items():
        resource = client.resource(api_path=f"/table/{table}")
        for page in pages(resource, since, spec["fields"]):
            read += len(page)
            if spec["is_written"]:
                plan += [(resource, one["sys_id"], classify(table, one)) for one in page]
    reading = time.perf_counter() - began
    began = time.perf_counter()
    for resource, sys_id, values in plan[:most]:
        resource.update(query={"sys_id": sys_id}, payload=values)
    told = {
        "read": read,
        "read_seconds": reading,
        "to_write": len(plan),
        "written": len(plan[:most]),
        "write_seconds": time.perf_counter() - began,
    }
    print(json.dumps(told))


main()
