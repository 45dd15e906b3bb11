"""The journey map: steps in their groups × lanes, with compromiso as a ribbon through them.

The lanes are those of a service blueprint: what the consumer does alone, what both see, and, below
the line of visibility, the provider's and its suppliers' backstage. A bubble says how many records
(its area), and which way the moments of truth went there (its colour, and in words beneath).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from connector.messages import _
from connector.report.drawing import ink, ribbon
from connector.report.drawing.palette import PAPER
from connector.report.drawing.picture import Picture, Sketch
from connector.report.drawing.ribbon import Ribbon
from connector.report.layout import Table
from connector.report.wording import NOTHING, number

LANES = ("consumer", "visible", "provider", "supplier")
"""From the consumer's own work, over what both see, to what the consumer never sees."""


@dataclass(frozen=True)
class MapStep:
    """One column. Neighbours of one `group` stand under one heading."""

    id: str
    name: str
    group: str = ""
    has_source: bool = True


@dataclass(frozen=True)
class Bubble:
    """What happened in one lane of one step: records, moments won and lost there."""

    step: str
    lane: str
    records: int
    won: int = 0
    lost: int = 0


@dataclass(frozen=True)
class JourneyMap:
    """The figures of a map. `ribbon` None: nobody knows how the relationship is."""

    steps: tuple[MapStep, ...]
    bubbles: tuple[Bubble, ...]
    ribbon: Ribbon | None = None


LEFT, COLUMN, LANE, HEAD, RIGHT = 112.0, 98.0, 84.0, 92.0, 8.0
BIGGEST = 25.0
"""Radius of the busiest bubble."""


def journey_map(figures: JourneyMap, name: str = "chart-map") -> Picture | None:
    """Draw the map; None where no record is in any step."""
    shown = [b for b in figures.bubbles if b.records > 0 and b.lane in LANES]
    if not shown:
        return None
    columns = {step.id: LEFT + (i + 0.5) * COLUMN for i, step in enumerate(figures.steps)}
    width = LEFT + COLUMN * len(figures.steps) + RIGHT
    below = HEAD + LANE * len(LANES)
    band = ribbon.drawn(figures.ribbon, columns, below + 14, LEFT) if figures.ribbon else ""
    legend_top = below + (ribbon.HEIGHT + 14 if band else 0) + 26
    parts = [
        _heads(figures.steps, width),
        _lanes(figures.steps, width),
        _bubbles(shown, columns, f"url(#{name}-lost)"),
        band,
        _legend(legend_top, f"url(#{name}-lost)"),
    ]
    defs = f"<defs>{ink.hatch(f'{name}-lost', 'lost')}</defs>"
    return Picture(
        name,
        _("Journey map: steps and who sees them"),
        _describe(figures, shown),
        Sketch(width, legend_top + 14, defs + "".join(parts)),
        _table(figures, shown),
    )


def lane_name(lane: str) -> str:
    """What a lane is called."""
    return {
        "consumer": _("Consumer's own work"),
        "visible": _("Visible to both"),
        "provider": _("Provider backstage"),
        "supplier": _("Suppliers"),
    }[lane]


def _heads(steps: Sequence[MapStep], width: float) -> str:
    parts = []
    for first, last, group in _runs(steps):
        x, end = LEFT + first * COLUMN + 3, LEFT + (last + 1) * COLUMN - 3
        lines = ink.wrapped(group, end - x, 12.5, most=1)
        parts.append(ink.words((x + end) / 2, 16, lines, size=12.5, role="muted", anchor="middle"))
        parts.append(ink.rect(x, 22, end - x, 3, "visible"))
    for i, step in enumerate(steps):
        lines = ink.wrapped(f"{i + 1}. {step.name}", COLUMN - 8, 12, most=4)
        parts.append(
            ink.words(LEFT + (i + 0.5) * COLUMN, 42, lines, size=12, anchor="middle", bold=True)
        )
    return ink.group([*parts, ink.line(LEFT, HEAD, width - RIGHT, HEAD, "line")], class_="steps")


def _runs(steps: Sequence[MapStep]) -> list[tuple[int, int, str]]:
    """Neighbours of one group: first and last position, and the group."""
    runs: list[tuple[int, int, str]] = []
    for i, step in enumerate(steps):
        if runs and runs[-1][2] == step.group:
            runs[-1] = (runs[-1][0], i, step.group)
        elif step.group:
            runs.append((i, i, step.group))
    return runs


def _lanes(steps: Sequence[MapStep], width: float) -> str:
    parts = []
    for i, lane in enumerate(LANES):
        top = HEAD + i * LANE
        if i % 2 == 0:
            parts.append(ink.rect(LEFT, top, width - RIGHT - LEFT, LANE, "panel"))
        lines = ink.wrapped(lane_name(lane), LEFT - 12, 12.5)
        middle = top + LANE / 2 - (len(lines) - 1) * 7.5 + 4
        parts.append(ink.words(0, middle, lines, size=12.5, bold=lane == "visible"))
    seen = HEAD + 2 * LANE
    parts.append(
        ink.line(0, seen, width - RIGHT, seen, "ink", stroke_width=1.4, stroke_dasharray="7 4")
    )
    parts.append(ink.words(0, seen - 6, _("Line of visibility"), size=10.5, role="muted"))
    for i, step in enumerate(steps):
        if not step.has_source:
            parts.append(_absent(LEFT + i * COLUMN))
    return ink.group(parts, class_="lanes")


def _absent(x: float) -> str:
    lines = ink.wrapped(_("no source in this tool"), COLUMN - 20, 11.5)
    box = ink.frame(
        x + 6, HEAD + 6, COLUMN - 12, LANE * len(LANES) - 12, "line", stroke_dasharray="4 4", rx=6
    )
    middle = HEAD + LANE * 1.5
    return box + ink.words(x + COLUMN / 2, middle, lines, size=11.5, role="muted", anchor="middle")


def balance_role(won: int, lost: int) -> str:
    """The colour of a balance of moments."""
    if won == lost:
        return "none"
    return "visible" if won > lost else "lost"


def said_balance(won: int, lost: int) -> str:
    """+3 or −2; nothing where no moment was decided."""
    if not won and not lost:
        return ""
    return f"{'+' if won > lost else '−' if won < lost else '±'}{number(abs(won - lost))}"


def _bubbles(shown: Sequence[Bubble], columns: dict[str, float], hatched: str) -> str:
    busiest = max(bubble.records for bubble in shown)
    parts = []
    for bubble in shown:
        if bubble.step not in columns:
            continue
        radius = max(4.0, BIGGEST * sqrt(bubble.records / busiest))
        x, top = columns[bubble.step], HEAD + LANES.index(bubble.lane) * LANE
        role = balance_role(bubble.won, bubble.lost)
        parts.append(_mark(x, top + 33, radius, hatched if role == "lost" else role))
        said = f"{number(bubble.records)} {_in_brackets(bubble)}".strip()
        parts.append(ink.words(x, top + 33 + radius + 15, said, size=12, anchor="middle"))
    return ink.group(parts, class_="bubbles")


def _mark(x: float, y: float, radius: float, fill: str) -> str:
    return ink.circle(x, y, radius, fill, stroke=PAPER["ink"], stroke_width=0.8)


def _in_brackets(bubble: Bubble) -> str:
    balance = said_balance(bubble.won, bubble.lost)
    return f"({balance})" if balance else ""


def _legend(top: float, hatched: str) -> str:
    marks = (
        ("visible", _("more moments won than lost")),
        (hatched, _("more lost than won")),
        ("none", _("even, none decided, or not shown")),
    )
    x, parts = LEFT, []
    for fill, label in marks:
        parts.append(_mark(x + 7, top - 4, 6.5, fill))
        parts.append(ink.words(x + 19, top, label, size=12))
        x += 19 + ink.text_width(label, 12) + 18
    return ink.group(parts, class_="legend")


def _describe(figures: JourneyMap, shown: Sequence[Bubble]) -> str:
    names = {step.id: step.name for step in figures.steps}
    sums: dict[str, list[int]] = {}
    for bubble in shown:
        total = sums.setdefault(bubble.step, [0, 0, 0])
        for i, value in enumerate((bubble.records, bubble.won, bubble.lost)):
            total[i] += value
    told = [
        _("{step}: {n} records, moments {won} won, {lost} lost").format(
            step=names[id_],
            n=number(sums[id_][0]),
            won=number(sums[id_][1]),
            lost=number(sums[id_][2]),
        )
        for id_ in names
        if id_ in sums
    ]
    return "; ".join([*told, *([ribbon.told(figures.ribbon, names)] if figures.ribbon else [])])


def _table(figures: JourneyMap, shown: Sequence[Bubble]) -> Table:
    at = {(b.step, b.lane): b for b in shown}
    scores = dict(figures.ribbon.scores) if figures.ribbon else {}
    rows = []
    for i, step in enumerate(figures.steps, 1):
        cells = [_cell(at.get((step.id, lane))) for lane in LANES]
        score = [ribbon.said_score(scores.get(step.id))] if figures.ribbon else []
        rows.append((f"{i}. {step.name}", *cells, *score))
    columns = (_("Step"), *(lane_name(lane) for lane in LANES))
    return Table(
        _("Records by step and lane, with moments won less lost in brackets"),
        (*columns, _("Engagement")) if figures.ribbon else columns,
        tuple(rows),
    )


def _cell(bubble: Bubble | None) -> str:
    if bubble is None:
        return NOTHING
    return f"{number(bubble.records)} {_in_brackets(bubble)}".strip()
