"""A year of a real instance's incidents, synced night by night (the UCI log, see docs/evidence.md).

Each test is one claim of the README; all run the real commands against the sandbox over HTTP.
"""

import json
from pathlib import Path

import pytest

from connector.journey.mapping import load_mapping
from tests.evidence.replaying import installed, night, start
from tests.harness import Connector, classifications, journey_fields

pytestmark = [pytest.mark.evidence, pytest.mark.timeout(1500)]


def heaviest_moments(connector: Connector) -> dict[str, str]:
    """Of each incident: the heaviest decided moment, else an open one, else a neutral one."""
    names = {"open": "potential"}
    found: dict[str, tuple[int, int, int, str]] = {}
    for sys_id, polarity, weight in connector.read(
        "SELECT sys_id, polarity, weight FROM moment WHERE table_name = 'incident'"
    ):
        rank = {"neutral": 0, "open": 1}.get(polarity, 2)
        key = (rank, weight, int(polarity == "negative"), names.get(polarity, polarity))
        found[sys_id] = max(found.get(sys_id, key), key)
    return {sys_id: key[-1] for sys_id, key in found.items()}


def expected_fields(connector: Connector) -> dict[str, dict[str, str]]:
    """What the instance's incidents must hold, from the classification of a store."""
    why = {rule.id: rule.because.en[:255] for rule in load_mapping().rules}
    moment = heaviest_moments(connector)
    rows = connector.read(
        "SELECT sys_id, steps['travesia'], touchpoint, band, is_potential_moment, outcome, value,"
        " rule_id, confidence FROM classification WHERE table_name = 'incident'"
    )
    return {
        r[0]: {
            "u_journey_step": r[1] or "",
            "u_journey_touchpoint": r[2],
            "u_journey_band": r[3],
            "u_journey_moment": moment.get(r[0], "potential" if r[4] else ""),
            "u_journey_outcome": r[5],
            "u_journey_value": r[6],
            "u_journey_why": why.get(r[7], ""),
            "u_journey_rule": r[7],
            "u_journey_confidence": r[8],
        }
        for r in rows
    }


def test_thirty_nights_end_where_a_fresh_full_sync_ends(tmp_path: Path, uci: Path) -> None:
    with start(tmp_path / "instance", uci) as instance:
        connector = installed(tmp_path / "nightly", instance)
        for n in range(31):
            if n:
                instance.advance(night(n))
            connector.sync()
            open_question = connector.read(
                "SELECT count(*) FROM current.incident i LEFT JOIN classification c"
                " ON c.table_name = 'incident' AND c.sys_id = i.sys_id"
                " WHERE c.rule_id IS NULL OR c.rule_id = 'unclassified'"
            )
            assert open_question == [(0,)], f"unclassified incidents after night {n}"
        assert (
            len(instance.dump("incident"))
            == connector.read("SELECT count(*) FROM classification WHERE table_name = 'incident'")[
                0
            ][0]
        )

        # What the last night wrote carries that instant, and a run stays behind the clock.
        instance.control("clock", {"until": night(30)[:-2] + "30"})
        fresh = Connector(tmp_path / "fresh", instance.url, {"write_back": {"enabled": False}})
        fresh.sync("--full")
        assert classifications(connector) == classifications(fresh)
        assert journey_fields(instance, "incident") == expected_fields(fresh)


def test_a_second_sync_writes_nothing_and_a_third_sees_no_echo(tmp_path: Path, uci: Path) -> None:
    with start(tmp_path / "instance", uci) as instance:
        connector = installed(tmp_path / "connector", instance)
        first = connector.sync()
        assert first["confirmed"] > 1000
        before = instance.whole_dump()
        for minutes in (5, 25):
            instance.control("clock", {"until": f"2016-04-01 00:{minutes:02}:00"})
            instance.reset_requests()
            again = connector.sync()
            counts = instance.requests()
            assert again["confirmed"] == 0
            assert again["plan"] == []
            assert {kind.split()[0] for kind in counts} == {"GET"}, counts
            of_records = {k: v for k, v in counts.items() if "/table/sys_d" not in k}
            assert max(of_records.values()) <= 6, counts
            assert all(table["extracted"] == 0 for table in again["tables"])
        changed = {
            line
            for line in set(before.splitlines()) ^ set(instance.whole_dump().splitlines())
            if '"u_journey' in line
        }
        assert not [
            line
            for line in changed
            if json.loads(line).get("sys_updated_by") == "travesia.integration"
        ]


def test_the_dry_run_is_the_plan_and_touches_nothing(tmp_path: Path, uci: Path) -> None:
    with start(tmp_path / "instance", uci) as instance:
        connector = installed(tmp_path / "connector", instance)
        before = instance.whole_dump()
        connector.do("sync", "--dry-run", "--plan-file", "dry.jsonl")
        assert instance.whole_dump() == before
        connector.do("sync", "--plan-file", "real.jsonl")
        dry = (connector.folder / "dry.jsonl").read_bytes()
        assert dry == (connector.folder / "real.jsonl").read_bytes()
        assert dry.count(b"\n") > 10_000
        sent = {
            (row["documentkey"], row["fieldname"]): row["newvalue"]
            for row in instance.dump("sys_audit").values()
            if row["user"] == "travesia.integration"
        }
        planned = {
            (line["sys_id"], line["field"]): line["to"]
            for line in map(json.loads, dry.decode().splitlines())
        }
        assert sent == planned
