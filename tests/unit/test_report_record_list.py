"""The list of records: behind each figure exactly as many as it says, and of few people none."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.report.build import Choice, build_report
from connector.report.layout import Line
from connector.report.record_list import COLUMNS, write_records
from connector.report.report import Report
from connector.report.scope import find_scope
from connector.report.source import open_source
from connector.report.table import lines as lines_of
from connector.store.database import Store
from tests.golden.sample import Sample, fill_store, make_sample, sample_mapping
from tests.unit.test_report_figures import PERIOD, ZONE, in_period, rows_of

ONLY = ("overview", "sla", "touchpoints", "conversion", "moments")
LISTED = {
    "records_in_period", "records_open", "records_placed", "records_entered", "records_left",
    "open_now", "tickets_opened", "tickets_resolved", "closures", "touchpoint_records",
    "moments_lost", "moments_won", "moments_neutral", "moments_open", "moves",
    "sla_met", "sla_breached", "sla_running",
}  # fmt: skip


@pytest.fixture(scope="module")
def sample() -> Sample:
    made = make_sample(260, 80)
    made.records["incident"][3]["number"] = "=cmd|\"' /C calc'!A0\"\u202e\n\x07"
    return made


@pytest.fixture(scope="module")
def store(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fill_store(tmp_path_factory.mktemp("store") / "s.duckdb", sample) as store:
        yield store


def listed(store: Store, to: Path, scope: str = "") -> tuple[Report, list[dict[str, str]]]:
    report = build_report(
        store, sample_mapping(), PERIOD.start, PERIOD.end, "en", ZONE,
        choice=Choice(scope, only=ONLY),
    )  # fmt: skip
    source = open_source(store, sample_mapping(), PERIOD, find_scope(store, scope))
    write_records(report, source, to / "it's.csv")
    with (to / "it's.csv").open(encoding="utf-8", newline="") as file:
        return report, list(csv.DictReader(file))


def cell_of_line(line: Line) -> tuple[str, ...]:
    figure = "moves" if line.figure == "back_steps" else line.figure
    step = line.step or (line.item if line.journey else "")
    return figure, line.journey, step, line.item, line.band


def cell_of_row(row: dict[str, str]) -> tuple[str, ...]:
    # Words that a spreadsheet would run are disarmed; ids are none.
    return row["figure"], row["journey"], row["step"], row["item"], row["band"]


def is_listed(line: Line) -> bool:
    """Weeks, tables and open by table have items of their own, which are told apart by column."""
    is_part = line.figure in ("tickets_opened", "tickets_resolved", "open_now") and bool(line.item)
    is_part |= line.figure == "records_in_period" and bool(line.step)
    is_part |= line.figure == "closures" and " " in line.item
    is_table = line.figure.startswith("records_") and line.item and not line.journey
    return line.figure in LISTED and not is_part and not is_table


@pytest.mark.parametrize("scope", ["", "department=Ventas"])
def test_each_figure_has_as_many_records_as_it_says(
    store: Store, tmp_path: Path, scope: str
) -> None:
    report, rows = listed(store, tmp_path, scope)
    assert tuple(rows[0]) == COLUMNS
    counts = Counter(map(cell_of_row, rows))
    shown = {cell_of_line(line): line.value for line in lines_of(report) if is_listed(line)}
    assert {cell[0] for cell in shown} == LISTED
    for cell, value in shown.items():
        assert counts.get(cell, 0) == (value or 0), cell
    if scope:
        dark = [cell for cell, value in shown.items() if value is None]
        assert dark, "else nothing was hidden"
        assert not set(dark) & set(counts)


def test_a_cells_records_are_those_that_plain_python_finds(
    store: Store, sample: Sample, tmp_path: Path
) -> None:
    _report, rows = listed(store, tmp_path)
    wanted = {
        (table, record["sys_id"])
        for table, record, placed in rows_of(sample)
        if in_period(table, record) and (placed["steps"] or {}).get("travesia") == "medir"  # type: ignore[attr-defined]
    }
    cell = ("records_in_period", "travesia", "medir", "medir", "")
    assert {(r["table"], r["sys_id"]) for r in rows if cell_of_row(r) == cell} == wanted
    assert wanted


def test_numbers_are_no_formulas_and_have_no_control_characters(
    store: Store, sample: Sample, tmp_path: Path
) -> None:
    _report, rows = listed(store, tmp_path)
    hostile = sample.records["incident"][3]["sys_id"]
    numbers = {row["number"] for row in rows if row["sys_id"] == hostile}
    assert len(numbers) == 1
    (number,) = numbers
    assert number.startswith("'=cmd")
    assert not set(number) & set("\u202e\n\x07")
    others = {row["number"] for row in rows if row["table"] == "incident"} - numbers
    assert all(number.startswith("INC") for number in others)
