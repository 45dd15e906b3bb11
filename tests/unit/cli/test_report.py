"""`travesia report`: period, scope, languages and forms reach the report."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector import cli, reporting
from connector.cli import period
from connector.report.build import Choice
from connector.report.render import ReportFile
from tests.unit.cli.kit import lean, raiser


def test_the_last_day_of_a_report_is_included_in_the_instances_zone(
    reported: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", "--from", "2026-01-01", "--to", "2026-03-31", "--lang", "es"]
    assert cli.run([*words, "--format", "md", "--format", "md", "--out", "here"]) == 0
    start, end = datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert reported == [(reporting.Order(start, end, ("es",), ("md",), Path("here")), None)]
    assert "es.html" in capsys.readouterr().out


def test_a_report_without_options_is_the_month_before_as_the_settings_say(
    reported: list[tuple[Any, ...]], home: Path
) -> None:
    assert cli.run(["report"]) == 0
    ((order, _instance),) = reported
    assert order.languages == ("es", "en")
    assert order.formats == ("html", "md", "csv")
    assert order.out.resolve() == home / "reports"
    assert order.choice == Choice()


def test_scope_comparison_and_chapters_reach_the_report(
    reported: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", "--scope", "service=ERP", "--compare", "year", "--only", "sla,moments"]
    assert cli.run([*words, "--only", "band"]) == 0
    assert reported[0][0].choice == Choice("service=ERP", "year", ("sla", "moments", "band"))
    assert cli.run(["report", "--only", "durration"]) == 2
    assert "did you mean durations" in capsys.readouterr().err
    assert len(reported) == 1


def test_a_second_scope_is_refused_and_none_is_taken_silently(
    reported: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", "--scope", "department=Finanzas", "--scope", "service=CRM"]
    assert cli.run(words) == 64
    told = capsys.readouterr().err
    assert "a report has one --scope, and here are 2: department=Finanzas, service=CRM" in told
    assert reported == []


def test_a_spoiled_file_is_told_after_the_others_are_there(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lean(monkeypatch, raiser(AssertionError()))
    result = reporting.ReportResult("es", (home / "es.csv",), None, ("md.j2 is broken",))
    monkeypatch.setattr(reporting, "report", lambda *_: [result])
    assert cli.run(["report"]) == 6
    told = capsys.readouterr()
    assert "es.csv" in told.out
    assert "md.j2 is broken" in told.err


def test_a_spoiled_page_is_told_after_the_others_are_there(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lean(monkeypatch, raiser(AssertionError()))
    page = ReportFile("erp_es.md", "text/markdown", b"# ERP")
    monkeypatch.setattr(reporting, "brief", lambda *_: ([page], ["brief.html.j2 is broken"]))
    assert cli.run(["brief", "ERP"]) == 6
    assert (home / "reports" / "erp_es.md").read_bytes() == b"# ERP"
    told = capsys.readouterr()
    assert "erp_es.md" in told.out
    assert "brief.html.j2 is broken" in told.err


def test_the_month_before_is_whole_in_its_zone() -> None:
    now = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)  # in Madrid it is March
    assert period.month_before(now, "Europe/Madrid") == (
        datetime(2026, 1, 31, 23, tzinfo=UTC),
        datetime(2026, 2, 28, 23, tzinfo=UTC),
    )
