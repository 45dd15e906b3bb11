"""A report's links, followed in a running tool: the list holds exactly the records of the cell.

What each cell counts is said again in plain Python; the tool answers over HTTP, to a reader in the
time zone of the report.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.journey import fields
from connector.report.build import Choice, build_report
from connector.report.layout import Linked
from connector.report.links import Tool
from connector.report.render import render
from connector.report.report import Report
from connector.report.view import view_of
from connector.sandbox.clock import VirtualClock
from connector.sandbox.database import Database
from connector.sandbox.instance import Instance
from connector.sandbox.schema import load_schema
from connector.store.database import Store
from tests.golden import relations
from tests.golden.sample import NOW, Sample, fill_store, make_sample, sample_mapping
from tests.sandbox_instance import PASSWORD, SCHEMA, USER, USER_ID, Api, serving
from tests.unit.test_report_figures import (
    END,
    PERIOD,
    START,
    ZONE,
    ended,
    in_period,
    is_open,
    opened,
    rows_of,
)

WRITTEN = frozenset({"incident", "sc_req_item", "sysapproval_approver"})
TOOL = Tool("https://example.invalid", WRITTEN)
ONLY = (
    "overview", "durations", "conversion", "touchpoints", "moments", "agreements", "mapping",
)  # fmt: skip
OWN = (
    fields.STEP, fields.TOUCHPOINT, fields.BAND, fields.MOMENT, fields.OUTCOME, fields.VALUE,
    fields.RULE, fields.CONFIDENCE,
)  # fmt: skip
COLUMN = '{} = {{ type = "{}", label = {{ en = "x", es = "x" }} }}\n'
TABLES = """
[sc_req_item]
label = { en = "Item", es = "Elemento" }
plural = { en = "Items", es = "Elementos" }
extends = "task"
prefix = "RITM"

[sysapproval_approver]
label = { en = "Approval", es = "Aprobación" }
plural = { en = "Approvals", es = "Aprobaciones" }
[sysapproval_approver.columns]
state = { type = "string", label = { en = "State", es = "Estado" } }
"""
COLUMNS = ("state", "active", "number", "opened_at", "closed_at", "resolved_at", "sys_created_on")


def hex_id(sys_id: str) -> str:
    """An id as the tool's: 32 hexadecimal digits."""
    return sys_id.encode().hex().ljust(32, "0")


def moment_of(moments: list[dict[str, Any]]) -> str:
    """What the tool shows of a record's moments: the heaviest decided one, else an open one."""
    ranks = {"negative": 2, "positive": 2, "open": 1, "neutral": 0}
    words = {"open": "potential"}
    best = max(
        moments,
        key=lambda m: (ranks[m["polarity"]], m["weight"], m["polarity"] == "negative"),
        default=None,
    )
    return words.get(best["polarity"], best["polarity"]) if best else ""


@pytest.fixture(scope="module")
def sample() -> Sample:
    """The records as they are after write-back: the journey stands on every one of them."""
    made = make_sample(220, 80)
    moments = defaultdict(list)
    for one in relations.moments_of(made.records["incident"], NOW):
        moments[one["sys_id"]].append(one)
    placed = {(c["table_name"], c["sys_id"]): c for c in made.classification}
    for table in WRITTEN:
        for record in made.records[table]:
            place = placed[table, record["sys_id"]]
            record.update(dict.fromkeys(OWN, ""))
            if place["rule_id"] in ("test-noise", "unclassified"):
                continue  # there is nothing to be shown of it, so nothing was written
            record.update(
                {
                    fields.STEP: place["steps"]["travesia"],
                    fields.TOUCHPOINT: place["touchpoint"],
                    fields.BAND: place["band"],
                    fields.MOMENT: moment_of(moments[record["sys_id"]]),
                    fields.OUTCOME: place["outcome"],
                    fields.VALUE: place["value"],
                    fields.RULE: place["rule_id"],
                    fields.CONFIDENCE: place["confidence"],
                }
            )
    return made


@pytest.fixture(scope="module")
def tool(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The records, served over HTTP to a reader in the report's time zone."""
    folder = tmp_path_factory.mktemp("tool")
    own = "".join(COLUMN.format(column, "string") for column in OWN)
    ends = "".join(COLUMN.format(c, "glide_date_time") for c in ("closed_at", "resolved_at"))
    text = SCHEMA.replace("[task.columns]\n", f"[task.columns]\n{own}{ends}") + TABLES + own
    (folder / "schema.toml").write_text(text, encoding="utf-8")
    clock = VirtualClock(NOW, frozen=True)
    database = Database(folder / "i.db", load_schema(folder / "schema.toml"), clock)
    reader = {"sys_id": USER_ID, "user_name": USER, "name": "Reader", "time_zone": ZONE}
    database.load("sys_user", [reader])
    for table in sorted(WRITTEN):
        rows = [
            {"sys_id": hex_id(one["sys_id"])}
            | {column: one[column] for column in (*COLUMNS, *OWN) if column in one}
            for one in sample.records[table]
        ]
        database.load(table, rows)
    with serving(Instance(database, PASSWORD)) as api:
        yield api


@pytest.fixture(scope="module")
def store(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fill_store(tmp_path_factory.mktemp("store") / "s.duckdb", sample) as store:
        yield store


def report_of(store: Store, tool: Tool = TOOL, *, scope: str = "") -> Report:
    return build_report(
        store, sample_mapping(), PERIOD.start, PERIOD.end, "en", ZONE,
        choice=Choice(scope, only=ONLY), tool=tool,
    )  # fmt: skip


def lists_in(report: Report) -> dict[tuple[str, int], list[Linked]]:
    """Section and which of its tables → the cells that lead to a list."""
    found: dict[tuple[str, int], list[Linked]] = defaultdict(list)
    for section in view_of(report).sections:
        for number, table in enumerate(section.tables):
            found[section.id, number] += [
                cell for row in table.rows for cell in row
                if isinstance(cell, Linked) and "_list.do" in cell.url
            ]  # fmt: skip
    return {key: cells for key, cells in found.items() if cells}


# --- what each cell counts, in plain Python -------------------------------------------------------


Key = tuple[str, ...]
Told = Callable[[str, dict[str, str], dict[str, Any]], Key | None]


def has_ended(table: str, record: dict[str, str]) -> bool:
    return not is_open(table, record) and START <= ended(table, record) < END


def is_new(table: str, record: dict[str, str]) -> bool:
    return START <= opened(table, record) < END


def step(placed: dict[str, Any]) -> str:
    return str((placed["steps"] or {}).get("travesia", ""))


def open_now(table: str, record: dict[str, str], placed: dict[str, Any]) -> Key | None:
    return (step(placed),) if is_open(table, record) and step(placed) else None


def of_period(table: str, record: dict[str, str], placed: dict[str, Any]) -> Key | None:
    return (step(placed),) if in_period(table, record) and step(placed) else None


def how_it_ended(table: str, record: dict[str, str], placed: dict[str, Any]) -> Key | None:
    if table not in ("incident", "sc_req_item") or not has_ended(table, record):
        return None
    unsaid = "denied" if placed["touchpoint"] == "survey_answered" else "unknown"
    return (placed["value"] or placed["outcome"] or unsaid,)


def at_touchpoint(table: str, record: dict[str, str], placed: dict[str, Any]) -> Key | None:
    place = (placed["touchpoint"], step(placed), placed["band"])
    return place if in_period(table, record) and placed["touchpoint"] else None


def open_at_touchpoint(table: str, record: dict[str, str], placed: dict[str, Any]) -> Key | None:
    return at_touchpoint(table, record, placed) if is_open(table, record) else None


def life_at(table: str, record: dict[str, str], placed: dict[str, Any]) -> Key | None:
    is_over = has_ended(table, record) and ended(table, record) > opened(table, record)
    return (placed["touchpoint"],) if is_over and placed["touchpoint"] else None


def fate(table: str, record: dict[str, str], placed: dict[str, Any]) -> Key | None:
    if not is_new(table, record) or not step(placed):
        return None
    return (step(placed), "open" if is_open(table, record) else placed["outcome"])


def shown_moment(table: str, record: dict[str, str], _placed: dict[str, Any]) -> Key | None:
    moment = record.get(fields.MOMENT, "")
    return (moment,) if is_open(table, record) and moment else None


def approval(table: str, record: dict[str, str], placed: dict[str, Any]) -> Key | None:
    is_one = table == "sysapproval_approver" and is_new(table, record)
    return (placed["touchpoint"],) if is_one else None


def table_in_period(table: str, record: dict[str, str], _placed: dict[str, Any]) -> Key | None:
    return ("in",) if in_period(table, record) else None


def table_open(table: str, record: dict[str, str], placed: dict[str, Any]) -> Key | None:
    return ("open",) if table_in_period(table, record, placed) and is_open(table, record) else None


def table_unsure(table: str, record: dict[str, str], placed: dict[str, Any]) -> Key | None:
    is_one = table_in_period(table, record, placed) and placed["confidence"] == "low"
    return ("unsure",) if is_one else None


KINDS: dict[tuple[str, int], tuple[Told, ...]] = {
    ("open-now", 0): (open_now,),
    ("open-now", 1): (of_period,),
    ("value", 1): (how_it_ended,),
    ("touchpoints", 0): (at_touchpoint, open_at_touchpoint),
    ("touchpoints", 1): (at_touchpoint, open_at_touchpoint),
    ("durations", 1): (life_at,),
    ("conversion", 0): (fate,),
    ("moments", 2): (shown_moment,),
    ("agreements", 0): (approval,),
    ("quality", 1): (table_in_period, table_open, table_unsure),
}
"""Where there are lists → what their cells count."""


def sets_of(sample: Sample, told: Told) -> dict[tuple[str, Key], frozenset[str]]:
    """(table, cell) → its records, by their ids in the tool."""
    found: dict[tuple[str, Key], set[str]] = defaultdict(set)
    for table, record, placed in rows_of(sample):
        key = told(table, record, dict(placed))
        if key is not None:
            found[table, key].add(hex_id(record["sys_id"]))
    return {key: frozenset(ids) for key, ids in found.items()}


def follow(tool: Api, cell: Linked) -> tuple[str, frozenset[str]]:
    """What the tool lists behind a link: its table, and the ids."""
    parts = urlsplit(cell.url)
    table = parts.path.strip("/").removesuffix("_list.do")
    (query,) = parse_qs(parts.query)["sysparm_query"]
    asked = {"sysparm_query": query, "sysparm_fields": "sys_id", "sysparm_limit": "10000"}
    answer = tool.get(f"/api/now/table/{table}", params=asked)
    assert answer.status_code == 200, answer.text
    return table, frozenset(row["sys_id"] for row in answer.json()["result"])


def test_every_list_opens_exactly_the_records_that_its_cell_counts(
    tool: Api, sample: Sample, store: Store
) -> None:
    report = report_of(store)
    found = lists_in(report)
    page = render(report, "html").content.decode()
    assert found.keys() == KINDS.keys(), "each kind of list is followed"
    for kind, cells in found.items():
        wanted = [sets_of(sample, told) for told in KINDS[kind]]
        for cell in cells:
            table, listed = follow(tool, cell)
            sets = {ids for one in wanted for (of, _key), ids in one.items() if of == table}
            assert listed in sets, (kind, cell.url)
            assert len(listed) == int(cell.replace(",", ""))
            assert cell.url.replace("&", "&amp;").replace("'", "&#39;") in page


@pytest.mark.parametrize("kind", [("open-now", 0), ("open-now", 1), ("value", 1), ("moments", 2)])
def test_every_cell_that_the_columns_can_say_has_its_list(
    sample: Sample, store: Store, kind: tuple[str, int]
) -> None:
    (told,) = KINDS[kind]
    cells = [ids for (table, _key), ids in sets_of(sample, told).items() if table in WRITTEN]
    assert Counter(map(len, cells)) == Counter(int(c) for c in lists_in(report_of(store))[kind])


def test_where_somebody_overwrote_a_record_its_cells_have_no_list(
    sample: Sample, tmp_path: Path
) -> None:
    """Nor has the cell that it would now be found in."""
    records = {table: [dict(one) for one in rows] for table, rows in sample.records.items()}
    (moved, *_rest) = [
        one for one in records["incident"]
        if one[fields.STEP] == "usar" and is_open("incident", one)
    ]  # fmt: skip
    moved[fields.STEP] = "medir"
    with fill_store(tmp_path / "s.duckdb", replace(sample, records=records)) as store:
        report = report_of(store)
    queries = [
        parse_qs(urlsplit(cell.url).query)["sysparm_query"][0]
        for cells in lists_in(report).values() for cell in cells
        if "/incident_list" in cell.url
    ]  # fmt: skip
    assert queries, "others keep theirs"
    assert not [
        query for query in queries
        if query.startswith((f"{fields.STEP}=usar", f"{fields.STEP}=medir"))
    ]  # fmt: skip


def test_records_that_are_let_go_here_and_kept_in_the_tool_are_in_no_list(store: Store) -> None:
    assert lists_in(report_of(store, replace(TOOL, kept_months=25)))
    assert not lists_in(report_of(store, replace(TOOL, kept_months=1)))
