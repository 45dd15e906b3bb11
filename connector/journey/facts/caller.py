"""Facts of who asks: the history of the person up to this record, and what came after.

A contact repeats the one right before it of the same person and category if that one was resolved
(else closed) at most seven days earlier. Of a person only contacts are counted, never said in a
figure. How far the history reaches is how far the store reaches: `[store]` retention, first sync.
"""

from connector.encoded_query import FieldType
from connector.journey.facts.model import Fact, Line, along, holds, own
from connector.journey.measures import (
    Measured,
    as_it_stands,
    days_between,
    first_known,
    within_days,
)
from connector.journey.model import Text

PEOPLE = {
    "incident": "caller_id",
    "sc_request": "requested_for",
    "sc_req_item": "requested_for",
    "interaction": "opened_for",
    "sn_customerservice_case": "contact",
    "dmn_demand": "submitter",
    "im_idea_core": "submitter",
}
"""Table → the person it is for."""

REPEATABLE = {"incident": "resolved_at", "sn_customerservice_case": "resolved_at"}
"""Table → when its records were resolved."""

_OPENED = first_known("opened_at")
_REPEAT_DAYS = 7


def _history(table: str, person: str) -> tuple[Fact, ...]:
    tables = (table,)
    line = Line((person,), (_OPENED,))
    return (
        along("caller._previous_at", FieldType.DATETIME, table, "previous", line, _OPENED),
        along("caller._first_at", FieldType.DATETIME, table, "first", line, _OPENED),
        holds(
            "caller.is_first_contact",
            tables,
            "caller._first_atISNOTEMPTY^caller._previous_atISEMPTY",
            "The person's first record of this kind",
            "Primer registro de este tipo de la persona",
        ),
        own(
            "caller.days_since_first_contact",
            FieldType.INTEGER,
            tables,
            days_between("caller._first_at", "opened_at"),
            Text(
                "Days from the person's first record of this kind to this one",
                "Días desde el primer registro de este tipo de la persona hasta este",
            ),
        ),
        holds(
            "caller.is_vip",
            tables,
            f"{person}.vip=true",
            "The person is a VIP",
            "La persona es VIP",
        ),
        own(
            "caller.days_since_start",
            FieldType.DECIMAL,
            tables,
            days_between(f"{person}.sys_created_on", "opened_at"),
            Text(
                "Days from the person's first appearance in the tool to the opening",
                "Días desde que la persona aparece en la herramienta hasta la apertura",
            ),
        ),
    )


def _repeats(table: str, resolved: str) -> tuple[Fact, ...]:
    tables = (table,)
    ended = first_known(resolved, "closed_at")
    line = Line((PEOPLE[table], "category"), (_OPENED, ended))
    return (
        along("caller._repeats_at", FieldType.DATETIME, table, "previous", line, ended),
        along("caller._next_at", FieldType.DATETIME, table, "next", line, _OPENED),
        _own_ended(table, ended),
        own(
            "caller.repeat_within_7_days",
            FieldType.BOOLEAN,
            tables,
            within_days("caller._repeats_at", "opened_at", _REPEAT_DAYS),
            Text(
                "It repeats: the same person and category, at most 7 days after the contact before"
                " it was resolved",
                "Repite: misma persona y categoría, como mucho 7 días después de resolverse el"
                " contacto anterior",
            ),
        ),
        own(
            "caller.repeat_followed_within_7_days",
            FieldType.BOOLEAN,
            tables,
            within_days("caller._ended_at", "caller._next_at", _REPEAT_DAYS),
            Text(
                "The person's next contact in the category came at most 7 days after this one was"
                " resolved",
                "El siguiente contacto de la persona en la categoría llegó como mucho 7 días"
                " después de resolverse este",
            ),
        ),
        own(
            "caller.repeat_followed_at",
            FieldType.DATETIME,
            tables,
            as_it_stands("caller._next_at"),
            Text("When that next contact was opened", "Cuándo se abrió ese contacto siguiente"),
            where="caller.repeat_followed_within_7_days=true",
        ),
    )


def _own_ended(table: str, ended: Measured) -> Fact:
    nothing = Text("", "")
    return Fact(
        "caller._ended_at",
        FieldType.DATETIME,
        (table,),
        nothing,
        "own",
        measured=ended,
        hidden=True,
    )


FACTS: tuple[Fact, ...] = (
    *(fact for table, person in PEOPLE.items() for fact in _history(table, person)),
    *(fact for table, resolved in REPEATABLE.items() for fact in _repeats(table, resolved)),
)
