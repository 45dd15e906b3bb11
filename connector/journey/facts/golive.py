"""Facts of go-lives: what was put into use on a service, and what people called about then.

A go-live is a change that closed well and whose words or category are in the go-live sets. It
belongs to the service of the record: its business service, else its configuration item.
"""

from connector.encoded_query import FieldType
from connector.journey.facts.model import Fact, Near, holds, nearby, own
from connector.journey.measures import days_between, first_known
from connector.journey.model import Text

GOLIVE = (
    "state=3^close_codeINsuccessful,successful_issues"
    "^short_descriptionLIKE@golive_words^ORcategoryIN@golive_categories"
)
_SERVICE = ("business_service", "cmdb_ci")
_OPENED, _CLOSED = first_known("opened_at"), first_known("closed_at")
_REACH_DAYS = 90
_EARLY_LIFE_DAYS = 14
_CONTACTS = ("incident", "sn_customerservice_case")


def _since(table: str) -> tuple[Fact, ...]:
    before = Near(_SERVICE, _SERVICE, _OPENED, _CLOSED, "before", _REACH_DAYS, "time")
    return (
        nearby(
            "golive.last_at",
            table,
            "change_request",
            before,
            Text(
                "When the last go-live on its service closed, of the 90 days before it was opened",
                "Cuándo se cerró la última puesta en marcha en su servicio, de los 90 días previos",
            ),
            where=GOLIVE,
        ),
        own(
            "golive.days_since",
            FieldType.INTEGER,
            (table,),
            days_between("golive.last_at", "opened_at"),
            Text(
                "Days from that go-live to the opening",
                "Días desde esa puesta en marcha hasta la apertura",
            ),
        ),
    )


def _contacts(side: str, en: str, es: str) -> Fact:
    near = Near(
        _SERVICE,
        _SERVICE,
        _CLOSED,
        _OPENED,
        "after" if side == "after" else "before",
        _EARLY_LIFE_DAYS,
    )
    return nearby(f"golive.contacts_{side}", "change_request", "incident", near, Text(en, es))


FACTS: tuple[Fact, ...] = (
    *(fact for table in _CONTACTS for fact in _since(table)),
    holds(
        "golive.is_golive",
        ("change_request",),
        GOLIVE,
        "A change that put something into use, and closed well",
        "Un cambio que puso algo en marcha y se cerró bien",
    ),
    _contacts(
        "after",
        "Incidents on the change's service opened in the 14 days after it closed",
        "Incidencias en el servicio del cambio abiertas en los 14 días posteriores a su cierre",
    ),
    _contacts(
        "before",
        "Incidents on the change's service opened in the 14 days before it closed",
        "Incidencias en el servicio del cambio abiertas en los 14 días anteriores a su cierre",
    ),
)
