"""No figure without its meaning, its number of records and the instant of its data."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from connector.messages import speaking
from connector.report.build import Choice
from connector.report.chapters import CHAPTERS, MONTHLY, sections_of
from connector.report.definitions import DEFINITIONS, heading
from connector.report.layout import Line, Section
from connector.report.render import render
from connector.report.report import Report
from connector.report.table import lines as lines_of
from connector.report.view import View, view_of
from tests.golden.rewrite import ALL, golden_report


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return golden_report(tmp_path_factory.mktemp("all"), Choice(only=(*MONTHLY, *ALL)))


def without_meaning(sections: Iterable[Section], view: View) -> Iterator[str]:
    """Sections with tables that say of no figure what it means, and figures without a term."""
    told = {term.name: term.text for term in view.definitions}
    for section in sections:
        if section.tables and not section.figures:
            yield section.id
        for figure in section.figures:
            if not told.get(DEFINITIONS[figure].said_name):
                yield figure


def without_records(lines: Iterable[Line]) -> Iterator[str]:
    """Figures with a value that say nothing of the records behind it, or that mean nothing."""
    for line in lines:
        if line.figure not in DEFINITIONS or (line.value and not line.records):
            yield line.figure


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_table_has_the_meaning_of_its_figures_on_the_page(
    report: Report, language: str
) -> None:
    told = report.in_language(language)
    view = view_of(told)
    with speaking(language):
        sections = list(sections_of(told))
        assert list(without_meaning(sections, view)) == []
        # And it would be found: a table without figures, a figure without its term.
        assert list(without_meaning([replace(sections[0], figures=())], view)) == [sections[0].id]
        assert list(without_meaning(sections, replace(view, definitions=view.definitions[1:])))
    until = next(term.text for term in view.facts if term.name in ("Data until", "Datos hasta"))
    assert "2026" in until


def test_every_column_of_figures_is_one_that_is_told(report: Report) -> None:
    """A heading that some definition has must be among those of its section."""
    names = {heading(figure): figure for figure in DEFINITIONS}
    untold = {
        (section.id, column)
        for section in sections_of(report)
        for table in section.tables
        for column in table.columns[table.texts :]
        if column in names and column not in {heading(figure) for figure in section.figures}
    }
    # The same words as of relationships and moments, for other things: their captions say which.
    assert untold == {("comparison", "Change"), ("conversion", "Lost"), ("departments", "People")}


def test_every_value_of_the_csv_has_its_records_and_its_instant(report: Report) -> None:
    assert set(report.parts) == set(CHAPTERS)
    lines = list(lines_of(report))
    assert set(without_records(lines)) == set()
    assert list(without_records([Line("records_open", 3, 0), Line("nothing_known", 1, 1)]))
    rows = list(csv.DictReader(io.StringIO(render(report, "csv").content.decode("utf-8-sig"))))
    assert len(rows) == len(lines)
    for row in rows:
        assert row["data_until"] == "2026-11-05 22:00:00"
        assert row["name"]
        assert row["unit"]
        assert row["records"].isdigit()
