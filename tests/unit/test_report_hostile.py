"""Texts that people and other systems wrote stay texts: in every chapter, format and language."""

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from connector.report.build import Choice, build_report
from connector.report.chapters import CHAPTERS, MONTHLY
from connector.report.links import Tool
from connector.report.render import render, render_article
from connector.report.report import Report
from tests.golden.hostile import hostile_store
from tests.golden.sample import sample_mapping
from tests.unit.test_report_scope import PERIOD, ZONE

HOSTILE = (
    "=cmd|' /C calc'!A0<script>alert(1)</script>\"onload=x [a](javascript:b) \u202exod\x07\x00\r\n`"
)
LONG = HOSTILE + "x" * 100_000
TOOL = Tool("https://example.service-now.com", frozenset({"incident"}))


@pytest.fixture(scope="module", params=["monthly", "chapters"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Report:
    only = tuple(CHAPTERS) if request.param == "chapters" else ()
    folder = Path(tmp_path_factory.mktemp("hostile"))
    with hostile_store(folder / "s.duckdb", LONG) as store:
        return build_report(
            store, sample_mapping(), PERIOD.start, PERIOD.end, "en", ZONE,
            choice=Choice(only=only), tool=TOOL,
        )  # fmt: skip


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_page_runs_nothing_and_leads_nowhere_but_into_the_tool(
    report: Report, language: str
) -> None:
    told = report.in_language(language)
    for text in (render(told, "html").content.decode(), render_article(told)):
        page = _Page()
        page.feed(text)
        assert "cmd" in text, "else nothing hostile was shown"
        assert not {tag for tag, _ in page.found} & {"script", "iframe", "object", "img", "form"}
        for _tag, attributes in page.found:
            assert not [name for name in attributes if name.startswith("on")]
            assert (attributes.get("href") or TOOL.url).startswith((TOOL.url, "#"))
        assert not UNSAFE.search(text)
        assert len(text) < 3_000_000, "a long text is cut"


def test_markdown_keeps_its_tables_and_makes_no_link_of_a_text(report: Report) -> None:
    text = render(report, "md").content.decode()
    assert "<script" not in text
    assert not UNSAFE.search(text)
    assert not re.search(r"(?<!\\)\]\(javascript", text)
    heads = 0
    for line in text.splitlines():
        if line.startswith("|"):
            cells = len(re.findall(r"(?<!\\)\|", line)) - 1
            if set(line) <= set("|-: "):
                heads = cells
            elif heads and line.strip() != "|":
                assert cells == heads or not heads, line[:200]
        else:
            heads = 0


def test_no_cell_of_the_csv_runs_as_a_formula(report: Report) -> None:
    text = render(report, "csv").content.decode("utf-8-sig")
    assert not UNSAFE.search(text)
    rows = list(csv.reader(io.StringIO(text)))
    assert len({len(row) for row in rows}) == 1
    for row in rows:
        for cell in row:
            is_number = re.fullmatch(r"-?\d+(\.\d+)?(e[+-]\d+)?", cell)
            assert is_number or not cell.lstrip().startswith(("=", "+", "-", "@", "|", "%")), cell
            assert len(cell) < 500


def test_every_chapter_was_looked_at(report: Report) -> None:
    assert set(report.parts) in ({*MONTHLY}, {*CHAPTERS})
