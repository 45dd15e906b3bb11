"""The sentences at the head: said only where the figures carry them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connector.messages import speaking
from connector.report import counsel
from connector.report.build import Choice
from connector.report.figures import (
    ApprovalMonth,
    Before,
    Closures,
    DepartmentFigures,
    DepartmentMonths,
    Flow,
    Months,
    Period,
    Share,
)
from connector.report.opening import opening
from connector.report.report import Report
from connector.report.wording import clean, duration, number, percent
from tests.golden.rewrite import golden_report


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return golden_report(Path(tmp_path_factory.mktemp("golden")))


def before(opened: int) -> Before:
    """Another period in which so many tickets came in."""
    when = Period(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC))
    return Before(when, opened, Flow(opened, 0), Closures(), None)


def said(report: Report, **changes: object) -> str:
    figures = replace(report.figures, **changes)  # type: ignore[arg-type]
    return "\n".join(opening(replace(report, figures=figures)))


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        (Flow(12, 10), "grew by 2"),
        (Flow(10, 12), "shrank by 2"),
        (Flow(3, 3), "stayed as it was"),
    ],
)
def test_the_backlog_is_opened_less_resolved(report: Report, flow: Flow, words: str) -> None:
    assert words in said(report, flow=flow)


def test_a_change_is_told_from_five_percent_and_ten_tickets_on(report: Report) -> None:
    assert "20% more tickets" in said(report, flow=Flow(120, 0), before=before(100))
    assert "20% fewer tickets" in said(report, flow=Flow(80, 0), before=before(100))
    assert "more tickets" not in said(report, flow=Flow(104, 0), before=before(100))
    assert "more tickets" not in said(report, flow=Flow(18, 0), before=before(9))
    assert "more tickets" not in said(report, flow=Flow(120, 0), before=None)
    text = said(report, flow=Flow(120, 0), before=before(100), compared="year")
    assert "than in the same period a year before (100)" in text


def test_no_change_is_told_before_the_period_is_over(report: Report) -> None:
    until = report.period.start.replace(day=30, month=10)
    text = said(report, flow=Flow(20, 0), before=before(100), data_until=until)
    assert "fewer tickets" not in text


def test_movements_are_told_up_to_the_day_of_the_data_where_the_period_ended_before(
    report: Report,
) -> None:
    """Trust is known as of the last run, whatever the period."""
    assert "2 relationships moved in the 30 days to Nov 5, 2026, 1 up and 1 down" in said(report)
    now = Period(
        report.period.start, datetime(2026, 11, 5, 23, tzinfo=UTC), report.period.time_zone
    )
    assert "2 relationships moved in the last 30 days, 1 up" in said(report, period=now)


def with_steps(report: Report, steps: Sequence[tuple[int, float | None]]) -> str:
    """What is said where so many records are open, with their median ages, step by step."""
    shown = report.figures.shown
    changed = tuple(
        replace(step, open=n, age_seconds=age)
        for step, (n, age) in zip(shown.steps, [*steps, *[(0, None)] * 11], strict=False)
    )
    journeys = tuple(
        replace(shown, steps=changed) if one is shown else one for one in report.figures.journeys
    )
    return said(report, journeys=journeys, open=9)


def test_the_busiest_step_is_told_with_its_part_of_what_is_open(report: Report) -> None:
    """Having the most is not having most of them."""
    step = report.step_name("travesia", report.figures.shown.steps[1].step)
    text = with_steps(report, [(2, None), (3, 172800.0), (1, None)])
    assert f"still open is “{step}”: 3 of 9, half of them there for 2\u00a0days or longer." in text
    assert "3 of 9." in with_steps(report, [(2, None), (3, None)])
    assert "1 of 9, there for 2\u00a0days." in with_steps(report, [(0, None), (1, 172800.0)])
    assert "most are in" not in text


def test_value_is_not_spoken_of_where_nothing_ended(report: Report) -> None:
    assert "confirmed" in said(report)
    assert "confirmed" not in said(report, closures=Closures())


def test_each_way_in_which_tickets_ended_is_said_by_its_own_number(report: Report) -> None:
    text = said(report, closures=Closures(1, 2, 3, 4, {"lost": 5}))
    assert "15 tickets ended. Value confirmed by a voice: 1; presumed from silence: 2;" in text
    assert "denied by a voice: 3; not known yet: 4; without value: 5." in text


MONTHS = tuple(date(2026, month, 1) for month in range(5, 9))


@pytest.mark.parametrize(
    ("met", "words"),
    [
        ((90, 92, 40, 88), "Finanzas fell from 91% of its SLA clocks met in a usual month to 40%"
                           " in Jul 2026 and recovered: 88% in Aug 2026."),
        ((90, 92, 40, 55), "in Jul 2026 and has not recovered: 55% in Aug 2026."),
        ((90, 92, 85, 40), "in a usual month to 40% in Aug 2026."),
        ((90, 92, 80, 88), ""),
        ((40, 80, 90, 95), ""),
    ],
)  # fmt: skip
def test_a_department_that_fell_is_told_with_what_became_of_it(
    report: Report, met: tuple[int, ...], words: str
) -> None:
    row = DepartmentMonths("d", "Finanzas", tuple(Share(n, 100) for n in met))
    text = said(report, months=Months(MONTHS, (row,)))
    assert words in text
    assert ("Finanzas fell" in text) == bool(words)


def test_a_month_of_few_clocks_is_no_fall(report: Report) -> None:
    met = (Share(90, 100), Share(0, 9), Share(91, 100), None)
    text = said(report, months=Months(MONTHS, (DepartmentMonths("d", "Finanzas", met),)))
    assert "fell" not in text


def test_approvals_are_told_where_the_wait_doubled(report: Report) -> None:
    def told(*waits: tuple[float, float], decided: int = 10) -> str:
        rows = tuple(
            ApprovalMonth(first, decided, 0, half * 86400, tenth * 86400)
            for first, (half, tenth) in zip(MONTHS, waits, strict=False)
        )
        return said(report, months=Months(MONTHS, (), rows))

    assert (
        "Half of the approvals asked for in Jun 2026 waited longer than 3\u00a0days; before,"
        " 1\u00a0day. In Jul 2026: 1.2\u00a0days." in told((1, 2), (3, 4), (1.2, 2))
    )
    assert "One in ten approvals asked for in Jun 2026" in told((1, 2), (1.5, 9), (1, 2))
    assert "approvals asked" not in told((1, 2), (1.9, 3.9))
    assert "approvals asked" not in told((0.1, 0.2), (0.5, 0.9)), "hours"
    assert "approvals asked" not in told((1, 2), (3, 4), decided=9)


def test_missing_rules_are_told_only_above_the_goal(report: Report) -> None:
    assert "could not be placed" not in said(report, unclassified=Share(3, 100))
    assert "3.1% of the records could not be placed" in said(report, unclassified=Share(31, 1000))


def test_without_sla_rows_nothing_is_said_of_sla(report: Report) -> None:
    journeys = tuple(replace(j, sla=None) for j in report.figures.journeys)
    assert "SLA" not in said(report, journeys=journeys)


@pytest.mark.parametrize(
    ("met", "clocks", "is_told"), [(10, 40, True), (10, 19, False), (38, 40, False)]
)
def test_a_department_is_named_only_far_below_and_with_enough_clocks(
    report: Report, met: int, clocks: int, is_told: bool
) -> None:
    department = DepartmentFigures("d1", "Finanzas", 12, 50, 3, Share(met, clocks))
    few = DepartmentFigures("", "", 9, 50, 3, Share(0, 100))
    text = said(report, departments=(department, few))
    assert ("Finanzas is far below: 25% of its 40 SLA clocks were met." in text) == is_told
    assert "is far below: 0%" not in text


def test_the_sentences_are_spanish_for_a_spanish_reader(report: Report) -> None:
    with speaking("es"):
        sentences = opening(report.in_language("es"))
    assert len(sentences) == len(opening(report))
    assert sentences[0].startswith("280 registros estuvieron abiertos")


def test_a_share_is_never_rounded_to_a_whole_that_it_is_not() -> None:
    assert [percent(r) for r in (0.0, 0.00001, 0.5, 0.99999, 1.0, None)] == [
        "0%", "0.1%", "50%", "99.9%", "100%", "–",
    ]  # fmt: skip


def test_spans_of_time_are_said_in_one_unit() -> None:
    assert [duration(s) for s in (0, 90, 3600, 86400 * 3.24, None)] == [
        "0\u00a0minutes", "2\u00a0minutes", "1\u00a0hour", "3.2\u00a0days", "–",
    ]  # fmt: skip
    with speaking("es"):
        assert duration(86400 * 3.24) == "3,2\u00a0días"
        assert number(1234567) == "1.234.567"


def test_control_and_direction_characters_leave_a_name() -> None:
    assert clean("a\x00\u202eb\r\n") == "a b"
    assert len(clean("x" * 1000)) == 160


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("", "Overdue: next steps 1, promises 1. Keep them, or say what changed."),
        ("department=Finanzas", "Overdue: next steps 1, promises 1."),
        ("service=ERP", "Overdue: next steps 1, promises 1."),
        ("department=Ventas", ""),
    ],
)
def test_a_scope_is_told_of_its_own_overdue_promises_only(
    tmp_path: Path, scope: str, told: str
) -> None:
    """The one promise that is overdue was made to Finanzas about the ERP."""
    with speaking("en"):
        said_of = counsel.overdue(golden_report(tmp_path, Choice(scope=scope)))
    assert said_of.startswith(told)
    assert bool(said_of) == bool(told)


def test_of_what_is_overdue_only_what_there_is_is_named(report: Report) -> None:
    found = counsel.relationships(report)
    assert found is not None
    kept = replace(report, parts={"moved": replace(found, contacts=())})
    late = tuple({**row, "has_next_step": False} for row in found.rows)
    with speaking("en"):
        assert "Overdue: next steps 1. Keep" in counsel.overdue(kept)
        promises = replace(report, parts={"moved": replace(found, rows=late)})
        assert "Overdue: promises 1. Keep" in counsel.overdue(promises)
