"""The least memory that may be set is enough for everything a run does.

What a statement needs grows with what it joins, however few the records: this test is where a
statement that joins too much is found before an installation finds it.
"""

from pathlib import Path

from connector.config.settings import StoreSettings
from connector.report.chapters import CHAPTERS
from tests.flow.conftest import Place

LEAST = next(m.ge for m in StoreSettings.model_fields["memory_limit_mb"].metadata)


def test_a_killed_first_sync_a_night_and_a_report_need_no_more(
    provisioned: Place, tmp_path: Path
) -> None:
    connector = provisioned.connector
    connector.write_config(store={"memory_limit_mb": LEAST})
    connector.do("sync", "--dry-run")  # its results stay in TEMP TABLEs: it needs the most
    # What a killed run had committed is read back into memory, and must leave it.
    assert connector.kill_in("write_back", 0.2), "it was done before it was killed"
    first = connector.sync()
    second = connector.sync()
    year = ("--from", "2026-01-01", "--to", "2026-12-31", "--out", str(tmp_path))
    connector.do("report", *year)
    connector.do("report", *year, "--only", ",".join(CHAPTERS), "--format", "parquet")
    assert first["confirmed"] > 1_000
    assert second["planned_records"] == 0
