"""How a monthly report ends: at the ring.

Engagement is born in the second step; it is established when a person puts on the ring. So the last
line asks the reader.
"""

from collections.abc import Iterator

from connector.journey.engagement_words import ring_of
from connector.messages import _, _n
from connector.report.chapters.relations import Relationships
from connector.report.report import Report
from connector.report.wording import number


def closing(report: Report) -> Iterator[str]:
    """How many relationships wear the ring, and the question. Nothing where there are none."""
    found = report.parts.get("map")
    if not isinstance(found, Relationships) or not found.rows:
        return
    rings = [ring_of(row) for row in found.rows]
    yield _n(
        "Of {n} relationship: with the ring on {confirmed}, proposed and waiting for a person"
        " {proposed}, without {none}.",
        "Of {n} relationships: with the ring on {confirmed}, proposed and waiting for a person"
        " {proposed}, without {none}.",
        len(rings),
    ).format(
        n=number(len(rings)),
        confirmed=number(rings.count("confirmed")),
        proposed=number(rings.count("proposed")),
        none=number(rings.count("none")),
    )
    yield _("Would you put on the ring?")
