"""A person asks for a record's journey from inside the tool, and the connector answers."""

import threading
from collections.abc import Iterator, Sequence
from functools import partial

import pytest

from connector import services
from connector.cli.serve import make_beats
from connector.cli.session import Session
from connector.errors import ConfigError, ConnectorError, RejectedError, UnavailableError
from connector.on_demand import AT_ONCE, Answered, Watcher, answer_requests
from connector.results import RunResult
from connector.sandbox.policies import BusinessRule, Policies
from connector.scheduler import Beat, run_beat
from connector.store.lock import locked
from tests.desk import Desk, desk, incident_id
from tests.harness import PASSWORD
from tests.pages_kit import Visitor, text_of

QUEUE = "u_journey_request"


@pytest.fixture(scope="module")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("desk")) as made:
        made.connector.settings["on_demand"] = {"enabled": True, "poll_seconds": 5}
        made.connector.write_config()
        made.connector.do("provision", "--apply")
        yield made


@pytest.fixture
def at(provisioned: Desk) -> Desk:
    for row in provisioned.table(QUEUE):
        provisioned.api.delete(f"/api/now/table/{QUEUE}/{row['sys_id']}")
    return provisioned


def ask(at: Desk, number: str, times: int = 1) -> None:
    for _time in range(times):
        row = {"u_number": number, "u_table": "incident", "u_state": "queued"}
        assert at.api.post(f"/api/now/table/{QUEUE}", json=row).status_code == 201


def look(at: Desk, **sections: dict[str, object]) -> None:
    """What the schedule does every few seconds, once."""
    at.connector.write_config(**sections)
    path = at.connector.folder / "travesia.toml"
    session = Session(path, "quiet", {"TRAVESIA_PASSWORD": PASSWORD})
    stop = threading.Event()
    (beat,) = make_beats(session, session.instance_config(), stop)
    beat.run()


def told(at: Desk) -> list[tuple[str, str, str]]:
    """Number, state and message of every request."""
    return [(row["u_number"], row["u_state"], row["u_message"]) for row in at.table(QUEUE)]


def test_it_is_off_unless_it_is_turned_on(at: Desk) -> None:
    at.connector.write_config(on_demand={"enabled": False})
    session = Session(at.connector.folder / "travesia.toml", "quiet", {})
    assert make_beats(session, session.instance_config(), threading.Event()) == []


def test_an_empty_queue_costs_one_request(at: Desk) -> None:
    at.instance.counts.requests.clear()
    look(at)
    assert dict(at.instance.counts.requests) == {f"GET /api/now/table/{QUEUE}": 1}


def test_what_is_asked_for_is_synced_once_and_every_asker_is_told(at: Desk) -> None:
    ask(at, "INC0000001", times=3)
    look(at)
    record = at.one("incident", "number=INC0000001")
    assert record["u_journey_step"]
    assert record["u_journey_why"]
    assert told(at) == [("INC0000001", "done", "Brought up to date.")] * 3
    assert at.one("incident", "number=INC0000002")["u_journey_step"] == "", "only what was asked"
    ask(at, "INC0000001")
    look(at)
    assert ("INC0000001", "done", "It was up to date.") in told(at)


def test_the_answer_is_in_the_language_of_the_texts_in_the_tool(at: Desk) -> None:
    ask(at, "INC0000001")
    look(at, mapping={"language": "es"})
    assert told(at) == [("INC0000001", "done", "Estaba al día.")]


def test_what_cannot_be_is_said_in_a_sentence_and_does_not_stop_the_others(at: Desk) -> None:
    for number in ("", "INC9999999", "INC0000003"):
        ask(at, number)
    look(at)
    by_number = {number: (state, message) for number, state, message in told(at)}
    assert by_number["INC9999999"] == (
        "failed",
        "No table that is read has a record INC9999999; check the number",
    )
    assert by_number[""][0] == "failed"
    assert by_number["INC0000003"][0] == "done"


def test_with_writing_off_nothing_is_written_and_that_is_said(at: Desk) -> None:
    ask(at, "INC0000002")
    look(at, write_back={"enabled": False})
    assert told(at) == [("INC0000002", "failed", "Nothing was written: write-back is off.")]
    assert at.one("incident", "number=INC0000002")["u_journey_step"] == ""


def test_while_another_run_is_at_work_the_request_stays_queued(at: Desk) -> None:
    ask(at, "INC0000001")
    with locked(at.connector.store):
        look(at)
    assert told(at) == [("INC0000001", "queued", "")]
    look(at)
    assert told(at)[0][1] == "done"


def test_the_action_on_the_form_asks_and_is_there_only_once_it_is_turned_on(at: Desk) -> None:
    """Press it as a reader on the page; the connector answers at the next look."""
    at.give_role("leo.prat", "u_journey_reader")
    form = f"/incident.do?sys_id={incident_id(1)}"
    with Visitor(at.api.base) as leo:
        leo.log_in("leo.prat")
        assert "Refresh journey" not in leo.open(form)
        action = at.one("sys_ui_action", "table=incident^action_name=u_journey_refresh")
        at.patch("sys_ui_action", action["sys_id"], active="true")
        assert "Refresh journey" in leo.open(form)
        said = leo.submit(form, _action=action["sys_id"])
        assert "it takes about a minute" in text_of(said.text)
        assert leo.submit(form, _action="0" * 32).status_code == 403
    with Visitor(at.api.base) as nobody:
        assert nobody.submit(form, _action=action["sys_id"]).status_code == 403
    asked = at.one(QUEUE, "u_state=queued")
    assert (asked["u_record"], asked["u_table"]) == (incident_id(1), "incident")
    assert asked["sys_created_by"] == "leo.prat"
    look(at)
    assert told(at)[0][:2] == ("INC0000001", "done")


def test_a_look_takes_so_many_and_the_next_look_the_next(at: Desk) -> None:
    ask(at, "INC0000001", times=AT_ONCE + 1)
    look(at)
    assert sorted(state for _number, state, _message in told(at)) == [
        *(["done"] * AT_ONCE),
        "queued",
    ]


def test_all_that_is_asked_for_at_once_is_one_run_and_each_row_has_its_own_answer(
    at: Desk,
) -> None:
    """One has a business rule against it, one is not there, two are written, one was."""
    for number in ("INC0000003", "INC0000004", "INC0000005", "INC9999999"):
        ask(at, number)
    rule = BusinessRule("Closed to us", "incident", when="number=INC0000005", abort=True)
    at.instance.policies = Policies(business_rules=(rule,))
    runs = len(at.connector.read("SELECT run_id FROM run"))
    look(at)
    at.instance.policies = Policies()
    assert len(at.connector.read("SELECT run_id FROM run")) == runs + 1
    by_number = {number: (state, message) for number, state, message in told(at)}
    assert by_number == {
        "INC0000003": ("done", "It was up to date."),
        "INC0000004": ("done", "Brought up to date."),
        "INC0000005": ("failed", by_number["INC0000005"][1]),
        "INC9999999": ("failed", "No table that is read has a record INC9999999; check the number"),
    }
    assert "fields were refused" in by_number["INC0000005"][1]


def answered(at: Desk, error: ConnectorError, times: int) -> list[tuple[str, ...]]:
    """What is asked of the pipeline where each attempt ends so."""
    session = Session(
        at.connector.folder / "travesia.toml", "quiet", {"TRAVESIA_PASSWORD": PASSWORD}
    )
    instance = services.connect(session.instance_config(), session.environment)
    attempts: list[tuple[str, ...]] = []

    def refresh(numbers: Sequence[str]) -> RunResult:
        attempts.append(tuple(sorted(numbers)))
        raise error

    assert answer_requests(instance, refresh, "en") == Answered(failed=times)
    return [attempts[0], *sorted(attempts[1:])]


def test_a_run_that_fails_for_all_is_told_to_all_and_not_tried_for_each(at: Desk) -> None:
    for number in (1, 2, 2):
        ask(at, f"INC{number:07d}")
    both = ("INC0000001", "INC0000002")
    assert answered(at, UnavailableError("the instance sleeps"), 3) == [both]
    assert {row[1:] for row in told(at)} == {("failed", "the instance sleeps")}
    ask(at, "INC0000001")
    ask(at, "INC0000002")
    wrong = ConfigError("--record", ["no record INC0000001", "no record INC0000002"])
    assert answered(at, wrong, 2) == [both]
    assert ("INC0000002", "failed", "no record INC0000002") in told(at)


def test_where_one_may_be_to_blame_each_is_tried_alone(at: Desk) -> None:
    for number in (1, 2):
        ask(at, f"INC{number:07d}")
    both = ("INC0000001", "INC0000002")
    assert answered(at, RejectedError("no", status=400), 2) == [both, both[:1], both[1:]]


def test_after_a_failure_some_looks_are_left_out_and_the_schedule_goes_on() -> None:
    looks: list[str] = []

    def failing() -> Answered:
        looks.append("look")
        raise UnavailableError("the instance sleeps")

    watcher = Watcher(failing)
    for _time in range(8):
        run_beat(_beat(watcher), threading.Event())
    assert len(looks) == 2, "the first, then two left out, the fourth, then four left out"
    watcher.look = partial(Answered, 0, 0)
    for _time in range(6):
        run_beat(_beat(watcher), threading.Event())
    watcher.look = failing
    run_beat(_beat(watcher), threading.Event())
    assert len(looks) == 3, "a good look ends the caution"


def _beat(watcher: Watcher) -> Beat:
    return Beat("on-demand", 5, watcher)


def test_a_stopped_schedule_looks_no_more() -> None:
    stop = threading.Event()
    stop.set()
    run_beat(_beat(Watcher(lambda: pytest.fail("a look"))), stop)
