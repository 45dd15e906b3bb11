"""What happened between two looks: moves with their source, back steps, the time in each band."""

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.classify import save_classification
from connector.cli.explain_view import show_explanation
from connector.config import Config
from connector.encoded_query import Context
from connector.explain import explain
from connector.history import trace
from connector.store.bands import band_totals, read_bands
from connector.store.database import Row
from tests.journey_kit import Kit, Record, schema

FIRST = datetime(2026, 11, 12, 2, 0, tzinfo=UTC)
OPEN: Record = {
    "sys_id": "i",
    "number": "INC1",
    "state": "2",
    "active": "true",
    "contact_type": "phone",
    "category": "hardware",
    "caller_id": "ana",
    "opened_at": "2026-11-10 08:00:00",
    "sys_created_on": "2026-11-10 08:00:00",
    "sys_updated_on": "2026-11-10 09:00:00",
    "sys_mod_count": "0",
}
HOUR = 3600


class Told:
    """An instance whose audit and journal are put in by hand."""

    def __init__(self, path: Path) -> None:
        self.kit = Kit(path)
        self.count = 0

    def put(self, **values: str) -> None:
        """The incident, as it is now, with its history read."""
        self.kit.store.execute("DELETE FROM current.incident")
        self.kit.put("incident", {**OPEN, **values})
        self.kit.store.execute("DELETE FROM history_read")
        self.kit.store.execute(
            "INSERT INTO history_read VALUES ('sys_audit', 'incident', 'i', '', ''),"
            " ('sys_journal_field', 'incident', 'i', '', '')"
        )

    def changed(self, when: str, field: str, old: str, new: str, by: str = "agent") -> None:
        self.count += 1
        self.kit.put(
            "sys_audit",
            {
                "sys_id": f"a{self.count:03}",
                "documentkey": "i",
                "tablename": "incident",
                "fieldname": field,
                "oldvalue": old,
                "newvalue": new,
                "user": by,
                "sys_created_on": f"2026-11-{when}",
            },
        )

    def wrote(self, when: str, element: str) -> None:
        self.count += 1
        self.kit.put(
            "sys_journal_field",
            {
                "sys_id": f"j{self.count:03}",
                "element_id": "i",
                "element": element,
                "sys_created_on": f"2026-11-{when}",
                "sys_created_by": "agent",
            },
        )

    def night(self, n: int = 0) -> None:
        now = FIRST + timedelta(days=n)
        self.kit.classify(now, f"r{n}")
        trace(self.kit.store, self.kit.mapping, schema(), Context(now, "UTC"), f"r{n}")
        save_classification(self.kit.store, f"r{n}")
        self.kit.finish(f"r{n}", now)

    def moves(self) -> list[Row]:
        return self.kit.store.read(
            "SELECT * FROM transition WHERE journey = 'travesia' ORDER BY happened_at"
        )

    def path(self) -> list[str]:
        return [f"{m['to_step']}/{m['source']}" for m in self.moves()]

    def bands(self) -> dict[str, tuple[int, str]]:
        rows, _stretch = read_bands(self.kit.store, "incident", "i")
        return {row["band"]: (row["seconds"], row["resolution"]) for row in rows}


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    found = Told(tmp_path)
    yield found
    found.kit.store.close()


def resolve_and_reopen(told: Told) -> None:
    told.changed("10 12:00:00", "state", "2", "6")
    told.changed("11 12:00:00", "state", "6", "2")
    told.changed("11 12:00:00", "reopen_count", "0", "1")
    told.put(reopen_count="1")


def test_at_first_sight_the_audit_tells_the_whole_path_and_the_way_back(told: Told) -> None:
    resolve_and_reopen(told)
    told.night()
    assert told.path() == ["usar/audit", "medir/audit", "usar/audit"]
    first, there, back = told.moves()
    assert (first["from_step"], first["dwell_seconds"]) == ("", None)
    assert (there["dwell_seconds"], there["is_back_step"]) == (4 * HOUR, False)
    assert (back["dwell_seconds"], back["is_back_step"], back["resolution"]) == (
        24 * HOUR,
        True,
        "exact",
    )
    standing = told.kit.standing("i")
    assert (str(standing["since"]), standing["source"]) == ("2026-11-11 12:00:00", "audit")


def test_what_happened_within_one_night_is_told_by_the_next_run_and_only_once(told: Told) -> None:
    told.put()
    told.night()
    told.changed("12 09:00:00", "state", "2", "6")
    told.changed("12 15:00:00", "state", "6", "2")
    told.changed("12 15:00:00", "reopen_count", "0", "1")
    told.put(reopen_count="1", sys_updated_on="2026-11-12 15:00:00")
    told.night(1)
    assert told.path() == ["usar/audit", "medir/audit", "usar/audit"]
    told.night(2)
    assert len(told.moves()) == 3


def test_a_slip_of_the_hand_is_no_move(told: Told) -> None:
    told.changed("10 12:00:00", "state", "2", "6")
    told.changed("10 12:00:59", "state", "6", "2")
    told.put()
    told.night()
    assert told.path() == ["usar/audit"]


def test_history_is_not_told_anew_when_the_rules_change(told: Told) -> None:

    resolve_and_reopen(told)
    told.night()
    before = told.moves()
    told.kit.mapping = replace(told.kit.mapping, hash="0123456789ab")
    told.wrote("12 03:00:00", "comments")
    told.night(1)
    assert told.moves() == before


def test_without_the_audit_the_records_own_dates_tell(told: Told) -> None:
    told.put(
        state="7",
        active="false",
        resolved_at="2026-11-10 12:00:00",
        closed_at="2026-11-11 12:00:00",
    )
    told.kit.store.execute("DELETE FROM history_read")
    told.night()
    assert told.path() == ["usar/timestamp", "medir/timestamp"]
    assert told.moves()[1]["dwell_seconds"] == 4 * HOUR
    assert told.bands() == {}, "one look tells nothing of the time before"


def test_a_record_that_was_saved_again_and_has_no_audit_proves_nothing(told: Told) -> None:
    told.put(sys_mod_count="4", state="6", resolved_at="2026-11-10 12:00:00")
    told.night()
    assert told.path() == ["usar/timestamp", "medir/timestamp"]


def test_a_rule_that_asks_for_a_fact_of_that_day_is_only_inferred(told: Told) -> None:

    past = replace(told.kit.mapping.past, lasting_facts=())
    told.kit.mapping = replace(told.kit.mapping, past=past)
    resolve_and_reopen(told)
    told.night()
    assert told.path()[0] == "usar/inferred"


def test_the_time_on_both_sides_of_the_band_is_exact_where_it_is_audited(told: Told) -> None:
    told.wrote("10 09:00:00", "work_notes")
    told.changed("10 10:00:00", "hold_reason", "", "1")
    told.changed("10 10:00:00", "state", "2", "3")
    told.changed("10 14:00:00", "state", "3", "2")
    told.wrote("10 15:00:00", "comments")
    told.changed("10 18:00:00", "state", "2", "6")
    told.changed("10 18:00:00", "resolved_at", "", "2026-11-10 18:00:00")
    told.put(state="6", hold_reason="1", resolved_at="2026-11-10 18:00:00")
    told.night()
    bands = told.bands()
    assert bands["consumer_backstage"] == (4 * HOUR, "exact")
    assert bands["provider_backstage"] == (2 * HOUR, "exact")
    assert bands["visible"] == (4 * HOUR, "exact"), "until the first note, and since the comment"
    totals = band_totals(told.kit.store, "travesia")
    assert {row["band"]: row["seconds"] for row in totals} == {b: s for b, (s, _r) in bands.items()}


def test_the_longest_time_out_of_sight_lies_between_two_visible_events(told: Told) -> None:
    told.wrote("10 09:00:00", "work_notes")
    told.wrote("10 20:00:00", "comments")
    told.wrote("10 21:00:00", "comments")
    told.put(state="7", active="false", resolved_at="2026-11-10 22:00:00")
    told.night()
    _rows, stretch = read_bands(told.kit.store, "incident", "i")
    assert stretch is not None
    assert (stretch["seconds"], str(stretch["began_at"])) == (12 * HOUR, "2026-11-10 08:00:00")


def test_until_something_happens_the_channel_of_entry_is_what_the_user_saw(told: Told) -> None:
    told.changed("10 09:00:00", "state", "1", "2")
    told.wrote("10 12:00:00", "work_notes")
    told.put(state="6", resolved_at="2026-11-10 14:00:00")
    told.changed("10 14:00:00", "state", "2", "6")
    told.night()
    assert told.bands()["visible"] == (4 * HOUR, "exact")
    assert told.bands()["provider_backstage"] == (2 * HOUR, "exact")
    assert told.moves()[0]["rule_id"] == "incident-by-phone"


@pytest.mark.parametrize(
    ("field", "old", "by"), [("state", "1", "system"), ("assignment_group", "", "agent")]
)
def test_what_a_machine_did_or_who_took_it_over_may_have_hidden_it(
    told: Told, field: str, old: str, by: str
) -> None:
    told.changed("10 09:00:00", field, old, "2", by=by)
    told.put(state="6", resolved_at="2026-11-10 14:00:00")
    told.changed("10 14:00:00", "state", "2", "6")
    told.night()
    assert told.bands()["visible"] == (HOUR, "exact")


def test_of_a_journal_that_was_not_read_nobody_says_that_it_is_empty(told: Told) -> None:
    told.put(state="6", resolved_at="2026-11-10 14:00:00")
    told.changed("10 14:00:00", "state", "2", "6")
    told.kit.store.execute("DELETE FROM history_read WHERE source = 'sys_journal_field'")
    told.night()
    assert told.bands() == {"visible": (0, "exact")}


def test_the_clock_stops_at_the_resolution_and_runs_on_if_it_is_refused(told: Told) -> None:
    told.changed("10 14:00:00", "state", "2", "6")
    told.put(state="6", resolved_at="2026-11-10 14:00:00")
    told.night()
    assert told.bands() == {"visible": (6 * HOUR, "exact")}
    _rows, stretch = read_bands(told.kit.store, "incident", "i")
    assert stretch is not None
    assert str(stretch["ended_at"]) == "2026-11-10 14:00:00"
    told.put(state="7", active="false", resolved_at="2026-11-10 14:00:00")
    told.night(1)
    assert told.bands() == {"visible": (6 * HOUR, "exact")}, "closing takes nothing away"
    told.put(state="2", resolved_at="2026-11-10 14:00:00", reopen_count="1")
    told.night(2)
    assert told.bands()["visible"][0] == 90 * HOUR


def test_one_look_a_night_is_known_to_one_night(told: Told) -> None:
    told.put(state="3", hold_reason="4")
    told.kit.store.execute("DELETE FROM history_read")
    told.night()
    told.kit.store.execute("UPDATE current.incident SET hold_reason = '1'")
    told.night(1)
    told.night(2)
    assert told.bands() == {
        "provider_backstage": (24 * HOUR, "night"),
        "consumer_backstage": (24 * HOUR, "night"),
    }


def test_what_is_gone_leaves_nothing_behind(told: Told) -> None:
    resolve_and_reopen(told)
    told.night()
    assert told.bands()
    told.kit.store.execute("DELETE FROM current.incident")
    told.night(1)
    assert told.bands() == {}


def test_the_explanation_tells_moves_times_and_what_the_consumer_saw(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    resolve_and_reopen(told)
    told.wrote("11 13:00:00", "comments")
    told.night()
    found = explain(told.kit.store, told.kit.mapping, schema(), "INC1", "UTC")
    newest = next(move for move in found.moves if move.journey == "travesia")
    assert (newest.is_back_step, newest.dwell_seconds) == (True, 24 * HOUR)
    assert found.unseen is not None
    assert found.unseen.seconds == 24 * HOUR
    assert {one.resolution for one in found.bands} == {"exact"}
    assert found.last_visible_name.en
    shown = io.StringIO()
    with redirect_stdout(shown):
        show_explanation(found, told.kit.mapping, Config())
    text = shown.getvalue()
    move = "2026-11-11 12:00 Measure, confirm value and improve → Provide and use (step back)"
    assert move in " ".join(text.split())
    assert "after 1 d · cause: customer" in text
    assert "\nWhat the consumer saw\n" in text, "a narrow table does not break its title"
    story = text[text.index("How it moved") : text.index("What the consumer saw")]
    assert [line for line in story.splitlines() if len(line) > 80] == []
    assert "Longest time out of sight" in text
