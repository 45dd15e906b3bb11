"""What changes around the data: another instance, a clock that goes wrong."""

from tests.flow.conftest import Place


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
