"""From everything that one report of a part shows, nothing of few people can be worked out.

Independent of the product: the figures are read from the CSV of the report; which records each one
counts is said again in plain Python; what follows from all of them is exact linear algebra.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from connector.report.build import Choice, build_report
from connector.report.chapters import CHAPTERS
from connector.report.layout import Line
from connector.report.report import Report
from connector.report.table import lines as lines_of
from connector.report.view import view_of
from connector.store.database import Store
from tests.golden.rewrite import ALL
from tests.golden.sample import Sample, fill_store, make_sample, sample_mapping
from tests.unit.test_report_chapters import NAIVE
from tests.unit.test_report_figures import (
    END,
    PERIOD,
    START,
    ZONE,
    ended,
    in_period,
    is_open,
    opened,
    rows_of,
)

MINIMUM = 5
SCOPES = ("department=Ventas", "department=Finanzas")
HOMES = {SCOPES[0]: {"dep1"}, SCOPES[1]: {"dep0", "dep3"}}
JOURNEYS = ("travesia", "itil4")


@dataclass(frozen=True, eq=False)
class Thing:
    """A record, a move or a clock: whose it is, and what can be said of it."""

    person: str
    table: str
    record: dict[str, Any]
    placed: dict[str, Any]
    of: dict[str, Any] | None = None
    """The ticket of a clock."""

    def step(self, journey: str) -> str:
        return str((self.placed.get("steps") or {}).get(journey, ""))


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample()


@pytest.fixture(scope="module")
def store(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fill_store(tmp_path_factory.mktemp("store") / "s.duckdb", sample) as store:
        yield store


@pytest.fixture(scope="module", params=SCOPES)
def told(
    request: pytest.FixtureRequest, sample: Sample, store: Store
) -> tuple[Report, list[Thing], list[Thing], list[Thing]]:
    """A report of every chapter; and the records, moves and clocks of its scope."""
    report = build_report(
        store, sample_mapping(), PERIOD.start, PERIOD.end, "es", ZONE, MINIMUM,
        choice=Choice(request.param, only=("map", "open", "moved", *ALL)),
    )  # fmt: skip
    things = list(things_of(sample, HOMES[request.param]))
    mine = {(t.table, t.record["sys_id"]): t for t in things}
    moves = [
        Thing(mine[key].person, key[0], move, {})
        for move in sample.transition
        if (key := (move["table_name"], move["sys_id"])) in mine
        and move["cause"] == "customer"
        and NAIVE[0] <= move["happened_at"] < NAIVE[1]
    ]
    tasks = {t.record["sys_id"]: t for t in things}
    clocks = [
        Thing(task.person, task.table, c, task.placed, task.record)
        for c in sample.records["task_sla"]
        if (task := tasks.get(c["task"]))
    ]
    return report, things, moves, clocks


def things_of(sample: Sample, homes: set[str]) -> Iterator[Thing]:
    """The records of these departments' people; what hangs from them belongs with them."""
    home = {u["sys_id"]: u["department"] for u in sample.records["sys_user"]}
    items = {r["sys_id"]: r["requested_for"] for r in sample.records["sc_req_item"]}
    for table, record, placed in rows_of(sample):
        person = (
            record.get("caller_id")
            or record.get("requested_for")
            or items.get(record.get("document_id", ""), "")
        )
        if home.get(person) in homes:
            yield Thing(person, table, record, dict(placed))


Counted = dict[tuple[str, ...], list[Thing]]


def universe(things: list[Thing]) -> Counted:
    """Every count of records that a report can show → the records."""
    found: Counted = {}
    for one in things:
        for cell in cells_of_record(one):
            found.setdefault(cell, []).append(one)
    return found


def cells_of_record(one: Thing) -> Iterator[tuple[str, ...]]:
    now, is_now_open = in_period(one.table, one.record), is_open(one.table, one.record)
    states = [("open_now", is_now_open), ("records_in_period", now)]
    states.append(("records_open", now and is_now_open))
    yield from ((figure, "", "", "") for figure, holds in states if holds)
    states[0] = ("records_placed", True)
    for journey in JOURNEYS:
        if step := one.step(journey):
            yield from ((figure, journey, step, "") for figure, holds in states if holds)
            if now:
                yield "records_in_band", journey, step, str(one.placed["band"])
    if now and one.placed["touchpoint"]:
        at = f"{one.placed['band']}@{one.step('travesia')}"
        yield "touchpoint_records", "travesia", str(one.placed["touchpoint"]), at


def moves_of(things: list[Thing]) -> Counted:
    found: Counted = {}
    for one in things:
        move = one.record
        for figure, step in (("records_entered", "to_step"), ("records_left", "from_step")):
            if move[step]:
                found.setdefault((figure, move["journey"], move[step], ""), []).append(one)
        if move["journey"] == "travesia" and move["from_step"]:
            cell = ("moves", "travesia", f"{move['from_step']} > {move['to_step']}", "")
            found.setdefault(cell, []).append(one)
    return found


def clocks_of(things: list[Thing]) -> Counted:
    found: Counted = {}
    for one in things:
        if not in_period("task_sla", one.record):
            continue
        result = (
            "breached" if one.record["has_breached"] == "true"
            else "met" if one.record["stage"] == "completed" else "running"
        )  # fmt: skip
        names = [f"sla_{result}"]
        if result == "breached" and is_open(one.table, one.of or {}):
            names.append("sla_breached_open")
        for name in names:
            found.setdefault((name, "", "", ""), []).append(one)
            for journey in JOURNEYS:
                found.setdefault((name, journey, one.step(journey), ""), []).append(one)
    return found


def tickets_of(things: list[Thing]) -> Counted:
    found: Counted = {}
    for one in things:
        if one.table not in ("incident", "sc_req_item"):
            continue
        for figure, at in (
            ("tickets_opened", opened(one.table, one.record)),
            ("tickets_resolved", ""
             if is_open(one.table, one.record) else ended(one.table, one.record)),
        ):  # fmt: skip
            if START <= at < END:
                found.setdefault((figure, "", "", ""), []).append(one)
                if figure == "tickets_resolved":
                    placed = one.placed
                    voiced = "denied" if placed["touchpoint"] == "survey_answered" else "unknown"
                    how = placed["value"] or placed["outcome"] or voiced
                    found.setdefault(("closures", "", str(how), ""), []).append(one)
    return found


def cell_of(line: Line) -> tuple[str, ...]:
    band = f"{line.band}@{line.step}" if line.figure == "touchpoint_records" else line.band
    figure = "moves" if line.figure == "back_steps" else line.figure
    return figure, line.journey, line.item, band


def shown_of(report: Report, known: Counted) -> dict[tuple[str, ...], int]:
    """What the CSV says of these cells; an empty value is no figure."""
    figures = {cell[0] for cell in known}
    return {
        cell_of(line): int(line.value)
        for line in lines_of(report)
        if line.value is not None and cell_of(line)[0] in figures
        and (cell_of(line) in known or not line.value)
    }  # fmt: skip


PRIME = (1 << 89) - 1


def rank_of(rows: list[dict[int, int]]) -> int:
    """Rank over a large prime field (another one than the product's)."""
    basis: dict[int, dict[int, int]] = {}
    for row in rows:
        left = dict(row)
        while left and (lead := min(left)) in basis:
            factor = left[lead]
            for column, value in basis[lead].items():
                if rest := (left.get(column, 0) - factor * value) % PRIME:
                    left[column] = rest
                else:
                    left.pop(column, None)
        if left:
            scale = pow(left[min(left)], -1, PRIME)
            basis[min(left)] = {c: v * scale % PRIME for c, v in left.items()}
    return len(basis)


def check(report: Report, things: list[Thing], count: Callable[[list[Thing]], Counted]) -> int:
    """How many figures of few people there are; none is shown, and none follows from the shown."""
    known = count(things)
    shown = shown_of(report, known)
    numbers = {one: i for i, one in enumerate(things)}
    rows = {cell: {numbers[one]: 1 for one in of} for cell, of in known.items()}
    visible = [rows[cell] for cell, n in shown.items() if n]
    whole = rank_of(visible)
    secrets = {c for c, of in known.items() if len({t.person for t in of}) < MINIMUM}
    for cell, n in shown.items():
        assert n == len(known.get(cell, ())), cell
    for cell in secrets:
        assert cell not in shown, cell
        assert rank_of([*visible, rows[cell]]) == whole + 1, cell
    return len(secrets)


def test_of_records(told: Any) -> None:
    report, things, _moves, _clocks = told
    assert check(report, things, universe)


def test_of_moves(told: Any) -> None:
    report, _things, moves, _clocks = told
    assert check(report, moves, moves_of)


def test_of_clocks(told: Any) -> None:
    report, _things, _moves, clocks = told
    assert check(report, clocks, clocks_of)


def test_of_tickets_and_how_they_ended(told: Any) -> None:
    report, things, _moves, _clocks = told
    check(report, things, tickets_of)


def test_no_share_of_clocks_tells_what_is_hidden(told: Any) -> None:
    """A share with its whole is both of its sides."""
    report, _things, _moves, clocks = told
    known = clocks_of(clocks)
    shown = [line for line in lines_of(report) if line.figure.startswith("sla_met_")]
    assert not [line for line in shown if line.figure == "sla_met_by_month"]
    for line in shown:
        if line.item.startswith("priority"):
            continue
        for side in ("met", "breached"):
            people = {t.person for t in known.get((f"sla_{side}", line.journey, line.item, ""), ())}
            assert not 0 < len(people) < MINIMUM or not line.records, line
    for section in view_of(report).sections:
        if section.id == "departments":
            assert not [
                row for table in section.tables for row in table.rows if "%" in "".join(row)
            ]


def test_every_chapter_is_in_the_report(told: Any) -> None:
    report, *_rest = told
    assert set(report.parts) == set(CHAPTERS)
    assert view_of(report).sections
