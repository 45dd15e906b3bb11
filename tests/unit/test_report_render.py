"""What a reader sees: golden files, both languages, hostile names, empty periods."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from connector import resources
from connector.errors import ConfigError, ConnectorError
from connector.journey.model import Text
from connector.messages import current_language
from connector.report import render as rendering
from connector.report.build import Choice, build_report
from connector.report.definitions import DEFINITIONS
from connector.report.figures import Period
from connector.report.opening import opening
from connector.report.render import FORMATS, environment, render, render_all, write_files
from connector.report.report import Report
from connector.report.table import COLUMNS, disarm
from connector.report.view import view_of
from connector.store.database import open_store
from connector.timestamps import parse_day
from tests.golden.rewrite import ALL, FOLDER, TEXTS, golden_files, golden_report
from tests.golden.sample import fill_store, make_sample, sample_mapping


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return golden_report(tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The fifteen chapters."""
    return golden_report(tmp_path_factory.mktemp("whole"), Choice(only=ALL))


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Report]:
    """A fresh store, never synced."""
    with open_store(tmp_path / "s.duckdb") as store:
        yield build_report(
            store,
            sample_mapping(),
            datetime(2026, 10, 1, tzinfo=UTC),
            datetime(2026, 11, 1, tzinfo=UTC),
            "en",
        )


def text(report: Report, format_: str) -> str:
    return render(report, format_).content.decode("utf-8-sig")


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(report, "csv"))))


def test_the_golden_files_are_what_the_code_writes(tmp_path: Path) -> None:
    """If the change is meant: make golden, and read the diff."""
    files = golden_files(tmp_path)
    assert len(files) == 12
    for file in files:
        assert (FOLDER / file.name).read_bytes() == file.content, file.name


def test_equal_figures_give_equal_bytes(report: Report) -> None:
    again = replace(report)
    assert render_all(report, list(FORMATS)) == render_all(again, list(FORMATS))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(page)
    return parser.tags


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_is_self_contained_and_has_no_script(
    report: Report, whole: Report, language: str
) -> None:
    found = [tag for r in (report, whole) for tag in tags(text(r.in_language(language), "html"))]
    assert ("html", {"lang": language}) in found
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(tag for tag, _ in found)
    for _tag, attributes in found:
        assert not any(name.startswith("on") for name in attributes)
        assert not any(name in {"src", "xlink:href"} for name in attributes)
        # The only way out of the page leads into the tool.
        assert (attributes.get("href") or "#").startswith((report.tool.url, "#"))


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_long_report_opens_with_its_contents_and_each_entry_leads_somewhere(
    report: Report, whole: Report, language: str
) -> None:
    page = text(whole.in_language(language), "html")
    found = tags(page)
    hrefs = [attributes.get("href") or "" for tag, attributes in found if tag == "a"]
    entries = [href for href in hrefs if href.startswith("#")]
    ids = [attributes["id"] for _tag, attributes in found if "id" in attributes]
    assert [entry for entry in entries if ids.count(entry[1:]) != 1] == []
    view = view_of(whole.in_language(language))
    wanted = {chapter.id for chapter in view.chapters} | {"definitions"}
    parts = [(c, s) for c in view.chapters if not c.is_whole for s in c.sections]
    wanted |= {section.id for chapter, section in parts if section.title != chapter.title}
    assert {entry[1:] for entry in entries} == wanted
    assert len(view.chapters) == 15
    assert "contents" not in [a.get("id") for _tag, a in tags(text(report, "html"))]


def test_every_chart_says_in_words_what_it_shows_and_has_a_table_beside_it(whole: Report) -> None:
    page = text(whole, "html")
    charts = [attributes for tag, attributes in tags(page) if tag == "svg"]
    pictures = view_of(whole).pictures
    assert len(charts) == sum(len(of_section) for of_section in pictures.values()) >= 3
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)), "ids of two drawings collide"
    for chart in charts:
        assert chart["role"] == "img"
        assert chart["aria-labelledby"]
        assert all(name in ids for name in chart["aria-labelledby"].split())
    for section in page.split("<section")[1:]:
        if "<svg" in section:
            assert "<table" in section


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("format_", ["html", "md"])
def test_every_figure_is_defined_and_period_scope_zone_and_reach_are_named(
    whole: Report, language: str, format_: str
) -> None:
    page = text(whole.in_language(language), format_)
    wanted = {
        "en": ("Oct 1", "The whole organisation", "Europe/Madrid", "Nov 5, 2026, 23:00"),
        "es": ("de octubre de 2026", "Toda la organización", "Europe/Madrid", "5 nov 2026, 23:00"),
    }[language]
    assert all(words in page for words in wanted)
    sentence = {"en": "stopped in time", "es": "terminaron a tiempo"}[language]
    assert sentence in page
    assert len(view_of(whole).definitions) == len({s for p in view_of(whole).sections
                                                   for s in p.figures})  # fmt: skip
    assert ("no source in this tool" if language == "en" else "sin fuente") in page


def test_numbers_are_written_as_the_reader_writes_them(report: Report) -> None:
    assert "67.9%" in text(report, "md")
    assert "67,9\u00a0%" in text(report.in_language("es"), "md")


def test_rendering_leaves_the_readers_own_language_alone(report: Report) -> None:
    render(report.in_language("es"), "html")
    assert current_language() == "en"


def test_an_unsynced_store_gives_a_readable_report_in_both_languages(empty: Report) -> None:
    for language, words in (("en", "no sync has finished"), ("es", "ninguna sincronización")):
        said = empty.in_language(language)
        for format_ in TEXTS:
            page = text(said, format_)
            assert "nan" not in page.lower().split()
            assert "None" not in page
            assert format_ == "csv" or words in page


def test_a_period_without_records_says_so(tmp_path: Path) -> None:
    with fill_store(tmp_path / "s.duckdb", make_sample(5, 0)) as store:
        old = build_report(
            store,
            sample_mapping(),
            datetime(2020, 1, 1, tzinfo=UTC),
            datetime(2020, 2, 1, tzinfo=UTC),
            "en",
        )
    assert opening(old) == ["No record was open on the journey in this period."]
    assert render(old, "html").content


@pytest.mark.parametrize("scope", ["", "department=Ventas"])
@pytest.mark.parametrize("first", ["2026-11-05T22:00:00", "2027-01-01"])
def test_a_period_that_begins_when_the_data_have_ended_is_refused(
    tmp_path: Path, first: str, scope: str
) -> None:
    """What is open now would stand there as the figures of a time that nobody has seen."""
    bounds = parse_day(first), parse_day("2027-02-01")
    with (
        fill_store(tmp_path / "s.duckdb", make_sample(5, 0)) as store,
        pytest.raises(ConfigError) as refused,
    ):
        build_report(store, sample_mapping(), *bounds, "en", choice=Choice(scope=scope))
    assert str(refused.value) == (
        "--from: the data end on Nov 5, 2026, 22:00, before this period begins;"
        " run travesia sync first"
    )


def test_a_period_that_is_not_over_says_so(tmp_path: Path) -> None:
    with fill_store(tmp_path / "s.duckdb", make_sample(40, 5)) as store:
        report = build_report(
            store,
            sample_mapping(),
            datetime(2026, 11, 1, tzinfo=UTC),
            datetime(2026, 12, 1, tzinfo=UTC),
            "en",
        )
    page = text(report, "md")
    assert (
        "The period was not over when the data were read; they end on Nov 5, 2026, 22:00." in page
    )


def test_names_from_the_tool_and_the_mapping_stay_harmless(whole: Report) -> None:
    report = whole
    hostile = "=cmd|' /C calc'!A0 <script>alert(1)</script> | `x` \u202etxt\x00\n" + "long " * 99
    mapping = report.mapping
    journey = mapping.journeys["travesia"]
    steps = tuple(replace(step, name=Text(hostile, hostile)) for step in journey.steps)
    figures = replace(
        report.figures,
        departments=tuple(replace(d, name=hostile) for d in report.figures.departments),
    )
    journeys = {**mapping.journeys, "travesia": replace(journey, steps=steps)}
    bad = replace(report, mapping=replace(mapping, journeys=journeys), figures=figures)
    page, markdown = text(bad, "html"), text(bad, "md")
    assert "script" not in {tag for tag, _ in tags(page)}
    assert "\u202e" not in page + markdown
    assert "<script" not in markdown
    tables = [line for line in markdown.splitlines() if line.startswith("| 1. ")]
    assert tables
    assert all(re.sub(r"\\.", "", line).count("|") == 9 for line in tables[:1])
    names = {row["item_name"] for row in rows(bad) if row["item"] == "usar"}
    assert all(name.startswith("'=cmd") for name in names)
    assert names


@pytest.mark.parametrize(
    ("cell", "written"),
    [("=1+1", "'=1+1"), ("\uff1d1+1", "'\uff1d1+1"), ("  =1", "'  =1"),
     ("@x", "'@x"), ("-2", "'-2"), ("IT", "IT"), (-2, "-2"), (0.5, "0.5")],
)  # fmt: skip
def test_a_cell_that_a_spreadsheet_would_run_is_disarmed(
    cell: str | int | float, written: str
) -> None:
    assert disarm(cell) == written


def test_the_csv_is_one_long_table_with_numbers_for_machines(report: Report) -> None:
    english, spanish = rows(report), rows(report.in_language("es"))
    assert tuple(english[0]) == COLUMNS
    machine = [c for c in COLUMNS if c not in ("name", "item_name", "definition")]
    assert [[row[c] for c in machine] for row in english] == [
        [row[c] for c in machine] for row in spanish
    ]
    assert {row["figure"] for row in english} <= set(DEFINITIONS)
    by_step = {
        (row["item"]): row for row in english
        if row["figure"] == "records_in_period" and row["journey"] == "travesia"
    }  # fmt: skip
    assert by_step["explorar"]["value"] == "", "no source is not 0"
    assert by_step["visibilizar"]["value"] == "0"
    assert by_step["usar"]["period_from"] == "2026-09-30 22:00:00"
    met = next(row for row in english if row["figure"] == "sla_met_share" and not row["journey"])
    assert json.loads(met["value"]) == pytest.approx(0.679, abs=0.001)
    assert met["unit"] == "ratio"


def test_the_csv_opens_in_a_spreadsheet_with_its_accents(report: Report) -> None:
    assert render(report, "csv").content.startswith(b"\xef\xbb\xbf")


def test_files_are_named_by_period_and_language(report: Report, tmp_path: Path) -> None:
    paths = write_files(report.in_language("es"), tmp_path / "new", ["md", "csv"])
    assert [path.name for path in paths] == [
        "travesia_2026-10-01_2026-10-31_es.md",
        "travesia_2026-10-01_2026-10-31_es.csv",
    ]
    assert paths[0].read_bytes() == render(report.in_language("es"), "md").content


def test_a_folder_that_cannot_be_written_is_one_sentence(report: Report, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConnectorError, match="choose another folder"):
        write_files(report, tmp_path / "file", ["md"])


def test_a_broken_template_is_named_with_its_line(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "md.j2").write_text("# fine\n{{ view.title | no_such_filter }}\n")
    monkeypatch.setattr(rendering, "shipped", lambda _name: tmp_path)
    with pytest.raises(ConnectorError, match=r"md\.j2 cannot be used \(line 2\)"):
        render(report, "md")


def test_a_template_may_not_reach_into_python() -> None:
    template = environment().from_string("{{ ''.__class__.__mro__ }}")
    with pytest.raises(Exception, match="unsafe"):
        template.render()


def test_templates_are_found_where_they_are_shipped() -> None:
    assert {p.name for p in (resources.shipped("templates") / "report").iterdir()} >= {
        "html.j2",
        "md.j2",
        "style.css",
    }


def test_a_period_with_hours_is_shown_with_them(report: Report) -> None:
    period = Period(datetime(2026, 10, 1, 8, tzinfo=UTC), datetime(2026, 10, 1, 20, tzinfo=UTC))
    timed = replace(report, figures=replace(report.figures, period=period))
    assert timed.title == "Journey report, Oct 1, 2026, 08:00 – Oct 1, 2026, 20:00"
