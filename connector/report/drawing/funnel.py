"""A funnel: how many of those who began came so far, stage by stage."""

from dataclasses import dataclass

from connector.messages import _
from connector.report.drawing import ink
from connector.report.drawing.palette import PAPER
from connector.report.drawing.picture import Picture, Sketch
from connector.report.layout import Table
from connector.report.wording import NOTHING, duration, number, percent


@dataclass(frozen=True)
class Stage:
    """How many came so far; `age` is the median of seconds that those still here have waited."""

    label: str
    n: int
    age: float | None = None


@dataclass(frozen=True)
class Funnel:
    """Stages in order, each a part of the one before."""

    title: str
    stages: tuple[Stage, ...]


WIDTH, LEFT, MOST, ROW = 520.0, 170.0, 190.0, 54.0


def funnel(figures: Funnel, name: str = "chart-funnel") -> Picture | None:
    """Draw the funnel; None where nobody began."""
    if not figures.stages or figures.stages[0].n <= 0:
        return None
    first = figures.stages[0].n
    parts = []
    for i, stage in enumerate(figures.stages):
        parts.append(_stage(stage, i, first))
        if i + 1 < len(figures.stages):
            parts.append(_fall(stage.n, figures.stages[i + 1].n, i, first))
    return Picture(
        name,
        figures.title,
        "; ".join(_told(stage, first) for stage in figures.stages),
        Sketch(WIDTH, ROW * len(figures.stages) - 10, "".join(parts)),
        _table(figures, first),
    )


def _half(n: int, first: int) -> float:
    return max(1.0, MOST * min(1.0, n / first)) / 2


def _stage(stage: Stage, i: int, first: int) -> str:
    y, half, middle = i * ROW + 4, _half(stage.n, first), LEFT + MOST / 2
    lines = ink.wrapped(stage.label, LEFT - 16, 12.5, most=2)
    said = f"{number(stage.n)} ({percent(stage.n / first)})"
    parts = [
        ink.rect(middle - half, y, 2 * half, 28, "visible"),
        ink.words(0, y + 18 - (len(lines) - 1) * 7.5, lines, size=12.5, bold=True),
        ink.words(LEFT + MOST + 12, y + 13 if stage.age is not None else y + 19, said, size=12.5),
    ]
    if stage.age is not None:
        waits = _("waiting {duration}").format(duration=duration(stage.age))
        parts.append(ink.words(LEFT + MOST + 12, y + 29, waits, size=11.5, role="muted"))
    return ink.group(parts, class_="stage")


def _fall(n: int, following: int, i: int, first: int) -> str:
    top, bottom, middle = i * ROW + 32, (i + 1) * ROW + 4, LEFT + MOST / 2
    a, b = _half(n, first), _half(following, first)
    places = ((middle - a, top), (middle + a, top), (middle + b, bottom), (middle - b, bottom))
    return ink.path(ink.polygon(*places), fill=PAPER["line"])


def _told(stage: Stage, first: int) -> str:
    return f"{stage.label}: {number(stage.n)} ({percent(stage.n / first)})"


def _table(figures: Funnel, first: int) -> Table:
    rows = tuple(
        (s.label, number(s.n), percent(s.n / first), NOTHING if s.age is None else duration(s.age))
        for s in figures.stages
    )
    columns = (_("Stage"), _("Records"), _("Of those who began"), _("Waiting (median)"))
    return Table(figures.title, columns, rows)
