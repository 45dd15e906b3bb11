"""A real browser for the tests: Debian's Chromium, driven by Playwright; axe-core for the faults.

Both are imported when first used: `make test` collects these tests without having the packages.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

WIDTHS = {"phone": 390, "laptop": 1280}
PRINTED = 718
"""A4 less 10 mm on each side, in pixels of CSS."""

HOSTILE = (
    '<script>window.ran=1</script><img src=x onerror="window.ran=2">'
    "<svg/onload=window.ran=3>\u202egnp.txt\u2066 </title></style></svg> 'quoted' \"twice\" & "
    + "Donaudampfschifffahrtsgesellschaftskapitän"
    * 4
)
"""A name as nobody should give one: markup, scripts, turned writing, no place to break a line."""

FAULTS = ("serious", "critical")


def chromium() -> str:
    """The path of the browser (TRAVESIA_CHROMIUM, else on the PATH); the test fails without one."""
    given = os.environ.get("TRAVESIA_CHROMIUM", "")
    names = [given] if given else ["chromium", "chromium-browser", "google-chrome"]
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("no Chromium was found: apt-get install chromium, or set TRAVESIA_CHROMIUM")
    return found


@contextmanager
def running_browser() -> Iterator[Any]:
    """Chromium without a window, for as long as the block lasts."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only for `make browser`

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(),
            # No sandbox of its own: CI is root in a container, the pages are ours.
            args=["--no-sandbox", "--disable-quic", "--disable-background-networking"],
        )
        try:
            yield browser
        finally:
            browser.close()


def faults_of(page: Any) -> list[str]:
    """What axe-core finds grave on the page, with the element."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - as above

    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:160]}"
        for fault in found
        if fault["impact"] in FAULTS
        for node in fault["nodes"]
    ]


def overflow_of(page: Any) -> int:
    """By how many pixels the page is wider than its window."""
    width: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width


def pictures_without_words(page: Any) -> list[str]:
    """Pictures that a screen reader could only call a picture."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('svg, img')].filter(e => {
            const said = (e.getAttribute('aria-labelledby') || '').split(' ')
                .map(id => (document.getElementById(id) || {}).textContent || '').join(' ');
            return !(e.getAttribute('role') === 'img' && said.trim().length > 10);
        }).map(e => e.outerHTML.slice(0, 120))"""
    )
    return found


def what_ran(page: Any) -> list[str]:
    """Scripts of the page, and what would be one: elements, handlers, a sign that one ran."""
    found: list[str] = page.evaluate(
        """() => [
            ...(window.ran === undefined ? [] : ['ran ' + window.ran]),
            ...[...document.scripts].map(e => e.outerHTML.slice(0, 120)),
            ...[...document.querySelectorAll('*')].filter(e =>
                [...e.attributes].some(a => a.name.startsWith('on')
                    || /^\\s*javascript:/i.test(a.value))
            ).map(e => e.outerHTML.slice(0, 120)),
        ]"""
    )
    return found
