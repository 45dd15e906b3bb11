"""What changes around the data: columns that come late, wrong clocks, another instance."""

from tests.flow.conftest import Place
from tests.harness import classifications, journey_fields


def test_observing_before_provisioning_writes_everything_afterwards(new: Place) -> None:
    connector = new.connector
    connector.write_config(write_back={"enabled": False})
    assert connector.sync()["planned_records"] > 2000
    connector.do("provision", "--apply")
    connector.write_config(write_back={"enabled": True})
    new.stand_at("2026-11-20 12:10:00")
    done = connector.sync()
    assert done["confirmed"] == done["planned_records"] > 2000
    placed = {
        sys_id
        for (sys_id,) in connector.read(
            "SELECT sys_id FROM classification WHERE table_name = 'incident' AND touchpoint <> ''"
        )
    }
    written = journey_fields(new.instance, "incident")
    assert placed == {sys_id for sys_id, row in written.items() if row["u_journey_step"]}


def test_reconciling_between_two_syncs_changes_nothing(synced: Place) -> None:
    connector = synced.connector
    synced.stand_at("2026-11-20 12:40:00")
    connector.sync()
    before = classifications(connector)
    connector.do("reconcile")
    assert connector.sync()["plan"] == []
    assert classifications(connector) == before


def test_a_store_stays_with_its_instance_and_a_clock_gone_wrong_is_refused(
    synced: Place,
) -> None:
    connector = synced.connector
    connector.write_config(instance={"url": "https://other.example.invalid", "max_attempts": 1})
    refused = connector.call("sync")
    assert refused.returncode == 5
    assert "holds the records of" in refused.stderr
    connector.write_config(instance={"max_clock_ahead_hours": 24})
    synced.instance.control("clock", {"until": "2031-01-01 00:00:00"})
    refused = connector.call("sync")
    assert refused.returncode == 3
    assert "far ahead of this machine's" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) <= 2
