"""Moments of truth won and lost: won to the right, lost to the left, with their counts."""

from dataclasses import dataclass

from connector.messages import _
from connector.report.drawing.palette import PAPER
from connector.report.drawing.picture import Picture
from connector.report.drawing.vega import LINES, Spec, broken, colours, config, literal
from connector.report.layout import Table
from connector.report.wording import number


@dataclass(frozen=True)
class MomentScore:
    """One moment of truth: how often it was won, lost, or passed without either; and still open."""

    label: str
    won: int
    lost: int
    neutral: int = 0
    open: int = 0


@dataclass(frozen=True)
class MomentScores:
    """Moments in the order to be shown: those that hurt most first."""

    rows: tuple[MomentScore, ...]


def moments_chart(figures: MomentScores, name: str = "chart-moments") -> Picture | None:
    """Draw the bars; None where no moment was decided. Moments without either are in the table."""
    decided = [row for row in figures.rows if row.won or row.lost]
    if not decided:
        return None
    return Picture(
        name,
        _("Moments of truth won and lost"),
        "; ".join(
            _("{label}: {won} won, {lost} lost").format(
                label=row.label, won=number(row.won), lost=number(row.lost)
            )
            for row in decided
        ),
        _spec(decided),
        _table(figures),
        hatched=("lost",),
    )


def _spec(rows: list[MomentScore]) -> Spec:
    names = {"lost": _("Lost"), "won": _("Won")}
    values = []
    for i, row in enumerate(rows):
        for series, value in (("lost", -row.lost), ("won", row.won)):
            values.append(
                {"row": f"{i}", "series": names[series], "value": value, "side": series,
                 "said": number(abs(value)) if value else ""}
            )  # fmt: skip
    labels = [broken(row.label, 30) for row in rows]
    left, right = max(row.lost for row in rows), max(row.won for row in rows)
    room = 0.18 * (left + right)
    text = {"type": "text", "color": PAPER["ink"], "baseline": "middle"}
    return {
        "width": 270,
        "height": {"step": 40},
        "data": {"values": values},
        "encoding": {
            "y": {
                "field": "row",
                "type": "nominal",
                "scale": {"domain": [f"{i}" for i in range(len(rows))]},
                "title": None,
                "axis": {**LINES, "labelExpr": f"split({literal(labels)}[datum.value], '|')"},
            },
            "x": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "stack": None,
                "scale": {"domain": [-left - (room if left else 0), right + room], "nice": False},
                "axis": None,
            },
        },
        "layer": [
            {
                "mark": {"type": "bar", "height": 20},
                "encoding": {
                    "color": colours(
                        [("lost", names["lost"]), ("visible", names["won"])], columns=2
                    )
                },
            },
            {
                "transform": [{"filter": "datum.side == 'won'"}],
                "mark": {**text, "align": "left", "dx": 5},
                "encoding": {"text": {"field": "said"}},
            },
            {
                "transform": [{"filter": "datum.side == 'lost'"}],
                "mark": {**text, "align": "right", "dx": -5},
                "encoding": {"text": {"field": "said"}},
            },
        ],
        "config": config(),
    }


def _table(figures: MomentScores) -> Table:
    rows = tuple(
        (row.label, number(row.lost), number(row.won), number(row.neutral), number(row.open))
        for row in figures.rows
    )
    columns = (_("Moment of truth"), _("Lost"), _("Won"), _("Neutral"), _("Open"))
    return Table(_("Moments of truth won and lost"), columns, rows)
