"""pysnow: offset pages, by hand (it cuts a table at 10,000 without a word); GET + PUT to write."""

from itertools import count
from typing import Any

import pysnow
from told import FIELDS, PASSWORD, USER, Tally, main, wanted


def _resource(url: str) -> Any:
    host = url.removeprefix("http://")
    client = pysnow.Client(host=host, user=USER, password=PASSWORD, use_ssl=False)
    client.parameters.exclude_reference_link = True
    client.parameters.suppress_pagination_header = True
    client.parameters.add_custom({"sysparm_no_count": True})
    return client.resource(api_path="/table/incident")


def pull(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """Pages by offset until a short one."""
    resource, page = _resource(url), setting["page"]
    for offset in count(0, page):
        found = resource.get(
            query="ORDERBYsys_id",
            fields=list(FIELDS),
            limit=page,
            offset=offset,
            stream=setting.get("stream", False),
        )
        records = list(found.all())
        tally.records(records)
        if len(records) < page:
            return


def write(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """`update()`: reads the record, then writes it."""
    resource = _resource(url)
    for sys_id, values in wanted(setting["updates"]):
        reply = resource.update(query={"sys_id": sys_id}, payload=values)
        tally.page([(reply["sys_id"], "written")])


main({"pull": pull, "write": write})
