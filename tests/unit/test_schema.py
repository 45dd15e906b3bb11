"""Reading the dictionary: an instance that seems to have nothing is asked twice."""

from collections.abc import Sequence

import pytest

from connector.errors import ForbiddenError
from connector.journey.mapping import load_mapping
from connector.schema import read_schema
from tests.fakes import FakeInstance
from tests.golden.sample import NOW

ROW = {"sys_id": "1", "sys_updated_on": "2026-11-20 10:00:00", "state": "1", "active": "true"}


class Moody(FakeInstance):
    """Shows no table the first `blind` times."""

    def __init__(self, blind: int) -> None:
        super().__init__(NOW, {"incident": [ROW], "sys_user": []})
        self.blind = blind

    def list_tables(self, names: Sequence[str]) -> dict[str, str]:
        self.blind -= 1
        return {} if self.blind >= 0 else super().list_tables(names)


def test_a_table_that_shows_at_the_second_look_is_not_told_as_absent() -> None:
    needed = read_schema(Moody(1), [load_mapping()], ["incident"])
    assert "incident" in needed.wanted
    assert needed.absent == ()


def test_an_account_that_sees_no_table_at_all_is_told_which_right_it_lacks() -> None:
    with pytest.raises(ForbiddenError, match="let it read sys_db_object"):
        read_schema(Moody(9), [load_mapping()], ["incident"])
