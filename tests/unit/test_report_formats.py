"""Every figure as Parquet, and the report as PDF: the same figures for other readers."""

import csv
import ctypes
import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pypdfium2 as pdfium
import pytest
from pypdfium2 import raw

from connector.errors import ConnectorError
from connector.journey.model import Text
from connector.report.build import Choice, build_report
from connector.report.chapter_pictures import relations_picture
from connector.report.chapters import CHAPTERS
from connector.report.layout import Linked, Table
from connector.report.paper import widths
from connector.report.render import render, render_each
from connector.report.report import Report
from connector.report.table import COLUMNS
from connector.report.view import view_of
from connector.timestamps import format_instance
from tests.golden.rewrite import ALL, golden_report
from tests.golden.sample import fill_store, make_sample, sample_mapping
from tests.unit.test_report_scope import PERIOD


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return golden_report(tmp_path_factory.mktemp("whole"), Choice(only=ALL))


@pytest.fixture(scope="module")
def monthly(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return golden_report(tmp_path_factory.mktemp("month"))


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One department: some of its cells are kept from sight."""
    folder = Path(tmp_path_factory.mktemp("part"))
    with fill_store(folder / "s.duckdb", make_sample()) as store:
        bounds = (PERIOD.start, PERIOD.end)
        choice = Choice("department=Finanzas", only=("overview", "sla", "touchpoints"))
        return build_report(store, sample_mapping(), *bounds, "es", minimum_group=9, choice=choice)


def table_of(report: Report) -> Any:
    return pq.read_table(io.BytesIO(render(report, "parquet").content))


def csv_rows(report: Report) -> list[dict[str, str]]:
    text = render(report, "csv").content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("name", ["whole", "monthly", "part"])
def test_parquet_holds_the_csv_row_for_row_with_types(
    name: str, request: pytest.FixtureRequest
) -> None:
    report: Report = request.getfixturevalue(name)
    rows, wanted = table_of(report).to_pylist(), csv_rows(report)
    assert len(rows) == len(wanted) > 50
    for row, line in zip(rows, wanted, strict=True):
        said = float(line["value"]) if line["value"] else None
        assert (row["value"], row["records"]) == (said, int(line["records"]))
        for column in ("period_from", "period_to", "data_until"):
            assert format_instance(row[column]) == line[column]
        texts = [c for c in COLUMNS if isinstance(row[c], str)]
        # An apostrophe is the CSV's way to keep a spreadsheet from running a cell.
        assert [row[c] for c in texts] == [line[c].removeprefix("'") for c in texts]
        assert row["definition"]
    kinds = {field.name: str(field.type) for field in table_of(report).schema}
    assert tuple(kinds) == COLUMNS
    assert (kinds["value"], kinds["records"]) == ("double", "int64")
    assert kinds["period_from"] == kinds["data_until"] == "timestamp[us, tz=UTC]"


def test_a_score_is_one_number_on_the_page_in_the_picture_and_in_the_table(whole: Report) -> None:
    """Half a point goes up everywhere; a change keeps its decimal everywhere."""
    found = whole.parts["engagement"]
    row = {**found.rows[0], "score": 44.5, "month_score": 51.25, "provider": 38.5}
    changed = replace(found, rows=(row,))
    report = replace(whole, parts={**whole.parts, "engagement": changed})
    lines = {(r["figure"]): r["value"] for r in csv_rows(report) if r["figure"].startswith("trust")}
    assert (lines["trust"], lines["trust_provider"]) == ("45", "39")
    assert lines["trust_change"] == "-6.8"
    (section,) = CHAPTERS["engagement"].sections(report, changed)
    assert section.tables[0].rows[0][4:7] == ("45", "−6.8", "39")
    picture = relations_picture(report, "engagement")
    assert picture is not None
    assert picture.table is not None
    assert picture.table.rows[0][2:4] == ("45", "−6.8")


def test_what_is_kept_from_sight_is_null_in_parquet_and_counts_no_records(part: Report) -> None:
    assert part.figures.veiled, "else nothing was hidden"
    steps = {cell[2] for cell in part.figures.veiled if cell[:2] == ("open", "travesia")}
    rows = [
        row for row in table_of(part).to_pylist()
        if row["figure"] == "records_open" and row["journey"] == "travesia"
    ]  # fmt: skip
    hidden = [row for row in rows if row["item"] in steps]
    assert hidden
    assert {(row["value"], row["records"]) for row in hidden} == {(None, 0)}


# --- PDF ------------------------------------------------------------------------------------------


def pages(content: bytes) -> list[str]:
    document = pdfium.PdfDocument(content)
    # A word broken at the end of a line is one word.
    return [
        page.get_textpage().get_text_range().replace("\ufffe", "").replace("\r\n", " ")
        for page in document
    ]


def links(content: bytes) -> list[str]:
    """The addresses that the pages lead to."""
    found = []
    document = pdfium.PdfDocument(content)
    for page in document:
        position, link = ctypes.c_int(0), raw.FPDF_LINK()
        while raw.FPDFLink_Enumerate(page, position, link):
            action = raw.FPDFLink_GetAction(link)
            buffer = ctypes.create_string_buffer(2000)
            raw.FPDFAction_GetURIPath(document, action, buffer, 2000)
            found.append(buffer.value.decode())
    return found


def squeezed(text: str) -> str:
    return "".join(text.split()).replace("\u2010", "").replace("-", "")


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_pdf_says_what_the_page_says(monthly: Report, language: str) -> None:
    report = monthly.in_language(language)
    text = squeezed(" ".join(pages(render(report, "pdf").content)))
    view = view_of(report)
    wanted = [view.title, *view.closing, *(tile.value for tile in view.tiles)]
    wanted += [sentence for group in view.groups for sentence in group.sentences]
    wanted += [section.title for section in view.sections]
    wanted += [cell for s in view.sections for t in s.tables for row in t.rows for cell in row]
    wanted += [term.text for term in view.definitions]
    assert [words for words in wanted if squeezed(words) not in text] == []


def test_every_chapter_and_picture_is_in_the_pdf_with_its_words_as_letters(whole: Report) -> None:
    report = whole.in_language("es")
    content = render(report, "pdf").content
    text = squeezed(" ".join(pages(content)))
    view = view_of(report)
    pictures = [picture for drawn in view.pictures.values() for picture in drawn]
    assert len(pictures) >= 8
    assert [p.title for p in pictures if squeezed(p.title) not in text] == []
    assert "trastiendadelproveedor" in text.lower(), "the legend of a picture"
    sizes = {tuple(round(side) for side in page.get_size()) for page in pdfium.PdfDocument(content)}
    assert sizes == {(595, 842)}, "A4"
    assert pdfium.PdfDocument(content).is_tagged(), "for those who have it read to them"


def test_its_links_lead_only_into_the_tool_and_hostile_words_stay_words(whole: Report) -> None:
    hostile = '#eval("1") #image("/etc/passwd") $x$ @label <a> \\ */ https://bad.example'
    figures = replace(
        whole.figures,
        departments=tuple(replace(d, name=hostile) for d in whole.figures.departments),
    )
    journey = whole.mapping.journeys["travesia"]
    steps = tuple(replace(step, name=Text(hostile, hostile)) for step in journey.steps)
    journeys = {**whole.mapping.journeys, "travesia": replace(journey, steps=steps)}
    bad = replace(whole, figures=figures, mapping=replace(whole.mapping, journeys=journeys))
    content = render(bad, "pdf").content
    assert squeezed('#eval("1") #image("/etc/passwd")') in squeezed(" ".join(pages(content)))
    # One inside the document has no address.
    found = [url for url in links(content) if url]
    assert found
    assert [url for url in found if not url.startswith(whole.tool.url)] == []


def test_without_the_extra_it_is_said_how_to_get_it_and_the_rest_goes_out(
    monthly: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    files, problems = render_each(monthly, ["md", "pdf", "csv"])
    assert [file.name.rpartition(".")[2] for file in files] == ["md", "csv"]
    assert problems == ['PDF needs an extra that is not installed; run pip install "travesia[pdf]"']
    with pytest.raises(ConnectorError, match="travesia"):
        render(monthly, "pdf")


def test_no_column_is_narrower_than_its_longest_word_while_there_is_room() -> None:
    rows: tuple[tuple[str, ...], ...] = (
        ("short", "a text of many words " * 4, "1"),
        ("incomprehensibilities", Linked("y", "https://x"), "12345"),
        ("only a remark that is longer than everything else in this table",),
    )
    table = Table("", ("Step", "A rather long heading", "n"), rows)
    first, second, third = widths(table)
    assert first >= len("incomprehensibilities")
    assert second > first > third >= len("12345")


def test_short_cells_stay_on_one_line() -> None:
    rows = (("4.9 hours", "word " * 30), ("19.6 hours", "word " * 30))
    first, _second = widths(Table("", ("Left", "What to do"), rows))
    assert first >= len("19.6 hours")
