from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.sandbox.database import Database
from connector.sandbox.display import Labels
from connector.sandbox.labels import Titles
from tests.sandbox_instance import CALLER_ID, USER, USER_ID, incident_id, make_instance


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = make_instance(tmp_path).database
    yield database
    database.close()


def shown(labels: Labels, database: Database, column: str, value: str) -> str:
    table = database.table("incident")
    return labels.shown(table, table.columns[column], value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1970-01-01 00:00:00", "0 Seconds"),
        ("1970-01-01 00:00:01", "1 Second"),
        ("1970-01-01 00:02:17", "2 Minutes"),
        ("1970-01-02 04:23:17", "1 Day 4 Hours 23 Minutes"),
        ("garbage", "garbage"),
        ("", ""),
    ],
)
def test_durations_are_read_from_their_instant(database: Database, value: str, text: str) -> None:
    assert shown(Labels(database), database, "calendar_duration", value) == text


def test_durations_are_read_in_the_readers_language(database: Database) -> None:
    labels, length = Labels(database, "es"), "1970-01-02 04:01:17"
    assert shown(labels, database, "calendar_duration", length) == "1 día 4 horas 1 minuto"


def test_choices_come_from_the_nearest_table_in_the_readers_language(database: Database) -> None:
    english, spanish = Labels(database), Labels(database, "es")
    assert shown(english, database, "state", "2") == "In Progress"
    assert shown(spanish, database, "state", "2") == "En curso"
    assert shown(english, database, "state", "99") == "99"
    task = database.table("sc_task")
    assert english.shown(task, task.columns["state"], "3") == "Closed Complete"


def test_a_language_without_labels_falls_back_to_english(database: Database) -> None:
    choice = {"name": "incident", "element": "state", "value": "9", "label": "Odd"}
    database.insert(database.table("sys_choice"), choice, USER)
    assert shown(Labels(database, "es"), database, "state", "9") == "Odd"


def test_lists_of_references_show_names(database: Database) -> None:
    value = f"{USER_ID},{CALLER_ID},unknown"
    text = shown(Labels(database), database, "watch_list", value)
    assert text == "Integration, Caller One, unknown"


def test_a_display_column_that_is_a_reference_shows_what_it_refers_to(database: Database) -> None:
    made = database.insert(database.table("task_sla"), {"task": incident_id(3)}, USER)
    names = Labels(database).names("task_sla", [made["sys_id"]])
    assert names == {made["sys_id"]: "INC0000003"}


def test_dates_are_shown_in_the_zone(database: Database) -> None:
    labels = Labels(database, time_zone="America/Bogota")
    assert shown(labels, database, "opened_at", "2026-11-03 03:00:00") == "2026-11-02 22:00:00"
    assert shown(labels, database, "opened_at", "soon") == "soon"


def test_titles_are_inherited_and_translated(database: Database) -> None:
    titles = Titles(database, "es")
    incident = database.table("incident")
    assert titles.tables(incident) == "Incidencias"
    assert titles.column(incident, "caller_id") == "Llama"
    assert titles.column(incident, "state") == "Estado"
    assert Titles(database, "en").column(incident, "state") == "State"
