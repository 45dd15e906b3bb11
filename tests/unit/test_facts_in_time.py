"""Facts that look along the records of a person or around an instant, against a slow oracle."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import mkdtemp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.journey.facts import FACTS
from tests.facts_kit import TABLES, FactsKit

Record = dict[str, str]
GARBAGE = (
    "",
    "nonsense",
    "infinity",
    "-infinity",
    "epoch",
    "290000-01-01 00:00:00",
    "0001-01-01 00:00:00 BC",
    "9999-12-31 23:59:59",
    "2026-02-30 00:00:00",
    "2026-11-20",
    "2026-11-20 10:00:00.999999",
    "nan",
    "1e400",
    "9" * 30,
    "-0",
    "'; DROP TABLE x",
    "ñ\u0000é",
)


@pytest.fixture(scope="module")
def kit() -> FactsKit:
    """One store for all examples: opening one takes longer than asking it."""
    return FactsKit(Path(mkdtemp()))


def moment(text: str) -> datetime | None:
    """What the tool's instants are; the years that it never writes are none."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def stored(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}" if instant else ""


# A few people, categories and days: neighbours and ties are frequent.
days = st.sampled_from(["", "x", *(f"2026-11-{day:02} 08:00:00" for day in range(1, 15))])
incidents = st.lists(
    st.fixed_dictionaries(
        {
            "caller_id": st.sampled_from(["", "ana", "eva"]),
            "category": st.sampled_from(["", "network"]),
            "opened_at": days,
            "resolved_at": days,
            "closed_at": days,
            "business_service": st.sampled_from(["", "", "mail"]),
            "cmdb_ci": st.sampled_from(["", "mail", "vpn"]),
        }
    ),
    max_size=12,
).map(lambda rows: [{**row, "sys_id": f"i{number:02}"} for number, row in enumerate(rows)])


def ended(record: Record) -> datetime | None:
    return moment(record["resolved_at"]) or moment(record["closed_at"])


LATE = datetime(9999, 1, 1, tzinfo=UTC)


def in_line(records: Sequence[Record], *keys: str) -> list[list[Record]]:
    """The records of each person (and category) that have a time, one after the other."""
    lines: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        if record["caller_id"] and moment(record["opened_at"]):
            lines.setdefault(tuple(record[key] for key in keys), []).append(record)
    return list(lines.values())


def by_opening(record: Record) -> tuple[datetime, str]:
    return moment(record["opened_at"]) or LATE, record["sys_id"]


def by_opening_and_end(record: Record) -> tuple[datetime, datetime, str]:
    return moment(record["opened_at"]) or LATE, ended(record) or LATE, record["sys_id"]


def repeats(before: Record, after: Record) -> bool:
    end, opened = ended(before), moment(after["opened_at"])
    return bool(end and opened and timedelta(0) <= opened - end <= timedelta(days=7))


@settings(max_examples=40, deadline=None)
@given(incidents)
def test_the_history_of_a_caller_is_what_the_oracle_reads(
    kit: FactsKit, records: list[Record]
) -> None:
    expected = {r["sys_id"]: ["false", "", "false", "false", ""] for r in records}
    for line in in_line(records, "caller_id"):
        first, *_others = sorted(line, key=by_opening)
        expected[first["sys_id"]][0] = "true"
        for one in line:
            since = (moment(one["opened_at"]) or LATE) - (moment(first["opened_at"]) or LATE)
            expected[one["sys_id"]][1] = str(since.days)
    for line in in_line(records, "caller_id", "category"):
        line.sort(key=by_opening_and_end)
        for before, after in pairwise(line):
            if repeats(before, after):
                expected[after["sys_id"]][2] = "true"
                expected[before["sys_id"]][3:] = ["true", after["opened_at"]]
    kit.empty()
    kit.put("incident", *records)
    found = kit.all_values(
        "incident",
        "caller.is_first_contact",
        "caller.days_since_first_contact",
        "caller.repeat_within_7_days",
        "caller.repeat_followed_within_7_days",
        "caller.repeat_followed_at",
    )
    assert {key: list(row.values()) for key, row in found.items()} == expected


changes = st.lists(
    st.fixed_dictionaries(
        {
            "state": st.sampled_from(["3", "3", "-1"]),
            "close_code": st.sampled_from(["successful", "successful", "unsuccessful"]),
            "short_description": st.sampled_from(["Go-live of mail", "Patch"]),
            "closed_at": days,
            "business_service": st.sampled_from(["", "mail"]),
            "cmdb_ci": st.sampled_from(["", "mail", "vpn"]),
        }
    ),
    max_size=6,
).map(lambda rows: [{**row, "sys_id": f"c{number:02}"} for number, row in enumerate(rows)])


def service(record: Record) -> str:
    return record["business_service"] or record["cmdb_ci"]


def went_live(change: Record) -> bool:
    good = change["state"] == "3" and change["close_code"] == "successful"
    return good and "Go-live" in change["short_description"]


def around(
    one: Record, others: Sequence[Record], time: str, their_time: str, days: int
) -> list[datetime]:
    """The instants of others of the same service after one's, and within that many days."""
    here, found = moment(one[time]), []
    for other in others:
        there = moment(other[their_time])
        if here and there and service(one) and service(one) == service(other):
            away = (there - here) if days > 0 else (here - there)
            if timedelta(0) < away <= timedelta(days=abs(days)):
                found.append(there)
    return found


@settings(max_examples=40, deadline=None)
@given(incidents, changes)
def test_what_lies_near_in_time_is_what_the_oracle_finds(
    kit: FactsKit, records: list[Record], made: list[Record]
) -> None:
    kit.empty()
    kit.put("incident", *records)
    kit.put("change_request", *made)
    live = [change for change in made if went_live(change)]
    found = kit.all_values("incident", "golive.last_at", "golive.days_since")
    for one in records:
        last = max(around(one, live, "opened_at", "closed_at", -90), default=None)
        since = str(((moment(one["opened_at"]) or LATE) - last).days) if last else ""
        assert list(found[one["sys_id"]].values()) == [stored(last), since]
    counted = kit.all_values("change_request", "golive.contacts_before", "golive.contacts_after")
    for change in made:
        expected = [
            str(len(around(change, records, "closed_at", "opened_at", days))) for days in (-14, 14)
        ]
        assert list(counted[change["sys_id"]].values()) == expected


@settings(max_examples=15, deadline=None)
@given(incidents, st.randoms(use_true_random=False))
def test_facts_do_not_depend_on_the_order_of_records(
    kit: FactsKit, records: list[Record], random: Random
) -> None:
    names = ("caller.is_first_contact", "caller.repeat_within_7_days")
    answers = []
    for _turn in range(2):
        kit.empty()
        kit.put("incident", *records)
        answers.append(kit.all_values("incident", *names))
        random.shuffle(records)
    assert answers[0] == answers[1]


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32))
@pytest.mark.parametrize("table", TABLES)
def test_no_value_makes_a_fact_fail(kit: FactsKit, table: str, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - it only picks values
    names = [fact.name for fact in FACTS if table in fact.tables]
    sources = {fact.source for fact in FACTS if table in fact.tables and fact.source}
    keys = ["x", *(f"x{number}" for number in range(15))]
    kit.empty()
    for one in sorted({table, *sources}):
        fields = [column for column in kit.columns[one] if column != "sys_id"]
        rows = [{f: random.choice([*GARBAGE, *keys[:3], None]) for f in fields} for _key in keys]
        kit.put(one, *({**row, "sys_id": key} for key, row in zip(keys, rows, strict=True)))
    for few in batched(names):
        assert len(kit.all_values(table, *few, zone="America/New_York")) == len(keys)


def batched(names: Sequence[str]) -> list[Sequence[str]]:
    """All facts at once would need as many buffers at once."""
    return [names[start : start + 10] for start in range(0, len(names), 10)]
