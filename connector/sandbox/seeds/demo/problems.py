"""The demo's problems: the one behind e-invoicing, one in each state, and the year's usual ones.

Owns problem rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo import texts, working_time
from connector.sandbox.seeds.demo.history import Event, World, dice, moment
from connector.sandbox.seeds.demo.names import INVOICING_PROBLEM, OPEN_PROBLEM
from connector.sandbox.seeds.demo.organisation import APPLICATIONS, INVOICING, Organisation
from connector.sandbox.seeds.demo.story import Story
from connector.sandbox.seeds.demo.tasks import over, task

USUAL_PROBLEMS = 16
WHOLE = ("101", "102", "103", "104", "106", "107")
SUBJECTS = (
    ("erp", "Cierre lento del ERP / Slow ERP closing"),
    ("mail", "Correos que llegan tarde / Late mails"),
    ("printing", "Atascos en la impresora / Printer jams"),
    ("identity", "Bloqueos de cuenta repetidos / Repeated account locks"),
)


@dataclass(frozen=True)
class _Problem:
    """`path`: the states up to where it stands, `days` apart; a known error from `103` on."""

    number: str
    text: str
    service: str
    found: datetime
    path: tuple[str, ...]
    days: float
    is_known: bool = False
    code: str = "fix_applied"


def add_problems(world: World, organisation: Organisation, story: Story) -> None:
    """Adds the problems."""
    agent = organisation.agents(APPLICATIONS)[1].user_name
    for problem in (*_story_problems(story), *_showcase(story), *_usual(story)):
        world.add("problem", problem.number, [*_life(problem, agent)])


def _story_problems(story: Story) -> Iterator[_Problem]:
    """Known as an error, with a workaround, for most of the bad months; closed by the repair."""
    text = "Facturas rechazadas tras la puesta en marcha / Invoices rejected after the go-live"
    found = story.go_live + timedelta(days=20)
    days = (story.recovery - found) / timedelta(days=1) / 4
    yield _Problem(INVOICING_PROBLEM, text, INVOICING, found, WHOLE, days, is_known=True)
    found = story.now - timedelta(days=40)
    yield _Problem(OPEN_PROBLEM, "Cortes de la VPN / VPN drops", "network", found, WHOLE[:4], 6.0)


def _showcase(story: Story) -> Iterator[_Problem]:
    """One in each state on the last day, and a known error that still waits for its fix."""
    paths: Sequence[tuple[tuple[str, ...], bool, str]] = (
        *((WHOLE[:length], False, "fix_applied") for length in (1, 2, 3, 4, 5, 6)),
        (WHOLE[:3], True, "fix_applied"),
        (("101", "107"), False, "duplicate"),
        (WHOLE, False, "risk_accepted"),
    )
    for place, (path, is_known, code) in enumerate(paths):
        service, text = SUBJECTS[place % len(SUBJECTS)]
        found = story.now - timedelta(days=3 + 2 * len(path))
        number = f"PRB{1003 + place:07}"
        yield _Problem(number, text, service, found, path, 1.5, is_known, code)


def _usual(story: Story) -> Iterator[_Problem]:
    chance = dice("problems")
    latest = story.now - timedelta(days=75)
    instants = sorted(working_time.arrivals(story.begins, latest, USUAL_PROBLEMS, chance))
    for place, at in enumerate(instants):
        service, text = chance.choice(SUBJECTS)
        is_known = chance.random() < 0.3
        number = f"PRB{1101 + place:07}"
        yield _Problem(number, text, service, at, WHOLE, chance.uniform(3, 12), is_known)


def _life(problem: _Problem, agent: str) -> Iterator[Event]:
    found = working_time.opening(problem.found)
    values = task(
        "problem",
        problem.number,
        problem.text,
        found,
        service=problem.service,
        group=APPLICATIONS,
        state="101",
    )
    yield Event(found, agent, values | {"problem_state": "101", "known_error": "false"})
    for place, state in enumerate(problem.path[1:], 1):
        at = working_time.opening(found + timedelta(days=problem.days * place))
        if state == "107" and problem.number == INVOICING_PROBLEM:
            at = working_time.opening(found + timedelta(days=problem.days * 4, hours=2))
        yield Event(at, agent, _reached(problem, state, at), work_notes=texts.CAUSE.get(state, ""))


def _reached(problem: _Problem, state: str, at: datetime) -> Record:
    values = {"state": state, "problem_state": state}
    if state == "103" and problem.is_known:
        values |= {"known_error": "true", "workaround": texts.WORKAROUND}
    if state == "104":
        values["fix_at"] = moment(at)
    if state == "106":
        values |= {"resolved_at": moment(at), "resolution_code": problem.code}
    if state == "107":
        values |= over(state, at, resolution_code=problem.code)
    return values
