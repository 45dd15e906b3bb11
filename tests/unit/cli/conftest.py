"""A folder with settings, where commands are run in this process; what they start is noted only."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector import log, pipeline, reporting
from connector.results import RunResult
from tests.unit.cli.kit import SETTINGS, Ran, change, lean, raiser, result


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with settings, where commands are run; the log is as it was afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "travesia.toml").write_text(SETTINGS, encoding="utf-8")
    yield tmp_path
    log.configure()


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Ran:
    """The options of the runs that were started; each run answers `result()`."""
    options: Ran = []

    def run(*arguments: Any) -> RunResult:
        options.append(arguments[3])
        if arguments[6]:
            arguments[6].write(pipeline.plan_lines([change()]))
        return result()

    lean(monkeypatch, run)
    return options


@pytest.fixture
def reported(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The arguments of the reports that were asked for, after config and mapping."""
    asked: list[tuple[Any, ...]] = []

    def report(
        _config: Any, _mapping: Any, order: reporting.Order, instance: Any
    ) -> list[reporting.ReportResult]:
        asked.append((order, instance))
        return [
            reporting.ReportResult(language, (home / f"{language}.html",), None)
            for language in order.languages
        ]

    lean(monkeypatch, raiser(AssertionError()))
    monkeypatch.setattr(reporting, "report", report)
    return asked
