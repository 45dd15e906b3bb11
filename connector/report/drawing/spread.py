"""Distributions of durations: the median as a mark, up to the ninetieth percentile as a bar."""

from dataclasses import dataclass

from connector.messages import _
from connector.report.drawing.palette import PAPER
from connector.report.drawing.picture import Picture
from connector.report.drawing.vega import LINES, Spec, broken, config, literal
from connector.report.layout import Table
from connector.report.wording import NOTHING, duration, number


@dataclass(frozen=True)
class Spread:
    """Durations of one step or touchpoint, in seconds; `n` is how many were measured."""

    label: str
    n: int
    median: float | None
    p90: float | None


@dataclass(frozen=True)
class Spreads:
    """Several distributions, in the order to be shown."""

    rows: tuple[Spread, ...]


TICKS = (60, 600, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400, 180 * 86400, 730 * 86400)
"""Seconds that people have a word for; the axis is logarithmic, as durations are."""


def spread_chart(figures: Spreads, name: str = "chart-durations") -> Picture | None:
    """Draw the distributions; None where nothing was measured."""
    if not any(row.n and row.median is not None for row in figures.rows):
        return None
    return Picture(
        name,
        _("Durations: the median, and up to which nine of ten stay"),
        "; ".join(_told(row) for row in figures.rows if row.n and row.median is not None),
        _spec(figures),
        _table(figures),
    )


def _told(row: Spread) -> str:
    return _("{label}: half within {median}, nine of ten within {p90}").format(
        label=row.label, median=duration(row.median), p90=duration(row.p90)
    )


def _spec(figures: Spreads) -> Spec:
    values: list[Spec] = [
        {
            "row": f"{i}",
            "median": max(60.0, row.median),
            "p90": max(60.0, row.median, row.p90 or 0.0),
            "said": f"{duration(row.median)} · {duration(row.p90)}",
        }
        for i, row in enumerate(figures.rows)
        if row.n and row.median is not None
    ]
    start, end = _reach(figures)
    scale = {"type": "log", "domain": [start * 0.8, end * 1.05], "nice": False}
    labels = [broken(row.label) for row in figures.rows]
    y = {
        "field": "row",
        "type": "nominal",
        "scale": {"domain": [f"{i}" for i in range(len(labels))]},
        "title": None,
        "axis": {**LINES, "labelExpr": f"split({literal(labels)}[datum.value], '|')"},
    }
    x = {
        "field": "median",
        "type": "quantitative",
        "scale": scale,
        "title": None,
        "axis": _axis(start, end),
    }
    return {
        "width": 290,
        "height": {"step": 46},
        "data": {"values": values},
        "encoding": {"y": y, "x": x},
        "layer": [
            {
                "mark": {
                    "type": "bar",
                    "height": 12,
                    "color": PAPER["flow"],
                    "yOffset": 6,
                    "opacity": 1,
                },
                "encoding": {"x2": {"field": "p90"}},
            },
            {
                "mark": {
                    "type": "tick",
                    "thickness": 4,
                    "size": 22,
                    "color": PAPER["visible"],
                    "yOffset": 6,
                    "opacity": 1,
                }
            },
            {
                "mark": {
                    "type": "text",
                    "align": "left",
                    "dx": 0,
                    "dy": -12,
                    "color": PAPER["muted"],
                },
                "encoding": {"text": {"field": "said"}},
            },
        ],
        "config": config(),
    }


def _reach(figures: Spreads) -> tuple[float, float]:
    """Words of time below the shortest and above the longest, between which all of it lies."""
    known = [row for row in figures.rows if row.n and row.median is not None]
    low = min(row.median or 0.0 for row in known)
    high = max(max(row.median or 0.0, row.p90 or 0.0) for row in known)
    start = max((tick for tick in TICKS if tick <= low), default=TICKS[0])
    return start, next((float(tick) for tick in TICKS if tick >= high * 1.05), high * 1.2)


def _axis(start: float, end: float) -> Spec:
    ticks = [t for t in TICKS if start <= t <= end]
    said = ", ".join(f"'{t}'" for t in ticks)
    words = literal([duration(t).replace("\u00a0", " ") for t in ticks])
    return {
        "values": ticks,
        "labelExpr": f"{words}[indexof([{said}], '' + datum.value)]",
        "labelFontSize": 12,
        "labelAngle": -30,
    }


def _table(figures: Spreads) -> Table:
    rows = tuple(
        (
            row.label,
            number(row.n),
            duration(row.median) if row.n else NOTHING,
            duration(row.p90) if row.n else NOTHING,
        )
        for row in figures.rows
    )
    return Table(
        _("Durations"), (_("Step"), _("Measured"), _("Median"), _("90th percentile")), rows
    )
