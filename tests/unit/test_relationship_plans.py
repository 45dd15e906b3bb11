"""What was planned when a month began is kept: appended, never rewritten, never invented."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from connector import engagement_rows
from connector.report.build import Choice, build_report
from connector.report.opening import opening
from connector.report.report import Report
from connector.report.table import lines
from connector.report.view import view_of
from connector.store import relationship_plans as plans
from connector.store.database import Store, open_store
from connector.timestamps import parse_day
from tests.golden.sample import fill_store, make_sample, sample_mapping

ROW = "a" * 32
FIRST = datetime(2026, 10, 1, 20, tzinfo=UTC)
ZONE = "Europe/Madrid"
STEP = {"u_next_step": "Llamar a la dirección", "u_due": "2026-10-15"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "s.duckdb") as found:
        yield found


def see(store: Store, nights: int, **row: str) -> None:
    """What the tool's row holds, seen so many nights after the first look."""
    at = FIRST + timedelta(days=nights)
    engagement_rows.save_seen(store, {ROW: row} if row else {}, at)


def history(store: Store) -> list[tuple[int, bool, date | None]]:
    return [
        ((plan.seen_at - FIRST).days, plan.has_next_step, plan.due)
        for plan in plans.read_plans(store).of.get(ROW, ())
    ]


# --- keeping --------------------------------------------------------------------------------------


def test_only_what_changed_is_appended_with_its_instant(store: Store) -> None:
    for night in range(3):
        see(store, night, **STEP)
    see(store, 3, **{**STEP, "u_due": "2026-10-30"})
    see(store, 4, u_next_step="", u_due="")
    see(store, 5, u_next_step="", u_due="")
    assert history(store) == [
        (0, True, date(2026, 10, 15)),
        (3, True, date(2026, 10, 30)),
        (4, False, None),
    ]


def test_nothing_written_is_not_kept_but_the_first_look_is(store: Store) -> None:
    see(store, 0, u_next_step="", u_due="")
    see(store, 1, **STEP)
    kept = plans.read_plans(store)
    assert kept.began == FIRST
    assert kept.at(ROW, FIRST - timedelta(seconds=1)) is None
    assert kept.at(ROW, FIRST) == plans.NONE
    assert kept.at("b" * 32, FIRST) == plans.NONE


def test_a_row_that_left_the_tool_plans_nothing_any_more(store: Store) -> None:
    see(store, 0, **STEP)
    see(store, 1)
    see(store, 2)
    assert history(store)[1:] == [(1, False, None)]


def test_other_words_for_the_same_day_are_another_step_and_are_not_kept(store: Store) -> None:
    see(store, 0, **STEP)
    see(store, 1, **{**STEP, "u_next_step": "Llamar  a la dirección "})
    see(store, 2, **{**STEP, "u_next_step": "Visitar la planta"})
    assert [nights for nights, *_rest in history(store)] == [0, 2]
    assert "Llamar" not in str(store.read("FROM engagement_plan"))


def test_a_run_under_a_wrong_clock_is_no_reason_to_append_every_night(store: Store) -> None:
    see(store, 400, **STEP)
    for night in range(4):
        see(store, night, **{**STEP, "u_due": "2026-10-30"})
    assert len(history(store)) == 2


# --- upgrading ------------------------------------------------------------------------------------


def older(path: Path) -> None:
    """A store of the version before: it knows what was last seen, and its runs."""
    with open_store(path) as store:
        store.execute("DROP TABLE engagement_plan")
        store.execute("DROP TABLE engagement_plan_start")
        store.execute("DELETE FROM migration WHERE number = 9")
        store.execute(
            "INSERT INTO engagement_seen VALUES ($id, NULL, true, true, DATE '2026-10-15'),"
            " ('idle', NULL, false, false, NULL)",
            id=ROW,
        )
        store.execute(
            "INSERT INTO run (run_id, kind, started_at, high_mark, outcome) VALUES"
            " ('1', 'sync', '2026-09-30', '2026-09-30 20:00:00', 'succeeded'),"
            " ('2', 'sync', '2026-10-01', '2026-10-01 20:00:00', 'partial'),"
            " ('3', 'sync', '2026-10-02', '2026-10-02 20:00:00', 'failed')"
        )


def test_an_older_store_begins_with_what_its_last_run_saw_and_loses_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s.duckdb"
    older(path)
    with open_store(path) as store:
        assert path.with_name("s.duckdb.before-0009").exists()
        assert history(store) == [(0, True, date(2026, 10, 15))]
        assert store.value("SELECT count(*) FROM engagement_seen") == 2
        # The words were not known before: the same step is no other one.
        see(store, 1, **STEP, u_owner="Ana")
        kept = plans.read_plans(store)
        assert kept.began == FIRST
        assert [plan.mark is None for plan in kept.of[ROW]] == [True, False]


def test_an_older_store_that_saw_nothing_has_no_history(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    older(path)
    with open_store(path) as store:
        store.execute("DELETE FROM engagement_seen")
        store.execute("DROP TABLE engagement_plan")
        store.execute("DROP TABLE engagement_plan_start")
        store.execute("DELETE FROM migration WHERE number = 9")
    with open_store(path) as store:
        assert plans.read_plans(store) == plans.Plans(None, {})


def test_the_snapshot_of_an_older_version_has_no_history(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    with open_store(path) as store:
        store.execute("DROP TABLE engagement_plan")
        assert plans.read_plans(store) == plans.Plans(None, {})


# --- telling --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fill_store(tmp_path_factory.mktemp("store") / "s.duckdb", make_sample(60, 20)) as store:
        yield store


def report_of(store: Store, first: str = "2026-10-01", language: str = "en") -> Report:
    begin, end = parse_day(first, ZONE), parse_day("2026-11-01", ZONE)
    return build_report(store, sample_mapping(), begin, end, language, ZONE, choice=Choice())


def moved(report: Report) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    (section,) = [one for one in view_of(report).sections if one.id == "moved"]
    rows = {str(row[0]): tuple(map(str, row[1:])) for row in section.tables[0].rows}
    return rows, section.notes


def test_a_relationship_opens_with_what_was_planned_then_and_what_happened_since(
    sampled: Store,
) -> None:
    rows, notes = moved(report_of(sampled))
    planned, since, now, *_rest = rows["Finanzas × ERP"]
    assert planned == "A next step for Oct 15"
    assert since.startswith(
        "Oct 16: put off to Nov 2; Oct 16: an owner was named; Oct 20: Transactional → At risk;"
        " contacts noted: 3; promises kept: 1; promises not kept: 1; promises pending: 1"
    )
    assert now == "For Nov 2: overdue"
    planned, since, now, *_rest = rows["Ventas × Correo"]
    assert (planned, now) == ("A next step for Oct 9", "None")
    assert since.startswith("Oct 10: the next step is gone (done or dropped)")
    assert not [note for note in notes if "not known" in note]


def test_the_head_says_what_became_of_what_was_planned(sampled: Store) -> None:
    report = report_of(sampled)
    assert "2 next steps were planned as of Oct 1: done or dropped 1, overdue 1." in opening(report)
    found = {line.item: line.value for line in lines(report) if line.figure == "steps_planned"}
    assert found == {"gone": 1, "replaced": 0, "overdue": 1, "ahead": 0}


def test_where_the_history_begins_later_than_the_month_it_says_so(sampled: Store) -> None:
    report = report_of(sampled, "2026-09-01")
    rows, notes = moved(report)
    assert {row[0] for row in rows.values()} == {"–"}
    (note,) = [note for note in notes if "not known" in note]
    assert note == (
        "What was planned is kept since Sep 16, 2026: what stood in the tool on Sep 1, 2026 is not"
        " known."
    )
    # What was seen after the first look is known to have happened.
    assert "Sep 21: next step written, for Oct 15" in rows["Finanzas × ERP"][1]
    assert not [line for line in lines(report) if line.figure == "steps_planned"]
    assert not [sentence for sentence in opening(report) if "planned as of" in sentence]
