"""The UCI year as an instance. A tiny zip stands in for it; the real one is in tests/evidence."""

import csv
import io
import zipfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.errors import ConfigError
from connector.sandbox.schema import load_schema
from connector.sandbox.seeds import UCI_CLOCK, initial
from connector.sandbox.seeds.uci import Change, changes, incident_id, load, sla_id
from connector.sandbox.seeds.uci.log import COLUMNS, read_log
from connector.timestamps import format_instance

Record = dict[str, str]
ALWAYS = datetime(2015, 1, 1, tzinfo=UTC)
LATER = datetime(2018, 1, 1, tzinfo=UTC)
USUAL = {
    "active": "true",
    "reassignment_count": "0",
    "reopen_count": "0",
    "made_sla": "true",
    "caller_id": "Caller 2403",
    "opened_by": "Opened by  8",
    "opened_at": "1/3/2016 09:00",
    "sys_created_by": "Created by 6",
    "sys_created_at": "1/3/2016 09:05",
    "sys_updated_by": "Updated by 21",
    "contact_type": "Phone",
    "location": "Location 143",
    "category": "Category 55",
    "subcategory": "Subcategory 170",
    "impact": "2 - Medium",
    "urgency": "2 - Medium",
    "priority": "3 - Moderate",
    "assignment_group": "Group 56",
    "knowledge": "true",
    "u_priority_confirmation": "false",
    "notify": "Do Not Notify",
    "closed_code": "code 5",
    "resolved_by": "Resolved by 149",
    "resolved_at": "2/3/2016 10:00",
    "closed_at": "7/3/2016 12:00",
}


def row(number: str, state: str, at: str, mod_count: int, **cells: str) -> Record:
    """One line of the log; what is not said is usual, and what is not usual is missing."""
    said = {"number": number, "incident_state": state, "sys_updated_at": at}
    return dict.fromkeys(COLUMNS, "?") | USUAL | said | {"sys_mod_count": str(mod_count)} | cells


SIMPLE = [
    row("INC1", "New", "1/3/2016 09:05", 0, made_sla="true"),
    row("INC1", "Active", "1/3/2016 11:00", 2, assigned_to="Resolver 9", sys_updated_by="?"),
    row("INC1", "Resolved", "2/3/2016 10:00", 3, assigned_to="Resolver 9"),
    row(
        *("INC1", "Closed", "7/3/2016 12:00", 4),
        assigned_to="Resolver 9",
        active="false",
        made_sla="false",
    ),
]


def year(tmp_path: Path, rows: list[Record]) -> Path:
    """A zip of the shape of the real one."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    path = tmp_path / "incident_event_log.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("incident_event_log.csv", text.getvalue())
    return path


def at(text: str) -> datetime:
    return datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC)


def tables(path: Path, until: str) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for table, records in load(path, at(until)):
        found[table] += records
    return found


def incident(path: Path, until: str) -> Record:
    return tables(path, until)["incident"][0]


# ── what the instance holds ──────────────────────────────────────────────────────────────────


def test_an_incident_that_is_not_there_yet_is_absent(tmp_path: Path) -> None:
    path = year(tmp_path, SIMPLE)
    assert "incident" not in tables(path, "1/3/2016 09:04")
    assert "task_sla" not in tables(path, "1/3/2016 09:04")
    assert len(tables(path, "1/3/2016 09:05")["incident"]) == 1


def test_an_incident_stands_as_the_log_says_for_that_instant(tmp_path: Path) -> None:
    found = incident(year(tmp_path, SIMPLE), "1/3/2016 12:00")
    assert found["number"] == "INC1"
    assert (found["state"], found["incident_state"], found["hold_reason"]) == ("2", "2", "")
    assert (found["priority"], found["impact"], found["urgency"]) == ("3", "2", "2")
    assert found["contact_type"] == "phone"
    assert found["sys_created_on"] == "2016-03-01 09:05:00"
    assert found["sys_updated_on"] == "2016-03-01 11:00:00"
    assert found["sys_mod_count"] == "2"
    assert found["cmdb_ci"] == ""


def test_the_future_stays_blank_until_it_is_reached(tmp_path: Path) -> None:
    path = year(tmp_path, SIMPLE)
    endings = ("resolved_at", "resolved_by", "close_code", "closed_at")
    assert [incident(path, "1/3/2016 12:00")[field] for field in endings] == [""] * 4
    resolved = incident(path, "3/3/2016 00:00")
    assert resolved["resolved_at"] == "2016-03-02 10:00:00"
    assert resolved["close_code"] == "code 5"
    assert resolved["closed_at"] == ""
    assert incident(path, "8/3/2016 00:00")["closed_at"] == "2016-03-07 12:00:00"


def test_a_first_resolution_before_the_final_one_has_its_own_moment(tmp_path: Path) -> None:
    rows = [
        row("INC1", "New", "1/3/2016 09:05", 0),
        row("INC1", "Resolved", "1/3/2016 10:00", 1),
        row("INC1", "Active", "1/3/2016 15:00", 2, reopen_count="1"),
        row("INC1", "Resolved", "2/3/2016 10:00", 3, reopen_count="1"),
    ]
    path = year(tmp_path, rows)
    assert incident(path, "1/3/2016 11:00")["resolved_at"] == "2016-03-01 10:00:00"
    assert incident(path, "1/3/2016 16:00")["resolved_at"] == ""
    assert incident(path, "2/3/2016 11:00")["resolved_at"] == "2016-03-02 10:00:00"


@pytest.mark.parametrize(
    ("text", "state", "hold_reason"),
    [
        ("New", "1", ""),
        ("Active", "2", ""),
        ("Awaiting User Info", "3", "1"),
        ("Awaiting Evidence", "3", "2"),
        ("Awaiting Problem", "3", "3"),
        ("Awaiting Vendor", "3", "4"),
        ("Resolved", "6", ""),
        ("Closed", "7", ""),
        ("-100", "-100", ""),
    ],
)
def test_states_are_translated(tmp_path: Path, text: str, state: str, hold_reason: str) -> None:
    found = incident(year(tmp_path, [row("INC1", text, "1/3/2016 09:05", 0)]), "2/3/2016 00:00")
    assert (found["state"], found["hold_reason"]) == (state, hold_reason)


def test_every_name_in_a_cell_is_a_record_with_that_display_value(tmp_path: Path) -> None:
    cells = {"caused_by": "CHG0000132", "problem_id": "Problem ID  14", "vendor": "Vendor 1"}
    found = tables(
        year(tmp_path, [row("INC1", "New", "1/3/2016 09:05", 0, **cells)]), "2/3/2016 00:00"
    )
    record = found["incident"][0]
    for field, table, shown, name in (
        ("caller_id", "sys_user", "name", "Caller 2403"),
        ("opened_by", "sys_user", "name", "Opened by 8"),
        ("assignment_group", "sys_user_group", "name", "Group 56"),
        ("location", "cmn_location", "name", "Location 143"),
        ("caused_by", "change_request", "number", "CHG0000132"),
        ("problem_id", "problem", "number", "Problem ID 14"),
        ("vendor", "core_company", "name", "Vendor 1"),
    ):
        target = next(r for r in found[table] if r["sys_id"] == record[field])
        assert target[shown] == name
    assert record["sys_updated_by"] in {r["user_name"] for r in found["sys_user"]}
    labels = {(r["element"], r["value"], r["language"]): r["label"] for r in found["sys_choice"]}
    assert labels["category", "Category 55", "es"] == "Categoría 55"
    assert labels["hold_reason", "2", "en"] == "Awaiting Evidence"


def test_every_field_is_a_column_of_the_schema(tmp_path: Path) -> None:
    schema = load_schema()
    for table, records in tables(year(tmp_path, SIMPLE), "8/3/2016 00:00").items():
        for record in records:
            assert set(record) <= set(schema.tables[table].columns), table


def test_the_newest_version_of_a_minute_is_by_count_and_then_by_place(tmp_path: Path) -> None:
    same = "1/3/2016 09:30"
    rows = [
        row("INC1", "New", "1/3/2016 09:05", 0),
        row("INC1", "Awaiting Vendor", same, 3),
        row("INC1", "Active", same, 2),
        row("INC1", "Awaiting Problem", same, 3),
    ]
    path = year(tmp_path, rows)
    assert incident(path, "1/3/2016 10:00")["hold_reason"] == "3"
    moved = [c.values.get("hold_reason") for c in incident_changes(path)]
    assert moved == ["", None, "4", "3"]


# ── the derived SLA ──────────────────────────────────────────────────────────────────────────


def test_an_sla_row_is_derived_and_says_so(tmp_path: Path) -> None:
    path = year(tmp_path, SIMPLE)
    before, after = tables(path, "1/3/2016 12:00"), tables(path, "8/3/2016 00:00")
    running, ended = before["task_sla"][0], after["task_sla"][0]
    definition = next(r for r in before["contract_sla"] if r["sys_id"] == running["sla"])
    assert "derived from made_sla" in definition["name"]
    assert (running["stage"], running["active"], running["end_time"]) == ("in_progress", "true", "")
    assert running["task"] == incident_id("INC1")
    assert running["start_time"] == "2016-03-01 09:00:00"
    assert (ended["stage"], ended["has_breached"]) == ("completed", "true")
    assert ended["end_time"] == "2016-03-02 10:00:00"
    assert ended["sys_mod_count"] == "2"


def test_the_breach_is_not_told_before_the_log_tells_it(tmp_path: Path) -> None:
    resolved = tables(year(tmp_path, SIMPLE), "3/3/2016 00:00")["task_sla"][0]
    assert (resolved["stage"], resolved["has_breached"]) == ("completed", "false")


# ── what happens next ────────────────────────────────────────────────────────────────────────


def incident_changes(path: Path, after: datetime = ALWAYS) -> list[Change]:
    return [c for c in changes(path, after, LATER) if c.table == "incident"]


def test_a_first_version_brings_every_field_and_the_next_only_what_changed(tmp_path: Path) -> None:
    first, second, third, _fourth = incident_changes(year(tmp_path, SIMPLE))
    assert first.is_new
    assert first.values["caller_id"]
    assert first.values["sys_created_on"] == "2016-03-01 09:05:00"
    assert not second.is_new
    assert set(second.values) == {"state", "incident_state", "assigned_to"}
    assert set(third.values) == {
        *("state", "incident_state", "resolved_at", "resolved_by", "close_code")
    }
    assert (first.updated_by, second.updated_by) == ("updated.by.21", "")
    assert [c.mod_count for c in (first, second, third)] == [0, 2, 3]


def test_the_sla_row_comes_along_with_its_own_changes(tmp_path: Path) -> None:
    found = [c for c in changes(year(tmp_path, SIMPLE), ALWAYS, LATER) if c.table == "task_sla"]
    assert [c.is_new for c in found] == [True, False, False]
    assert found[0].sys_id == sla_id("INC1")
    assert found[1].values == {
        "stage": "completed",
        "active": "false",
        "end_time": "2016-03-02 10:00:00",
    }
    assert found[2].values == {"has_breached": "true"}


def test_a_window_is_open_at_its_start_and_closed_at_its_end(tmp_path: Path) -> None:
    path = year(tmp_path, SIMPLE)
    window = [*changes(path, at("1/3/2016 09:05"), at("1/3/2016 11:00"))]
    assert [(c.table, format_instance(c.at)) for c in window] == [
        ("incident", "2016-03-01 11:00:00")
    ]


MIXED = [
    *SIMPLE,
    row("INC2", "New", "1/3/2016 10:00", 0, contact_type="Self service", priority="2 - High"),
    row("INC2", "New", "1/3/2016 10:00", 1, contact_type="Self service", priority="2 - High"),
    row("INC2", "Resolved", "1/3/2016 10:00", 2, priority="3 - Moderate", resolved_at="?"),
    row("INC2", "Active", "4/3/2016 10:00", 3, reopen_count="1", resolved_at="?"),
    row("INC3", "-100", "5/3/2016 10:00", 0, opened_at="5/3/2016 11:00", sys_created_at="?"),
]


@pytest.mark.parametrize("start", ["1/3/2016 09:04", "1/3/2016 10:00", "3/3/2016 00:00"])
def test_a_start_and_its_changes_give_what_a_later_start_gives(tmp_path: Path, start: str) -> None:
    path = year(tmp_path, MIXED)
    found = tables(path, start)
    records = {r["sys_id"]: dict(r) for table in found for r in found[table]}
    last = at(start)
    for change in changes(path, at(start), at("9/3/2016 00:00")):
        assert change.at >= last
        last = change.at
        assert change.is_new == (change.sys_id not in records)
        record = records.setdefault(change.sys_id, {"sys_id": change.sys_id})
        record |= change.values | {
            "sys_updated_on": format_instance(change.at),
            "sys_updated_by": change.updated_by,
            "sys_mod_count": str(change.mod_count),
        }
    final = tables(path, "9/3/2016 00:00")
    assert records == {r["sys_id"]: r for table in final for r in final[table]}


def test_an_update_that_the_log_does_not_show_changes_nothing(tmp_path: Path) -> None:
    silent = [c for c in incident_changes(year(tmp_path, MIXED)) if not c.values]
    assert [(c.sys_id, c.mod_count) for c in silent] == [(incident_id("INC2"), 1)]


# ── the file ─────────────────────────────────────────────────────────────────────────────────


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        list(load(path, LATER))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_absent_file_is_one_sentence_with_its_path(tmp_path: Path) -> None:
    assert "--uci" in refusal(tmp_path / "nothing.zip")
    assert "--uci" in refusal(tmp_path)


def test_a_folder_with_the_zip_will_do(tmp_path: Path) -> None:
    year(tmp_path, SIMPLE)
    assert len(tables(tmp_path, "8/3/2016 00:00")["incident"]) == 1


def test_what_is_no_zip_or_cut_short_is_refused(tmp_path: Path) -> None:
    path = year(tmp_path, SIMPLE * 50)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "download it again" in refusal(path)
    path.write_bytes(whole[:60] + b"\0" * 40 + whole[100:])
    assert "download it again" in refusal(path)
    path.write_text("no zip", encoding="utf-8")
    assert "download it again" in refusal(path)


def test_a_zip_without_a_csv_or_with_missing_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "x")
    assert "no CSV" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("log.csv", "number,incident_state\nINC1,New\n")
    assert "sys_updated_at" in refusal(path)


@pytest.mark.parametrize("broken", [{"sys_updated_at": "soon"}, {"sys_updated_at": "?"},
                                    {"sys_mod_count": "many"},
                                    {"opened_at": "31/2/2016 10:00"}])  # fmt: skip
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, broken: Record) -> None:
    rows = [SIMPLE[0], SIMPLE[1] | broken]
    assert "line 3" in refusal(year(tmp_path, rows))


def test_an_unknown_state_names_its_incident(tmp_path: Path) -> None:
    path = year(tmp_path, [row("INC7", "Pondering", "1/3/2016 09:05", 0)])
    with pytest.raises(ConfigError, match="INC7 has the unknown state Pondering"):
        list(load(path, LATER))


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = year(tmp_path, SIMPLE)
    assert len(read_log(path).incidents) == 1
    year(tmp_path, MIXED)
    assert len(read_log(path).incidents) == 3


def test_the_dispatcher_starts_the_year_a_month_in(tmp_path: Path) -> None:
    clock, batches = initial("uci", uci_path=year(tmp_path, SIMPLE))
    found = {table for table, _records in batches}
    assert clock == UCI_CLOCK
    assert {"incident", "task_sla", "sys_user", "sys_user_role"} <= found
