"""Vega-Lite specifications (plain dictionaries), drawn by vl-convert; what all of them share."""

import re
from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from connector.report.drawing.palette import FONT, PAPER
from connector.report.wording import percent

Spec = dict[str, Any]

VEGA_LITE = "5.21"
"""Pinned: a newer grammar may move a pixel, and files must not differ without a reason."""


def drawn(spec: Spec, name: str) -> tuple[float, float, str]:
    """Width, height and elements of the drawing; its ids begin with `name`.

    Raises ValueError if the specification cannot be drawn.
    """
    # Imported here: it holds a whole JavaScript engine, which a sync must not carry.
    import vl_convert  # noqa: PLC0415 - large: only a drawing needs it

    svg: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
    head = re.match(r"<svg[^>]*?viewBox=\"0 0 ([0-9.]+) ([0-9.]+)\"[^>]*>", svg)
    if head is None:
        raise ValueError(f"no SVG was drawn for {name}")
    body = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", svg[head.end() :])
    # The drawing is one picture with words of its own: its parts are none, and have none.
    body = re.sub(r' (?:role="graphics-\w+"|aria-\w+="[^"]*")', "", body)
    # A name in mixed case is a colour of ours that the engine wrote in small letters.
    body = re.sub(r'="(#[0-9a-fA-F]{6})"', lambda m: f'="{_OURS.get(m[1].lower(), m[1])}"', body)
    return float(head[1]), float(head[2]), body.removesuffix("</svg>")


_OURS = {colour.lower(): colour for colour in PAPER.values()}


def config() -> Spec:
    """Letters, axes and legends of all charts."""
    text = {"labelFontSize": 14, "labelColor": PAPER["ink"], "labelFont": FONT}
    return {
        "aria": False,
        "background": None,
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            **text,
            "titleFontSize": 13,
            "titleColor": PAPER["muted"],
            "titleFontWeight": "normal",
            "gridColor": PAPER["line"],
            "domainColor": PAPER["line"],
            "tickColor": PAPER["line"],
        },
        "axisY": {"domain": False, "ticks": False, "labelPadding": 8},
        "legend": {**text, "labelLimit": 240},
        "text": {"fontSize": 13.5, "font": FONT, "color": PAPER["ink"]},
    }


def colours(series: Sequence[tuple[str, str]], symbol: str = "square", columns: int = 1) -> Spec:
    """The colour of a field `series`: (role, label) in order, with a legend above."""
    return {
        "field": "series",
        "type": "nominal",
        "scale": {
            "domain": [label for _role, label in series],
            "range": [PAPER[role] for role, _label in series],
        },
        "legend": {
            "title": None,
            "orient": "top",
            "columns": columns,
            "symbolType": symbol,
            "symbolStrokeWidth": 2.25 if symbol == "stroke" else 0,
        },
    }


def broken(label: str, width: int = 22) -> str:
    """A label broken into lines ("|" between them) that fit beside a chart."""
    return "|".join(wrap(label.replace("|", "/"), width)) or " "


LINES = {"labelExpr": "split(datum.label, '|')", "labelLimit": 240}
"""An axis whose labels went through `broken`."""


def literal(texts: Sequence[str]) -> str:
    """Texts as an array of a Vega expression, in which none of them can be more than text."""
    # Not json.dumps: a JavaScript string ends at a few more characters.
    quoted = (
        "".join(c if c.isalnum() or c in " .,:|" else f"\\u{_unit(c)}" for c in t) for t in texts
    )
    return "[" + ",".join(f"'{text}'" for text in quoted) + "]"


def _unit(char: str) -> str:
    return "\\u".join(f"{unit:04x}" for unit in _units(char))


def _units(char: str) -> list[int]:
    packed = char.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(packed[i : i + 2], "big") for i in range(0, len(packed), 2)]


def percent_axis() -> str:
    """An axis of shares as the reader writes them: 50% or 50 %."""
    behind = percent(0.5).removeprefix("50")
    return f"format(100 * datum.value, 'd') + '{behind}'"
