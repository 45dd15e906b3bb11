"""Scheduled reports as a service runs them: each its own time and language; none is ever lost."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connector.cli.period import month_before
from connector.store.database import publish_snapshot
from connector.timestamps import format_instance
from tests.flow.test_serve import serving
from tests.golden.sample import fill_store, make_sample
from tests.harness import Connector, sandbox

ALSO = """
[[report.also]]
name = "compromiso"
cron = "30 8 2 * *"
languages = ["es"]
only = ["engagement"]
"""


def installed(folder: Path, url: str) -> Connector:
    """An installation after a finished run, whose reports are published."""
    connector = Connector(folder, url)
    connector.write_config(
        extract={"tables": ["sc_task"]},
        write_back={"enabled": False, "tables": ["sc_task"]},
        schedule={"reconcile": "", "report": "0 7 1 * *"},
        report={"publish": True, "languages": ["en"], "formats": ["md"]},
    )
    with (folder / "travesia.toml").open("a", encoding="utf-8") as settings:
        settings.write(ALSO)
    with fill_store(connector.store, make_sample(60, 15)) as store:
        # Read today: a report of a month after the end of the data is refused.
        mark = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        store.execute("UPDATE run SET high_mark = $mark", mark=mark)
    publish_snapshot(connector.store)
    return connector


def last_ran(connector: Connector, **jobs: str) -> None:
    """When each job last succeeded, for all that a start of the service knows."""
    notes = connector.folder / "travesia.schedule.json"
    notes.write_text(json.dumps(jobs), encoding="utf-8")


def status(connector: Connector) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(connector.do("status", "--json"))
    return found


def test_reports_come_at_their_time_in_their_language_and_a_failed_one_is_retried(
    tmp_path: Path,
) -> None:
    long_ago, now = "2026-01-01T02:00:00+00:00", datetime.now(UTC).isoformat()
    with sandbox(tmp_path / "instance", "--seed", "empty") as instance:
        connector = installed(tmp_path / "connector", instance.url)
        following = status(connector)["next"]
        assert following["report"][8:16] == "01T07:00"
        assert following["report-compromiso"][8:16] == "02T08:30"

        # Both were missed; the table that they go to is not there yet.
        last_ran(connector, sync=now, report=long_ago, **{"report-compromiso": long_ago})
        with serving(connector) as service:
            service.wait_for(lambda: sum("job partial" in line for line in service.log) == 2)
            assert service.end() == 0
        first, after = month_before(datetime.now(UTC), "UTC")
        files = {path.name for path in (connector.folder / "reports").iterdir()}
        period = f"{first:%Y-%m-%d}_"
        assert {name.split(period)[0] for name in files} == {"travesia_", "travesia_engagement_"}
        assert {name[-5:] for name in files if "engagement" in name} == {"es.md"}
        assert {name[-5:] for name in files if "engagement" not in name} == {"en.md"}

        waiting = status(connector)["publications"]
        assert {(one["note"]["language"], *one["note"]["only"]) for one in waiting} == {
            ("en",), ("es", "engagement"),
        }  # fmt: skip
        assert all("u_journey_report does not exist" in one["reason"] for one in waiting)
        assert "waits to be published, tried 1 time" in connector.do("status")

        # A night later the admins have made it.
        connector.do("provision", "--apply")
        last_ran(connector, sync=long_ago, report=now, **{"report-compromiso": now})
        with serving(connector) as service:
            service.wait_for(lambda: service.logged("job succeeded"))
            assert service.end() == 0
        assert sum("job started" in line for line in service.log) == 1, "only the sync was due"
        assert status(connector)["publications"] == []
        rows = instance.dump("u_journey_report").values()
        assert {(row["u_language"], row["u_chapters"], row["u_state"]) for row in rows} == {
            ("en", "monthly", "published"),
            ("es", "engagement", "published"),
        }
        assert {(row["u_period_from"], row["u_period_to"]) for row in rows} == {
            (format_instance(first), format_instance(after))
        }
        assert {row["file_name"] for row in instance.dump("sys_attachment").values()} == files
