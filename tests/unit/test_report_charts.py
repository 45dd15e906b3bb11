"""Charts: drawn without a browser, readable without colour, with words of their own."""

import re
import subprocess
import sys

from connector.report.charts import THEME, Bar, Point, Series, bars_spec, lines_spec
from connector.report.drawing.picture import Picture
from connector.report.drawing.vega import Spec

BANDS = [Series("visible", "Visible"), Series("provider_backstage", "Trastienda")]
BARS = [
    Bar("1. Explorar", {}, "sin fuente"),
    Bar("2. Medir, confirmar el valor y mejorar", {"visible": 4, "provider_backstage": 2}, "6"),
]


def svg_of(spec: Spec, name: str, title: str, description: str) -> str:
    """The picture of a specification."""
    return Picture(name, title, description, spec).svg()


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_drawing_has_its_labels_title_and_description() -> None:
    svg = svg_of(bars_spec(BARS, BANDS), "c1", "Title <b>", "what it shows")
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="')
    assert '<title id="c1-title">Title &lt;b&gt;</title>' in svg
    assert "what it shows" in svg
    for words in ("sin fuente", "1. Explorar", "valor y mejorar", "Trastienda"):
        assert words in svg
    assert "<script" not in svg


def test_steps_without_records_keep_their_place() -> None:
    spec = bars_spec(BARS, BANDS)
    drawn, domain = spec["layer"][0]["data"]["values"], spec["layer"][0]["encoding"]["y"]
    assert [row["value"] for row in drawn] == [4, 2]
    assert len(domain["scale"]["domain"]) == 2


def test_the_same_specification_gives_the_same_drawing() -> None:
    points = [Point("1", {"opened": 1}), Point("2*", {"opened": 3}, is_complete=False)]
    spec = lines_spec(points, [Series("opened", "Opened"), Series("resolved", "Resolved")])
    assert svg_of(spec, "c", "t", "d") == svg_of(spec, "c", "t", "d")


def test_a_point_that_is_not_complete_is_hollow() -> None:
    points = [Point("1", {"opened": 1}), Point("2*", {"opened": 3}, is_complete=False)]
    svg = svg_of(lines_spec(points, [Series("opened", "Opened")]), "c", "t", "d")
    fills = re.findall(r'class="mark-symbol.*?</g>', svg, flags=re.DOTALL)
    assert any('fill="#ffffff"' in part for part in fills)


def test_the_ids_of_a_drawing_carry_its_name() -> None:
    svg = svg_of(bars_spec(BARS, BANDS), "mine", "t", "d")
    assert all(name.startswith("mine-") for name in re.findall(r'\bid="([^"]+)"', svg))


def test_bands_and_results_can_be_told_apart_in_grey() -> None:
    for pair in (("visible", "provider_backstage"), ("met", "breached"), ("breached", "running")):
        light, dark = sorted((luminance(THEME[id_]) for id_ in pair), reverse=True)
        assert (light + 0.05) / (dark + 0.05) > 1.2, pair


def test_the_drawing_engine_is_not_loaded_until_something_is_drawn() -> None:
    code = "import connector.report.render, sys; sys.exit('vl_convert' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
