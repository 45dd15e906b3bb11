"""The heat map: touchpoints × months (or departments), darker where more hurts; figures in cells."""

from collections.abc import Sequence
from dataclasses import dataclass

from connector.messages import _
from connector.report.drawing.ink import wrapped
from connector.report.drawing.palette import FONT, HEAT, PAPER
from connector.report.drawing.picture import Picture
from connector.report.drawing.vega import LINES, Spec, config, literal
from connector.report.layout import Table
from connector.report.wording import NOTHING, number


@dataclass(frozen=True)
class HeatCell:
    """The impact at one row and column; None where it may not or cannot be told."""

    row: str
    column: str
    impact: int | None


@dataclass(frozen=True)
class HeatMap:
    """Impact by touchpoint and month: labels of both in their order, and what `impact` counts."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[HeatCell, ...]
    measure: str


def heat_map(figures: HeatMap, name: str = "chart-heat") -> Picture | None:
    """Draw the map; None where nothing has an impact."""
    most = max((cell.impact or 0 for cell in figures.cells), default=0)
    if not most:
        return None
    return Picture(
        name,
        _("Where it hurts: {measure}").format(measure=figures.measure),
        _describe(figures),
        _spec(figures, most),
        _table(figures),
    )


def level(impact: int, most: int) -> int:
    """Which of the five shades: none for nothing, then quarters of the most."""
    return 0 if impact <= 0 else min(4, 1 + (4 * impact - 1) // most)


def _spec(figures: HeatMap, most: int) -> Spec:
    # Labels go by their place: two touchpoints may be called the same.
    rows = {label: f"{i}" for i, label in enumerate(figures.rows)}
    columns = {label: f"{i}" for i, label in enumerate(figures.columns)}
    values = [
        {
            "row": rows[cell.row],
            "column": columns[cell.column],
            "level": HEAT[level(cell.impact or 0, most)],
            "said": NOTHING if cell.impact is None else number(cell.impact),
        }
        for cell in figures.cells
        if cell.row in rows and cell.column in columns
    ]
    wide = max(46, min(84, 420 // max(1, len(columns))))
    return {
        "width": {"step": wide},
        "height": {"step": 40},
        "data": {"values": values},
        "encoding": {
            "y": _place("row", figures.rows, 190),
            "x": {
                **_place("column", figures.columns, wide - 14),
                "axis": {**_axis(figures.columns, wide - 14), "orient": "top", "labelAngle": 0},
            },
        },
        "layer": [
            {
                "mark": {"type": "rect", "stroke": PAPER["paper"], "strokeWidth": 2},
                "encoding": {
                    "color": {
                        "field": "level",
                        "type": "nominal",
                        "scale": {"domain": list(HEAT), "range": [PAPER[id_] for id_ in HEAT]},
                        "legend": None,
                    }
                },
            },
            {"mark": {"type": "text", "font": FONT}, "encoding": {"text": {"field": "said"}}},
        ],
        "config": config(),
    }


def _place(field: str, labels: Sequence[str], width: float) -> Spec:
    return {
        "field": field,
        "type": "nominal",
        "scale": {"domain": [f"{i}" for i in range(len(labels))]},
        "title": None,
        "axis": _axis(labels, width),
    }


def _axis(labels: Sequence[str], width: float) -> Spec:
    said = ["|".join(wrapped(label.replace("|", "/"), width, 14, most=2)) for label in labels]
    return {
        **LINES,
        "labelExpr": f"split({literal(said)}[datum.value], '|')",
        "domain": False,
        "ticks": False,
    }


def _describe(figures: HeatMap) -> str:
    worst = sorted((c for c in figures.cells if c.impact), key=lambda c: -(c.impact or 0))[:5]
    told = "; ".join(f"{c.row}, {c.column}: {number(c.impact or 0)}" for c in worst)
    return _("The hottest first: {cells}").format(cells=told)


def _table(figures: HeatMap) -> Table:
    at = {(c.row, c.column): c.impact for c in figures.cells}
    rows = tuple(
        (row, *(_said(at.get((row, column))) for column in figures.columns)) for row in figures.rows
    )
    return Table(figures.measure, (_("Touchpoint"), *figures.columns), rows)


def _said(impact: int | None) -> str:
    return NOTHING if impact is None else number(impact)
