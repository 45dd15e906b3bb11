"""Facts of what happened to a record: the last event, public comments, waits for the user.

Kind, time and user name only: the texts of a journal are never read. Where the audit trail cannot
be read, reassignments and other changes go unseen and the journal alone speaks.
"""

from collections.abc import Mapping
from dataclasses import replace

from connector.encoded_query import FieldType
from connector.journey.event_measures import LastEvent, change_event, journal_event
from connector.journey.facts.model import RECORD, TASKS, Fact, Rows, holds, own
from connector.journey.measures import (
    Measured,
    first_known,
    latest_of,
    minutes_between,
    working_days_since,
)
from connector.journey.model import Text

CONSUMERS: Mapping[str, tuple[str, ...]] = {
    "incident": ("caller_id",),
    "sc_request": ("requested_for", "opened_by"),
    "sc_req_item": ("requested_for", "opened_by"),
    "sc_task": ("request_item.requested_for",),
    "change_request": ("requested_by",),
    "sn_customerservice_case": ("contact",),
    "dmn_demand": ("submitter",),
    "im_idea_core": ("submitter",),
    "sn_hr_le_case": ("opened_for",),
}
"""Table → who speaks for the consumer there, the one it is for first."""

_PEOPLE = "NOT IN@automation_users^OR{0}ISEMPTY"
_BY_PERSON = "sys_created_by" + _PEOPLE.format("sys_created_by")
_BY_MACHINE = "sys_created_byIN@automation_users"
_CHANGED_BY_PERSON = "user" + _PEOPLE.format("user")
_CHANGED_BY_MACHINE = "userIN@automation_users"
_WRITTEN = first_known("sys_created_on")
_PUBLIC = "element=comments"

_journal = Rows("last_event", TASKS, "sys_journal_field", ("element_id",))
_audit = Rows("last_event", TASKS, "sys_audit", ("documentkey",))


def _event(rows: Rows, name: str, where: str, event: Measured) -> Fact:
    fact = rows.last(name, where, event, "", "")
    return replace(fact, type=FieldType.STRING, hidden=True)


_HIDDEN = (
    _event(_journal, "_entries", _BY_PERSON, journal_event()),
    _event(_audit, "_moves", f"fieldname=assignment_group^{_CHANGED_BY_PERSON}", change_event("1")),
    _event(_audit, "_changes", _CHANGED_BY_PERSON, change_event("0")),
    _event(_journal, "_automatic_entries", _BY_MACHINE, journal_event()),
    _event(_audit, "_automatic_changes", _CHANGED_BY_MACHINE, change_event("0")),
)
_last = LastEvent(*(fact.name for fact in _HIDDEN))
_AUDITED = tuple(fact.name for fact in _HIDDEN if fact.source == "sys_audit")


def _of_last(
    name: str, kind: FieldType, tables: tuple[str, ...], measured: Measured, en: str, es: str
) -> Fact:
    fact = own(f"last_event.{name}", kind, tables, measured, Text(en, es))
    return replace(fact, optional=_AUDITED)


_LAST = (
    replace(
        _of_last(
            "kind",
            FieldType.STRING,
            TASKS,
            _last.kind(),
            "What happened last: comment (public), work_note, reassignment, automation (a machine"
            " wrote and no person since), or none",
            "Lo último que ocurrió: comment (público), work_note, reassignment, automation (fue"
            " un automatismo y nadie escribió después) o none",
        ),
        of_nothing="none",
    ),
    _of_last("at", FieldType.DATETIME, TASKS, _last.time(), "When that was", "Cuándo fue"),
)


def _by(table: str, people: tuple[str, ...]) -> tuple[Fact, ...]:
    users = tuple(f"{person}.user_name" for person in people)
    tables = (table,)
    return (
        _of_last(
            "by_caller",
            FieldType.BOOLEAN,
            tables,
            _last.is_by(users[0]),
            "The person it is for wrote last",
            "Lo último lo escribió la persona para quien es",
        ),
        _of_last(
            "by_consumer",
            FieldType.BOOLEAN,
            tables,
            _last.is_by(*users),
            "Somebody of the consumer's side wrote last: the person it is for, or who asked for it",
            "Lo último lo escribió la parte del consumidor: para quien es o quien lo pidió",
        ),
        _of_last(
            "by_provider",
            FieldType.BOOLEAN,
            tables,
            _last.is_by_others(*users),
            "Somebody else, of the provider's side, wrote last",
            "Lo último lo escribió otra persona, de la parte del proveedor",
        ),
    )


# --- public comments ------------------------------------------------------------------------------

_comments = Rows("comments", TASKS, "sys_journal_field", ("element_id",))
_COMMENTS = (
    _comments.count("public", _PUBLIC, "Public comments", "Comentarios públicos"),
    _comments.earliest(
        "first_at", _PUBLIC, _WRITTEN, "When the first was written", "Cuándo se escribió el primero"
    ),
    _comments.last(
        "last_at", _PUBLIC, _WRITTEN, "When the last was written", "Cuándo se escribió el último"
    ),
)


def _by_others(people: tuple[str, ...]) -> str:
    """Which comments are public and by anybody but the consumer's side."""
    names = [f"{RECORD}{person}.user_name" for person in people]
    tests = (f"sys_created_byNSAMEAS{name}^OR{name}ISEMPTY" for name in names)
    return "^".join((_PUBLIC, *tests))


def _reply(family: str, name: str, table: str, since: str, en: str, es: str) -> Fact:
    """The first of them that is no older than a fact of the record."""
    where = f"{_by_others(CONSUMERS[table])}^sys_created_onGT_OR_EQUALS_FIELD{RECORD}{since}"
    rows = Rows(family, (table,), "sys_journal_field", ("element_id",))
    return rows.earliest(name, where, _WRITTEN, en, es)


_REPLIES = (
    *(
        _reply(
            "feedback",
            "answered_at",
            table,
            "survey.answered_at",
            "When the provider's side first wrote publicly after the answered survey",
            "Cuándo escribió el proveedor su primer comentario público tras la encuesta",
        )
        for table in ("incident", "sc_req_item")
    ),
    *(
        _reply(
            "approval",
            "explained_at",
            table,
            "approval.decided_at",
            "When the provider's side first wrote publicly once the last approval was answered",
            "Cuándo escribió el proveedor su primer comentario público tras la última aprobación",
        )
        for table in ("sc_req_item", "sc_request", "change_request")
    ),
)


def _others(table: str, people: tuple[str, ...]) -> tuple[Fact, ...]:
    """Public comments by anybody but the consumer's side."""
    where = _by_others(people)
    rows = Rows("comments", (table,), "sys_journal_field", ("element_id",))
    return (
        rows.count(
            "by_provider",
            where,
            "Public comments by the provider's side",
            "Comentarios públicos de la parte del proveedor",
        ),
        rows.earliest(
            "first_by_provider_at",
            where,
            _WRITTEN,
            "When the provider's side first wrote publicly",
            "Cuándo escribió el proveedor su primer comentario público",
        ),
        rows.last(
            "last_by_provider_at",
            where,
            _WRITTEN,
            "When the provider's side last wrote publicly",
            "Cuándo escribió el proveedor su último comentario público",
        ),
        own(
            "comments.minutes_to_first",
            FieldType.DECIMAL,
            (table,),
            minutes_between("opened_at", "comments.first_by_provider_at"),
            Text(
                "Minutes from the opening to the provider's first public comment",
                "Minutos desde la apertura hasta el primer comentario público del proveedor",
            ),
        ),
        replace(
            own(
                "comments._heard_at",
                FieldType.DATETIME,
                (table,),
                latest_of("opened_at", "comments.last_by_provider_at"),
                Text("", ""),
            ),
            hidden=True,
        ),
        own(
            "comments.silent_days",
            FieldType.DECIMAL,
            (table,),
            Measured(working_days_since("comments._heard_at"), ("comments._heard_at",)),
            Text(
                "Working days (Monday to Friday) that an open record has gone without a public"
                " comment by the provider",
                "Días laborables (de lunes a viernes) que lleva abierto sin comentario público del"
                " proveedor",
            ),
            where="active=true",
        ),
    )


# --- waits ----------------------------------------------------------------------------------------

_WAITS = {
    "incident": "fieldname=hold_reason^newvalue=1",
    "sn_customerservice_case": "fieldname=state^newvalue=18",
}
"""The change of a field by which a record begins to wait for its user."""


def _waits(table: str, where: str) -> tuple[Fact, ...]:
    rows = Rows("waits", (table,), "sys_audit", ("documentkey",))
    return (
        rows.count(
            "user",
            where,
            "How often it was put on hold to ask the user",
            "Cuántas veces se dejó en espera para preguntar al usuario",
        ),
        rows.last(
            "user_since",
            where,
            _WRITTEN,
            "When it was last put on hold to ask the user",
            "Cuándo se dejó en espera por última vez para preguntar al usuario",
        ),
        holds(
            "waits.asked_twice",
            (table,),
            "waits.user>=2",
            "The user was asked twice or more",
            "Se preguntó al usuario dos veces o más",
        ),
    )


FACTS: tuple[Fact, ...] = (
    *_HIDDEN,
    *_LAST,
    *(fact for table, people in CONSUMERS.items() for fact in _by(table, people)),
    *_COMMENTS,
    *(fact for table, people in CONSUMERS.items() for fact in _others(table, people)),
    *_REPLIES,
    *(fact for table, where in _WAITS.items() for fact in _waits(table, where)),
)
