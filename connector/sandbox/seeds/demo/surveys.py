"""The demo's surveys: sent when a ticket or an item is over, answered by some, read by the reports.

Owns asmt_* rows. An answer of -1 means that the question was not answered, as on the platform.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Record, stamped
from connector.sandbox.seeds.demo import texts
from connector.sandbox.seeds.demo.history import SYSTEM, Event, World, moment, record_id
from connector.sandbox.seeds.demo.organisation import Person
from connector.sandbox.seeds.demo.story import Mood

TYPES: Mapping[str, tuple[str, str]] = {
    "incident": ("Encuesta tras incidencia / After-incident survey", "survey"),
    "sc_req_item": ("Encuesta tras solicitud / After-request survey", "survey"),
    "dmn_demand": ("Valoración de demanda / Demand assessment by those concerned", "survey"),
    "sn_customerservice_case": ("Encuesta tras caso / After-case survey", "survey"),
    "skills": ("Evaluación de competencias / Skills assessment", "assessment"),
}
"""Key → name and evaluation method; only `survey` ones are surveys."""

QUESTIONS: Mapping[str, tuple[str, str]] = {
    "satisfaction": ("¿Cómo de satisfecho está? / How satisfied are you?", "scale"),
    "effort": ("¿Cuánto le costó? / How easy was it?", "scale"),
    "comment": ("¿Algo más? / Anything else?", "string"),
}
UNANSWERED = "-1"
INVITED = 0.45
"""The share of resolved tickets and delivered items after which a survey is sent."""
DUE, EXPIRES = timedelta(days=14), timedelta(days=30)


@dataclass(frozen=True)
class Invitation:
    """A survey that is sent: about which record, to whom, when. `fate` forces what becomes of it:
    complete, wip, ready or canceled; '' leaves it to chance."""

    number: str
    table: str
    task_id: str
    user: Person
    sent: datetime
    mood: Mood
    fate: str = ""


def definition_records() -> list[tuple[str, list[Record]]]:
    """asmt_metric_type and asmt_metric rows."""
    types = [
        stamped(
            record_id("asmt_metric_type", key),
            {"name": name, "evaluation_method": method, "active": "true"},
        )
        for key, (name, method) in TYPES.items()
    ]
    metrics = [
        stamped(
            _metric_id(key, question),
            {
                "name": text,
                "question": text,
                "metric_type": record_id("asmt_metric_type", key),
                "datatype": kind,
                "min": "1" if kind == "scale" else "",
                "max": "5" if kind == "scale" else "",
                "order": str(place),
                "active": "true",
            },
        )
        for key in TYPES
        for place, (question, (text, kind)) in enumerate(QUESTIONS.items())
    ]
    return [("asmt_metric_type", types), ("asmt_metric", metrics)]


def send(world: World, invitation: Invitation, chance: random.Random) -> None:
    """Adds the instance, and its answers if it was answered by now."""
    fate = invitation.fate or _fate(invitation, chance)
    taken = invitation.sent + timedelta(hours=chance.uniform(0.5, 70))
    score = chance.choices((1, 2, 3, 4, 5), invitation.mood.scores)[0]
    events = [_sent(invitation)]
    if fate == "complete":
        values = {"state": "complete", "taken_on": moment(taken), "percent_answered": "100"}
        events.append(Event(taken, invitation.user.user_name, values))
    elif fate == "wip":
        values = {"state": "wip", "percent_answered": "33"}
        events.append(Event(taken, invitation.user.user_name, values))
    if fate != "complete":
        ends = invitation.sent + EXPIRES
        events.append(Event(ends, SYSTEM, {"state": "canceled"}))
    world.add("asmt_assessment_instance", invitation.number, events)
    if fate == "complete":
        _answer(world, invitation, taken, score, chance)


def _fate(invitation: Invitation, chance: random.Random) -> str:
    if chance.random() < invitation.mood.answers:
        return "complete"
    return "wip" if chance.random() < 0.06 else "ready"


def _sent(invitation: Invitation) -> Event:
    values = {
        "number": invitation.number,
        "metric_type": record_id("asmt_metric_type", invitation.table),
        "user": invitation.user.sys_id,
        "state": "ready",
        "due_date": (invitation.sent + DUE).date().isoformat(),
        "expiration_date": (invitation.sent + EXPIRES).date().isoformat(),
        "task_id": invitation.task_id,
        "trigger_table": invitation.table,
        "trigger_id": invitation.task_id,
        "percent_answered": "0",
    }
    return Event(invitation.sent, SYSTEM, values)


def _answer(
    world: World, invitation: Invitation, taken: datetime, score: int, chance: random.Random
) -> None:
    words = texts.SURVEY_WORDS[invitation.user.language][score]
    effort = str(min(5, max(1, score + chance.choice((-1, 0, 0, 1)))))
    answers = {
        "satisfaction": (str(score), str(score)),
        "effort": (effort, effort) if chance.random() < 0.8 else (UNANSWERED, "N/A"),
        "comment": (UNANSWERED, words if chance.random() < 0.5 else ""),
    }
    instance = record_id("asmt_assessment_instance", invitation.number)
    for question, (value, text) in answers.items():
        values = {
            "instance": instance,
            "metric": _metric_id(invitation.table, question),
            "source_table": invitation.table,
            "source_id": invitation.task_id,
        }
        name = f"{invitation.number} {question}"
        by = invitation.user.user_name
        result = {
            **values,
            "user": invitation.user.sys_id,
            "actual_value": value,
            "scaled_value": value,
            "normalized_value": "" if value == UNANSWERED else str((int(value) - 1) * 2.5),
            "string_value": text,
        }
        world.add("asmt_metric_result", name, [Event(taken, by, result)])


def _metric_id(table: str, question: str) -> str:
    return record_id("asmt_metric", f"{table} {question}")
