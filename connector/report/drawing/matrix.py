"""Relationships × steps: a score in every cell, the state beside it, an arrow for what moved."""

from dataclasses import dataclass

from connector.messages import _
from connector.report.drawing import ink
from connector.report.drawing.palette import PAPER
from connector.report.drawing.picture import Picture, Sketch
from connector.report.drawing.ribbon import CUTS, role_of, said_score
from connector.report.layout import Table
from connector.report.wording import NOTHING
from connector.wording import signed


@dataclass(frozen=True)
class Relation:
    """One customer with one service. `before` is its score a month ago; None for not known.

    `state_id` is that of the mapping, `state` what the reader calls it.
    """

    name: str
    state: str
    state_id: str
    score: float | None
    before: float | None
    steps: tuple[tuple[str, float | None], ...]


@dataclass(frozen=True)
class Relations:
    """Relationships in the order to be shown; `steps` are (id, name) of the columns."""

    steps: tuple[tuple[str, str], ...]
    rows: tuple[Relation, ...]
    cuts: tuple[tuple[float, str], ...] = CUTS


NAME, STATE, CELL, ROW = 172.0, 156.0, 80.0, 40.0
STEADY = 1.0
"""Points that a score may move and still be called steady."""


def relations_matrix(figures: Relations, name: str = "chart-relations") -> Picture | None:
    """Draw the matrix; None without relationships."""
    if not figures.rows:
        return None
    heads = {id_: ink.wrapped(said, CELL - 2, 10.5, most=4) for id_, said in figures.steps}
    top = 14 + max([len(lines) for lines in heads.values()] or [1]) * 11 * ink.LEADING + 6
    width = NAME + STATE + CELL * len(figures.steps) + 8
    parts = [_heads(figures, heads, top)]
    parts += [
        _row(relation, figures, top + i * ROW, width) for i, relation in enumerate(figures.rows)
    ]
    height = top + ROW * len(figures.rows) + 8
    return Picture(
        name,
        _("Engagement by relationship and step"),
        "; ".join(_told(relation) for relation in figures.rows),
        Sketch(width, height, "".join(parts)),
        _table(figures),
    )


def _heads(figures: Relations, heads: dict[str, list[str]], top: float) -> str:
    parts = [ink.words(NAME, top - 8, _("State, and since last month"), size=11, role="muted")]
    for i, (id_, _said) in enumerate(figures.steps):
        x = NAME + STATE + (i + 0.5) * CELL
        y = top - 8 - (len(heads[id_]) - 1) * 11 * ink.LEADING
        parts.append(ink.words(x, y, heads[id_], size=10.5, role="muted", anchor="middle"))
    return ink.group(parts, class_="steps")


def _row(relation: Relation, figures: Relations, y: float, width: float) -> str:
    middle = y + ROW / 2
    lines = ink.wrapped(relation.name, NAME - 14, 12.5, most=2)
    parts = [
        ink.line(0, y, width, y, "line"),
        ink.words(0, middle + 4 - (len(lines) - 1) * 7.5, lines, size=12.5, bold=True),
        _state(relation, middle),
    ]
    scores = dict(relation.steps)
    for i, (id_, _said) in enumerate(figures.steps):
        x = NAME + STATE + i * CELL
        parts.append(_cell(scores.get(id_), x, y, figures.cuts))
    return ink.group(parts, class_="relation")


def _state(relation: Relation, middle: float) -> str:
    role = f"state_{relation.state_id}" if f"state_{relation.state_id}" in PAPER else "none"
    lines = ink.wrapped(f"{relation.state} {said_score(relation.score)}", STATE - 62, 12, most=2)
    x = NAME + 16
    parts = [
        ink.rect(NAME, middle - 13, 7, 26, role),
        ink.words(x, middle + 4 - (len(lines) - 1) * 7.2, lines, size=12),
        _arrow(relation, NAME + STATE - 28, middle),
    ]

    return "".join(parts)


def _moved(relation: Relation) -> float | None:
    if relation.score is None or relation.before is None:
        return None
    return relation.score - relation.before


def _arrow(relation: Relation, x: float, middle: float) -> str:
    moved = _moved(relation)
    if moved is None:
        return ""
    if abs(moved) < STEADY:
        return ink.arrow(x - 8, middle, x + 8, middle, "muted")
    up = moved > 0
    ends = (middle + 8, middle - 8) if up else (middle - 8, middle + 8)
    return ink.arrow(x - 6, ends[0], x + 6, ends[1], "visible" if up else "lost", width=2.4)


def _cell(score: float | None, x: float, y: float, cuts: tuple[tuple[float, str], ...]) -> str:
    words = ink.words(x + CELL / 2, y + 18, said_score(score), size=12, anchor="middle")
    if score is None:
        return words
    # The length says the same as the colour.
    track = ink.rect(x + 9, y + 24, CELL - 18, 8, "panel")
    return (
        track + ink.rect(x + 9, y + 24, (CELL - 18) * score / 100, 8, role_of(score, cuts)) + words
    )


def said_move(relation: Relation) -> str:
    """+4.2, −12.6 or =, as everywhere."""
    moved = _moved(relation)
    if moved is None:
        return NOTHING
    if abs(moved) < STEADY:
        return "="
    return signed(moved)


def _told(relation: Relation) -> str:
    return f"{relation.name}: {relation.state} {said_score(relation.score)} ({said_move(relation)})"


def _table(figures: Relations) -> Table:
    rows = tuple(
        (
            r.name,
            r.state,
            said_score(r.score),
            said_move(r),
            *(said_score(dict(r.steps).get(id_)) for id_, _said in figures.steps),
        )
        for r in figures.rows
    )
    columns = (_("Relationship"), _("State"), _("Score"), _("Since last month"))
    return Table(
        _("Engagement by relationship and step"),
        (*columns, *(said for _id, said in figures.steps)),
        rows,
        texts=2,
    )
