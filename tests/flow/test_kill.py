"""Whatever dies, dies between two transactions: the next sync ends where an undisturbed one ends.

Killed, stopped or doubled runs on the demo's incidents; the campaign on the UCI year is evidence.
"""

import random
import signal
import time
from collections import Counter
from pathlib import Path

from tests.flow.conftest import Place, Places, copy_of
from tests.harness import USER, Connector, Process, Sandbox, classifications


def slowly(place: Place, batch_size: int = 5) -> Connector:
    """Few incidents in small batches: quick as a whole, and time enough to be hit in mid-write."""
    place.connector.write_config(
        extract={"tables": ["incident"]},
        write_back={
            "tables": ["incident"],
            "batch_size": batch_size,
            "settled_days": 14,
            "backfill_days": 30,
        },
    )
    return place.connector


def audit(instance: Sandbox) -> Counter[tuple[str, ...]]:
    """Every change of ours that the instance noted, each as often as it happened."""
    told = ("documentkey", "fieldname", "oldvalue", "newvalue")
    return Counter(
        tuple(row.get(key, "") for key in told)
        for row in instance.dump("sys_audit").values()
        if row["user"] == USER
    )


def written(instance: Sandbox) -> int:
    return sum("u_journey_step" in row for row in instance.dump("incident").values())


def start_writing(place: Place) -> Process:
    """Start a sync, and hold it (SIGSTOP) when some but not all of its records are written."""
    connector = slowly(place, batch_size=1)
    place.instance.reset_requests()
    process = connector.start("sync", "--json")
    while connector.status().get("phase") != "write_back":  # asking the instance would slow it down
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    while place.batches < 2:
        assert process.poll() is None, process.communicate()
    while not written(place.instance):  # rows of relationships come first
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGSTOP)
    assert 0 < written(place.instance) < connector.status()["planned"]
    return process


def people_work(instance: Sandbox) -> None:
    """What happens in the tool between two nights, the same in both twins."""
    incidents = sorted(instance.dump("incident").values(), key=lambda row: row["sys_id"])
    for row in [r for r in incidents if r["active"] == "true"][:20]:
        body = {"state": "6", "resolved_at": "2026-11-20 12:30:00", "close_notes": "mended"}
        instance.api("PATCH", f"table/incident/{row['sys_id']}", body)


def test_killed_in_every_phase_it_ends_where_an_undisturbed_twin_ends(
    places: Places, tmp_path: Path
) -> None:
    dice = random.Random(2)  # noqa: S311 - a repeatable campaign, no secret
    template = places.provisioned()
    with copy_of(template, tmp_path / "a") as disturbed, copy_of(template, tmp_path / "b") as quiet:
        killed, twin = slowly(disturbed), slowly(quiet)
        for phase, longest in (("extract", 0.1), ("classify", 0.1), ("write_back", 0.6)):
            assert killed.kill_in(phase, dice.uniform(0, longest)), f"it outlived {phase}"
        killed.sync()
        twin.sync()
        for place in (disturbed, quiet):
            place.stand_at("2026-11-20 12:30:00")
            people_work(place.instance)
            place.stand_at("2026-11-21 02:00:00")
        slowly(disturbed, batch_size=1)
        assert killed.kill_in("write_back", dice.uniform(0, 0.1))
        killed.sync()
        twin.sync()

        assert disturbed.instance.dump("incident") == quiet.instance.dump("incident")
        assert audit(disturbed.instance) == audit(quiet.instance), "nothing lost, nothing doubled"
        assert classifications(killed) == classifications(twin)
        for table in ("standing", "transition"):
            columns = "* EXCLUDE (run_id)" if table == "transition" else "*"
            query = f"SELECT {columns} FROM {table} ORDER BY ALL"
            assert killed.read(query) == twin.read(query), table
        assert killed.sync()["plan"] == []


def test_an_answer_that_never_came_is_asked_for_before_anything_is_sent_again(
    provisioned: Place,
) -> None:
    process = start_writing(provisioned)
    process.kill()
    process.communicate()
    before = audit(provisioned.instance)
    died = provisioned.connector.status()
    assert (died["pid"], died["phase"]) == (process.pid, "write_back")

    result = slowly(provisioned, batch_size=50).sync()
    assert 0 < result["confirmed"] < died["planned"], "what was written is not written again"
    after = audit(provisioned.instance)
    assert before < after
    assert set(after.values()) == {1}


def test_sigterm_in_mid_write_keeps_what_was_done_and_the_next_sync_completes_it(
    provisioned: Place,
) -> None:
    instance, connector = provisioned.instance, provisioned.connector
    process = start_writing(provisioned)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    _out, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert connector.status()["outcome"] == "interrupted"
    done = written(instance)
    assert 0 < done < connector.status()["planned"]

    result = slowly(provisioned, batch_size=50).sync()
    assert result["confirmed"] == written(instance) - done
    assert set(audit(instance).values()) == {1}, "nothing was written twice"
    assert connector.sync()["plan"] == []


def test_of_two_syncs_at_once_the_second_leaves_and_names_the_first(provisioned: Place) -> None:
    connector = provisioned.connector
    first = start_writing(provisioned)
    provisioned.instance.reset_requests()
    second = connector.call("sync")
    assert second.returncode == 5
    assert f"process {first.pid}, phase write_back" in second.stderr
    [error] = [line for line in second.stderr.splitlines() if line]
    assert error.startswith("Error: Another run works on travesia.duckdb")
    assert json_running(connector)
    first.send_signal(signal.SIGCONT)
    out, said = first.communicate(timeout=120)
    assert first.returncode == 0, said
    assert '"outcome": "succeeded"' in out
    assert set(audit(provisioned.instance).values()) == {1}


def json_running(connector: Connector) -> bool:
    """`travesia status` answers while a run holds the store."""
    return '"is_running": true' in connector.do("status", "--json")
