"""A trend with the period before it behind: this one drawn strong, the one before in grey."""

from dataclasses import dataclass

from connector.messages import _
from connector.report.drawing.palette import PAPER
from connector.report.drawing.picture import Picture
from connector.report.drawing.vega import Spec, config, literal
from connector.report.layout import Table
from connector.report.wording import NOTHING, number


@dataclass(frozen=True)
class TrendPoint:
    """One part of the period, its figure now and in the period before; None for what is not known.

    `is_complete` false is drawn hollow: the data end inside of it.
    """

    label: str
    value: int | None
    before: int | None = None
    is_complete: bool = True


@dataclass(frozen=True)
class Trend:
    """A figure over the parts of a period. `now` and `before` say which periods these are."""

    title: str
    points: tuple[TrendPoint, ...]
    now: str
    before: str = ""


def trend_chart(figures: Trend, name: str = "chart-trend") -> Picture | None:
    """Draw the trend; None with fewer than two parts that are known."""
    if sum(point.value is not None for point in figures.points) < 2:
        return None
    return Picture(name, figures.title, _describe(figures), _spec(figures), _table(figures))


def _rows(figures: Trend) -> list[Spec]:
    rows: list[Spec] = []
    for i, point in enumerate(figures.points):
        if figures.before and point.before is not None:
            rows.append(
                {
                    "at": i,
                    "series": figures.before,
                    "value": point.before,
                    "whole": True,
                    "is_now": False,
                }
            )
        if point.value is not None:
            rows.append(
                {
                    "at": i,
                    "series": figures.now,
                    "value": point.value,
                    "whole": point.is_complete,
                    "is_now": True,
                }
            )
    return rows


def _spec(figures: Trend) -> Spec:
    labels = [point.label for point in figures.points]
    every = max(1, -(-len(labels) // 8))
    names = [figures.now, *([figures.before] if figures.before else [])]
    look = {"title": None, "orient": "top", "direction": "vertical", "symbolType": "stroke"}
    colour = {"domain": names, "range": [PAPER["visible"], PAPER["before"]][: len(names)]}
    dash = {"domain": names, "range": [[1, 0], [6, 4]][: len(names)]}
    encoding = {
        "x": {
            "field": "at",
            "type": "quantitative",
            "scale": {"domain": [0, max(1, len(labels) - 1)], "nice": False, "padding": 6},
            "title": None,
            "axis": {
                "values": list(range(0, len(labels), every)),
                "labelExpr": f"{literal(labels)}[datum.value]",
                "labelAngle": -30,
                "grid": False,
            },
        },
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": None,
            "axis": {"tickCount": 5, "format": "d", "tickMinStep": 1},
        },
        "color": {"field": "series", "scale": colour, "legend": look},
    }
    line = {"strokeDash": {"field": "series", "scale": dash, "legend": look}}
    fill = {
        "condition": {"test": "datum.whole", "value": PAPER["visible"]},
        "value": PAPER["paper"],
    }
    return {
        "width": 400,
        "height": 200,
        "data": {"values": _rows(figures)},
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2.25}, "encoding": {**encoding, **line}},
            {
                "transform": [{"filter": "datum.is_now"}],
                "mark": {"type": "point", "size": 46, "strokeWidth": 2, "opacity": 1},
                "encoding": {**encoding, "fill": fill},
            },
        ],
        "config": config(),
    }


def _said(value: int | None) -> str:
    return NOTHING if value is None else number(value)


def _describe(figures: Trend) -> str:
    if not figures.before:
        return "; ".join(f"{p.label}: {_said(p.value)}" for p in figures.points)
    told = "; ".join(
        _("{label}: {now}, before {before}").format(
            label=p.label, now=_said(p.value), before=_said(p.before)
        )
        for p in figures.points
    )
    return f"{figures.now} / {figures.before}. {told}"


def _table(figures: Trend) -> Table:
    columns = (_("Period"), figures.now, *([figures.before] if figures.before else []))
    rows = tuple(
        (p.label, _said(p.value), *([_said(p.before)] if figures.before else []))
        for p in figures.points
    )
    return Table(figures.title, columns, rows)
