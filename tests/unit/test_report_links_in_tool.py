"""A report's links, followed in a running tool: the list holds exactly the records of the cell."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.journey.fields import STEP
from connector.report.build import Choice, build_report
from connector.report.links import Tool
from connector.report.render import render
from connector.sandbox.clock import VirtualClock
from connector.sandbox.database import Database
from connector.sandbox.instance import Instance
from connector.sandbox.schema import load_schema
from tests.golden.sample import NOW, Sample, fill_store, make_sample, sample_mapping
from tests.sandbox_instance import PASSWORD, SCHEMA, USER, USER_ID, Api, serving
from tests.unit.test_report_figures import PERIOD, ZONE, is_open, rows_of
from tests.unit.test_report_links import linked

WRITTEN = frozenset({"incident", "sc_req_item"})
ITEMS = """
[sc_req_item]
label = { en = "Item", es = "Elemento" }
plural = { en = "Items", es = "Elementos" }
extends = "task"
prefix = "RITM"
"""
STEP_COLUMN = f'{STEP} = {{ type = "string", label = {{ en = "Step", es = "Paso" }} }}\n'
COLUMNS = ("state", "active", "number")


@pytest.fixture(scope="module")
def sample() -> Sample:
    """Its ids as the tool's: 32 hexadecimal digits."""
    return make_sample(160, 60)


def hex_id(sys_id: str) -> str:
    return sys_id.encode().hex().ljust(32, "0")


@pytest.fixture(scope="module")
def tool(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The records after write-back, served over HTTP."""
    folder = tmp_path_factory.mktemp("tool")
    text = SCHEMA.replace("[task.columns]\n", f"[task.columns]\n{STEP_COLUMN}") + ITEMS
    (folder / "schema.toml").write_text(text, encoding="utf-8")
    clock = VirtualClock(NOW, frozen=True)
    database = Database(folder / "i.db", load_schema(folder / "schema.toml"), clock)
    database.load("sys_user", [{"sys_id": USER_ID, "user_name": USER, "name": "Integration"}])
    places = {c["sys_id"]: (c["steps"] or {}).get("travesia", "") for c in sample.classification}
    for table in sorted(WRITTEN):
        rows = [
            {
                "sys_id": hex_id(one["sys_id"]),
                STEP: places[one["sys_id"]],
                **{column: one[column] for column in COLUMNS if column in one},
            }
            for one in sample.records[table]
        ]
        database.load(table, rows)
    with serving(Instance(database, PASSWORD)) as api:
        yield api


def test_every_list_link_of_the_page_opens_exactly_the_records_it_counts(
    tool: Api, sample: Sample, tmp_path: Path
) -> None:
    with fill_store(tmp_path / "s.duckdb", sample) as store:
        report = build_report(
            store, sample_mapping(), PERIOD.start, PERIOD.end, "en", ZONE,
            choice=Choice(only=("overview",)), tool=Tool("https://example.invalid", WRITTEN),
        )  # fmt: skip
    page = render(report, "html").content.decode()
    cells = linked(report)
    assert {urlsplit(c.url).path for c in cells} == {"/incident_list.do", "/sc_req_item_list.do"}
    for cell in cells:
        parts = urlsplit(cell.url)
        table = parts.path.strip("/").removesuffix("_list.do")
        (query,) = parse_qs(parts.query)["sysparm_query"]
        assert cell.url.replace("&", "&amp;") in page
        asked = {"sysparm_query": query, "sysparm_fields": "sys_id", "sysparm_limit": "10000"}
        answer = tool.get(f"/api/now/table/{table}", params=asked)
        assert answer.status_code == 200, answer.text
        found = {row["sys_id"] for row in answer.json()["result"]}
        assert len(found) == int(cell.replace(",", ""))
        step = query.partition("^")[0].removeprefix(f"{STEP}=")
        assert found == {
            hex_id(record["sys_id"])
            for name, record, placed in rows_of(sample)
            if name == table and is_open(name, record)
            and (placed["steps"] or {}).get("travesia") == step  # type: ignore[attr-defined]
        }  # fmt: skip
