"""The tree of an encoded query, the column types, and the one error of this package."""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from sqlglot import exp

from connector.errors import ConnectorError
from connector.messages import _


class FieldType(StrEnum):
    """How a column compares. Every stored value is text; the type says how to read it."""

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    DATE = "date"
    REFERENCE = "reference"
    DURATION = "duration"
    JOURNAL = "journal"


# sys_dictionary.internal_type → how it compares; everything else is text.
_INTERNAL_TYPES = {
    "longint": FieldType.INTEGER,
    "long": FieldType.INTEGER,
    "order_index": FieldType.INTEGER,
    "float": FieldType.DECIMAL,
    "percent_complete": FieldType.DECIMAL,
    "glide_date_time": FieldType.DATETIME,
    "due_date": FieldType.DATETIME,
    "glide_date": FieldType.DATE,
    "glide_duration": FieldType.DURATION,
    "timer": FieldType.DURATION,
    "GUID": FieldType.REFERENCE,
    "document_id": FieldType.REFERENCE,
    "journal_input": FieldType.JOURNAL,
    "journal_list": FieldType.JOURNAL,
} | {kind.value: kind for kind in FieldType}


def field_type(internal_type: str) -> FieldType:
    """The type of a column from its `sys_dictionary.internal_type`; an unknown one is text."""
    return _INTERNAL_TYPES.get(internal_type, FieldType.STRING)


class EncodedQueryError(ConnectorError):
    """An encoded query that cannot be honoured; `position` counts characters from 0."""

    exit_code = 2

    def __init__(self, text: str, position: int, reason: str) -> None:
        self.text = text
        self.position = position
        self.reason = reason
        super().__init__(
            _("Encoded query, position {position}: {reason}").format(
                position=position, reason=reason
            )
        )


FIELD_OPERATORS = {
    "SAMEAS": "=",
    "NSAMEAS": "!=",
    "GT_FIELD": ">",
    "LT_FIELD": "<",
    "GT_OR_EQUALS_FIELD": ">=",
    "LT_OR_EQUALS_FIELD": "<=",
}
"""Operators whose value is another column, and the comparison each stands for."""


@dataclass(frozen=True)
class Condition:
    """`field operator value`; the operator is canonical, the value unescaped."""

    field: str
    operator: str
    value: str
    position: int


@dataclass(frozen=True)
class Order:
    """One ORDERBY or ORDERBYDESC."""

    field: str
    descending: bool
    position: int = dataclasses.field(default=0, compare=False)


Branch: TypeAlias = tuple[tuple[Condition, ...], ...]
"""AND of ORs: every group must hold, one condition of a group is enough."""


@dataclass(frozen=True)
class Query:
    """A parsed query: any branch is enough; `text` is as it was written."""

    branches: tuple[Branch, ...]
    order: tuple[Order, ...]
    text: str

    @property
    def conditions(self) -> Iterator[Condition]:
        """Every condition, in the order written."""
        return (condition for branch in self.branches for group in branch for condition in group)

    @property
    def fields(self) -> frozenset[str]:
        """Every column or dot-walk that the conditions read (not those of the order)."""
        read = {condition.field for condition in self.conditions}
        return frozenset(read) | {
            condition.value
            for condition in self.conditions
            if condition.operator in FIELD_OPERATORS
        }


@dataclass(frozen=True)
class Column:
    """Where a field's stored text is in SQL, and how it compares."""

    expression: exp.Expression
    type: FieldType


@dataclass(frozen=True)
class Context:
    """What a relative date or `gs.getUserID()` depends on; `now` is an aware instant."""

    now: datetime
    time_zone: str = "UTC"
    user_id: str = ""


Resolver: TypeAlias = Callable[[str], Column]
"""Field name → column; raises KeyError for an unknown field."""
