"""The band chart: how much happened in each band of visibility, period by period, as shares."""

from dataclasses import dataclass

from connector.journey.fields import BAND_CHOICES
from connector.messages import _, current_language
from connector.report.drawing.picture import Picture
from connector.report.drawing.vega import Spec, colours, config, literal, percent_axis
from connector.report.layout import Table
from connector.report.wording import NOTHING, duration, percent

BANDS = ("visible", "provider_backstage", "consumer_backstage")


@dataclass(frozen=True)
class BandPeriod:
    """One week or month: its label, and seconds (or events) in each of BANDS."""

    label: str
    amounts: dict[str, float]


@dataclass(frozen=True)
class BandTime:
    """Bands over time; `is_time` false: the amounts are events, not seconds."""

    periods: tuple[BandPeriod, ...]
    is_time: bool = True


def band_chart(figures: BandTime, name: str = "chart-bands") -> Picture | None:
    """Draw the bands; None with fewer than two periods in which anything happened."""
    told = [p for p in figures.periods if sum(p.amounts.values()) > 0]
    if len(told) < 2:
        return None
    return Picture(
        name,
        _("Time by visibility band") if figures.is_time else _("Events by visibility band"),
        "; ".join(f"{p.label}: {percent(_ratio(p, 'visible'))}" for p in told)
        + f" ({_said_band('visible')})",
        _spec(figures, told),
        _table(figures),
        hatched=("provider_backstage",),
    )


def _ratio(period: BandPeriod, band: str) -> float | None:
    whole = sum(period.amounts.values())
    return period.amounts.get(band, 0.0) / whole if whole else None


def _said_band(band: str) -> str:
    return BAND_CHOICES[band].in_(current_language())


def _spec(figures: BandTime, told: list[BandPeriod]) -> Spec:
    used = [band for band in BANDS if any(p.amounts.get(band) for p in told)]
    # By position, not by label: two periods may be called the same; a gap stays a gap.
    values = [
        {"at": i, "series": _said_band(band), "order": k, "value": _ratio(period, band)}
        for i, period in enumerate(figures.periods)
        for k, band in enumerate(used)
    ]
    labels = [period.label for period in figures.periods]
    every = max(1, -(-len(labels) // 7))
    series = [(band, _said_band(band)) for band in used]
    return {
        "width": 400,
        "height": 210,
        "data": {"values": [v for v in values if v["value"] is not None]},
        "mark": {
            "type": "area",
            "interpolate": "monotone",
            "line": False,
            "stroke": "#ffffff",
            "strokeWidth": 1.5,
        },
        "encoding": {
            "x": {
                "field": "at",
                "type": "quantitative",
                "scale": {"domain": [0, len(labels) - 1], "nice": False},
                "title": None,
                "axis": {
                    "values": list(range(0, len(labels), every)),
                    "labelExpr": f"{literal(labels)}[datum.value]",
                    "labelAngle": -30,
                    "grid": False,
                    "labelFlush": False,
                },
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "stack": "zero",
                "title": None,
                "scale": {"domain": [0, 1]},
                "axis": {"labelExpr": percent_axis(), "tickCount": 5},
            },
            "order": {"field": "order", "type": "ordinal"},
            "color": colours(series),
        },
        "config": config(),
    }


def _table(figures: BandTime) -> Table:
    rows = []
    for period in figures.periods:
        cells = []
        for band in BANDS:
            amount = period.amounts.get(band)
            said = (
                NOTHING
                if amount is None
                else duration(amount)
                if figures.is_time
                else f"{amount:g}"
            )
            cells.append(f"{said} ({percent(_ratio(period, band))})" if amount else said)
        rows.append((period.label, *cells))
    return Table(
        _("By visibility band"), (_("Period"), *(_said_band(b) for b in BANDS)), tuple(rows)
    )
