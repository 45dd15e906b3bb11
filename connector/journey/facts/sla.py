"""Facts of SLAs: what was agreed about a record, and how it stands.

`has_breached` and `active` decide, never the stage alone nor the tool's own percentages. A promise
to the consumer is an SLA whose definition says `type=SLA` or nothing; an OLA is none. A definition
without a target counts for the resolution. What was cancelled was no longer promised: it is neither
kept nor broken, even where it had already run out.
"""

from dataclasses import replace

from connector.encoded_query import FieldType
from connector.journey.facts.model import TASKS, Fact, Rows, holds, own
from connector.journey.measures import Measured, elapsed_percent, spare_of
from connector.journey.model import Text

_CLOCK = ("start_time", "planned_end_time", "end_time", "pause_time", "pause_duration", "stage")
_ELAPSED = Measured(elapsed_percent, _CLOCK)
_SPARE = spare_of(_ELAPSED)
_PROMISE = "sla.type=SLA^ORsla.typeISEMPTY"
_RESPONSE = f"sla.target=response^{_PROMISE}"
_RESOLUTION = f"sla.target=resolution^ORsla.targetISEMPTY^{_PROMISE}"
_ENDED = "active=false^stageNOT INcancelled^ORstageISEMPTY"
_KEPT = f"{_ENDED}^has_breached!=true"
_BROKEN = "has_breached=true^stageNOT INcancelled^ORstageISEMPTY"

_sla = Rows("sla", TASKS, "task_sla", ("task",))

_RECORD: tuple[Fact, ...] = (
    _sla.count("total", "", "SLA rows of the record", "Filas de SLA del registro"),
    _sla.count("running", "active=true", "SLAs whose clock runs", "SLA cuyo plazo corre"),
    _sla.any(
        "has_breached", _BROKEN, "Some agreed time was exceeded", "Se superó algún plazo acordado"
    ),
    _sla.count(
        "breached", _BROKEN, "Agreed times that were exceeded", "Plazos acordados que se superaron"
    ),
    _sla.count(
        "met",
        _KEPT,
        "SLAs that ended inside the agreed time",
        "SLA que terminaron dentro del plazo acordado",
    ),
    replace(
        holds(
            "sla.is_unknown",
            TASKS,
            "sla.total=0",
            "Nothing was agreed about the record, or nothing is known of it",
            "No consta ningún SLA del registro",
        ),
        of_nothing="true",
    ),
    _sla.most(
        "elapsed_percent",
        "active=true",
        _ELAPSED,
        "Largest share of an agreed time that has passed, in percent, calculated by us",
        "Mayor parte transcurrida de un plazo acordado, en tanto por ciento, calculada aquí",
    ),
    _sla.any(
        "response_breached",
        f"{_BROKEN}^{_RESPONSE}",
        "The agreed time to respond was exceeded",
        "Se superó el plazo de respuesta",
    ),
    _sla.any(
        "response_met",
        f"{_KEPT}^{_RESPONSE}",
        "An answer came inside the agreed time to respond",
        "Se respondió dentro del plazo",
    ),
    _sla.any(
        "resolution_breached",
        f"{_BROKEN}^{_RESOLUTION}",
        "The agreed time to resolve was exceeded",
        "Se superó el plazo de resolución",
    ),
    _sla.any(
        "resolution_met",
        f"{_KEPT}^{_RESOLUTION}",
        "A resolution came inside the agreed time",
        "Se resolvió dentro del plazo",
    ),
    _sla.least(
        "response_spare_percent",
        f"{_ENDED}^{_RESPONSE}",
        _SPARE,
        "Time to spare when the response SLA ended, in percent of the agreed; negative if late",
        "Margen al terminar el SLA de respuesta, en % del plazo; negativo con retraso",
    ),
    _sla.least(
        "resolution_spare_percent",
        f"{_ENDED}^{_RESOLUTION}",
        _SPARE,
        "Time to spare when the resolution SLA ended, in percent of the agreed; negative if late",
        "Margen al terminar el SLA de resolución, en % del plazo; negativo con retraso",
    ),
)

_ROW: tuple[Fact, ...] = (
    own(
        "sla.elapsed_percent",
        FieldType.DECIMAL,
        ("task_sla",),
        _ELAPSED,
        Text(
            "Share of the agreed time that has passed, in percent, calculated by us",
            "Parte transcurrida del plazo acordado, en tanto por ciento, calculada aquí",
        ),
        where="active=true",
    ),
    own(
        "sla.spare_percent",
        FieldType.DECIMAL,
        ("task_sla",),
        _SPARE,
        Text(
            "Time to spare when it ended, in percent of the agreed time; negative if late",
            "Margen al terminar, en tanto por ciento del plazo; negativo con retraso",
        ),
        where=_ENDED,
    ),
)

FACTS = (*_RECORD, *_ROW)
