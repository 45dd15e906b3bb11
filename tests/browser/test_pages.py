"""Reports, pictures and sandbox pages: narrow, wide, printed, dark, and with hostile names."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest

from connector.journey.model import Text
from connector.report.brief import SHOWN_MOMENTS, Brief, brief_of
from connector.report.build import Choice, build_report
from connector.report.chapters import CHAPTERS
from connector.report.links import Tool
from connector.report.opening import opening
from connector.report.render import render, render_article, render_brief
from connector.report.report import Report
from connector.sandbox.instance import Instance
from tests.browser.kit import (
    HOSTILE,
    PRINTED,
    WIDTHS,
    faults_of,
    overflow_of,
    pictures_without_words,
    running_browser,
    what_ran,
)
from tests.golden.hostile import hostile_store
from tests.golden.rewrite import ALL, golden_report
from tests.golden.sample import fill_store, make_sample, sample_mapping
from tests.sandbox_instance import USER, incident_id, make_instance, serving
from tests.unit.test_report_figures import PERIOD, ZONE
from tools import gallery, gallery_figures

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with running_browser() as found:
        yield found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return golden_report(tmp_path_factory.mktemp("golden"))


def with_hostile_names(report: Report) -> Report:
    """The report of an organisation whose names are attacks."""
    mapping = report.mapping
    journey = mapping.journeys["travesia"]
    steps = tuple(
        replace(step, name=Text(HOSTILE, HOSTILE), group=Text(HOSTILE, HOSTILE))
        for step in journey.steps
    )
    journeys = {
        **mapping.journeys,
        "travesia": replace(journey, steps=steps, name=Text(HOSTILE, HOSTILE)),
    }
    touchpoints = {
        id_: replace(touchpoint, name=Text(HOSTILE, HOSTILE))
        for id_, touchpoint in mapping.touchpoints.items()
    }
    figures = replace(
        report.figures,
        departments=tuple(replace(d, name=HOSTILE) for d in report.figures.departments),
    )
    mapping = replace(mapping, journeys=journeys, touchpoints=touchpoints)
    return replace(report, mapping=mapping, figures=figures)


def opened(browser: Any, path: Path, **context: Any) -> Any:
    """The file in a new page, with everything it asks for beyond itself noted in `page.asked`."""
    page = browser.new_context(**context).new_page()
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(path.as_uri())
    return page


LONG = f"=1+1 {HOSTILE} [a](javascript:window.ran=4) \x07\r\n`" + "x" * 100_000
TOOL = Tool("https://example.service-now.com", frozenset({"incident", "sc_req_item"}))

LEADING_AWAY = """() => [...document.querySelectorAll('a[href], form, base, meta[http-equiv]')]
    .map(e => e.getAttribute('href') || e.outerHTML)
    .filter(to => !to.startsWith('https://example.service-now.com/') && !to.startsWith('#'))"""


def hostile_tickets(folder: Path) -> dict[str, str]:
    """Every chapter, the knowledge article and the page before a meeting, of hostile records."""
    with hostile_store(folder / "hostile.duckdb", LONG) as store:
        made = build_report(
            store, sample_mapping(), PERIOD.start, PERIOD.end, "en", ZONE,
            choice=Choice(only=tuple(CHAPTERS)), tool=TOOL,
        )  # fmt: skip
        meeting = brief_of(store, sample_mapping(), "dep0", time_zone=ZONE, tool=TOOL)
    found = {}
    for language in ("en", "es"):
        told = made.in_language(language)
        found[f"tickets-{language}"] = render(told, "html").content.decode()
        article = render_article(told)
        found[f"article-{language}"] = (
            f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width"><title>KB</title></head>'
            f'<body style="overflow-wrap:anywhere"><main><h1>KB</h1>{article}</main></body></html>'
        )
        found[f"brief-{language}"] = render_brief(meeting, language, "html").content.decode()
    return found


def before_a_meeting(folder: Path) -> Brief:
    """About a customer with many services, of which few have news."""
    with fill_store(folder / "meeting.duckdb", make_sample()) as store:
        found = brief_of(store, sample_mapping(), "Finanzas", time_zone=ZONE, tool=TOOL)
    first = found.relationships.rows[0]
    quiet = {"month_score": first["score"], "month_state": first["state"], "has_next_step": False}
    rows = [
        {**first, "sys_id": f"m{i}", "service": f"s{i}", "service_name": SERVICE}
        | (quiet if i > 3 else {})
        for i in range(9)
    ]
    moments = (*found.moments * SHOWN_MOMENTS,)[:SHOWN_MOMENTS]
    relationships = replace(found.relationships, rows=(first, *rows[1:]), changes=())
    return replace(found, relationships=relationships, moments=moments, open_count=20)


SERVICE = "Facturación electrónica / E-invoicing"


@pytest.fixture(scope="module")
def pages(report: Report, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every page to be looked at, by name."""
    folder = tmp_path_factory.mktemp("pages")
    whole = golden_report(tmp_path_factory.mktemp("whole"), Choice(only=ALL))
    kinds = (("report", report), ("chapters", whole), ("hostile", with_hostile_names(report)))
    contents = {
        f"{kind}-{language}": render(one.in_language(language), "html").content.decode()
        for kind, one in kinds
        for language in ("en", "es")
    }
    contents |= hostile_tickets(folder)
    meeting = before_a_meeting(folder)
    for language in ("en", "es"):
        contents[f"meeting-{language}"] = render_brief(meeting, language, "html").content.decode()
        contents[f"gallery-{language}"] = gallery.page(language, gallery.samples(language))
    for name, content in contents.items():
        (folder / f"{name}.html").write_text(content, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in contents}


KINDS = ("report", "chapters", "hostile", "tickets", "article", "brief", "meeting", "gallery")
PAGES = [f"{kind}-{language}" for kind in KINDS for language in ("en", "es")]
UNDRAWN = ("article", "brief", "meeting")
ATTACKED = ("hostile", "tickets", "article", "brief")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_never_wider_than_its_window(
    browser: Any, pages: dict[str, Path], name: str
) -> None:
    """What is wide is pushed aside inside of its own frame; on paper it is made to fit."""
    page = opened(browser, pages[name])
    for width in WIDTHS.values():
        page.set_viewport_size({"width": width, "height": 900})
        assert overflow_of(page) <= 0, width
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PRINTED, "height": 1000})
    assert overflow_of(page) <= 0, "print"
    page.context.close()


CUT_OFF = """() => [...document.querySelectorAll(".table")]
    .filter(one => one.scrollWidth > one.clientWidth).map(one => one.getAttribute("aria-label"))"""


@pytest.mark.parametrize("name", ["report-en", "report-es"])
def test_on_a_laptop_and_on_paper_no_table_of_the_month_is_cut_off(
    browser: Any, pages: dict[str, Path], name: str
) -> None:
    page = opened(browser, pages[name])
    page.set_viewport_size({"width": WIDTHS["laptop"], "height": 900})
    assert page.evaluate(CUT_OFF) == []
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PRINTED, "height": 1000})
    assert page.evaluate(CUT_OFF) == []
    page.context.close()


BROKEN_WORDS = """() => {
    const found = [];
    for (const cell of document.querySelectorAll('.table th, .table td, .group .name')) {
        const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            for (const word of walker.currentNode.data.matchAll(/[\\p{L}\\p{N}]+/gu)) {
                const range = document.createRange();
                range.setStart(walker.currentNode, word.index);
                range.setEnd(walker.currentNode, word.index + word[0].length);
                const tops = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
                if (tops.size > 1) found.push(word[0]);
            }
        }
    }
    return found;
}"""


@pytest.mark.parametrize("name", ["report-en", "report-es", "meeting-en", "meeting-es"])
def test_on_paper_no_word_of_a_table_is_cut(
    browser: Any, pages: dict[str, Path], name: str
) -> None:
    page = opened(browser, pages[name])
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PRINTED, "height": 1000})
    assert page.evaluate(BROKEN_WORDS) == []
    page.context.close()


def printed(page: Any) -> list[str]:
    """The words of every page of the printout."""
    pages = pdfium.PdfDocument(page.pdf(format="A4", prefer_css_page_size=True))
    return [" ".join(one.get_textpage().get_text_range().split()) for one in pages]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_before_a_meeting_is_one_page(
    browser: Any, pages: dict[str, Path], language: str
) -> None:
    """A customer with nine services, four of them with news, and as many moments as are shown."""
    page = opened(browser, pages[f"meeting-{language}"], viewport={"width": 800, "height": 900})
    assert page.evaluate(CUT_OFF) == []
    assert page.locator("[aria-labelledby=open] tbody tr").count() == SHOWN_MOMENTS
    assert len(printed(page)) == 1
    page.context.close()


def test_the_printed_report_begins_with_what_matters(
    browser: Any, pages: dict[str, Path], report: Report
) -> None:
    page = opened(browser, pages["report-en"])
    assert opening(report)[0] in printed(page)[0]
    page.context.close()


def test_no_tile_is_cut_across_pages(browser: Any, pages: dict[str, Path]) -> None:
    """Wherever the row of tiles falls, all of it stands on one page."""
    page = opened(browser, pages["report-en"])
    for above in (0, 60, 120, 180, 240, 300):
        page.evaluate("h => document.querySelector('main').style.paddingTop = `${h}px`", above)
        texts = printed(page)
        tiles = [" ".join(t.split()) for t in page.locator(".tiles > div").all_inner_texts()]
        assert any(all(tile in text for tile in tiles) for text in texts), above
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_and_nothing_is_fetched(
    browser: Any, pages: dict[str, Path], name: str
) -> None:
    page = opened(browser, pages[name])
    assert what_ran(page) == []
    assert page.asked == [pages[name].as_uri()]
    if name.startswith(ATTACKED):
        said = page.inner_text("body")
        assert "<script>window.ran=1</script>" in said, "it is there, as text"
        assert not set(said) & set("\u202e\u2066\x07"), "nothing turns the writing"
        assert len(page.content()) < 6_000_000, "a line of 100 kB is cut"
        assert page.evaluate(LEADING_AWAY) == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [name for name in PAGES if name.endswith("es")])
def test_no_grave_accessibility_fault(
    browser: Any, pages: dict[str, Path], name: str, scheme: str
) -> None:
    page = opened(browser, pages[name], color_scheme=scheme, viewport={"width": 390, "height": 900})
    assert faults_of(page) == []
    page.context.close()


@pytest.mark.parametrize(
    "name", [n for n in PAGES if not n.startswith(("article", "brief", "meeting"))]
)
def test_every_picture_can_be_heard(browser: Any, pages: dict[str, Path], name: str) -> None:
    page = opened(browser, pages[name])
    assert pictures_without_words(page) == []
    assert page.get_by_role("img").count() == page.locator("svg").count() > 1
    page.context.close()


def test_pictures_turn_dark_with_the_page(browser: Any, pages: dict[str, Path]) -> None:
    """And stay for white paper where they are printed from a dark screen."""
    page = opened(browser, pages["gallery-en"], color_scheme="dark")
    fill = "getComputedStyle(document.querySelector('svg:has(#g-map-title) text')).fill"
    assert page.evaluate(fill) == "rgb(169, 180, 192)"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(fill) == "rgb(92, 103, 115)"
    page.context.close()


def test_no_words_of_a_picture_lie_over_others(browser: Any, pages: dict[str, Path]) -> None:
    """Measured where they are drawn, with the letters that this machine has."""
    for language in ("en", "es"):
        page = opened(
            browser, pages[f"gallery-{language}"], viewport={"width": 1280, "height": 900}
        )
        assert page.evaluate(OVERLAPS) == [], language
        page.context.close()


OVERLAPS = """() => {
    const found = [];
    for (const svg of document.querySelectorAll('svg.chart')) {
        const all = [...svg.querySelectorAll('text')]
            .filter(t => t.textContent.trim())
            .filter(t => !/rotate/.test(t.getAttribute('transform') || ''))
            .flatMap(t => t.querySelector('tspan') ? [...t.querySelectorAll('tspan')] : [t]);
        const boxes = all.map(t => [t.textContent, t.getClientRects()[0]]).filter(([, b]) => b);
        boxes.forEach(([one, a], i) => boxes.slice(i + 1).forEach(([other, b]) => {
            const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            // Boxes of neighbouring lines touch: letters do not fill them.
            if (wide > 2 && high > 5) found.push(one + ' / ' + other);
        }));
    }
    return found;
}"""


def test_a_picture_shows_a_hostile_name_as_a_name(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every form, with the attack behind each name that the figures give it."""
    plain = gallery_figures._either
    monkeypatch.setattr(gallery_figures, "_either", lambda en, es: f"{plain(en, es)} {HOSTILE}")
    pictures = gallery.samples("en")
    assert set(pictures) == set(gallery.SAMPLES)
    path = tmp_path / "hostile.html"
    path.write_text(gallery.page("en", pictures), encoding="utf-8")
    page = opened(browser, path)
    assert what_ran(page) == []
    assert overflow_of(page) <= 0
    assert "window.ran=1" in page.inner_text("body")
    page.context.close()


def test_the_checks_find_what_they_are_for(browser: Any) -> None:
    page = browser.new_page()
    page.set_content(
        "<p onclick='x()' style='width:5000px'>wide</p><script>window.ran=1</script>"
        "<svg role='img' class='chart'><text y='20'>one word</text>"
        "<text y='21'>another</text></svg>"
        "<img src='data:,'>"
    )
    assert overflow_of(page) > 0
    assert [found[:8] for found in what_ran(page)] == ["ran 1", "<script>", "<p oncli"]
    assert len(pictures_without_words(page)) == 2
    assert any(fault.startswith("image-alt") for fault in faults_of(page))
    assert page.evaluate(OVERLAPS) == ["one word / another"]
    page.close()


# --- the sandbox ----------------------------------------------------------------------------------


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    instance = make_instance(tmp_path)
    table = instance.database.table("incident")
    instance.database.insert(table, {"number": "INC9", "short_description": HOSTILE}, USER)
    return instance


SANDBOX = (
    "/",
    "/incident_list.do?sysparm_query=ORDERBYDESCnumber",
    f"/incident.do?sys_id={incident_id(1)}",
    "/nowhere_at_all.do",
)


def test_the_pages_of_the_sandbox(browser: Any, instance: Instance) -> None:
    """Both languages: nothing runs, nothing is too wide, nothing is gravely inaccessible."""
    with serving(instance) as api:
        page = browser.new_context(viewport={"width": 390, "height": 900}).new_page()
        for path in SANDBOX:
            for language in ("en", "es"):
                page.goto(f"{api.base}{path}{'&' if '?' in path else '?'}lang={language}")
                assert what_ran(page) == [], path
                assert overflow_of(page) <= 0, path
                assert faults_of(page) == [], path
        page.context.close()
