"""The golden reports: `python -m tests.golden.rewrite` writes them anew; then read the diff."""

import sys
import tempfile
from pathlib import Path

from connector.report.build import WHOLE_MONTH, Choice, build_report
from connector.report.chapters import CHAPTERS, MONTHLY
from connector.report.links import Tool
from connector.report.render import ReportFile, render_all
from connector.report.report import Report
from connector.timestamps import parse_day
from tests.golden.sample import fill_store, make_sample, sample_mapping

FOLDER = Path(__file__).parent
ZONE = "Europe/Madrid"


ALL = tuple(name for name in CHAPTERS if name not in MONTHLY)
"""The fifteen reports."""


TEXTS = ("html", "md", "csv")
"""The formats whose difference a person can read."""


def golden_report(folder: Path, choice: Choice = WHOLE_MONTH) -> Report:
    """October of the sample organisation, in English; its store is made in `folder`."""
    with fill_store(folder / "sample.duckdb", make_sample()) as store:
        return build_report(
            store,
            sample_mapping(),
            parse_day("2026-10-01", ZONE),
            parse_day("2026-11-01", ZONE),
            "en",
            ZONE,
            choice=choice,
            tool=Tool("https://example.service-now.com", frozenset({"incident", "sc_req_item"})),
        )


def golden_files(folder: Path) -> list[ReportFile]:
    """The monthly report and the fifteen others, every text format in both languages."""
    reports = []
    for name, choice in (("month", WHOLE_MONTH), ("chapters", Choice(only=ALL))):
        (folder / name).mkdir()
        reports.append(golden_report(folder / name, choice))
    return [
        file for report in reports for language in ("en", "es")
        for file in render_all(report.in_language(language), TEXTS)
    ]  # fmt: skip


def main() -> None:
    """Write the files beside this module."""
    with tempfile.TemporaryDirectory() as folder:
        for file in golden_files(Path(folder)):
            (FOLDER / file.name).write_bytes(file.content)
            sys.stdout.write(f"{file.name}\n")


if __name__ == "__main__":
    main()
