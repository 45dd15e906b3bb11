"""Facts of what the same person did soon after: the test of self-help, hand-over and enquiries."""

from typing import Literal

from connector.journey.facts.model import Fact, Near, nearby
from connector.journey.measures import Measured, first_known
from connector.journey.model import Text

_OPENED, _CLOSED = first_known("opened_at"), first_known("closed_at")
_VIEWED = first_known("sys_created_on")


def _after(
    keys: tuple[str, ...],
    key: str,
    time: Measured,
    days: int,
    result: Literal["count", "any"] = "count",
) -> Near:
    return Near(keys, (key,), time, _OPENED, "after", days, result)


FACTS: tuple[Fact, ...] = (
    nearby(
        "afterwards.ticket_in_24_hours",
        "kb_use",
        "incident",
        _after(("user",), "caller_id", _VIEWED, 1, "any"),
        Text(
            "The reader opened an incident within 24 hours: the article did not help",
            "Quien lo leyó abrió una incidencia en menos de 24 horas: el artículo no bastó",
        ),
    ),
    nearby(
        "afterwards.requests_in_14_days",
        "kb_use",
        "sc_request",
        _after(("user",), "requested_for", _VIEWED, 14),
        Text(
            "Requests for the reader in the 14 days after",
            "Solicitudes para quien lo leyó en los 14 días siguientes",
        ),
    ),
    nearby(
        "afterwards.requests_in_14_days",
        "interaction",
        "sc_request",
        _after(("opened_for",), "requested_for", _OPENED, 14),
        Text(
            "Requests for the same person in the 14 days after",
            "Solicitudes para la misma persona en los 14 días siguientes",
        ),
    ),
    nearby(
        "afterwards.incidents_in_5_days",
        "sc_req_item",
        "incident",
        _after(("requested_for",), "caller_id", _CLOSED, 5),
        Text(
            "Incidents of the same person in the 5 days after delivery",
            "Incidencias de la misma persona en los 5 días posteriores a la entrega",
        ),
    ),
)
