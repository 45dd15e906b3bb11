"""Rows of a page: mappings of strings, whatever the columns are called and the values look like."""

import json
from collections.abc import Mapping

import msgspec
import pytest

from connector.errors import IncompleteResponseError, InstanceError
from connector.itsm.base import Cursor, Shard
from connector.itsm.servicenow.decode import BadBody
from connector.itsm.servicenow.keys import check_ids, check_keys, check_order
from connector.itsm.servicenow.rows import shape_of

COLUMNS = ("sys_id", "items", "class", "caller_id.name", "keys")
SHAPE = shape_of(COLUMNS)


def rows(*records: Mapping[str, object]) -> list[Mapping[str, str]]:
    return list(SHAPE.decode(json.dumps({"result": list(records)}).encode()))


def test_a_row_is_a_mapping_of_the_asked_columns_even_of_odd_names() -> None:
    record = {"sys_id": "1", "items": "2", "class": "3", "caller_id.name": "4", "keys": "5"}
    (row,) = rows({**record, "not_asked": "6"})
    assert row == record
    assert dict(row) == record
    assert list(row) == list(COLUMNS)
    assert row["caller_id.name"] == "4"


def test_a_column_that_the_instance_left_out_is_missing_not_empty() -> None:
    (row,) = rows({"sys_id": "1", "items": ""})
    assert dict(row) == {"sys_id": "1", "items": ""}
    assert "class" not in row
    assert row.get("class") is None
    with pytest.raises(KeyError, match="class"):
        row["class"]
    assert SHAPE.column(SHAPE.decode(b'{"result":[{"sys_id":"1"},{"class":"x"}]}'), "sys_id") == [
        "1",
        "",
    ]


def test_rows_travel_to_the_store_as_the_dictionaries_would() -> None:
    record = {"sys_id": "1", "items": 'a "quoted"\nline', "caller_id.name": "Ñandú"}
    assert msgspec.json.encode(rows(record)) == msgspec.json.encode([record])


def test_values_that_are_no_strings_become_such() -> None:
    (row,) = rows(
        {"sys_id": "1", "items": {"value": "v", "link": "l"}, "class": None, "keys": True}
    )
    assert dict(row) == {"sys_id": "1", "items": "v", "class": "", "keys": "true"}


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{}", b'{"result":[{"sys_id":"1"}', b'{"result":{}}', b'{"result":[1]}'),
        b'{"result":[],"error":{"message":"Transaction cancelled"}}',
    ],
)
def test_what_is_no_list_of_rows_is_refused(body: bytes) -> None:
    with pytest.raises(BadBody):
        SHAPE.decode(body)


def test_a_broken_character_spoils_itself_only() -> None:
    (row,) = SHAPE.decode(b'{"result":[{"sys_id":"1","items":"a\xffb"}]}')
    assert row["items"] == "a\ufffdb"


GOOD = "0" * 31


@pytest.mark.parametrize("key", ["", "a b", "a" * 65, "a\n", "ñ" * 32, "0x" + "0" * 30 + "\n"])
def test_a_key_that_is_none_stops_the_page(key: str) -> None:
    check_keys("incident", [GOOD + "1", "global"], None)
    with pytest.raises(InstanceError, match="whose sys_id is hidden or unusable"):
        check_keys("incident", [GOOD + "1", key], None)


@pytest.mark.parametrize(
    "moment",
    [
        *("", "2026-11-01", "2026-11-01 08:00:0", "2026-11-01T08:00:00", "2026-11-01 08-00:00"),
        *("20261-1-01 08:00:00", "٢026-11-01 08:00:00", "2026-11-01 08:00:0x"),
        " 026-11-01 08:00:00",
    ],
)
def test_a_time_that_is_none_stops_the_page(moment: str) -> None:
    check_keys("incident", [], [])
    check_keys("incident", [GOOD + "1"], ["2026-11-01 08:00:00"])
    with pytest.raises(InstanceError, match="whose sys_updated_on is hidden or unusable"):
        check_keys("incident", [GOOD + "1"] * 2, ["2026-11-01 08:00:00", moment])


def test_keys_of_another_shape_are_not_held_against_the_usual_ones() -> None:
    check_ids("incident", ["0" * 32, "global", "1" * 32], Shard("", ""))
    with pytest.raises(IncompleteResponseError):
        check_ids("incident", ["1" * 32, "global", "0" * 32], Shard("", ""))


def test_later_changes_than_asked_are_a_wrong_setting_and_earlier_ones_a_passing_fault() -> None:
    seconds = ["2026-11-01 08:00:00", "2026-11-01 08:00:05"]
    check_order("incident", seconds, Cursor(seconds[0]), seconds[1])
    with pytest.raises(InstanceError, match="set the account's time zone to GMT") as caught:
        check_order("incident", seconds, Cursor(), "2026-11-01 08:00:04")
    assert not caught.value.retryable
    with pytest.raises(IncompleteResponseError, match="before 2026-11-01 08:00:01 abc, twice"):
        check_order("incident", seconds, Cursor("2026-11-01 08:00:01", "abc"), seconds[1])
    with pytest.raises(IncompleteResponseError):
        check_order("incident", seconds, Cursor(seconds[0]), seconds[1], with_low=False)
    with pytest.raises(IncompleteResponseError):
        check_order("incident", seconds[::-1], Cursor(), "2026-11-01 09:00:00")
