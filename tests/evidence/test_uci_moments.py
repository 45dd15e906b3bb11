"""Moments of truth on the UCI year: the figures that the data's README gives.

The records are put straight into a store, as they stood at the end; the waits for the user come
from the versions of the log, told as the audit trail would tell them.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.encoded_query import Context
from connector.moment_records import rates
from connector.moments import decide_moments
from connector.sandbox.seeds.uci import load
from connector.sandbox.seeds.uci.log import read_log
from connector.sandbox.seeds.uci.replay import incident_id
from connector.store.database import Row
from tests.journey_kit import Kit, Record, schema

pytestmark = [pytest.mark.evidence, pytest.mark.timeout(600)]
END = datetime(2017, 3, 1, tzinfo=UTC)
TOTAL = 24_918


def waits_for_the_user(path: Path) -> Iterator[Record]:
    """Each time that an incident began to wait for its user."""
    for number, versions in read_log(path).incidents.items():
        before = ""
        for place, version in enumerate(versions):
            state = version.row["incident_state"]
            if state == "Awaiting User Info" and before != state:
                yield {
                    "sys_id": f"{number}-{place}",
                    "documentkey": incident_id(number),
                    "tablename": "incident",
                    "fieldname": "hold_reason",
                    "newvalue": "1",
                    "sys_created_on": version.at,
                }
            before = state


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory, uci: Path) -> Kit:
    kit = Kit(tmp_path_factory.mktemp("uci"))
    tables: dict[str, list[Record]] = defaultdict(list)
    for table, records in load(uci, END):
        kept = set(kit.columns.get(table, ()))
        tables[table] += [{k: v for k, v in r.items() if k in kept} for r in records]
    for table in ("incident", "task_sla", "sys_user", "contract_sla"):
        kit.put(table, *tables[table])
    kit.put("sys_audit", *waits_for_the_user(uci))
    kit.store.execute(
        "INSERT INTO history_read (source, table_name, sys_id)"
        " SELECT 'sys_audit', 'incident', sys_id FROM current.incident"
    )
    kit.classify(END)
    decide_moments(kit.store, kit.mapping, schema(), Context(END, "UTC"), "r")
    return kit


def counts(kit: Kit, moment_id: str) -> dict[str, int]:
    rows = kit.store.read(
        "SELECT polarity, count(*) AS n FROM moment WHERE moment_id = $id GROUP BY 1", id=moment_id
    )
    return {row["polarity"]: row["n"] for row in rows}


def both(kit: Kit, moment_id: str, other: str) -> Row:
    """Records that have a moment, and how many of them have another one gone wrong."""
    return kit.store.read(
        "SELECT count(*) AS n, count(o.sys_id) AS wrong FROM moment m LEFT JOIN moment o"
        " ON o.sys_id = m.sys_id AND o.moment_id = $other AND o.polarity = 'negative'"
        " WHERE m.moment_id = $id",
        id=moment_id,
        other=other,
    )[0]


def test_275_resolutions_were_refused(year: Kit) -> None:
    assert counts(year, "M07") == {"negative": 275, "positive": TOTAL - 275}


def test_3065_people_had_to_come_back_within_seven_days(year: Kit) -> None:
    found = counts(year, "M08")
    assert found["negative"] == 3_065
    assert "open" not in found


def test_2848_were_passed_around_and_the_rest_less_than_three_times(year: Kit) -> None:
    found = counts(year, "M09")
    assert found["negative"] == 2_848
    assert sum(found.values()) == TOTAL


def test_341_were_asked_twice(year: Kit) -> None:
    """Every turn of the state to "Awaiting User Info" counts. The research counted 326, and did not
    write down how: where a wait that follows another kind of wait is left out, 321 remain."""
    assert counts(year, "M10")["negative"] == 341


def test_first_contacts_look_worse_than_the_average(year: Kit) -> None:
    """One incident off: a caller's first two were opened in the same minute, and one was late."""
    first = both(year, "M01", "M12")
    assert first["n"] == 5_244
    assert abs(first["wrong"] - 2_370) <= 1
    assert counts(year, "M12")["negative"] == 9_115
    assert first["wrong"] / first["n"] > 9_115 / TOTAL


def test_an_agreed_time_alone_says_nothing_of_priority_one(year: Kit) -> None:
    """265 of 270: who reads it without the base rate of its priority reads it wrongly."""
    found = {
        rate.priority: rate
        for rate in rates(year.store, year.mapping, 5)
        if rate.moment_id == "M12"
    }
    assert found["1"].negative == 265
    assert (
        sum(n or 0 for n in (found["1"].positive, found["1"].negative, found["1"].neutral)) == 270
    )
    assert found["1"].share is not None
    assert found["3"].share is not None
    assert found["1"].share > 0.98
    assert found["3"].share < 0.5


def test_the_same_year_asked_again_changes_no_row(year: Kit) -> None:
    rows = "SELECT rowid, * FROM moment ORDER BY rowid"
    before = year.store.value(f"SELECT hash(list(t)) FROM ({rows}) t")
    decide_moments(year.store, year.mapping, schema(), Context(END, "UTC"), "r2")
    assert year.store.value(f"SELECT hash(list(t)) FROM ({rows}) t") == before
