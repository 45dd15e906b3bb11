"""Strips: the same records on several journeys, one under the other, a box for each step."""

from collections.abc import Sequence
from dataclasses import dataclass

from connector.messages import _
from connector.report.drawing import ink
from connector.report.drawing.palette import HEAT
from connector.report.drawing.picture import Picture, Sketch
from connector.report.layout import Table
from connector.report.wording import NOTHING, count

WIDTH, BOX, GAP = 720.0, 46.0, 4.0
NAMES, TITLE, LOWEST = 4, 22.0, 12.0
SIZE = 11.0


@dataclass(frozen=True)
class Box:
    """A step and its records; None where they are not shown, or the tool has no source for it."""

    name: str
    records: int | None


@dataclass(frozen=True)
class Strip:
    """One journey, its steps in order."""

    name: str
    boxes: tuple[Box, ...]


def strips_chart(strips: Sequence[Strip], name: str = "chart-strips") -> Picture | None:
    """Draw the strips, the busiest box darkest; None where no box has a record."""
    most = max((box.records or 0 for strip in strips for box in strip.boxes), default=0)
    if not most:
        return None
    parts, y = [], 0.0
    for strip in strips:
        drawn, height = _strip(strip, y, most)
        parts.append(drawn)
        y += height
    return Picture(
        name,
        _("The same records on each journey"),
        "; ".join(
            f"{strip.name}: " + ", ".join(f"{b.name} {count(b.records)}" for b in strip.boxes)
            for strip in strips
        ),
        Sketch(WIDTH, y, "".join(parts)),
        _table(strips),
    )


def _strip(strip: Strip, y: float, most: int) -> tuple[str, float]:
    """The drawing, and how high it is."""
    wide = WIDTH / len(strip.boxes)
    named = [
        ink.wrapped(f"{i}. {box.name}", wide - GAP - 4, SIZE, NAMES)
        for i, box in enumerate(strip.boxes, 1)
    ]
    parts = [ink.words(0, y + 14, strip.name, bold=True)]
    for i, (box, lines) in enumerate(zip(strip.boxes, named, strict=True)):
        x, top = i * wide, y + TITLE
        parts.append(_box(box, x, top, wide - GAP, most))
        parts.append(ink.words(x + 2, top + BOX + SIZE + 3, lines, size=SIZE))
    height = TITLE + BOX + max(map(len, named)) * SIZE * ink.LEADING + LOWEST
    return ink.group(parts, class_="strip"), height


def _box(box: Box, x: float, y: float, width: float, most: int) -> str:
    shade = 0 if not box.records else 1 + round((len(HEAT) - 2) * box.records / most)
    figure = ink.words(x + width / 2, y + BOX / 2 + 5, count(box.records), size=15, anchor="middle")
    return ink.rect(x, y, width, BOX, HEAT[shade]) + figure


def _table(strips: Sequence[Strip]) -> Table:
    most = max(len(strip.boxes) for strip in strips)
    rows = []
    for i in range(most):
        cells = []
        for strip in strips:
            box = strip.boxes[i] if i < len(strip.boxes) else None
            cells += [f"{i + 1}. {box.name}", count(box.records)] if box else [NOTHING, NOTHING]
        rows.append(tuple(cells))
    columns = tuple(text for strip in strips for text in (strip.name, _("Records")))
    return Table(_("The same records on each journey"), columns, tuple(rows))
