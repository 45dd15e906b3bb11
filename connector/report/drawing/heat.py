"""The heat map: touchpoints × months (or departments), darker where it hurts; figures in cells."""

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
    """The impact at one row and column, by their ids; None where it may not or cannot be told."""

    row: str
    column: str
    impact: int | None


@dataclass(frozen=True)
class HeatMap:
    """Impact by touchpoint and month: (id, label) of both in order, and what `impact` counts."""

    rows: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...]
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
    values = [
        {
            "row": cell.row,
            "column": cell.column,
            "level": HEAT[level(cell.impact or 0, most)],
            "said": _said(cell.impact),
        }
        for cell in figures.cells
    ]
    wide = max(46, min(84, 420 // max(1, len(figures.columns))))
    above = _place("column", figures.columns, wide - 14)
    above["axis"] |= {"orient": "top", "labelAngle": 0}
    if "|" in above["axis"]["labelExpr"].replace("'|')", ""):
        above["axis"]["labelPadding"] = 22  # Vega leaves room for one line only
    shade = {
        "field": "level",
        "type": "nominal",
        "scale": {"domain": list(HEAT), "range": [PAPER[id_] for id_ in HEAT]},
        "legend": None,
    }
    return {
        "width": {"step": wide},
        "height": {"step": 40},
        "data": {"values": values},
        "encoding": {"y": _place("row", figures.rows, 190), "x": above},
        "layer": [
            {
                "mark": {"type": "rect", "stroke": PAPER["paper"], "strokeWidth": 2},
                "encoding": {"color": shade},
            },
            {"mark": {"type": "text", "font": FONT}, "encoding": {"text": {"field": "said"}}},
        ],
        "config": config(),
    }


def _place(field: str, labels: Sequence[tuple[str, str]], width: float) -> Spec:
    ids = [id_ for id_, _label in labels]
    said = ["|".join(wrapped(label.replace("|", "/"), width, 14, most=2)) for _id, label in labels]
    axis = {
        **LINES,
        "labelExpr": f"split({literal(said)}[indexof({literal(ids)}, datum.value)], '|')",
        "domain": False,
        "ticks": False,
        "labelLineHeight": 15,
    }
    return {
        "field": field,
        "type": "nominal",
        "scale": {"domain": ids},
        "title": None,
        "axis": axis,
    }


def _describe(figures: HeatMap) -> str:
    worst = sorted((c for c in figures.cells if c.impact), key=lambda c: -(c.impact or 0))[:5]
    rows, columns = dict(figures.rows), dict(figures.columns)
    told = "; ".join(
        f"{rows.get(c.row, c.row)}, {columns.get(c.column, c.column)}: {number(c.impact or 0)}"
        for c in worst
    )
    return _("The hottest first: {cells}").format(cells=told)


def _table(figures: HeatMap) -> Table:
    at = {(c.row, c.column): c.impact for c in figures.cells}
    rows = tuple(
        (label, *(_said(at.get((id_, column))) for column, _label in figures.columns))
        for id_, label in figures.rows
    )
    return Table(
        figures.measure, (_("Touchpoint"), *(label for _id, label in figures.columns)), rows
    )


def _said(impact: int | None) -> str:
    return NOTHING if impact is None else number(impact)
