"""The rows of a page: values straight from the body into slots, a small class a column list.

A table is read in pages of thousands of rows that are looked at once and handed on: as dictionaries
they would take half as long again, and more memory beside their values. To everybody else a row is
a Mapping of strings; a column that the instance left out (an ACL) is missing from it.
"""

import types
from abc import ABCMeta
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, ClassVar, cast

import msgspec

from connector.itsm.servicenow.decode import decode_rows


class _RowType(msgspec.StructMeta, ABCMeta):
    """A Struct that is a Mapping as well."""


class Row(Mapping[str, str], msgspec.Struct, metaclass=_RowType, gc=False, eq=False):
    """One row of a list. Made by `shape_of` only; holds strings, so the collector need not look."""

    _slots: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def getter(cls, *columns: str) -> Callable[["Row"], Any]:
        """What takes these columns out of many rows fast; UNSET where a row lacks one."""
        return attrgetter(*(cls._slots[column] for column in columns))

    def __getitem__(self, column: str) -> str:
        value = getattr(self, self._slots[column])
        if value is msgspec.UNSET:
            raise KeyError(column)
        return cast("str", value)

    def __iter__(self) -> Iterator[str]:
        at = self._slots.items()
        return (column for column, slot in at if getattr(self, slot) is not msgspec.UNSET)

    def __len__(self) -> int:
        return sum(1 for _column in self)


@dataclass(frozen=True)
class Shape:
    """How the rows of one column list are read."""

    decode: Callable[[bytes], list[Row]]
    """A list answer → its rows. Raises BadBody."""
    _slots: Mapping[str, str]

    def column(self, rows: Sequence[Row], name: str) -> list[str]:
        """One column of all rows, "" where a row lacks it."""
        values = list(map(attrgetter(self._slots[name]), rows))
        if msgspec.UNSET in values:
            return ["" if value is msgspec.UNSET else value for value in values]
        return values


@lru_cache(maxsize=128)
def shape_of(columns: tuple[str, ...]) -> Shape:
    """The shape of rows with these columns (each once; whatever else comes is left out)."""
    slots = {column: f"c{n}" for n, column in enumerate(columns)}
    decoder = msgspec.json.Decoder(_answer_type(_row_type(slots)))
    return Shape(lambda body: decode_rows(body, decoder), slots)


def _row_type(slots: Mapping[str, str]) -> type[Row]:
    def fill(body: dict[str, Any]) -> None:
        # Slots have names of their own: a column may be called `items`, or `caller_id.name`.
        body["__annotations__"] = dict.fromkeys(slots.values(), str | msgspec.UnsetType)
        body.update(dict.fromkeys(slots.values(), msgspec.UNSET), _slots=slots)

    names = {slot: column for column, slot in slots.items()}
    options = {"rename": names, "gc": False, "eq": False}
    return cast("type[Row]", types.new_class("ListRow", (Row,), options, fill))


def _answer_type(row: type[Row]) -> type[msgspec.Struct]:
    unset = msgspec.UNSET
    kind = list[row] | msgspec.UnsetType  # type: ignore[valid-type]  # made a line ago
    return msgspec.defstruct(
        "RowsAnswer",
        [("result", kind, unset), ("error", msgspec.Raw | msgspec.UnsetType, unset)],
    )
