"""Facts of approvals: who was asked and said yes, no or nothing, and how long that took.

The instant of a decision is when the approval's own content last changed: the tool keeps no better
one on the record, and our own writes do not move it.
"""

from connector.encoded_query import FieldType
from connector.journey.facts.model import EXTERNAL_UPDATE, TASKS, Fact, Rows, own
from connector.journey.measures import (
    Measured,
    first_counted,
    first_known,
    word_of,
    working_days_between,
    working_days_since,
)
from connector.journey.model import Text

_ASKED = "stateINrequested,more_info_required"
_DECIDED = "stateINapproved,rejected"
_LAPSED = "stateIN@approval_lapsed_states"
_ONE = ("sysapproval_approver",)
_PENDING_DAYS = Measured(working_days_since("sys_created_on"), ("sys_created_on",))
_DAYS_TO_DECISION = working_days_between("sys_created_on", EXTERNAL_UPDATE)
_DECIDED_AT = first_known(EXTERNAL_UPDATE)
_OUTCOME = Text(
    "rejected, pending, granted or lapsed, the first that holds; empty if nobody was asked",
    "rejected, pending, granted o lapsed, lo primero que se cumpla; vacío si no se pidió",
)
_approval = Rows("approval", TASKS, "sysapproval_approver", ("sysapproval", "document_id"))

_RECORD: tuple[Fact, ...] = (
    _approval.count(
        "total",
        "stateNOT INnot requested,not_requested",
        "Approvals that were asked for",
        "Aprobaciones que se pidieron",
    ),
    _approval.count("pending", _ASKED, "Approvals not answered yet", "Aprobaciones sin contestar"),
    _approval.count(
        "pending_by_consumer",
        f"{_ASKED}^approver.departmentISNOTEMPTY"
        "^approver.department.nameNOT LIKE@provider_department_words",
        "Approvals not answered yet by people outside the provider's departments",
        "Aprobaciones sin contestar por personas ajenas a los departamentos del proveedor",
    ),
    _approval.count("granted", "state=approved", "Approvals granted", "Aprobaciones concedidas"),
    _approval.count("rejected", "state=rejected", "Approvals refused", "Aprobaciones rechazadas"),
    _approval.count(
        "lapsed", _LAPSED, "Approvals that ended without an answer", "Aprobaciones que caducaron"
    ),
    _approval.most(
        "pending_days",
        _ASKED,
        _PENDING_DAYS,
        "Working days (Monday to Friday) that the oldest pending approval has waited",
        "Días laborables (de lunes a viernes) que lleva la aprobación pendiente más antigua",
    ),
    _approval.most(
        "days_to_decision",
        _DECIDED,
        _DAYS_TO_DECISION,
        "Working days (Monday to Friday) until the slowest answer",
        "Días laborables (de lunes a viernes) hasta la respuesta más lenta",
    ),
    _approval.earliest(
        "asked_at",
        "stateNOT INnot requested,not_requested",
        first_known("sys_created_on"),
        "When an approval was first asked for",
        "Cuándo se pidió la primera aprobación",
    ),
    _approval.earliest(
        "pending_since",
        _ASKED,
        first_known("sys_created_on"),
        "When the oldest approval that waits for an answer was asked for",
        "Cuándo se pidió la aprobación más antigua de las que siguen sin contestar",
    ),
    _approval.last(
        "decided_at",
        _DECIDED,
        _DECIDED_AT,
        "When the last answer came",
        "Cuándo llegó la última respuesta",
    ),
    own(
        "approval.outcome",
        FieldType.STRING,
        TASKS,
        first_counted(
            {
                "approval.rejected": "rejected",
                "approval.pending": "pending",
                "approval.granted": "granted",
                "approval.lapsed": "lapsed",
            }
        ),
        _OUTCOME,
    ),
)

_ROW: tuple[Fact, ...] = (
    own(
        "approval.pending_days",
        FieldType.DECIMAL,
        _ONE,
        _PENDING_DAYS,
        Text(
            "Working days (Monday to Friday) that it has waited for an answer",
            "Días laborables (de lunes a viernes) que lleva sin respuesta",
        ),
        where=_ASKED,
    ),
    own(
        "approval.days_to_decision",
        FieldType.DECIMAL,
        _ONE,
        _DAYS_TO_DECISION,
        Text(
            "Working days (Monday to Friday) until it was answered",
            "Días laborables (de lunes a viernes) hasta que se contestó",
        ),
        where=_DECIDED,
    ),
    own(
        "approval.decided_at",
        FieldType.DATETIME,
        _ONE,
        _DECIDED_AT,
        Text("When it was answered", "Cuándo se contestó"),
        where=_DECIDED,
    ),
    own(
        "approval.outcome",
        FieldType.STRING,
        _ONE,
        word_of(
            "state",
            {
                "granted": ("approved",),
                "rejected": ("rejected",),
                "pending": ("requested", "more_info_required"),
                "": ("", "not requested", "not_requested"),
            },
            "lapsed",
        ),
        Text(
            "granted, rejected, pending or lapsed; empty if nobody was asked",
            "granted, rejected, pending o lapsed; vacío si no se pidió",
        ),
    ),
)

FACTS = (*_RECORD, *_ROW)
