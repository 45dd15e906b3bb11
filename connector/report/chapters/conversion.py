"""From step to step: who moved on, who stepped back, and who was lost on the way."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connector.messages import _, mark
from connector.report.chapters.model import (
    Asked,
    Chapter,
    Count,
    few_note,
    headings,
    shown_steps,
)
from connector.report.figures import Figures
from connector.report.layout import Line, Section, Table
from connector.report.lists import at
from connector.report.population import ENDINGS
from connector.report.report import Report
from connector.report.sections import list_notes
from connector.report.wording import count
from connector.store.database import Row

_MOVES = """
SELECT t.from_step, t.to_step, count(*) AS n FROM transition AS t
WHERE t.journey = $journey AND t.cause = 'customer' AND t.from_step <> ''
  AND t.happened_at >= $since::TIMESTAMP AND t.happened_at < $until::TIMESTAMP
  AND NOT list_contains($measures, t.table_name)
GROUP BY ALL
"""

_COHORT = """
WITH cohort AS (
    SELECT l.table_name, l.sys_id, l.is_open, c.outcome, c.steps[$journey] AS here
    FROM life AS l
    JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
    WHERE l.opened >= $since AND l.opened < $until AND c.steps[$journey] IS NOT NULL
      AND NOT list_contains($measures, l.table_name) AND NOT list_contains($ignored, c.rule_id)
), reached AS (
    SELECT table_name, sys_id, to_step AS step FROM transition
    WHERE journey = $journey AND to_step <> ''
    UNION SELECT table_name, sys_id, here FROM cohort
), visit AS (
    SELECT r.step, c.*,
           max(list_position($steps, r.step)) OVER (PARTITION BY r.table_name, r.sys_id)
           > list_position($steps, r.step) AS has_gone_on
    FROM reached AS r
    JOIN cohort AS c ON c.table_name = r.table_name AND c.sys_id = r.sys_id
)
SELECT step, CASE WHEN here <> step THEN CASE WHEN has_gone_on THEN 'went_on' ELSE 'went_back' END
            WHEN is_open THEN 'open' WHEN outcome = '' THEN 'ended' ELSE outcome END AS what,
       count(*) AS n
FROM visit GROUP BY ALL
"""

FATES = ("went_on", "went_back", "open", "ended", *ENDINGS, "other")
"""What became of the records that reached a step, in the order of the columns."""


@dataclass(frozen=True)
class Move:
    """Moves from one step to another within the period. `is_back` against the journey's order."""

    origin: str
    to: str
    moves: Count
    is_back: bool


@dataclass(frozen=True)
class Reached:
    """The records opened in the period that reached a step, and what became of them there."""

    step: str
    records: Count
    fates: dict[str, Count]


@dataclass(frozen=True)
class Conversion:
    """Moves, and the cohort step by step."""

    moves: tuple[Move, ...]
    cohort: tuple[Reached, ...]
    is_hiding: bool


def measure(asked: Asked) -> Conversion | None:
    """None where nothing was opened in the period and nothing moved."""
    steps = [step.id for step in asked.journey.steps]
    moves = asked.source.read(_MOVES, journey=asked.journey.id)
    cohort = asked.source.read(_COHORT, journey=asked.journey.id, steps=steps)
    if not moves and not cohort:
        return None
    found, hid_moves = _moves(moves, steps, asked.base)
    reached, hid_cohort = _cohort(cohort, steps, asked.base)
    return Conversion(found, reached, hid_moves or hid_cohort)


def _moves(rows: Sequence[Row], steps: list[str], base: Figures) -> tuple[tuple[Move, ...], bool]:
    cells = {(row["from_step"], row["to_step"]): row["n"] for row in rows}
    found = tuple(
        Move(a, b, base.counted(cells[a, b], "move", a, b), steps.index(b) < steps.index(a))
        for a in steps
        for b in steps
        if (a, b) in cells
    )
    return found, base.hides("move")


def _cohort(
    rows: Sequence[Row], steps: list[str], base: Figures
) -> tuple[tuple[Reached, ...], bool]:
    cells: Counter[tuple[str, str]] = Counter()
    for row in rows:
        cells[row["step"], row["what"] if row["what"] in FATES else "other"] += row["n"]
    found = [
        Reached(
            step,
            base.counted(sum(cells[step, fate] for fate in FATES), "cohort_reached", step),
            {fate: base.counted(cells[step, fate], "cohort", step, fate) for fate in FATES},
        )
        for step in steps
        if any((step, fate) in cells for fate in FATES)
    ]
    return tuple(found), base.hides("cohort") or base.hides("cohort_reached")


def write(report: Report, figures: Conversion) -> Iterator[Section]:
    """The cohort, the matrix of moves, and the steps back."""
    names = dict(shown_steps(report))
    tables = [_cohort_table(report, figures, names)] if figures.cohort else []
    if figures.moves:
        tables.append(_matrix(figures, names))
    notes = (*_back(figures), *list_notes(report, tables))
    yield CHAPTER.section(tables, (*notes, *few_note(report, is_hiding=figures.is_hiding)))


def _cohort_table(report: Report, figures: Conversion, names: dict[str, str]) -> Table:
    columns = (
        _("Step"),
        *headings("cohort_reached"),
        _("Went on"),
        _("Went back"),
        _("Open here"),
        _("Ended here"),
        _("Lost"),
        _("Abandoned"),
        _("Failed"),
        _("Otherwise without value"),
    )
    rows = tuple(
        (names[row.step], count(row.records), *(_fate(report, row, fate) for fate in FATES))
        for row in figures.cohort
    )
    return Table(_("What was opened in the period, step by step"), columns, rows)


def _fate(report: Report, row: Reached, fate: str) -> str:
    """A cell of the cohort; of those that are here still a list may say which they are."""
    n = row.fates[fate]
    if fate == "open":
        return report.lists.single(n, at("opened", "open", step=row.step))
    if fate in ("ended", *ENDINGS):
        outcome = "" if fate == "ended" else fate
        cell = at("opened", "closed", step=row.step, outcome=outcome)
        return report.lists.single(n, cell)
    return count(n)


def _matrix(figures: Conversion, names: dict[str, str]) -> Table:
    cells = {(move.origin, move.to): move for move in figures.moves}
    used = [step for step in names if any(step in pair for pair in cells)]
    rows = tuple(
        (names[a], *(_cell(cells.get((a, b))) for b in used))
        for a in used
        if any((a, b) in cells for b in used)
    )
    columns = (_("From"), *(names[step] for step in used))
    return Table(_("Moves from step to step; ← is a step back"), columns, rows)


def _cell(move: Move | None) -> str:
    if move is None:
        return ""
    return f"← {count(move.moves)}" if move.is_back else count(move.moves)


def _back(figures: Conversion) -> tuple[str, ...]:
    known = [move.moves for move in figures.moves if move.is_back]
    whole = [move.moves for move in figures.moves]
    if None in whole or not any(known):
        return ()
    text = _("{n} of {all} moves were steps back.")
    return (text.format(n=count(_sum(known)), all=count(_sum(whole))),)


def _sum(values: Sequence[Count]) -> int:
    return sum(value or 0 for value in values)


def lines(report: Report, figures: Conversion) -> Iterator[Line]:
    """Every move, and every fate of the cohort."""
    journey = report.journey.id
    for move in figures.moves:
        item = f"{move.origin} > {move.to}"
        name = f"{report.step_name(journey, move.origin)} > {report.step_name(journey, move.to)}"
        figure = "back_steps" if move.is_back else "moves"
        yield Line(figure, move.moves, move.moves or 0, journey, item, name, step=move.origin)
    for row in figures.cohort:
        name = report.step_name(journey, row.step)
        yield Line("cohort_reached", row.records, row.records or 0, journey, row.step, name)
        for fate, n in row.fates.items():
            yield Line("cohort_fate", n, n or 0, journey, fate, fate, step=row.step)


CHAPTER = Chapter(
    "conversion",
    mark("From step to step"),
    ("cohort_reached", "cohort_fate", "moves", "back_steps"),
    measure,
    write,
    lines,
)
