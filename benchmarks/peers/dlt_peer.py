"""dlt: its REST client alone (parsed, not stored), and its whole pipeline into DuckDB."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")

import dlt
import duckdb
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import HttpBasicAuth
from dlt.sources.helpers.rest_client.paginators import HeaderLinkPaginator
from told import FIELDS, PASSWORD, TABLE, USER, Tally, main


def _pages(url: str, page: int) -> Iterator[list[dict[str, str]]]:
    client = RESTClient(
        base_url=url,
        auth=HttpBasicAuth(USER, PASSWORD),
        paginator=HeaderLinkPaginator(),
        data_selector="result",
    )
    params = {
        "sysparm_query": "ORDERBYsys_id",
        "sysparm_fields": ",".join(FIELDS),
        "sysparm_limit": page,
        "sysparm_exclude_reference_link": "true",
        "sysparm_no_count": "true",
    }
    yield from client.paginate(TABLE, params=params)


def pull(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """Pages by the Link header."""
    for records in _pages(url, setting["page"]):
        tally.records(records)


def store(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """Extract, normalise and load, merged by sys_id or only appended."""
    folder = Path(setting["folder"])
    disposition = setting["write"]
    key = {"primary_key": "sys_id"} if disposition == "merge" else {}

    @dlt.resource(name="incident", write_disposition=disposition, **key)
    def incident() -> Iterator[list[dict[str, str]]]:
        yield from _pages(url, setting["page"])

    pipeline = dlt.pipeline(
        pipeline_name="peer",
        pipelines_dir=str(folder / "dlt"),
        destination=dlt.destinations.duckdb(str(folder / "dlt.duckdb")),
        dataset_name="itsm",
    )
    more = {"loader_file_format": setting["format"]} if setting.get("format") else {}
    pipeline.run(incident(), **more)
    tally.stop()
    tally.page(_stored(folder))


def _stored(folder: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folder / "dlt.duckdb")) as connection:
        return connection.execute("SELECT sys_id, number FROM itsm.incident").fetchall()


main({"pull": pull, "store": store})
