"""Facts: what a rule may ask about a record beyond its own columns.

A fact is an aggregate over records of another table that point to the record, or a measure of the
record's own columns. They are data here; `scope.py` turns them into SQL over the store. The table
in docs/mappings.md is generated from them.
Refuses: texts of people, anything about agents, percentages that the tool calculated earlier.
"""

from dataclasses import dataclass, replace
from typing import Literal

from connector.encoded_query import FieldType
from connector.journey.measures import (
    Measure,
    days_between,
    elapsed_percent,
    number,
    working_days_since,
)
from connector.journey.model import Text

Aggregate = Literal["count", "any", "max", "mean", "own"]
"""How the rows of a fact become one value; `own` measures the record itself."""

TASK_TABLES = ("incident", "sc_request", "sc_req_item", "sc_task")


@dataclass(frozen=True)
class Fact:
    """One fact of records of `tables`.

    With a `source`, an aggregate over its rows that match `where` (an encoded query) and whose
    first non-empty column of `links` holds the record's sys_id. Without, a `measure` of the
    record itself. `reads` are the fields that the measure needs.
    """

    name: str
    type: FieldType
    tables: tuple[str, ...]
    meaning: Text
    aggregate: Aggregate
    source: str = ""
    links: tuple[str, ...] = ()
    where: str = ""
    reads: tuple[str, ...] = ()
    measure: Measure | None = None

    @property
    def default(self) -> str:
        """The value of a record that nothing points to."""
        return {"count": "0", "any": "false"}.get(self.aggregate, "")

    @property
    def owner(self) -> str:
        """The table whose fields it reads: its source, else that of the record itself."""
        return self.source or self.tables[0]


# --- the facts ------------------------------------------------------------------------------------

_SLA = ("start_time", "planned_end_time", "end_time", "pause_time", "pause_duration", "stage")
_SURVEY = ("task_id", "trigger_id")
_RESULT = ("instance.task_id", "instance.trigger_id")
_ASKED = "stateINrequested,more_info_required"
_ANSWER = "instance.state=complete^actual_value>=0"


@dataclass(frozen=True)
class _Rows:
    """Rows of one table that point to a record: what the facts of a family have in common."""

    family: str
    tables: tuple[str, ...]
    source: str
    links: tuple[str, ...]

    def count(self, name: str, where: str, en: str, es: str) -> Fact:
        return self._fact(name, FieldType.INTEGER, "count", where, Text(en, es))

    def any(self, name: str, where: str, en: str, es: str) -> Fact:
        return self._fact(name, FieldType.BOOLEAN, "any", where, Text(en, es))

    def most(self, name: str, where: str, measured: "_Measured", en: str, es: str) -> Fact:
        fact = self._fact(name, FieldType.DECIMAL, "max", where, Text(en, es))
        return replace(fact, reads=measured.reads, measure=measured.measure)

    def mean(self, name: str, where: str, measured: "_Measured", en: str, es: str) -> Fact:
        fact = self._fact(name, FieldType.DECIMAL, "mean", where, Text(en, es))
        return replace(fact, reads=measured.reads, measure=measured.measure)

    def _fact(
        self, name: str, kind: FieldType, aggregate: Aggregate, where: str, meaning: Text
    ) -> Fact:
        return Fact(
            name=f"{self.family}.{name}",
            type=kind,
            tables=self.tables,
            meaning=meaning,
            aggregate=aggregate,
            source=self.source,
            links=self.links,
            where=where,
        )


@dataclass(frozen=True)
class _Measured:
    measure: Measure
    reads: tuple[str, ...]


_ELAPSED = _Measured(elapsed_percent, _SLA)
_PENDING_DAYS = _Measured(working_days_since("sys_created_on"), ("sys_created_on",))
_SCORE = _Measured(number("actual_value"), ("actual_value",))
_DAYS_SINCE_START = _Measured(
    days_between("caller_id.sys_created_on", "opened_at"),
    ("caller_id.sys_created_on", "opened_at"),
)

_sla = _Rows("sla", TASK_TABLES, "task_sla", ("task",))
_tasks = _Rows("tasks", ("sc_req_item",), "sc_task", ("request_item",))
_items = _Rows("items", ("sc_request",), "sc_req_item", ("request",))
_approval = _Rows("approval", TASK_TABLES, "sysapproval_approver", ("sysapproval", "document_id"))
_survey = _Rows("survey", TASK_TABLES, "asmt_assessment_instance", _SURVEY)
_scores = _Rows("survey", TASK_TABLES, "asmt_metric_result", _RESULT)
_own_scores = _Rows("survey", ("asmt_assessment_instance",), "asmt_metric_result", ("instance",))


def _own(name: str, table: str, where: str, measured: _Measured, meaning: Text) -> Fact:
    return Fact(
        name=name,
        type=FieldType.DECIMAL,
        tables=(table,),
        meaning=meaning,
        aggregate="own",
        where=where,
        reads=measured.reads,
        measure=measured.measure,
    )


FACTS: tuple[Fact, ...] = (
    _sla.count("total", "", "SLA rows of the record", "Filas de SLA del registro"),
    _sla.count("running", "active=true", "SLAs whose clock runs", "SLA cuyo plazo corre"),
    _sla.any(
        "has_breached",
        "has_breached=true",
        "Some agreed time was exceeded",
        "Se superó algún plazo acordado",
    ),
    _sla.most(
        "elapsed_percent",
        "active=true",
        _ELAPSED,
        "Largest share of an agreed time that has passed, in percent, calculated by us",
        "Mayor parte transcurrida de un plazo acordado, en tanto por ciento, calculada aquí",
    ),
    _own(
        "sla.elapsed_percent",
        "task_sla",
        "active=true",
        _ELAPSED,
        Text(
            "Share of the agreed time that has passed, in percent, calculated by us",
            "Parte transcurrida del plazo acordado, en tanto por ciento, calculada aquí",
        ),
    ),
    _tasks.count("total", "", "Catalogue tasks of the item", "Tareas de catálogo del elemento"),
    _tasks.count("open", "active=true", "Open catalogue tasks", "Tareas de catálogo abiertas"),
    _tasks.count(
        "supplier_open",
        "active=true^assignment_group.nameLIKE@supplier_group_words",
        "Open catalogue tasks of a supplier's group",
        "Tareas de catálogo abiertas de un grupo de proveedor",
    ),
    _items.count("total", "", "Items of the request", "Elementos de la solicitud"),
    _items.count("open", "active=true", "Open items of the request", "Elementos abiertos"),
    _approval.count(
        "total",
        "stateNOT INnot requested,not_requested",
        "Approvals that were asked for",
        "Aprobaciones que se pidieron",
    ),
    _approval.count("pending", _ASKED, "Approvals not answered yet", "Aprobaciones sin contestar"),
    _approval.count("granted", "state=approved", "Approvals granted", "Aprobaciones concedidas"),
    _approval.count("rejected", "state=rejected", "Approvals refused", "Aprobaciones rechazadas"),
    _approval.most(
        "pending_days",
        _ASKED,
        _PENDING_DAYS,
        "Working days (Monday to Friday) that the oldest pending approval has waited",
        "Días laborables (de lunes a viernes) que lleva la aprobación pendiente más antigua",
    ),
    _own(
        "approval.pending_days",
        "sysapproval_approver",
        _ASKED,
        _PENDING_DAYS,
        Text(
            "Working days (Monday to Friday) that it has waited for an answer",
            "Días laborables (de lunes a viernes) que lleva sin respuesta",
        ),
    ),
    _survey.count("sent", "", "Surveys about the record", "Encuestas sobre el registro"),
    _survey.any(
        "answered", "state=complete", "A survey was answered", "Se contestó alguna encuesta"
    ),
    _scores.mean(
        "score",
        _ANSWER,
        _SCORE,
        "Mean of the answered survey questions, on the survey's own scale",
        "Media de las preguntas contestadas, en la escala de la propia encuesta",
    ),
    _own_scores.mean(
        "score",
        _ANSWER,
        _SCORE,
        "Mean of its answered questions, on the survey's own scale",
        "Media de sus preguntas contestadas, en la escala de la propia encuesta",
    ),
    _own(
        "caller.days_since_start",
        "incident",
        "",
        _DAYS_SINCE_START,
        Text(
            "Days from the caller's first appearance in the tool to the opening of the incident",
            "Días desde que el solicitante aparece en la herramienta hasta la apertura",
        ),
    ),
)

_BY_KEY = {(table, fact.name): fact for fact in FACTS for table in fact.tables}
FAMILIES = frozenset(fact.name.split(".")[0] for fact in FACTS)
"""First words of fact names: `tasks.open` can only be a fact."""


def find_fact(table: str, name: str) -> Fact | None:
    """The fact of that name for records of `table`, None if the name is a column or dot-walk."""
    return _BY_KEY.get((table, name))


def facts_of(table: str) -> list[str]:
    """The names of the facts that rules of `table` may use."""
    return sorted(name for owner, name in _BY_KEY if owner == table)


def facts_markdown() -> str:
    """The table of facts for docs/mappings.md."""
    lines = ["| Fact | Type | Tables | What it says |", "|---|---|---|---|"]
    for fact in sorted(FACTS, key=lambda f: (f.name, f.tables)):
        tables = ", ".join(f"`{table}`" for table in fact.tables)
        lines.append(f"| `{fact.name}` | {fact.type} | {tables} | {fact.meaning.en} |")
    return "\n".join(lines) + "\n"
