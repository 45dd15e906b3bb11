"""Moments of truth: what decides them, when, and what a run keeps of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connector.encoded_query import Context
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.model import Text
from connector.journey.moment_model import END, Evidence, Moment, Window
from connector.journey.moment_proofs import after_working_days, instant_of, tell
from connector.journey.moments import OffMoment, seen_query, usable, verdict_sql
from connector.journey.scope import catalogue_of
from connector.moment_records import of_record, on_the_record
from connector.moments import decide_moments
from connector.store.classifications import held_columns
from connector.store.database import Row
from tests.journey_kit import NOW, Kit, schema, shipped

WORDS = Text("", "")
ZONE = "Europe/Madrid"


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path)


def decide(
    kit: Kit, now: datetime = NOW, *, save: bool = True, mapping: JourneyMapping | None = None
) -> None:
    mapping = mapping or kit.mapping
    kit.classify(now)
    decide_moments(kit.store, mapping, schema(), Context(now, ZONE), "r", save=save)


def moments(kit: Kit) -> dict[tuple[str, str], Row]:
    """(sys_id, moment) → its row."""
    rows = kit.store.read("SELECT * FROM moment")
    return {(row["sys_id"], row["moment_id"]): row for row in rows}


def polarity(kit: Kit, sys_id: str, moment_id: str) -> tuple[str, str]:
    row = moments(kit)[sys_id, moment_id]
    return row["polarity"], row["evidence"]


def at(days: float) -> str:
    """An instant so many days before now."""
    return f"{NOW - timedelta(days=days):%Y-%m-%d %H:%M:%S}"


def knows_history(kit: Kit, table: str, *sys_ids: str) -> None:
    for source in ("sys_journal_field", "sys_audit"):
        for sys_id in sys_ids:
            kit.store.execute(
                "INSERT INTO history_read (source, table_name, sys_id) VALUES ($s, $t, $id)",
                s=source,
                t=table,
                id=sys_id,
            )


RESOLVED = {"state": "7", "caller_id": "ana", "category": "network", "reassignment_count": "1"}


# --- the shipped moments --------------------------------------------------------------------------


def test_a_repeat_contact_within_seven_days_decides_when_it_is_opened(kit: Kit) -> None:
    kit.put(
        "incident",
        {**RESOLVED, "sys_id": "a", "opened_at": at(21), "resolved_at": at(20)},
        {**RESOLVED, "sys_id": "b", "opened_at": at(18), "resolved_at": at(17)},
        {**RESOLVED, "sys_id": "c", "opened_at": at(5), "resolved_at": at(4)},
    )
    decide(kit)
    found = moments(kit)
    assert polarity(kit, "a", "M08") == ("negative", "repeated")
    assert f"{found['a', 'M08']['decided_at']}" == at(18)
    assert polarity(kit, "b", "M08") == ("positive", "solved")
    assert found["b", "M08"]["decided_at"] == found["b", "M08"]["window_ends_at"]
    assert polarity(kit, "c", "M08") == ("open", "")


def test_any_reopening_is_negative_and_a_second_one_weighs_more(kit: Kit) -> None:
    kit.put(
        "incident",
        {"sys_id": "once", "state": "2", "opened_at": at(3), "reopen_count": "1"},
        {"sys_id": "twice", "state": "7", "resolved_at": at(3), "reopen_count": "2"},
    )
    decide(kit)
    assert polarity(kit, "once", "M07") == ("negative", "reopened")
    assert polarity(kit, "twice", "M07") == ("negative", "reopened_twice")
    found = moments(kit)
    assert found["twice", "M07"]["weight"] > found["once", "M07"]["weight"]


def test_evidence_after_the_window_decides_nothing(kit: Kit) -> None:
    kit.put(
        "change_request",
        *(
            {
                "sys_id": name,
                "state": "3",
                "short_description": "Go-live of the portal",
                "close_code": "successful",
                "closed_at": at(closed),
                "business_service": name,
            }
            for name, closed in (("old", 40), ("new", 3))
        ),
    )
    kit.put(
        "incident",
        *(
            {"sys_id": f"{n}", "state": "2", "opened_at": at(2), "business_service": "old"}
            for n in range(9)
        ),
    )
    decide(kit)
    assert polarity(kit, "old", "M21") == ("positive", "quiet")
    assert polarity(kit, "new", "M21") == ("open", "")


def test_a_watermelon_needs_every_time_kept_and_a_bad_answer(kit: Kit) -> None:
    kit.put(
        "incident",
        {"sys_id": "green", "state": "7", "opened_at": at(3), "resolved_at": at(2)},
        {"sys_id": "late", "state": "7", "opened_at": at(3), "resolved_at": at(2)},
    )
    for name, breached in (("green", "false"), ("late", "true")):
        ended = {"active": "false", "stage": "completed", "end_time": at(2), "start_time": at(3)}
        kit.put("task_sla", {"sys_id": f"s{name}", "task": name, "has_breached": breached, **ended})
        kit.put(
            "asmt_assessment_instance",
            {"sys_id": f"i{name}", "task_id": name, "state": "complete", "taken_on": at(1)},
        )
        kit.put(
            "asmt_metric_result",
            {"sys_id": f"r{name}", "instance": f"i{name}", "metric": "m", "actual_value": "1"},
        )
    kit.put("asmt_metric", {"sys_id": "m", "min": "1", "max": "5"})
    decide(kit)
    assert polarity(kit, "green", "M29") == ("negative", "watermelon")
    assert ("late", "M29") not in moments(kit)


def test_silence_is_told_only_of_records_whose_journal_was_read(kit: Kit) -> None:
    for name in ("read", "unread", "told"):
        kit.put("incident", {"sys_id": name, "state": "2", "priority": "1", "opened_at": at(4)})
    kit.put(
        "sys_journal_field",
        {"sys_id": "j", "element_id": "told", "element": "comments", "sys_created_on": at(0.01)},
    )
    knows_history(kit, "incident", "read", "told")
    decide(kit)
    found = moments(kit)
    assert found["read", "M11"]["polarity"] == "negative"
    assert found["told", "M11"]["polarity"] == "open"
    assert ("unread", "M11") not in found


def test_two_waits_for_the_user_are_one_too_many(kit: Kit) -> None:
    kit.put("incident", {"sys_id": "a", "state": "2", "opened_at": at(4)})
    for n in (1, 2):
        kit.put(
            "sys_audit",
            {
                "sys_id": f"x{n}",
                "documentkey": "a",
                "tablename": "incident",
                "fieldname": "hold_reason",
                "newvalue": "1",
                "sys_created_on": at(3 - n),
            },
        )
    knows_history(kit, "incident", "a")
    decide(kit)
    assert polarity(kit, "a", "M10") == ("negative", "asked_twice")
    assert f"{moments(kit)['a', 'M10']['decided_at']}" == at(1)


def test_records_left_out_of_the_figures_have_no_moments(kit: Kit) -> None:
    kit.put("incident", {**RESOLVED, "sys_id": "a", "resolved_at": at(20)})
    kit.put(
        "incident",
        {**RESOLVED, "sys_id": "t", "resolved_at": at(20), "short_description": "[TEST] x"},
    )
    decide(kit)
    assert {sys_id for sys_id, _moment in moments(kit)} == {"a"}


# --- what a run keeps -----------------------------------------------------------------------------


def test_a_second_run_touches_nothing_and_a_dry_one_saves_nothing(kit: Kit) -> None:
    kit.put("incident", {**RESOLVED, "sys_id": "a", "opened_at": at(3), "resolved_at": at(2)})
    decide(kit, save=False)
    assert moments(kit) == {}
    assert kit.store.value("SELECT choice FROM record_moment WHERE sys_id = 'a'") == "potential"
    decide(kit)
    first = moments(kit)
    rowids = "SELECT rowid, * FROM moment ORDER BY rowid"
    before = kit.store.read(rowids)
    decide(kit)
    assert kit.store.read(rowids) == before
    kit.store.execute("UPDATE current.incident SET reopen_count = '1'")
    decide(kit, save=False)
    assert moments(kit) == first
    assert kit.store.value("SELECT choice FROM record_moment WHERE sys_id = 'a'") == "negative"


def test_a_moment_that_is_no_longer_in_the_mapping_goes(kit: Kit) -> None:
    kit.put("incident", {**RESOLVED, "sys_id": "a", "resolved_at": at(20)})
    decide(kit)
    fewer = replace(kit.mapping, moments=tuple(m for m in kit.mapping.moments if m.id == "M09"))
    assert len(moments(kit)) > 1
    decide(kit, mapping=fewer)
    assert {moment for _sys_id, moment in moments(kit)} <= {"M09"}


def test_the_heaviest_decided_moment_goes_on_the_record(kit: Kit) -> None:
    late = {**RESOLVED, "opened_at": at(30), "resolved_at": at(20), "closed_at": at(20)}
    kit.put(
        "incident",
        {**late, "sys_id": "handed", "caller_id": "eva", "reassignment_count": "5"},
        {**late, "sys_id": "well", "caller_id": "leo", "reassignment_count": "0"},
        {"sys_id": "new", "state": "1", "opened_at": at(0.1)},
    )
    decide(kit)
    chosen = {r["sys_id"]: r for r in kit.store.read("SELECT * FROM record_moment")}
    assert chosen["handed"]["choice"] == "negative"
    assert chosen["well"]["choice"] == "positive"
    assert chosen["new"]["choice"] == "potential"
    for key, row in chosen.items():
        told = of_record(kit.store, kit.mapping, schema(), "incident", key, "UTC")
        one = on_the_record(told)
        assert one is not None
        assert {"open": "potential"}.get(one.polarity, one.polarity) == row["choice"]


# --- any moment, any values -----------------------------------------------------------------------

_NEVER = ("9999-12-31 23:59:59", "9969-12-31 23:59:59", "1970-01-01 00:00:00", "0001-01-01")
_INSTANTS = st.one_of(
    st.sampled_from(["", "garbage", "infinity", "2026-02-30 00:00:00", *_NEVER]),
    st.sampled_from([at(days) for days in (0, 0.5, 1, 2, 3, 5, 7, 8, 9, 14, 30)]),
    st.just(f"{NOW - timedelta(days=3):%Y-%m-%d}"),
)
_FIELDS = ("opened_at", "resolved_at", "closed_at", "reopened_time")
_RECORDS = st.fixed_dictionaries(
    {name: _INSTANTS for name in _FIELDS}
    | {"state": st.sampled_from(["1", "2", "7", ""]), "priority": st.sampled_from(["1", "2"])}
)
_CONDITIONS = st.sampled_from(
    ["", "state=7", "state=2", "priority=1", "closed_atISNOTEMPTY", "reopened_timeISEMPTY^state!=7"]
)
_TIMES = st.sampled_from(["opened_at", "resolved_at", "closed_at", "reopened_time"])
_AT = st.one_of(
    st.just((END,)),
    st.lists(_TIMES, min_size=1, max_size=2).map(tuple),
    st.lists(_TIMES, max_size=1).map(lambda names: (*names, "window.start")),
)
_EVIDENCE = st.lists(
    st.tuples(st.sampled_from(["negative", "neutral", "positive"]), _CONDITIONS, _AT),
    min_size=1,
    max_size=4,
)
_WINDOWS = st.builds(
    Window,
    when=_CONDITIONS,
    start=st.lists(_TIMES, max_size=2).map(tuple),
    minutes=st.sampled_from([0, 30]),
    days=st.integers(0, 8),
    working_days=st.integers(0, 6),
)


@st.composite
def _moments(draw: st.DrawFn) -> Moment:
    order = ("negative", "neutral", "positive")
    parts = sorted(draw(_EVIDENCE), key=lambda part: order.index(part[0]))
    return Moment(
        id="X",
        name=WORDS,
        tables=("incident",),
        weight=5,
        when=draw(_CONDITIONS),
        starts=draw(st.lists(_TIMES, min_size=1, max_size=2).map(tuple)),
        lead_days=draw(st.sampled_from([0, 2])),
        windows=tuple(draw(st.lists(_WINDOWS, min_size=1, max_size=2))),
        evidence=tuple(
            Evidence(f"e{n}", kind, when, at_, WORDS, n + 1)  # type: ignore[arg-type]
            for n, (kind, when, at_) in enumerate(parts)
        ),
        turns_positive=WORDS,
    )


_NEVER_ENDS = Moment(
    id="X",
    name=WORDS,
    tables=("incident",),
    weight=5,
    when="",
    starts=("resolved_at",),
    lead_days=2,
    windows=(Window(start=("resolved_at",), days=3660, working_days=3660),),
    evidence=(Evidence("e0", "negative", "", (END,), WORDS, 1),),
    turns_positive=WORDS,
)


def verdicts(kit: Kit, moment: Moment, now: datetime) -> dict[str, Row]:
    catalogue = catalogue_of(kit.mapping, schema(), held_columns(kit.store))
    context = Context(now, ZONE)
    live = usable(moment, "incident", catalogue)
    assert isinstance(live, Moment)
    seen = seen_query(live, "incident", catalogue, context).sql(dialect="duckdb")
    return {row["sys_id"]: row for row in kit.store.read(verdict_sql(live, seen, context))}


def holds_in_python(values: Mapping[str, str], when: str) -> bool:
    tests = {
        "": True,
        "state=7": values["state"] == "7",
        "state=2": values["state"] == "2",
        "priority=1": values["priority"] == "1",
        "closed_atISNOTEMPTY": values["closed_at"] != "",
        "reopened_timeISEMPTY^state!=7": not values["reopened_time"]
        and values["state"] not in ("7", ""),
    }
    return tests[when]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return Kit(tmp_path_factory.mktemp("moments"))


_MANY = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def only(kit: Kit, records: list[dict[str, str]]) -> None:
    kit.store.execute("DELETE FROM current.incident")
    kit.put("incident", *({**record, "sys_id": f"{n}"} for n, record in enumerate(records)))


@_MANY
@example(
    moment=_NEVER_ENDS,
    records=[{**dict.fromkeys(_FIELDS, never), "state": "7", "priority": "1"} for never in _NEVER],
)
@given(moment=_moments(), records=st.lists(_RECORDS, min_size=1, max_size=8))
def test_all_records_at_once_come_to_what_each_comes_to_alone(
    shared: Kit, moment: Moment, records: list[dict[str, str]]
) -> None:
    only(shared, records)
    found = verdicts(shared, moment, NOW)
    for n, record in enumerate(records):
        told = tell(moment, record, partial(holds_in_python, record), Context(NOW, ZONE))
        row = found.get(f"{n}")
        assert (row is None) == (told is None), record
        if row and told:
            assert (row["polarity"], row["evidence"]) == (told.polarity, told.evidence)
            assert row["started_at"].replace(tzinfo=UTC) == told.starts
            assert _aware(row["window_ends_at"]) == told.ends
            assert _aware(row["decided_at"]) == told.decided


def _aware(when: datetime | None) -> datetime | None:
    return when.replace(tzinfo=UTC) if when else None


@_MANY
@given(
    moment=_moments(),
    records=st.lists(_RECORDS, min_size=1, max_size=6),
    later=st.lists(st.floats(0, 40), min_size=1, max_size=3),
)
def test_what_is_decided_stays_decided_while_the_record_stays_the_same(
    shared: Kit, moment: Moment, records: list[dict[str, str]], later: list[float]
) -> None:
    only(shared, records)
    before = verdicts(shared, moment, NOW)
    for days in sorted(later):
        after = verdicts(shared, moment, NOW + timedelta(days=days))
        assert before.keys() <= after.keys()
        for sys_id, row in before.items():
            if row["polarity"] != "open":
                assert after[sys_id] == row
        before = after


_ANYTHING = st.text(max_size=20) | st.none() | _INSTANTS


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_every_shipped_moment_is_decided_on_any_values(shared: Kit, data: st.DataObject) -> None:
    shared.empty()
    for table in ("incident", "sc_req_item", "task_sla", "sysapproval_approver", "ast_contract"):
        columns = [c for c in shared.columns.get(table, ()) if c != "sys_id"]
        row = {
            name: data.draw(_ANYTHING)
            for name in columns
            if data.draw(st.booleans()) and "\0" not in name
        }
        if columns:
            shared.put(table, {**row, "sys_id": f"{table}1"})
    decide(shared)
    rows = shared.store.read("SELECT * FROM moment")
    assert all(row["polarity"] in ("open", "positive", "negative", "neutral") for row in rows)
    decide(shared)
    assert shared.store.read("SELECT * FROM moment") == rows


@given(
    begin=st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1)),  # noqa: DTZ001 - UTC below
    days=st.integers(1, 30),
)
def test_working_days_end_at_midnight_after_the_last_of_them(begin: datetime, days: int) -> None:
    end = after_working_days(begin.replace(tzinfo=UTC), days, "UTC")
    passed = [
        begin.date() + timedelta(days=n + 1) for n in range((end.date() - begin.date()).days - 1)
    ]
    assert sum(day.weekday() < 5 for day in passed) == days
    assert (end - timedelta(seconds=1)).weekday() < 5


@pytest.mark.parametrize("moment", shipped().moments, ids=lambda m: m.id)
def test_a_shipped_moment_speaks_both_languages(moment: Moment) -> None:
    texts = [moment.name, moment.turns_positive, *(one.because for one in moment.evidence)]
    for text in texts:
        assert text.en != text.es
        assert not text.en.endswith(".")
        assert len(text.es) <= 200


def test_the_thirty_are_there_and_off_only_where_their_table_is_absent(kit: Kit) -> None:
    assert [m.id for m in shipped().moments] == [f"M{n:02}" for n in range(1, 31)]
    assert instant_of("2026-01-01") == datetime(2026, 1, 1, tzinfo=UTC)
    catalogue = catalogue_of(kit.mapping, schema(), held_columns(kit.store))
    for moment in shipped().moments:
        for table in moment.tables:
            found = usable(moment, table, catalogue)
            if table in kit.columns:
                assert isinstance(found, Moment), found
            else:
                assert isinstance(found, OffMoment)
                assert table in found.reason
