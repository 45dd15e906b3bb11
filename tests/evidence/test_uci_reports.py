"""All reports on the UCI year, their figures held against a plain count of the same records."""

import io
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connector.classify import save_classification
from connector.encoded_query import Context
from connector.moments import decide_moments
from connector.report.build import Choice, build_report
from connector.report.chapters import CHAPTERS, MONTHLY
from connector.report.render import render
from connector.report.report import Report
from connector.report.view import view_of
from connector.sandbox.seeds.uci import load
from tests.evidence.uci_store import uci_kit
from tests.journey_kit import schema

pytestmark = [pytest.mark.evidence, pytest.mark.timeout(600)]
END = datetime(2017, 3, 1, tzinfo=UTC)
FIRST, AFTER = datetime(2016, 4, 1, tzinfo=UTC), datetime(2016, 5, 1, tzinfo=UTC)
ALL = (*MONTHLY, *(name for name in CHAPTERS if name not in MONTHLY))
Rows = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def records(uci: Path) -> Rows:
    found: Rows = {}
    for table, rows in load(uci, END):
        found.setdefault(table, []).extend(dict(row) for row in rows)
    return found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, uci: Path) -> Report:
    """April 2016, all eighteen chapters."""
    kit = uci_kit(tmp_path_factory.mktemp("uci"), uci, END)
    kit.classify(END)
    save_classification(kit.store, "r1")
    decide_moments(kit.store, kit.mapping, schema(), Context(END, "UTC"), "r1")
    kit.finish("r1", END)
    made = build_report(kit.store, kit.mapping, FIRST, AFTER, "en", choice=Choice(only=ALL))
    kit.store.close()
    return made


def in_april(moment: str) -> bool:
    return "2016-04-01 00:00:00" <= moment < "2016-05-01 00:00:00"


def figure(report: Report, name: str, item: str = "") -> Any:
    rows = pq.read_table(io.BytesIO(render(report, "parquet").content)).to_pylist()
    (found,) = [r for r in rows if (r["figure"], r["item"], r["journey"]) == (name, item, "")]
    return found


def test_tickets_opened_and_resolved_are_those_of_the_records(
    report: Report, records: Rows
) -> None:
    incidents = records["incident"]
    opened = sum(in_april(row["opened_at"]) for row in incidents)
    # Resolved (6), closed (7), cancelled (8): nothing else has ended.
    ended = sum(
        in_april(row.get("resolved_at") or row.get("closed_at") or "")
        for row in incidents if row["state"] in {"6", "7", "8"}
    )  # fmt: skip
    assert opened > 3_000
    assert figure(report, "tickets_opened")["value"] == opened
    assert figure(report, "tickets_resolved")["value"] == ended


def test_the_share_of_clocks_met_is_that_of_the_rows(report: Report, records: Rows) -> None:
    def touches(row: dict[str, str]) -> bool:
        start, end = row["start_time"], row.get("end_time") or "9"
        return start < "2016-05-01 00:00:00" and end >= "2016-04-01 00:00:00"

    kinds: Counter[str] = Counter()
    for row in records["task_sla"]:
        if touches(row) and row["stage"] != "cancelled":
            is_breached = row["has_breached"] == "true" or row["stage"] == "breached"
            kinds["breached" if is_breached else row["stage"]] += 1
    met = kinds["completed"] + kinds["achieved"]
    found = figure(report, "sla_met_share")
    assert found["records"] == met + kinds["breached"]
    assert found["value"] == pytest.approx(met / (met + kinds["breached"]), abs=5e-5)


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_whole_set_is_written_in_both_languages_without_an_empty_chapter(
    report: Report, language: str
) -> None:
    said = report.in_language(language)
    view = view_of(said)
    for section in view.sections:
        assert section.tables or section.notes, section.id
        for table in section.tables:
            assert table.rows, (section.id, table.caption)
    page = render(said, "html").content.decode()
    assert page.count("<svg") == sum(len(drawn) for drawn in view.pictures.values())
    # Relationships and bands are not told here: a store without its audit has no times of them.
    assert {"steps", "weeks", "sla", "moments"} <= set(view.pictures)
    assert "None" not in page
    assert render(said, "pdf").content.startswith(b"%PDF")
