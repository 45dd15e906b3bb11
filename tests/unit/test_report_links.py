"""Links into the tool: a list holds exactly the records that its cell counts, or there is none."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.encoded_query import Context
from connector.evaluate import ask
from connector.journey.fields import STEP
from connector.journey.model import FieldInfo
from connector.journey.scope import catalogue_of
from connector.report.build import Choice, build_report
from connector.report.chapters import CHAPTERS
from connector.report.layout import Linked
from connector.report.links import NOWHERE, Tool
from connector.report.list_queries import both, branches_of, open_conditions, query_of
from connector.report.report import Report
from connector.store.database import Store
from connector.store.records import list_columns
from tests.golden.sample import NOW, fill_store, make_sample, sample_mapping
from tests.unit.test_report_scope import PERIOD, ZONE

TOOL = Tool("https://example.service-now.com", frozenset({"incident", "sc_req_item"}))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The sample as it is after write-back: the step stands on every record."""
    sample = make_sample()
    for table in ("incident", "sc_req_item"):
        steps = {
            c["sys_id"]: (c["steps"] or {}).get("travesia", "")
            for c in sample.classification
            if c["table_name"] == table
        }
        for record in sample.records[table]:
            record[STEP] = steps[record["sys_id"]]
    with fill_store(Path(tmp_path_factory.mktemp("store")) / "s.duckdb", sample) as store:
        yield store


def report_of(store: Store, tool: Tool, scope: str = "") -> Report:
    return build_report(
        store, sample_mapping(), PERIOD.start, PERIOD.end, "en", ZONE,
        choice=Choice(scope, only=("overview",)), tool=tool,
    )  # fmt: skip


def linked(report: Report) -> list[Linked]:
    found = CHAPTERS["overview"].sections(report, report.parts["overview"])
    return [
        cell for section in found for table in section.tables for row in table.rows
        for cell in row if isinstance(cell, Linked)
    ]  # fmt: skip


def records_of(store: Store, table: str, query: str) -> int:
    """How many records an encoded query matches, by the engine that reads rules."""
    columns = {table: set(list_columns(store, table))}
    schema = {(table, column): FieldInfo("string") for column in columns[table]}
    catalogue = catalogue_of(sample_mapping(), schema, columns)
    asked = ask(store, catalogue, Context(NOW, ZONE), table, {"matches": query})
    return int(store.value(f"SELECT count(*) FILTER (matches) FROM ({asked})"))


def test_a_list_holds_exactly_the_records_of_its_cell(store: Store) -> None:
    cells = linked(report_of(store, TOOL))
    assert len(cells) >= 3
    for cell in cells:
        parts = urlsplit(cell.url)
        table = parts.path.strip("/").removesuffix("_list.do")
        (query,) = parse_qs(parts.query)["sysparm_query"]
        assert query.startswith(f"{STEP}=")
        assert records_of(store, table, query) == int(cell.replace(",", "")), cell.url


def test_tables_that_are_not_written_have_no_list(store: Store) -> None:
    tables = {urlsplit(cell.url).path for cell in linked(report_of(store, TOOL))}
    assert tables == {"/incident_list.do", "/sc_req_item_list.do"}
    assert linked(report_of(store, NOWHERE)) == []


def test_no_list_can_say_what_belongs_to_a_part(store: Store) -> None:
    assert linked(report_of(store, TOOL, "department=Finanzas")) == []


def test_a_mapping_that_leaves_records_out_has_no_list(store: Store) -> None:
    """What a filter leaves out is in the tool's list, and in no figure of ours."""
    mapping = sample_mapping()
    spec = replace(mapping.tables["incident"], filter="categoryISNOTEMPTY")
    filtered = replace(mapping, tables={**mapping.tables, "incident": spec})
    report = build_report(
        store, filtered, PERIOD.start, PERIOD.end, "en", ZONE,
        choice=Choice(only=("overview",)), tool=TOOL,
    )  # fmt: skip
    assert {urlsplit(cell.url).path for cell in linked(report)} == {"/sc_req_item_list.do"}


def test_the_days_of_a_period_are_said_in_the_readers_own_clock() -> None:
    columns = ("opened_at", "resolved_at", "closed_at", "active", "state")
    opened = query_of(branches_of("opened", "incident", columns, PERIOD), ["u_x=1"])
    assert opened == (
        "u_x=1^opened_at>=javascript:gs.dateGenerate('2026-10-01','00:00:00')"
        "^opened_at<javascript:gs.dateGenerate('2026-11-01','00:00:00')"
    )
    ended = branches_of("ended", "incident", columns, PERIOD)
    assert [branch[0] for branch in ended][1] == "resolved_atISEMPTY"
    closed = branches_of("closed", "incident", columns, PERIOD)
    assert closed == (("active=false^ORstateIN6,7,8",),)
    assert len(both(branches_of("in_period", "incident", columns, PERIOD), closed)) == 4


def test_open_is_said_as_the_figures_mean_it() -> None:
    assert open_conditions("incident") == ["active=true", "stateNOT IN6,7,8"]
    assert open_conditions("task_sla") == ["stageINstarting,in_progress,paused"]
    assert open_conditions("sc_task") == ["active=true"]


def test_what_stands_in_an_address_is_quoted() -> None:
    cell = TOOL.record("x", "incident", 'a"><script>&b=')
    assert isinstance(cell, Linked)
    assert not set(cell.url.partition("sys_id=")[2]) & set('"<>&=')
