"""`python -m tools.gallery`: every form of picture on one page per language, to be looked at.

The figures are invented (`gallery_figures.py`), the words are those that reports use.
"""

import argparse
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path

from connector.messages import LANGUAGES, speaking
from connector.report.drawing.bands import band_chart
from connector.report.drawing.calendar import calendar_strip
from connector.report.drawing.diverging import moments_chart
from connector.report.drawing.funnel import funnel
from connector.report.drawing.heat import heat_map
from connector.report.drawing.journey_map import journey_map
from connector.report.drawing.life import life_line
from connector.report.drawing.matrix import relations_matrix
from connector.report.drawing.palette import DARK_STYLE
from connector.report.drawing.picture import Picture
from connector.report.drawing.sankey import sankey
from connector.report.drawing.spread import spread_chart
from connector.report.drawing.strips import strips_chart
from connector.report.drawing.trend import trend_chart
from connector.report.layout import Table
from connector.resources import shipped
from tools import gallery_figures as figures

SAMPLES: dict[str, Callable[[], Picture | None]] = {
    "map": lambda: journey_map(figures.a_map(), "g-map"),
    "map-no-ring": lambda: journey_map(figures.a_map(is_tied=False), "g-map-no-ring"),
    "moves": lambda: sankey(figures.some_flows(), "g-moves"),
    "heat": lambda: heat_map(figures.a_heat_map(), "g-heat"),
    "bands": lambda: band_chart(figures.some_bands(), "g-bands"),
    "life": lambda: life_line(figures.a_life(), "g-life"),
    "durations": lambda: spread_chart(figures.some_spreads(), "g-durations"),
    "trend": lambda: trend_chart(figures.a_trend(), "g-trend"),
    "moments": lambda: moments_chart(figures.some_moments(), "g-moments"),
    "relations": lambda: relations_matrix(figures.some_relations(), "g-relations"),
    "calendar": lambda: calendar_strip(figures.a_calendar(), "g-calendar"),
    "funnel": lambda: funnel(figures.a_funnel(), "g-funnel"),
    "strips": lambda: strips_chart(figures.some_strips(), "g-strips"),
}
"""Name of a form → its picture of invented figures, in the language that is spoken."""


def samples(language: str) -> dict[str, Picture]:
    """Every form, drawn from invented figures."""
    with speaking(language):
        drawn = {name: draw() for name, draw in SAMPLES.items()}
    return {name: picture for name, picture in drawn.items() if picture}


def page(language: str, pictures: dict[str, Picture]) -> str:
    """One page with all pictures, each beside its table."""
    style = (shipped("templates") / "report" / "style.css").read_text(encoding="utf-8")
    title = {"en": "Gallery of the pictures", "es": "Galería de las imágenes"}[language]
    blocks = "".join(_block(picture) for picture in pictures.values())
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{style}{DARK_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{blocks}</main></body></html>"
    )


def _block(picture: Picture) -> str:
    title = escape(picture.title)
    table = _html_table(picture.table) if picture.table else ""
    return (
        f'<section aria-label="{title}"><figure><figcaption>{title}</figcaption>'
        f'<div class="drawing" role="region" tabindex="0" aria-label="{title}">'
        f"{picture.svg()}</div></figure>{table}</section>"
    )


def _html_table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in table.rows
    )
    caption = escape(table.caption)
    many = ' class="many"' if len(table.columns) > 8 else ""
    return (
        f'<div class="table" role="region" tabindex="0" aria-label="{caption}"><table{many}>'
        f"<caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def main(arguments: list[str]) -> None:
    """Write the pages and, if asked, every picture as SVG and PNG."""
    parser = argparse.ArgumentParser(prog="python -m tools.gallery", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(".gallery"), help="folder to write to")
    parser.add_argument("--files", action="store_true", help="each picture as SVG and PNG, too")
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        pictures = samples(language)
        path = chosen.out / f"gallery_{language}.html"
        path.write_text(page(language, pictures), encoding="utf-8")
        print(path)  # noqa: T201 - a person asked for it
        for name, picture in pictures.items() if chosen.files else ():
            (chosen.out / f"{name}_{language}.svg").write_bytes(picture.file())
            (chosen.out / f"{name}_{language}.png").write_bytes(picture.png())


if __name__ == "__main__":
    main(sys.argv[1:])
