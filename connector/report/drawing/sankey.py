"""Flows from step to step: a Sankey of moves, those that go back in a second colour and hatched.

On the left where records came from, on the right where they went, both in the order of the journey:
so a journey that turns back can be drawn, which a Sankey of one row cannot.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from connector.messages import _
from connector.report.drawing import ink
from connector.report.drawing.palette import PAPER
from connector.report.drawing.picture import Picture, Sketch
from connector.report.layout import Table
from connector.report.wording import number


@dataclass(frozen=True)
class Flow:
    """So many moves from one step to another, by id."""

    origin: str
    target: str
    moves: int


@dataclass(frozen=True)
class Flows:
    """Moves between steps; `steps` are (id, name) in the order of the journey."""

    steps: tuple[tuple[str, str], ...]
    flows: tuple[Flow, ...]


WIDTH, SIDE, BAR, GAP, TALL = 500.0, 152.0, 9.0, 22.0, 300.0
TOP = 34.0


@dataclass(frozen=True)
class _Node:
    y: float
    height: float


def sankey(figures: Flows, name: str = "chart-moves") -> Picture | None:
    """Draw the moves; None where nothing moved."""
    order = {id_: i for i, (id_, _name) in enumerate(figures.steps)}
    flows = sorted(
        (f for f in figures.flows if f.moves > 0 and f.origin in order and f.target in order),
        key=lambda f: (order[f.origin], order[f.target]),
    )
    if not flows:
        return None
    scale = TALL / sum(f.moves for f in flows)
    left = _nodes([f.origin for f in flows], flows, scale, figures, outgoing=True)
    right = _nodes([f.target for f in flows], flows, scale, figures, outgoing=False)
    bottom = max(n.y + n.height for n in [*left.values(), *right.values()])
    parts = [
        ink.words(SIDE - 4, 14, _("from"), size=12, role="muted", anchor="end"),
        ink.words(WIDTH - SIDE + 4, 14, _("to"), size=12, role="muted"),
        _bands(flows, left, right, scale, (order, name)),
        _labels(left, figures, flows, outgoing=True),
        _labels(right, figures, flows, outgoing=False),
        _legend(bottom + 34, name),
    ]
    defs = f"<defs>{ink.hatch(f'{name}-back', 'flow_back')}</defs>"
    return Picture(
        name,
        _("Moves from step to step; those that go back are hatched"),
        "; ".join(_told(f, figures) for f in flows),
        Sketch(WIDTH, bottom + 46, defs + "".join(parts)),
        _table(flows, figures, order),
    )


def _nodes(
    ids: Sequence[str], flows: Sequence[Flow], scale: float, figures: Flows, *, outgoing: bool
) -> dict[str, _Node]:
    """Where each step stands on its side; steps without moves take no room."""
    nodes, y = {}, TOP
    for id_, _name in figures.steps:
        if id_ not in ids:
            continue
        total = sum(f.moves for f in flows if (f.origin if outgoing else f.target) == id_)
        height = max(2.0, total * scale)
        # A label of three lines beside a thin bar needs its own room.
        nodes[id_] = _Node(y, height)
        y += max(height + GAP / 2, _room(id_, figures) + 8)
    return nodes


def _room(id_: str, figures: Flows) -> float:
    return len(_label(id_, figures, 0)) * 12.5 * ink.LEADING


def _label(id_: str, figures: Flows, moves: int) -> list[str]:
    position = [step for step, _name in figures.steps].index(id_)
    text = f"{position + 1}. {figures.steps[position][1]} ({number(moves)})"
    return ink.wrapped(text, SIDE - 12, 12.5)


def _bands(
    flows: Sequence[Flow],
    left: dict[str, _Node],
    right: dict[str, _Node],
    scale: float,
    told: tuple[dict[str, int], str],
) -> str:
    order, name = told
    starts = {id_: node.y for id_, node in left.items()}
    ends = {id_: node.y for id_, node in right.items()}
    parts = []
    for flow in flows:
        thick = max(1.0, flow.moves * scale)
        is_back = order[flow.target] < order[flow.origin]
        fill = f"url(#{name}-back)" if is_back else PAPER["flow"]
        parts.append(_band(starts[flow.origin], ends[flow.target], thick, fill))
        starts[flow.origin] += flow.moves * scale
        ends[flow.target] += flow.moves * scale
    return ink.group(parts, class_="flows")


def _band(y1: float, y2: float, thick: float, fill: str) -> str:
    x1, x2 = SIDE + BAR, WIDTH - SIDE - BAR
    middle = ink.n((x1 + x2) / 2)
    a, b = ink.n(x1), ink.n(x2)
    d = (
        f"M{a} {ink.n(y1)}C{middle} {ink.n(y1)} {middle} {ink.n(y2)} {b} {ink.n(y2)}"
        f"V{ink.n(y2 + thick)}"
        f"C{middle} {ink.n(y2 + thick)} {middle} {ink.n(y1 + thick)} {a} {ink.n(y1 + thick)}Z"
    )
    return ink.path(d, fill=fill, fill_opacity=0.85)


def _labels(
    nodes: dict[str, _Node], figures: Flows, flows: Sequence[Flow], *, outgoing: bool
) -> str:
    parts = []
    for id_, node in nodes.items():
        total = sum(f.moves for f in flows if (f.origin if outgoing else f.target) == id_)
        lines = _label(id_, figures, total)
        x = SIDE if outgoing else WIDTH - SIDE - BAR
        parts.append(ink.rect(x, node.y, BAR, node.height, "ink"))
        y = node.y + min(11.0, max(10.0, node.height / 2))
        place = (SIDE - 6, "end") if outgoing else (WIDTH - SIDE + 6, "start")
        parts.append(ink.words(place[0], y, lines, size=12.5, anchor=place[1]))
    return ink.group(parts, class_="from" if outgoing else "to")


def _legend(y: float, name: str) -> str:
    label = _("onward")
    back_x = SIDE + 22 + ink.text_width(label, 12) + 18
    return ink.group(
        [
            ink.rect(SIDE, y - 10, 16, 12, "flow"),
            ink.words(SIDE + 22, y, label, size=12),
            ink.rect(back_x, y - 10, 16, 12, f"url(#{name}-back)"),
            ink.words(back_x + 22, y, _("back to an earlier step"), size=12),
        ],
        class_="legend",
    )


def _told(flow: Flow, figures: Flows) -> str:
    names = dict(figures.steps)
    return f"{names[flow.origin]} → {names[flow.target]}: {number(flow.moves)}"


def _table(flows: Sequence[Flow], figures: Flows, order: dict[str, int]) -> Table:
    names = dict(figures.steps)
    rows = tuple(
        (
            names[f.origin],
            names[f.target],
            _("back") if order[f.target] < order[f.origin] else _("onward"),
            number(f.moves),
        )
        for f in flows
    )
    columns = (_("From step"), _("To step"), _("Direction"), _("Moves"))
    return Table(_("Moves from step to step"), columns, rows, texts=3)
