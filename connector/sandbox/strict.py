"""Bodies of the sandbox's own endpoints, read strictly: one sentence for whatever is wrong.

Refuses unknown keys with a near miss, wrong types with their place.
"""

import difflib
import re
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from connector.sandbox.answers import ApiError

T = TypeVar("T")

_UNKNOWN = re.compile(r"unknown field `([^`]*)`")


def refused(sentence: str) -> ApiError:
    """400 with that sentence."""
    return ApiError(400, "Invalid request", sentence)


def near(name: str, known: Iterable[str]) -> str:
    """`; did you mean X?` for the nearest known name, else the list of what is known."""
    names = sorted(set(known) - {name})
    found = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {found[0]}?" if found else f"; known: {', '.join(names)}"


def decoded(body: bytes) -> object:
    """The JSON in a body. Raises ApiError 400."""
    try:
        found: object = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise refused(f"the body is no JSON: {error}") from None
    return found


def converted(value: object, kind: type[T], where: str, known: Iterable[str]) -> T:
    """`value` as a `kind`; `known` are the keys for near misses. Raises ApiError 400."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if unknown := _UNKNOWN.search(str(error)):
            raise refused(f"{where}: unknown key {unknown[1]}{near(unknown[1], known)}") from None
        raise refused(f"{where}: {error}") from None
