"""A part of the organisation: whose records are counted, and what is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.errors import ConfigError
from connector.report.build import Choice, build_report
from connector.report.figures import Figures, Period, Scope
from connector.report.measure import measure
from connector.report.render import render
from connector.report.scope import find_scope
from connector.report.table import lines as lines_of_csv
from connector.store.database import Store
from connector.timestamps import parse_day
from tests.golden.sample import Sample, fill_store, make_sample, sample_mapping
from tests.unit.test_report_figures import END, START, in_period, is_open, opened, rows_of

ZONE = "Europe/Madrid"
PERIOD = Period(parse_day("2026-10-01", ZONE), parse_day("2026-11-01", ZONE), ZONE)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample()


@pytest.fixture(scope="module")
def store(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fill_store(tmp_path_factory.mktemp("store") / "s.duckdb", sample) as store:
        yield store


def figures_of(store: Store, text: str, minimum: int = 5) -> Figures:
    scope = find_scope(store, text)
    return measure(store, sample_mapping(), PERIOD, "travesia", minimum, scope=scope)


def tickets_of(sample: Sample, departments: set[str]) -> list[tuple[str, dict[str, str]]]:
    """By plain Python: the tickets of these departments' people."""
    home = {u["sys_id"]: u["department"] for u in sample.records["sys_user"]}
    return [
        (table, record)
        for table, record, _placed in rows_of(sample)
        if home.get(record.get("caller_id") or record.get("requested_for", "")) in departments
    ]


def test_a_department_includes_those_below_it(store: Store, sample: Sample) -> None:
    figures = figures_of(store, "department=finanzas", minimum=1)
    tickets = tickets_of(sample, {"dep0", "dep3"})  # Legal hangs from Finanzas
    assert figures.scope == Scope("department", "dep0", "Finanzas")
    assert figures.flow.opened == sum(START <= opened(t, r) < END for t, r in tickets)
    names = {t.table: t for t in figures.tables}
    for table in ("incident", "sc_req_item"):
        mine = [r for t, r in tickets if t == table]
        assert names[table].in_period == sum(in_period(table, r) for r in mine)
        assert names[table].open == sum(in_period(table, r) and is_open(table, r) for r in mine)


def test_what_hangs_from_a_record_belongs_where_the_record_belongs(
    store: Store, sample: Sample
) -> None:
    figures = figures_of(store, "department=dep1", minimum=1)
    mine = {r["sys_id"] for _t, r in tickets_of(sample, {"dep1"})}
    clocks = [c for c in sample.records["task_sla"] if c["task"] in mine]
    met = sum(
        c["stage"] == "completed" and c["has_breached"] == "false" and in_period("task_sla", c)
        for c in clocks
    )
    assert figures.sla_total is not None
    assert figures.sla_total.met == met
    names = {t.table: t for t in figures.tables}
    approvals = [a for a in sample.records["sysapproval_approver"] if a["document_id"] in mine]
    requests = {r.get("request") for _t, r in tickets_of(sample, {"dep1"})} - {None}
    assert names["sysapproval_approver"].placed == len(approvals)
    assert "sc_request" not in names or names["sc_request"].placed <= len(requests)


def test_moves_and_waits_are_those_of_the_scope(store: Store, sample: Sample) -> None:
    mine = {(t, r["sys_id"]) for t, r in tickets_of(sample, {"dep2"})}
    since, until = (moment.replace(tzinfo=None) for moment in (PERIOD.start, PERIOD.end))
    entered = sum(
        (t["table_name"], t["sys_id"]) in mine
        and t["journey"] == "travesia" and t["to_step"] == "usar"
        and t["cause"] == "customer" and since <= t["happened_at"] < until
        for t in sample.transition
    )  # fmt: skip
    steps = {s.step: s for s in figures_of(store, "department=Operaciones", 1).shown.steps}
    assert steps["usar"].entered == entered


def test_a_company_is_all_its_departments(store: Store) -> None:
    company, whole = (figures_of(store, text).flow for text in ("company=Marisma", "all"))
    assert company == whole


def test_a_service_is_what_records_name(store: Store, sample: Sample) -> None:
    figures = figures_of(store, "service=ERP")
    mine = [r for t, r, _p in rows_of(sample) if r.get("business_service") == "svc0"]
    assert figures.flow.opened == sum(START <= r["opened_at"] < END for r in mine)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("department=Finansas", "did you mean Finanzas?"),
        ("departement=Finanzas", "did you mean department?"),
        ("department", "is no scope"),
        ("service=", "is no scope"),
    ],
)
def test_what_is_not_found_is_refused_with_the_near_miss(
    store: Store, text: str, words: str
) -> None:
    with pytest.raises(ConfigError, match="--scope") as refused:
        find_scope(store, text)
    assert words in str(refused.value)


def test_a_name_that_two_share_asks_for_the_sys_id(tmp_path: Path) -> None:
    sample = make_sample(20, 4)
    sample.records["cmn_department"][1]["name"] = "Finanzas"
    with fill_store(tmp_path / "s.duckdb", sample) as store:
        with pytest.raises(ConfigError, match="give the sys_id: dep0, dep1"):
            find_scope(store, "department=Finanzas")
        assert find_scope(store, "department=dep1").sys_id == "dep1"


def test_a_scope_of_few_people_is_refused(store: Store) -> None:
    with pytest.raises(ConfigError, match="Dirección: fewer than 5 people"):
        figures_of(store, "department=Dirección")
    assert figures_of(store, "department=Dirección", minimum=1).records


def test_another_period_is_measured_with_the_same_scope(store: Store, sample: Sample) -> None:
    before = figures_of(store, "department=Ventas").before
    assert before is not None
    assert before.period.end == PERIOD.start
    first = before.period.start.strftime("%Y-%m-%d %H:%M:%S")
    mine = tickets_of(sample, {"dep1"})
    assert before.flow.opened == sum(first <= opened(t, r) < START for t, r in mine)


def test_the_year_before_has_the_same_days() -> None:
    year = PERIOD.year_before
    assert [f"{year.local(day):%Y-%m-%d}" for day in (year.start, year.end)] == [
        "2025-10-01",
        "2025-11-01",
    ]


def test_no_cell_of_a_part_shows_fewer_than_five_people(store: Store, sample: Sample) -> None:
    """By plain Python: the people behind each step, and what the report shows of it."""
    home = {u["sys_id"]: u["department"] for u in sample.records["sys_user"]}
    items = {r["sys_id"]: r["requested_for"] for r in sample.records["sc_req_item"]}
    people: dict[tuple[str, str], set[str]] = {}
    for table, record, placed in rows_of(sample):
        named = record.get("caller_id") or record.get("requested_for", "")
        person = named or items.get(record.get("document_id", ""), "")
        if home.get(person) == "dep1" and placed["steps"] and in_period(table, record):
            step = placed["steps"]["travesia"]  # type: ignore[index]
            people.setdefault((step, "in_period"), set()).add(person)
            if is_open(table, record):
                people.setdefault((step, "open"), set()).add(person)
    figures = figures_of(store, "department=Ventas", minimum=8)
    shown = {s.step: s for s in figures.shown.steps}
    small = {key for key, who in people.items() if 0 < len(who) < 8}
    assert small, "else this proves nothing"
    for step, column in small:
        assert figures.is_hidden(column, "travesia", step)
        assert getattr(shown[step], column) == 0


def test_the_whole_organisation_is_no_group_and_hides_no_step(store: Store) -> None:
    assert figures_of(store, "all", minimum=50).veiled == frozenset()


def test_hidden_cells_are_empty_in_words_and_in_the_csv(store: Store) -> None:
    report = build_report(
        store, sample_mapping(), PERIOD.start, PERIOD.end, "en", ZONE, 8,
        choice=Choice("department=Ventas", only=("overview", "sla")),
    )  # fmt: skip
    step = next(
        cell[2] for cell in sorted(report.figures.veiled) if cell[:2] == ("in_period", "travesia")
    )
    lines = {
        line.item: line for line in lines_of_csv(report)
        if line.figure == "records_in_period" and line.journey == "travesia"
    }  # fmt: skip
    assert lines[step].value is None
    assert lines[step].records == 0
    page = render(report, "md").content.decode()
    row = next(r for r in page.splitlines() if report.step_name("travesia", step) in r)
    assert row.split("|")[2].strip() == "–"
    assert "too few people (under 8)" in page
