"""What a moment of truth reads of a record."""

from connector.journey.conditions import Sets, parse_condition
from connector.journey.moment_model import Moment


def fields_of_moment(moment: Moment, sets: Sets) -> list[str]:
    """Every column, dot-walk and fact of its conditions and instants, and those worth showing.

    Nothing for a moment that is off.
    """
    if moment.off:
        return []
    read = [name for when in moment.conditions for name in parse_condition(when, sets).fields]
    return sorted({*read, *moment.instants, *moment.show})
