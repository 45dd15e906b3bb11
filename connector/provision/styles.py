"""Colours of choices on lists and forms: `sys_ui_style`, a record a value. Pure.

Five colours after Okabe, Ito (2008), "Color Universal Design": told apart by who sees few colours,
and each light enough under black letters (4.5:1), since lists show a mark beside the label or the
label on the colour, by their release. The label always says it as well, so a mark alone need not.
Columns of the table: exported records, not documents.
"""

from collections.abc import Iterator, Mapping, Sequence

from connector.journey import fields
from connector.journey.engagement_fields import ENGAGEMENT_TABLE
from connector.journey.own_tables import JOURNEY_TABLE, REQUEST_TABLE
from connector.provision.model import Artefact, artefact

GOOD, STEADY, PLAIN, WATCH, BAD = "#2585C7", "#7DC3F0", "#C6CCD3", "#F2B53A", "#D55E00"

_MOMENTS = {"positive": GOOD, "neutral": PLAIN, "potential": WATCH, "negative": BAD}
_STATES = {
    "committed": GOOD,
    "connected": STEADY,
    "transactional": PLAIN,
    "at_risk": WATCH,
    "broken": BAD,
}
"""The states that say how well it is; the others say that this is not known."""

_REQUESTS = {"queued": WATCH, "done": GOOD, "failed": BAD}


def styles(holders: Sequence[str]) -> Iterator[Artefact]:
    """The colours of moments on the tables that hold our columns, and of states on our own."""
    for table in dict.fromkeys((*holders, JOURNEY_TABLE.name)):
        yield from _styles(table, fields.MOMENT, _MOMENTS)
    yield from _styles(ENGAGEMENT_TABLE.name, "u_state", _STATES)
    yield from _styles(REQUEST_TABLE.name, "u_state", _REQUESTS)


def _styles(table: str, element: str, colours: Mapping[str, str]) -> Iterator[Artefact]:
    for value, colour in colours.items():
        yield artefact(
            "sys_ui_style",
            (table, element, value),
            name=table,
            element=element,
            value=value,
            style=f"background-color: {colour}",
        )
