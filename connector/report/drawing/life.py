"""The time line of one record: where it stood, who saw it, its waits and its moments of truth.

Three rows on one scale of time: steps (one line each, so that names never meet), bands, moments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton

from connector.journey.fields import BAND_CHOICES
from connector.messages import _, current_language
from connector.report.drawing import ink
from connector.report.drawing.palette import PAPER
from connector.report.drawing.picture import Picture, Sketch
from connector.report.layout import Table
from connector.report.wording import NOTHING, duration


@dataclass(frozen=True)
class Stay:
    """A step, a wait or a band from one instant until another, both aware.

    Of a band `id` is what counts (`visible` …); its name needs no `label`.
    """

    label: str
    since: datetime
    until: datetime
    id: str = ""


@dataclass(frozen=True)
class MomentMark:
    """A moment of truth, when it was decided: `polarity` positive, negative, neutral or open."""

    label: str
    at: datetime
    polarity: str


@dataclass(frozen=True)
class RecordLife:
    """One record's life, told in the time zone of the report."""

    number: str
    steps: tuple[Stay, ...]
    bands: tuple[Stay, ...]
    moments: tuple[MomentMark, ...] = ()
    waits: tuple[Stay, ...] = ()
    time_zone: str = "UTC"


WIDTH, LEFT, RIGHT, ROW = 640.0, 150.0, 14.0, 26.0
HATCHED = ("provider_backstage",)


@dataclass(frozen=True)
class _Scale:
    start: datetime
    seconds: float

    def x(self, at: datetime) -> float:
        part = (at - self.start).total_seconds() / self.seconds
        return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, part))


def life_line(figures: RecordLife, name: str = "chart-life") -> Picture | None:
    """Draw the time line; None where it is not known how long the record was anywhere."""
    stays = [*figures.steps, *figures.bands, *figures.waits]
    if not stays:
        return None
    start, end = min(s.since for s in stays), max(s.until for s in stays)
    if end <= start:
        return None
    scale = _Scale(start, (end - start).total_seconds())
    labels = list(dict.fromkeys(stay.label for stay in figures.steps))
    tops = _tops(labels)
    bands_top = 40 + sum(height for _top, height in tops.values()) + 10
    parts = [
        _axis(figures, scale, end),
        _steps(figures, scale, tops),
        _bands(figures, scale, bands_top, name),
    ]
    y = bands_top + ROW + 10
    if figures.waits:
        parts.append(_waits(figures, scale, y))
        y += ROW + 6
    body, y = _moments(figures, scale, y)
    legend, y = _legend(figures, y + 16, name)
    patterns = "".join(ink.hatch(f"{name}-{role}", role) for role in HATCHED)
    return Picture(
        name,
        _("Time line of {number}").format(number=figures.number),
        _describe(figures),
        Sketch(WIDTH, y + 8, f"<defs>{patterns}</defs>" + "".join([*parts, body, legend])),
        _table(figures),
    )


def _tops(labels: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Label → top of its line and its height."""
    tops, y = {}, 40.0
    for label in labels:
        height = max(ROW, 6 + len(ink.wrapped(label, LEFT - 14, 12)) * 12 * ink.LEADING)
        tops[label] = (y, height)
        y += height
    return tops


def _said(at: datetime, time_zone: str, *, with_hour: bool = True) -> str:
    local = at.astimezone(ZoneInfo(time_zone))
    day = str(format_skeleton("MMMd", local, locale=current_language()))
    return f"{day}, {local:%H:%M}" if with_hour else day


def _axis(figures: RecordLife, scale: _Scale, end: datetime) -> str:
    short = scale.seconds < 4 * 86400
    places = [scale.start + (end - scale.start) * part for part in (0.0, 0.25, 0.5, 0.75, 1.0)]
    parts = []
    for i, at in enumerate(places):
        x = scale.x(at)
        anchor = "start" if i == 0 else "end" if i == len(places) - 1 else "middle"
        said = _said(at, figures.time_zone, with_hour=short)
        parts.append(ink.words(x, 16, said, size=11.5, role="muted", anchor=anchor))
        parts.append(ink.line(x, 22, x, 34, "line"))
    return ink.group([*parts, ink.line(LEFT, 28, WIDTH - RIGHT, 28, "line")], class_="axis")


def _steps(figures: RecordLife, scale: _Scale, tops: dict[str, tuple[float, float]]) -> str:
    parts = []
    for label, (top, height) in tops.items():
        lines = ink.wrapped(label, LEFT - 14, 12)
        parts.append(ink.words(0, top + 15, lines, size=12))
        parts.append(
            ink.line(
                LEFT, top + height - 1, WIDTH - RIGHT, top + height - 1, "line", stroke_width=0.6
            )
        )
    for stay in figures.steps:
        top, _height = tops[stay.label]
        x = scale.x(stay.since)
        parts.append(
            ink.rect(x, top + 5, max(2.5, scale.x(stay.until) - x), 14, "state_committed", rx=2)
        )
    return ink.group(parts, class_="steps")


def _heading(top: float, text: str) -> str:
    return ink.words(0, top + 16, text, size=12, bold=True)


def _bands(figures: RecordLife, scale: _Scale, top: float, name: str) -> str:
    parts = [_heading(top, _("Who sees it"))] if figures.bands else []
    for stay in figures.bands:
        x = scale.x(stay.since)
        fill = (
            f"url(#{name}-{stay.id})"
            if stay.id in HATCHED
            else stay.id
            if stay.id in PAPER
            else "none"
        )
        parts.append(
            ink.rect(
                x,
                top + 2,
                max(1.5, scale.x(stay.until) - x),
                20,
                fill,
                stroke=PAPER["paper"],
                stroke_width=0.75,
            )
        )
    return ink.group(parts, class_="bands")


def _waits(figures: RecordLife, scale: _Scale, top: float) -> str:
    parts = [_heading(top, _("Waits"))]
    for stay in figures.waits:
        x, end = scale.x(stay.since), scale.x(stay.until)
        y = top + 12
        parts.append(
            ink.line(x, y, max(end, x + 3), y, "ink", stroke_width=2, stroke_dasharray="3 3")
        )
        parts.extend(
            ink.line(at, y - 6, at, y + 6, "ink", stroke_width=2) for at in (x, max(end, x + 3))
        )
    return ink.group(parts, class_="waits")


SIGNS = {"positive": "+", "negative": "−", "neutral": "○", "open": "?"}


def _moments(figures: RecordLife, scale: _Scale, top: float) -> tuple[str, float]:
    """One line for each moment: its sign at its instant, its name beside it."""
    if not figures.moments:
        return "", top
    parts, y = [_heading(top, _("Moments"))], top
    for moment in sorted(figures.moments, key=lambda m: (m.at, m.label)):
        x = scale.x(moment.at)
        parts.append(_sign(x, y + 12, moment.polarity))
        is_right = x > LEFT + (WIDTH - LEFT) * 0.5
        room = (x - LEFT if is_right else WIDTH - RIGHT - x) - 18
        lines = ink.wrapped(moment.label, room, 12, most=2)
        parts.append(
            ink.words(
                x - 14 if is_right else x + 14,
                y + 16,
                lines,
                size=12,
                anchor="end" if is_right else "start",
            )
        )
        y += max(ROW, 8 + len(lines) * 12 * ink.LEADING)
    return ink.group(parts, class_="moments"), y


def _sign(x: float, y: float, polarity: str) -> str:
    if polarity == "positive":
        mark = ink.circle(x, y, 7.5, "visible")
        return mark + _cross(x, y, is_plus=True)
    if polarity == "negative":
        mark = ink.path(
            ink.polygon((x, y - 9), (x + 9, y), (x, y + 9), (x - 9, y)),
            fill=PAPER["lost"],
        )
        return mark + _cross(x, y, is_plus=False)
    dash = {"stroke_dasharray": "3 2"} if polarity == "open" else {}
    return ink.circle(x, y, 6.5, "paper", stroke=PAPER["muted"], stroke_width=2, **dash)


def _cross(x: float, y: float, *, is_plus: bool) -> str:
    flat = ink.line(x - 4, y, x + 4, y, "paper", stroke_width=2)
    return flat + (ink.line(x, y - 4, x, y + 4, "paper", stroke_width=2) if is_plus else "")


def _legend(figures: RecordLife, y: float, name: str) -> tuple[str, float]:
    used = list(dict.fromkeys(stay.id for stay in figures.bands if stay.id in BAND_CHOICES))
    parts, x = [], LEFT
    for band in used:
        label = BAND_CHOICES[band].in_(current_language())
        width = 20 + ink.text_width(label, 12) + 16
        if x + width > WIDTH and x > LEFT:
            x, y = LEFT, y + 18
        fill = f"url(#{name}-{band})" if band in HATCHED else band
        parts.append(ink.rect(x, y - 10, 13, 12, fill))
        parts.append(ink.words(x + 19, y, label, size=12))
        x += width
    return ink.group(parts, class_="legend"), y


def _band(id_: str) -> str:
    return BAND_CHOICES[id_].in_(current_language()) if id_ in BAND_CHOICES else NOTHING


def _polarity(polarity: str) -> str:
    names = {
        "positive": _("won"),
        "negative": _("lost"),
        "neutral": _("neutral"),
        "open": _("open"),
    }
    return names.get(polarity, polarity)


def _describe(figures: RecordLife) -> str:
    steps = [f"{s.label}: {duration((s.until - s.since).total_seconds())}" for s in figures.steps]
    moments = [f"{m.label}: {_polarity(m.polarity)}" for m in figures.moments]
    return "; ".join([*steps, *moments])


def _table(figures: RecordLife) -> Table:
    zone = figures.time_zone
    kinds = (
        (_("Step"), figures.steps),
        (_("Who sees it"), figures.bands),
        (_("Wait"), figures.waits),
    )
    rows = [
        (
            _said(s.since, zone),
            kind,
            s.label or _band(s.id),
            duration((s.until - s.since).total_seconds()),
        )
        for kind, stays in kinds
        for s in stays
    ]
    rows += [
        (_said(m.at, zone), _("Moment"), m.label, _polarity(m.polarity)) for m in figures.moments
    ]
    columns = (_("When"), _("What"), _("Name"), _("How long, or how it ended"))
    return Table(
        _("Time line of {number}").format(number=figures.number), columns, tuple(rows), texts=4
    )
