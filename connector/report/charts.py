"""Bars and lines as Vega-Lite specifications: the standard forms of the report.

No text is drawn but the labels given, already in the reader's language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.report.drawing.palette import FONT, PAPER
from connector.report.drawing.vega import LINES, Spec, broken, config, percent_axis

THEME: dict[str, str] = {
    **{role: PAPER[role] for role in ("visible", "provider_backstage", "consumer_backstage")},
    "met": PAPER["visible"],
    "breached": PAPER["lost"],
    "running": PAPER["none"],
    "opened": PAPER["lost"],
    "resolved": PAPER["visible"],
    "users": PAPER["visible"],
    "agents": PAPER["provider_backstage"],
    "ink": PAPER["ink"],
    "muted": PAPER["muted"],
    "line": PAPER["line"],
    "font": FONT,
}
"""Series → its colour."""

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
    """One moment of a line chart, in order; `is_complete` false is drawn hollow.

    A series without a value is a gap in its line.
    """

    label: str
    values: Mapping[str, float]
    is_complete: bool = True


def bars_spec(bars: Sequence[Bar], series: Sequence[Series]) -> Spec:
    """Horizontal stacked bars, one a row, in the order given."""
    rows = [
        {"row": broken(bar.label), "series": s.label, "order": i, "value": bar.values[s.id]}
        for bar in bars
        for i, s in enumerate(series)
        if bar.values.get(s.id)
    ]
    ends = [
        {"row": broken(bar.label), "end": sum(bar.values.values()), "note": bar.note}
        for bar in bars
        if bar.note
    ]
    order = [broken(bar.label) for bar in bars]
    top = max([sum(bar.values.values()) for bar in bars] or [0])
    return {
        "width": WIDTH,
        "height": {"step": 40},
        "layer": [_stack(rows, order, series, top), _notes(ends, order)],
        "resolve": {"scale": {"y": "shared", "x": "shared"}},
        "config": config(),
    }


def _stack(rows: list[Spec], order: list[str], series: Sequence[Series], top: int) -> Spec:
    return {
        "data": {"values": rows},
        "mark": {"type": "bar", "height": 20, "stroke": PAPER["paper"], "strokeWidth": 0.75},
        "encoding": {
            "y": {
                "field": "row",
                "type": "nominal",
                "scale": {"domain": order},
                "title": None,
                "axis": LINES,
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


def lines_spec(
    points: Sequence[Point], series: Sequence[Series], *, is_share: bool = False
) -> Spec:
    """Lines over time; told apart by dashes as well as by colour. Shares are 0.0 to 1.0."""
    counted: Spec = {"axis": {"tickCount": 5, "format": "d", "tickMinStep": 1}}
    shared_out: Spec = {
        "scale": {"domain": [0, 1]},
        "axis": {"tickCount": 5, "labelExpr": percent_axis()},
    }
    rows = [
        {
            "at": point.label,
            "series": s.label,
            "value": point.values.get(s.id),
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
            **(shared_out if is_share else counted),
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
                "fill": {
                    "condition": {"test": "datum.whole", **_colour(series)},
                    "value": PAPER["paper"],
                },
            },
        },
    ]
    marks[1]["encoding"]["fill"]["condition"]["legend"] = None
    return {
        "width": 380,
        "height": 220,
        "data": {"values": rows},
        "layer": marks,
        "config": config(),
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
