"""`travesia check` where [on_demand] is on: the queue, the right to answer, the button."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from connector.check import check_on_demand
from connector.check.on_demand import ACTION, ROLE
from connector.errors import ForbiddenError, UnavailableError
from connector.itsm.base import Record
from connector.journey.own_tables import REQUEST_TABLE
from connector.messages import speaking
from tests.fakes import FakeInstance

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
QUEUE = REQUEST_TABLE.name
HELD = "sys_user_has_role"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with speaking("en"):
        yield


class Instance(FakeInstance):
    """One that says no to some tables, or to everything for now."""

    def __init__(self, **tables: list[Record]) -> None:
        super().__init__(NOW, {QUEUE: [], HELD: [], "sys_ui_action": [], **tables})
        self.sleeps = False

    def list_records(
        self, table: str, fields: Sequence[str], query: str = "", limit: int | None = None
    ) -> Iterator[Record]:
        if self.sleeps:
            raise UnavailableError("asleep")
        if table in self.hidden:
            raise ForbiddenError("no right", status=403)
        self.queries.append((table, query))
        for row in self.tables[table][:limit]:
            yield {k: v for k, v in row.items() if k in fields}


def action(table: str, active: str) -> Record:
    return {"sys_id": table, "table": table, "active": active, "action_name": ACTION}


def told(instance: Instance, user: str = "svc") -> list[tuple[str, str, str]]:
    found = check_on_demand(instance, ("incident", "problem"), user)
    return [(one.level, one.sentence, one.remedy) for one in found]


def test_all_is_well_where_it_was_answered_before_and_somebody_can_ask() -> None:
    done = {"sys_id": "a", "u_state": "done"}
    actions = [action("incident", "true"), action("problem", "false")]
    assert told(Instance(**{QUEUE: [done], "sys_ui_action": actions})) == [
        ("ok", "The queue u_journey_request is read, and was answered before", ""),
        ("ok", "The UI action is active on incident", ""),
    ]


def test_without_the_table_there_is_one_line_and_its_remedy() -> None:
    instance = Instance()
    del instance.tables[QUEUE]
    ((level, said, remedy),) = told(instance)
    assert level == "error"
    assert "has no table u_journey_request" in said
    assert remedy == "run travesia provision --apply"


def test_a_queue_that_may_not_be_read_is_an_error() -> None:
    instance = Instance()
    instance.hidden = {QUEUE}
    level, said, remedy = told(instance)[0]
    assert (level, remedy) == ("error", f"give the account the role {ROLE}")
    assert "may not read u_journey_request" in said
    blind = Instance(**{QUEUE: [{"sys_id": "a"}]})
    assert told(blind)[0][0] == "error", "its state is hidden: nothing is ever found"


def test_before_a_first_answer_the_roles_tell() -> None:
    instance = Instance(**{HELD: [{"sys_id": "h"}]})
    assert told(instance)[0][:2] == (
        "ok",
        "The queue u_journey_request is read, and the account may answer",
    )
    assert (HELD, f"user.user_name=svc^role.nameIN{ROLE},admin") in instance.queries
    level, said, remedy = told(Instance())[0]
    assert (level, remedy) == ("warn", f"give the account the role {ROLE}")
    assert "does not have the role" in said


@pytest.mark.parametrize(("hidden", "user"), [({HELD}, "svc"), (set(), "")])
def test_what_cannot_be_known_is_said_to_be_so(hidden: set[str], user: str) -> None:
    instance = Instance()
    instance.hidden = hidden
    level, said, _remedy = told(instance, user)[0]
    assert (level, "known only after a first request" in said) == ("warn", True)


@pytest.mark.parametrize(
    ("rows", "said", "remedy"),
    [
        ([], "has no UI action", "run travesia provision --apply"),
        ([action("incident", "false")], "active nowhere", "activate it in the tool"),
        ([action("sc_task", "true")], "active nowhere", "activate it in the tool"),
    ],
)
def test_a_button_that_nobody_has_is_told(rows: list[Record], said: str, remedy: str) -> None:
    level, sentence, todo = told(Instance(sys_ui_action=rows))[-1]
    assert level == "warn"
    assert said in sentence
    assert remedy in todo


def test_actions_that_may_not_be_read_are_not_known() -> None:
    instance = Instance()
    instance.hidden = {"sys_ui_action"}
    assert "whether u_journey_refresh is active is not known" in told(instance)[-1][1]


def test_an_instance_that_sleeps_is_no_finding() -> None:
    instance = Instance()
    instance.sleeps = True
    with pytest.raises(UnavailableError):
        told(instance)
