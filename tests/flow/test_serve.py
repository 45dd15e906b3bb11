"""The schedule as a service runs it: catches up, ends well when told to, calls for help."""

import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tests.flow.conftest import Place
from tests.harness import PASSWORD, USER, Connector, Process


def on_few_tables(place: Place, batch_size: int) -> Connector:
    """Catalogue tasks of a quarter: a quick run, or one that takes its time in small batches."""
    place.connector.write_config(
        extract={"tables": ["sc_task"]},
        write_back={"tables": ["sc_task"], "batch_size": batch_size, "backfill_days": 90},
        schedule={"reconcile": "", "report": ""},
    )
    return place.connector


class Service:
    """A `travesia serve` at work, and what it logged so far."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.log: list[str] = []
        # Read all the time: a full pipe would hold the service up.
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(iter(self.process.stderr.readline, ""))

    def wait_for(self, is_so: Callable[[], object]) -> None:
        """Until something is so; a service that ends before is a failure."""
        until = time.monotonic() + 120
        while not is_so():
            assert self.process.poll() is None, "".join(self.log)
            assert time.monotonic() < until, "".join(self.log)
            time.sleep(0.005)

    def logged(self, text: str) -> bool:
        return any(text in line for line in list(self.log))

    def end(self) -> int:
        """SIGTERM, as a service manager sends it; answers the exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.process.send_signal(signal.SIGCONT)
        code = self.process.wait(60)
        self._reader.join()
        return code


@contextmanager
def serving(connector: Connector, **env: str) -> Iterator[Service]:
    """A service that is gone afterwards, whatever happens."""
    process = connector.start("serve", **env)
    service = Service(process)
    try:
        yield service
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def written(place: Place) -> int:
    return sum("u_journey_step" in row for row in place.instance.dump("sc_task").values())


def test_a_missed_night_is_caught_up_at_the_start_and_sigterm_is_a_good_end(
    provisioned: Place,
) -> None:
    instance, connector = provisioned.instance, on_few_tables(provisioned, batch_size=50)
    with serving(connector) as service:
        service.wait_for(lambda: service.logged("job succeeded"))
        assert service.end() == 0
    assert service.logged("job was missed, runs now")
    assert not service.logged("Traceback")
    assert written(provisioned) > 0
    [run] = json.loads(connector.do("status", "--json"))["runs"]
    assert (run["kind"], run["outcome"]) == ("sync", "succeeded")

    # The night was slept through no longer: a restart by day runs nothing.
    instance.reset_requests()
    with serving(connector) as service:
        service.wait_for(lambda: service.logged("scheduled"))
        time.sleep(0.5)
        assert service.end() == 0
    assert not service.logged("job started")
    assert instance.requests() == {}

    _two_days_pass(connector)
    with serving(connector) as service:
        service.wait_for(lambda: service.logged("job succeeded"))
        assert service.end() == 0
    assert {kind.split()[0] for kind in instance.requests()} == {"GET"}, "nothing new to write"


def _two_days_pass(connector: Connector) -> None:
    """For all that is kept of the last success."""
    notes = connector.folder / "travesia.schedule.json"
    notes.write_text(json.dumps({"sync": "2026-01-01T02:00:00+00:00"}), encoding="utf-8")
    snapshot = connector.store.with_name("travesia.snapshot.duckdb")
    with duckdb.connect(str(snapshot)) as connection:
        connection.execute("UPDATE run SET finished_at = finished_at - INTERVAL 2 DAY")


def test_sigterm_in_mid_run_ends_the_service_well_and_keeps_what_was_done(
    provisioned: Place,
) -> None:
    connector = on_few_tables(provisioned, batch_size=1)
    with serving(connector) as service:
        service.wait_for(lambda: connector.status().get("phase") == "write_back")
        service.wait_for(lambda: provisioned.batches > 1)
        service.wait_for(lambda: written(provisioned) > 0)  # rows of relationships come first
        service.process.send_signal(signal.SIGSTOP)
        planned = connector.status()["planned"]
        assert 0 < written(provisioned) < planned
        assert service.end() == 0, "".join(service.log)
    assert connector.status()["outcome"] == "interrupted"
    assert 0 < written(provisioned) < planned
    assert not service.logged("Traceback")

    on_few_tables(provisioned, batch_size=50).do("serve", "--once", "sync")
    assert written(provisioned) == planned
    changes = [
        (row["documentkey"], row["fieldname"])
        for row in provisioned.instance.dump("sys_audit").values()
        if row["user"] == USER
    ]
    assert len(changes) == len(set(changes)), "nothing was written twice"


ALARM = (
    "import json, os, pathlib, sys;"
    "pathlib.Path(sys.argv[1] + '.part').write_text("
    "json.dumps({'said': sys.stdin.read(), **os.environ}));"
    "os.rename(sys.argv[1] + '.part', sys.argv[1])"
)


def test_a_failed_run_calls_for_help_without_giving_secrets_away(tmp_path: Path) -> None:
    heard = tmp_path / "heard.json"
    connector = Connector(tmp_path / "connector", "http://127.0.0.1:9")
    connector.write_config(
        instance={"max_attempts": 1},
        schedule={"alert_command": [sys.executable, "-c", ALARM, str(heard)]},
    )
    with serving(connector, HARMLESS="stays") as service:
        service.wait_for(heard.exists)
        assert service.process.poll() is None, "one failed run does not end the schedule"
        assert service.end() == 0
    told = json.loads(heard.read_text("utf-8"))
    sentence = (
        "The scheduled sync failed: Cannot reach 127.0.0.1:9; check url, proxy and the network"
    )
    assert told["said"] == told["TRAVESIA_ALERT_MESSAGE"] == sentence
    assert (told["TRAVESIA_ALERT_KIND"], told["TRAVESIA_ALERT_JOB"]) == ("failed", "sync")
    assert told["HARMLESS"] == "stays"
    assert "TRAVESIA_PASSWORD" not in told
    assert PASSWORD not in told.values()

    heard.unlink()
    once = connector.call("serve", "--once", "sync")
    assert once.returncode == 1
    assert heard.exists()
