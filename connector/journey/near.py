"""Near misses: what somebody who mistyped a name probably meant."""

import difflib
from collections.abc import Iterable

from connector.messages import _


def hint(name: str, known: Iterable[str]) -> str:
    """`; did you mean X?` for the nearest known name, else "" (to stand at a sentence's end)."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return _("; did you mean {near}?").format(near=near[0]) if near else ""
