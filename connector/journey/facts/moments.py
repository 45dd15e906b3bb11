"""Facts that only moments of truth ask for: when agreed times ran out and what came of a promise.

Instants, mostly: a moment is decided by what happened first inside its window.
"""

from sqlglot import exp

from connector.encoded_query import Context, FieldType
from connector.journey.facts.model import TASKS, Fact, Near, Rows, nearby, own
from connector.journey.measures import (
    Measured,
    Values,
    first_known,
    instant,
    number,
    working_days_between,
)
from connector.journey.model import Text

_PROMISE = "sla.type=SLA^ORsla.typeISEMPTY"
_TARGETS = {
    "response": f"sla.target=response^{_PROMISE}",
    "resolution": f"sla.target=resolution^ORsla.targetISEMPTY^{_PROMISE}",
}
_NAMES = {"response": ("to respond", "respuesta"), "resolution": ("to resolve", "resolución")}
_BROKEN = "has_breached=true^stageNOT INcancelled^ORstageISEMPTY"
_ENDED = "active=false^stageNOT INcancelled^ORstageISEMPTY"
_IDEAS = ("im_idea_core", "idea")
_ANSWERED = "fieldname=state^oldvalueIN@idea_submitted_states"

_sla = Rows("sla", TASKS, "task_sla", ("task",))
_answer = Rows("answer", _IDEAS, "sys_audit", ("documentkey",))
_renewal = Rows("agreement", ("ast_contract",), "ast_contract", ("parent",))


def _ran_out(name: str, where: str, en: str, es: str) -> Fact:
    """The tool keeps no instant of a breach: it is when the time was planned to end."""
    return _sla.earliest(name, where, first_known("planned_end_time", "end_time"), en, es)


def _of_target(target: str) -> tuple[Fact, ...]:
    en, es = _NAMES[target]
    return (
        _ran_out(
            f"{target}_breached_at",
            f"{_BROKEN}^{_TARGETS[target]}",
            f"When the agreed time {en} ran out",
            f"Cuándo venció el plazo de {es}",
        ),
        _sla.last(
            f"{target}_ended_at",
            f"{_ENDED}^{_TARGETS[target]}",
            first_known("end_time"),
            f"When the clock of the agreed time {en} stopped",
            f"Cuándo se detuvo el reloj del plazo de {es}",
        ),
    )


def _contacts_ratio() -> Measured:
    """Contacts after against those before, of which there is always one."""

    def measure(values: Values, context: Context) -> exp.Expression:
        after, before = (number(name)(values, context) for name in _CONTACTS)
        base = exp.Greatest(this=before, expressions=[exp.Literal.number(1)])
        return exp.Round(
            this=exp.Div(this=after * 1.0, expression=base), decimals=exp.Literal.number(2)
        )

    return Measured(measure, _CONTACTS)


_CONTACTS = ("golive.contacts_after", "golive.contacts_before")


def _overrun() -> Measured:
    """How much longer than promised, in percent of what was promised; negative if sooner."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        start, promised, end = (instant(values[name]) for name in _PROMISED)
        agreed = _seconds(start, promised)
        late = exp.Div(
            this=exp.paren(_seconds(promised, end) * 100.0),
            expression=exp.Nullif(this=agreed, expression=exp.Literal.number(0)),
        )
        return exp.Case(
            ifs=[exp.If(this=agreed.copy() > 0, true=exp.Round(this=late, decimals=_ONE.copy()))]
        )

    return Measured(measure, _PROMISED)


_PROMISED = ("opened_at", "estimated_delivery", "closed_at")
_ONE = exp.Literal.number(1)


def _seconds(start: exp.Expression, end: exp.Expression) -> exp.Expression:
    return exp.TimestampDiff(this=end.copy(), expression=start.copy(), unit=exp.var("SECOND"))


def _after(keys: tuple[str, ...], key: str, time: str, of: str, days: int) -> Near:
    return Near(keys, (key,), first_known(time), first_known(of), "after", days, "time")


FACTS: tuple[Fact, ...] = (
    _ran_out(
        "breached_at",
        _BROKEN,
        "When the first agreed time ran out",
        "Cuándo venció el primer plazo",
    ),
    *_of_target("response"),
    *_of_target("resolution"),
    _answer.earliest(
        "at",
        _ANSWERED,
        first_known("sys_created_on"),
        "When the idea first left the state in which it was submitted",
        "Cuándo dejó la idea por primera vez el estado en que se envió",
    ),
    own(
        "answer.days",
        FieldType.INTEGER,
        _IDEAS,
        working_days_between("opened_at", "answer.at"),
        Text(
            "Working days (Monday to Friday) until then",
            "Días laborables (de lunes a viernes) hasta entonces",
        ),
    ),
    nearby(
        "afterwards.incident_at",
        "sc_req_item",
        "incident",
        _after(("requested_for",), "caller_id", "closed_at", "opened_at", 5),
        Text(
            "When the same person opened an incident, of the 5 days after delivery",
            "Cuándo abrió la misma persona una incidencia, de los 5 días tras la entrega",
        ),
    ),
    nearby(
        "afterwards.request_at",
        "incident",
        "sc_request",
        _after(("caller_id",), "requested_for", "opened_at", "opened_at", 14),
        Text(
            "When something was requested for the same person, of the 14 days after",
            "Cuándo se solicitó algo para la misma persona, de los 14 días siguientes",
        ),
    ),
    own(
        "golive.contacts_ratio",
        FieldType.DECIMAL,
        ("change_request",),
        _contacts_ratio(),
        Text(
            "Those incidents for each one of the 14 days before",
            "Esas incidencias por cada una de los 14 días anteriores",
        ),
    ),
    own(
        "estimate.overrun_percent",
        FieldType.DECIMAL,
        ("sc_req_item",),
        _overrun(),
        Text(
            "How much longer than the estimated delivery it took, in percent; negative if sooner",
            "Cuánto más tardó que la entrega estimada, en tanto por ciento; negativo si menos",
        ),
        where="closed_atISNOTEMPTY",
    ),
    _renewal.count(
        "renewals",
        "state!=cancelled",
        "Contracts that go on from this one",
        "Contratos que continúan este",
    ),
    _renewal.earliest(
        "renewed_at",
        "state!=cancelled",
        first_known("sys_created_on"),
        "When the first of them was made",
        "Cuándo se creó el primero de ellos",
    ),
)
