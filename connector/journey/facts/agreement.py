"""Facts of agreements: where today stands between a contract's dates."""

from connector.encoded_query import FieldType
from connector.journey.facts.model import Fact, own
from connector.journey.measures import Measured, days_until
from connector.journey.model import Text


def _days(name: str, measured: Measured, en: str, es: str) -> Fact:
    return own(f"agreement.{name}", FieldType.INTEGER, ("ast_contract",), measured, Text(en, es))


FACTS: tuple[Fact, ...] = (
    _days(
        "days_since_start",
        days_until("starts", -1),
        "Calendar days since the contract began; negative before",
        "Días naturales desde el inicio del contrato; negativo antes",
    ),
    _days(
        "days_to_end",
        days_until("ends"),
        "Calendar days until the contract ends; negative after",
        "Días naturales hasta el fin del contrato; negativo después",
    ),
    _days(
        "days_to_renewal",
        days_until("renewal_date"),
        "Calendar days until the date of renewal; negative after",
        "Días naturales hasta la fecha de renovación; negativo después",
    ),
)
