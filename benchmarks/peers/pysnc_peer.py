"""PySNC: ServiceNow's own. Iterates records; updates one by one, or many in one batch."""

from typing import Any

import pysnc
from told import FIELDS, PASSWORD, USER, Tally, main, wanted


def _client(url: str) -> Any:
    client = pysnc.ServiceNowClient(url.replace("http://", "https://"), (USER, PASSWORD))
    # It refuses plain http, which spares it TLS here as it does everybody else.
    client._ServiceNowClient__instance = url
    client.session.trust_env = False
    return client


def pull(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """Every record through its iterator, as its own documentation does."""
    records = _client(url).GlideRecord("incident", batch_size=setting["page"])
    records.fields = list(FIELDS)
    records.query()
    tally.page((str(r.get_value("sys_id")), str(r.get_value("number"))) for r in records)


def write(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """`update()` on each record, or `update_multiple()` in chunks; both read them first."""
    client, updates = _client(url), wanted(setting["updates"])
    size, one_by_one = setting.get("batch", 100), "batch" not in setting
    for start in range(0, len(updates), size):
        some = dict(updates[start : start + size])
        records = client.GlideRecord("incident", batch_size=size)
        records.fields = ["sys_id", *next(iter(some.values()))]
        records.add_query("sys_id", "IN", ",".join(some))
        records.query()
        if one_by_one:
            _update_one(records, some, tally)
        else:
            _update_many(records, some, tally)


def _set(record: Any, some: dict[str, dict[str, str]]) -> str:
    sys_id = str(record.get_value("sys_id"))
    for name, value in some[sys_id].items():
        record.set_value(name, value)
    return sys_id


def _update_one(records: Any, some: dict[str, dict[str, str]], tally: Tally) -> None:
    while records.next():
        sys_id = _set(records, some)
        if records.update():
            tally.page([(sys_id, "written")])


def _update_many(records: Any, some: dict[str, dict[str, str]], tally: Tally) -> None:
    done = [_set(record, some) for record in records]
    if records.update_multiple():
        tally.page((sys_id, "written") for sys_id in done)


main({"pull": pull, "write": write})
