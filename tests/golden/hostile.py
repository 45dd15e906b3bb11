"""The sample as people of bad intent, or bad systems, would fill it: every text of it an attack."""

from pathlib import Path

from connector.store.database import Store
from tests.golden.sample import fill_store, make_sample

TEXTS = ("number", "priority", "short_description", "name")


def hostile_store(path: Path, text: str, incidents: int = 150, items: int = 40) -> Store:
    """The sample with `text` wherever the tool's texts come through to a report.

    Every tenth number is all of it, which may be 100 kB; others are its beginning.
    """
    sample = make_sample(incidents, items)
    # A NUL ends a text of the database: it cannot come out of it.
    whole = text.replace("\x00", "")
    for i, record in enumerate(sample.records["incident"]):
        record["number"] = whole if i % 10 == 0 else whole[:300]
        record["priority"] = whole[:300]
    for record in sample.records["sc_req_item"]:
        record["number"] = whole[:300]
    for table in ("cmn_department", "cmdb_ci_service", "core_company"):
        for record in sample.records[table]:
            record["name"] = whole
    store = fill_store(path, sample)
    store.execute("UPDATE engagement SET customer_name = $n, service_name = $n", n=whole)
    return store
