"""Charts as static SVG: Vega-Lite specifications (plain dictionaries) drawn by vl-convert.

One theme; colours told apart with any colour vision and in grey (Okabe-Ito). No text is drawn but
the labels given, already in the reader's language. `svg_of` is the only function that draws.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

Spec = dict[str, Any]

VEGA_LITE = "5.21"
"""Pinned: a newer grammar may move a pixel, and files must not differ without a reason."""

THEME: dict[str, str] = {
    "visible": "#0072B2",
    "provider_backstage": "#E69F00",
    "consumer_backstage": "#CC79A7",
    "met": "#0072B2",
    "breached": "#D55E00",
    "running": "#B8BEC6",
    "opened": "#D55E00",
    "resolved": "#0072B2",
    "ink": "#1f2933",
    "muted": "#5c6773",
    "line": "#d5dae0",
    # vl-convert carries Liberation Sans, as wide as Arial: the same layout on every machine.
    "font": "Liberation Sans, Arial, Helvetica, sans-serif",
}
"""Okabe, Ito (2008), "Color Universal Design"."""

WIDTH = 270
"""Of the plot without its labels: small, so that a phone shows it whole and readable."""


@dataclass(frozen=True)
class Series:
    """One colour of a chart. `id` is its key in THEME."""

    id: str
    label: str


@dataclass(frozen=True)
class Bar:
    """One row of a stacked bar chart; `note` is written behind it ("" = nothing)."""

    label: str
    values: dict[str, int]
    note: str = ""


@dataclass(frozen=True)
class Point:
    """One moment of a line chart, in order; `is_complete` false is drawn hollow."""

    label: str
    values: dict[str, int]
    is_complete: bool = True


def bars_spec(bars: Sequence[Bar], series: Sequence[Series]) -> Spec:
    """Horizontal stacked bars, one a row, in the order given."""
    rows = [
        {"row": _lines(bar.label), "series": s.label, "order": i, "value": bar.values[s.id]}
        for bar in bars
        for i, s in enumerate(series)
        if bar.values.get(s.id)
    ]
    ends = [
        {"row": _lines(bar.label), "end": sum(bar.values.values()), "note": bar.note}
        for bar in bars
        if bar.note
    ]
    order = [_lines(bar.label) for bar in bars]
    top = max([sum(bar.values.values()) for bar in bars] or [0])
    return {
        "width": WIDTH,
        "height": {"step": 40},
        "layer": [_stack(rows, order, series, top), _notes(ends, order)],
        "resolve": {"scale": {"y": "shared", "x": "shared"}},
        "config": _config(),
    }


def _stack(rows: list[Spec], order: list[str], series: Sequence[Series], top: int) -> Spec:
    return {
        "data": {"values": rows},
        "mark": {"type": "bar", "height": 20, "stroke": "#ffffff", "strokeWidth": 0.75},
        "encoding": {
            "y": {
                "field": "row",
                "type": "nominal",
                "scale": {"domain": order},
                "title": None,
                "axis": {"labelExpr": "split(datum.label, '|')", "labelLimit": 220},
            },
            "x": {
                "field": "value",
                "type": "quantitative",
                "stack": "zero",
                "title": None,
                # Room behind the longest bar for its note.
                "scale": {"domain": [0, max(top, 1) * 1.15], "nice": False},
                "axis": {"tickCount": 4, "format": "d", "tickMinStep": 1},
            },
            "order": {"field": "order", "type": "ordinal"},
            "color": _colour(series),
        },
    }


def _notes(ends: list[Spec], order: list[str]) -> Spec:
    return {
        "data": {"values": ends},
        "mark": {"type": "text", "align": "left", "dx": 5, "color": THEME["muted"]},
        "encoding": {
            "y": {"field": "row", "type": "nominal", "scale": {"domain": order}},
            "x": {"field": "end", "type": "quantitative"},
            "text": {"field": "note"},
        },
    }


def lines_spec(points: Sequence[Point], series: Sequence[Series]) -> Spec:
    """Lines over time; told apart by dashes as well as by colour."""
    rows = [
        {
            "at": point.label,
            "series": s.label,
            "value": point.values.get(s.id, 0),
            "whole": point.is_complete,
        }
        for point in points
        for s in series
    ]
    order = [point.label for point in points]
    dashes = {"domain": [s.label for s in series], "range": [[1, 0], [6, 3], [2, 2]]}
    shared = {
        "x": {
            "field": "at",
            "type": "ordinal",
            "sort": order,
            "title": None,
            "axis": {"labelAngle": -45, "labelOverlap": True},
        },
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": None,
            "axis": {"tickCount": 5, "format": "d", "tickMinStep": 1},
        },
        "color": {**_colour(series), **_legend("stroke")},
    }
    marks: list[Spec] = [
        {
            "mark": {"type": "line", "strokeWidth": 2.25},
            "encoding": {
                **shared,
                "strokeDash": {"field": "series", "scale": dashes, **_legend("stroke")},
            },
        },
        {
            "mark": {"type": "point", "size": 46, "strokeWidth": 2, "opacity": 1},
            "encoding": {
                **shared,
                "fill": {"condition": {"test": "datum.whole", **_colour(series)}, "value": "white"},
            },
        },
    ]
    marks[1]["encoding"]["fill"]["condition"]["legend"] = None
    return {
        "width": 380,
        "height": 220,
        "data": {"values": rows},
        "layer": marks,
        "config": _config(),
    }


def _colour(series: Sequence[Series]) -> Spec:
    return {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": [s.label for s in series], "range": [THEME[s.id] for s in series]},
        **_legend("square"),
    }


def _legend(symbol: str) -> Spec:
    look = {"title": None, "orient": "top", "direction": "vertical", "symbolType": symbol}
    return {"legend": {**look, "symbolStrokeWidth": 2.25 if symbol == "stroke" else 0}}


def _config() -> Spec:
    text = {"labelFontSize": 14, "labelColor": THEME["ink"], "labelFont": THEME["font"]}
    return {
        "aria": False,
        "background": None,
        "font": THEME["font"],
        "view": {"stroke": None},
        "axis": {
            **text,
            "gridColor": THEME["line"],
            "domainColor": THEME["line"],
            "tickColor": THEME["line"],
        },
        "axisY": {"domain": False, "ticks": False, "labelPadding": 8},
        "legend": {**text, "labelLimit": 240},
        "text": {"fontSize": 13.5, "font": THEME["font"]},
    }


def _lines(label: str) -> str:
    """A label broken into lines ("|" between them) that fit beside the bars."""
    return "|".join(wrap(label.replace("|", "/"), 22)) or " "


def svg_of(spec: Spec, name: str, title: str, description: str) -> str:
    """The drawing, with a text alternative; `name` makes its ids its own on a page.

    Raises ValueError if the specification cannot be drawn.
    """
    # Imported here: it holds a whole JavaScript engine, which a sync must not carry.
    import vl_convert  # noqa: PLC0415 - large: only a drawing needs it

    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
    head = re.match(r"<svg[^>]*?viewBox=\"([^\"]+)\"[^>]*>", drawn)
    if head is None:
        raise ValueError(f"no SVG was drawn for {name}")
    body = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", drawn[head.end() :])
    width = head[1].split()[2]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{head[1]}" width="{width}"'
        f' role="img" aria-labelledby="{name}-title {name}-desc" class="chart">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>{body}'
    )
