"""From everything that one report of a part shows, nothing of few people can be worked out.

Independent of the product: the figures are read from the CSV of the report; which records each one
counts is said again in plain Python; what follows from all of them is exact linear algebra.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connector.journey.engagement_model import Relationship
from connector.journey.model import Mapping
from connector.report.build import Choice, build_report
from connector.report.chapters import CHAPTERS
from connector.report.layout import Line
from connector.report.report import Report
from connector.report.table import lines as lines_of
from connector.report.view import view_of
from connector.timestamps import format_instance
from tests.golden import relations
from tests.golden.rewrite import ALL
from tests.golden.sample import NOW, Sample, fill_store, make_sample, sample_mapping
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
VOICES = ("survey_answered",)
SMALL = 7
"""The seed of a smaller organisation: more of its figures are of few people."""


@dataclass(frozen=True, eq=False)
class Thing:
    """A record, a move, a clock or a moment: whose it is, and what can be said of it."""

    person: str
    table: str
    record: dict[str, Any]
    placed: dict[str, Any]
    of: dict[str, Any] | None = None
    """The ticket of a clock or a moment."""
    path: frozenset[str] = frozenset()
    """The steps that a record was ever in."""
    unseen: int | None = None
    """A record's longest time unseen, in seconds."""

    def step(self, journey: str) -> str:
        return str((self.placed.get("steps") or {}).get(journey, ""))


@dataclass(frozen=True)
class Told:
    """A report of every chapter of a part, and what belongs to the part."""

    report: Report
    things: list[Thing]
    moves: list[Thing]
    clocks: list[Thing]
    moments: list[Thing]


def with_initiatives(sample: Sample, seed: int) -> Sample:
    """The same, with a register of improvements: by people of every department."""
    dice = random.Random(seed)  # noqa: S311  # a sample, not a secret
    people = [u["sys_id"] for u in sample.records["sys_user"]]
    rows, placed = [], []
    for i in range(46):
        begun = NOW - timedelta(days=dice.randrange(2, 70))
        is_over = dice.random() < 0.5
        closed = format_instance(min(begun + timedelta(days=dice.randrange(1, 30)), NOW))
        rows.append(
            {
                "sys_id": f"cim{i:04}",
                "opened_at": format_instance(begun),
                "closed_at": closed if is_over else "",
                "active": "false" if is_over else "true",
                "source_id": "x" if dice.random() < 0.4 else "",
                "opened_by": dice.choice(people),
            }
        )
        outcome = dice.choice(("", "", "cancelled")) if is_over else ""
        placed.append({**sample.classification[0], "table_name": "sn_cim_register",
                       "sys_id": f"cim{i:04}", "rule_id": "rule-resolution", "value": "",
                       "touchpoint": "resolution", "band": "visible", "outcome": outcome,
                       "steps": {"travesia": "medir", "itil4": "realize"}})  # fmt: skip
    records = {**sample.records, "sn_cim_register": rows}
    return replace(sample, records=records, classification=[*sample.classification, *placed])


def mapping() -> Mapping:
    """The sample's, which knows whose an initiative is."""
    made = sample_mapping()
    assert made.engagement is not None
    tied = Relationship(
        "sn_cim_register", customer=("opened_by.department",), person=("opened_by",)
    )
    relationships = (*made.engagement.relationships, tied)
    rule = replace(made.rules[0], id="rule-cim", tables=("sn_cim_register",))
    return replace(
        made,
        rules=(*made.rules, rule),
        engagement=replace(made.engagement, relationships=relationships),
    )


ORGANISATIONS = [(SCOPES[0], 0), (SCOPES[1], 0), (SCOPES[1], SMALL)]
"""A part, and the seed of its organisation (0: the sample's own)."""


@pytest.fixture(scope="module", params=ORGANISATIONS)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    scope, seed = request.param
    made = make_sample(150, 50, seed) if seed else make_sample()
    sample = with_initiatives(made, seed)
    with fill_store(tmp_path_factory.mktemp("store") / "s.duckdb", sample) as store:
        report = build_report(
            store, mapping(), PERIOD.start, PERIOD.end, "es", ZONE, MINIMUM,
            choice=Choice(scope, only=("map", "open", "moved", *ALL)),
        )  # fmt: skip
    things = list(things_of(sample, HOMES[scope]))
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
    moments = list(moments_of(sample, HOMES[scope], mine))
    return Told(report, things, moves, clocks, moments)


def moments_of(
    sample: Sample, homes: set[str], mine: dict[tuple[str, str], Thing]
) -> Iterator[Thing]:
    """Also of test noise: it is on no journey, but the sample has moments of it."""
    home = {u["sys_id"]: u["department"] for u in sample.records["sys_user"]}
    tickets = {r["sys_id"]: r for r in sample.records["incident"]}
    for m in relations.moments_of(sample.records["incident"], NOW):
        ticket = tickets[m["sys_id"]]
        if home[ticket["caller_id"]] in homes:
            noise = Thing(ticket["caller_id"], "incident", ticket, {"touchpoint": ""})
            yield replace(mine.get(("incident", m["sys_id"]), noise), record=m, of=ticket)


def things_of(sample: Sample, homes: set[str]) -> Iterator[Thing]:
    """The records of these departments' people; what hangs from them belongs with them."""
    home = {u["sys_id"]: u["department"] for u in sample.records["sys_user"]}
    items = {r["sys_id"]: r["requested_for"] for r in sample.records["sc_req_item"]}
    paths: dict[tuple[str, str], set[str]] = {}
    for move in sample.transition:
        if move["journey"] == "travesia" and move["to_step"]:
            paths.setdefault((move["table_name"], move["sys_id"]), set()).add(move["to_step"])
    _dwell, unseen = relations.bands_of(sample.records["incident"])
    silent = {row["sys_id"]: row["seconds"] for row in unseen}
    for table, record, placed in rows_of(sample):
        person = (
            record.get("caller_id")
            or record.get("requested_for")
            or record.get("opened_by")
            or items.get(record.get("document_id", ""), "")
        )
        if home.get(person) in homes:
            path = frozenset(paths.get((table, record["sys_id"]), ()))
            yield Thing(
                person, table, record, dict(placed), path=path, unseen=silent.get(record["sys_id"])
            )


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
    yield from cells_of_past(one)


STEPS = tuple(step.id for step in sample_mapping().journeys["travesia"].steps)


def cells_of_past(one: Thing) -> Iterator[tuple[str, ...]]:
    """What became of a record: its cohort, its silence, its month, its life, as an initiative."""
    begun, touchpoint = opened(one.table, one.record), str(one.placed["touchpoint"])
    is_new = START <= begun < END
    is_now_open = is_open(one.table, one.record)
    over = "" if is_now_open else ended(one.table, one.record)
    if is_new and (here := one.step("travesia")):
        for step in one.path | {here}:
            yield "cohort_fate", "travesia", fate_at(one, step, here), step
            yield "cohort_reached", "travesia", step, ""
    if one.unseen is not None and in_period(one.table, one.record):
        yield "unseen_records", "", silence_of(one), ""
    if touchpoint:
        local = datetime.fromisoformat(begun).replace(tzinfo=UTC).astimezone(ZoneInfo(ZONE))
        if begun < END:
            yield "touchpoint_opened", "", f"{touchpoint} {local:%Y-%m}", ""
        if START <= over < END and over > begun:
            yield "lives", "", touchpoint, ""
        if is_new and one.table == "sysapproval_approver":
            yield "approvals_asked", "", touchpoint, ""
    yield from (("improvement_stage", "", stage, "") for stage in stages_of(one, over))


def stages_of(one: Thing, over: str) -> Iterator[str]:
    begun = opened(one.table, one.record)
    if one.table != "sn_cim_register":
        if START <= begun < END and one.placed["touchpoint"] in VOICES:
            yield "said"
        return
    if START <= begun < END:
        yield "begun"
        if one.record["source_id"]:
            yield "of_feedback"
    if START <= over < END:
        yield "given_up" if one.placed["outcome"] else "done"
    if is_open(one.table, one.record) and begun < END:
        yield "open"


def fate_at(one: Thing, step: str, here: str) -> str:
    if step != here:
        furthest = max(STEPS.index(s) for s in one.path | {here})
        return "went_on" if furthest > STEPS.index(step) else "went_back"
    if is_open(one.table, one.record):
        return "open"
    outcome = str(one.placed["outcome"])
    return (
        outcome if outcome in ("lost", "abandoned", "failed") else "other" if outcome else "ended"
    )


def silence_of(one: Thing) -> str:
    limits = [0, *(hours * 3600 for hours in (4, 24, 72, 168))]
    return f">= {max(limit for limit in limits if (one.unseen or 0) >= limit)} s"


def signed(report: Report, known: Counted) -> list[tuple[dict[tuple[str, ...], int], int]]:
    """What the CSV says of moments: sums and differences of cells, and their value."""
    found: list[tuple[dict[tuple[str, ...], int], int]] = []
    for line in lines_of(report):
        kind, item = line.figure, line.item
        if line.value is None:
            continue
        if kind in ("moments_lost", "moments_won", "moments_neutral", "moments_open",
                    "moments_urgent"):  # fmt: skip
            found.append(({(kind, item): 1}, int(line.value)))
        elif kind in ("moments_lost_share", "moments_usual", "unseen_lost_share"):
            part = {"moments_lost_share": "moments_lost"}.get(kind, kind)
            found.append(({(part, item): 1}, round(line.value * line.records)))
            found.append(({(f"{kind} of", item): 1}, line.records))
        elif kind == "touchpoint_impact":
            found.append(({("heat won", item): 1, ("heat lost", item): -1}, int(line.value)))
    return [(cells, n) for cells, n in found if any(cell in known for cell in cells) or not n]


def cells_of_moment(one: Thing) -> Iterator[tuple[str, ...]]:
    m, id_ = one.record, one.record["moment_id"]
    polarity, in_time = m["polarity"], NAIVE[0] <= (m["decided_at"] or NAIVE[1]) < NAIVE[1]
    words = {"negative": "lost", "positive": "won", "open": "open"}
    if polarity == "open" or in_time:
        yield f"moments_{words[polarity]}", id_
        if polarity != "open":
            yield "moments_lost_share of", id_
    if polarity == "open":
        yield "moments_open", ""
        if m["window_ends_at"] <= NOW.replace(tzinfo=None) + timedelta(days=3):
            yield "moments_urgent", ""
        return
    yield "moments_usual of", id_
    if polarity == "negative":
        yield "moments_usual", id_
    assert one.of is not None
    if one.unseen is not None and in_period("incident", one.of):
        yield "unseen_lost_share of", silence_of(one)
        if polarity == "negative":
            yield "unseen_lost_share", silence_of(one)
        else:
            yield "unseen_won", silence_of(one)
    yield from heat_of(one, words[polarity])


def heat_of(one: Thing, word: str) -> Iterator[tuple[str, ...]]:
    begun = (one.of or {})["opened_at"]
    if one.placed["touchpoint"] and begun < END:
        local = datetime.fromisoformat(begun).replace(tzinfo=UTC).astimezone(ZoneInfo(ZONE))
        yield f"heat {word}", f"{one.placed['touchpoint']} {local:%Y-%m}"


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
    band = line.step if line.figure == "cohort_fate" else band
    figure = {"back_steps": "moves"}.get(line.figure, line.figure)
    return figure, line.journey, line.item, band


def shown_of(report: Report, known: Counted) -> dict[tuple[str, ...], int]:
    """What the CSV says of these cells; an empty value is no figure."""
    figures = {cell[0] for cell in known}
    shown = {
        cell_of(line): int(line.value)
        for line in lines_of(report)
        if line.value is not None and cell_of(line)[0] in figures
        and (cell_of(line) in known or not line.value)
    }  # fmt: skip
    # What stands beside a figure, and a share beside its whole, is a figure as well.
    shown |= {
        ("lives", "", line.item, ""): line.records
        for line in lines_of(report)
        if line.figure == "life_median" and line.records and "lives" in figures
    }
    loop = report.parts["improvement"]
    if loop.of_feedback is not None and "improvement_stage" in figures:
        shown["improvement_stage", "", "of_feedback", ""] = loop.of_feedback.part
    return shown


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


def test_of_records(told: Told) -> None:
    """Places, cohorts, silences, months, lives, approvals, voices and initiatives together."""
    known = universe(told.things)
    assert {"cohort_fate", "unseen_records", "improvement_stage"} <= {cell[0] for cell in known}
    assert check(told.report, told.things, universe)


def test_of_moves(told: Told) -> None:
    check(told.report, told.moves, moves_of)


def test_of_clocks(told: Told) -> None:
    assert check(told.report, told.clocks, clocks_of)


def test_of_tickets_and_how_they_ended(told: Told) -> None:
    check(told.report, told.things, tickets_of)


def test_of_moments(told: Told) -> None:
    """Won and lost, open and urgent, usual, by silence, and what the heat map weighs."""
    known: Counted = {}
    for one in told.moments:
        for cell in cells_of_moment(one):
            known.setdefault(cell, []).append(one)
    numbers = {one: i for i, one in enumerate(told.moments)}
    rows = {cell: {numbers[one]: 1 for one in of} for cell, of in known.items()}
    visible = []
    for cells, n in signed(told.report, known):
        row: dict[int, int] = {}
        for cell, sign in cells.items():
            for atom in rows.get(cell, {}):
                row[atom] = row.get(atom, 0) + sign
        assert sum(row.values()) == n, cells
        visible.append({atom: value for atom, value in row.items() if value})
    whole = rank_of(visible)
    secrets = {c for c, of in known.items() if len({t.person for t in of}) < MINIMUM}
    assert secrets
    for cell in secrets:
        assert rank_of([*visible, rows[cell]]) == whole + 1, cell


def test_no_share_of_clocks_tells_what_is_hidden(told: Told) -> None:
    """A share with its whole is both of its sides."""
    report, clocks = told.report, told.clocks
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


def test_every_chapter_is_in_the_report(told: Told) -> None:
    assert set(told.report.parts) == set(CHAPTERS)
    assert view_of(told.report).sections
