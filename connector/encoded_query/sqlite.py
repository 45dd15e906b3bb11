"""What SQLite lacks to mean the same as DuckDB: lower case beyond ASCII, regular expressions."""

import re
import sqlite3
from functools import lru_cache


def simple_lower(text: str) -> str:
    """Lower case one character at a time, as DuckDB does (Unicode's simple mapping).

    `str.lower` differs in two places: it gives İ two characters, and Σ at a word's end its own
    form.
    """
    return text.lower() if text.isascii() else "".join(c.lower()[0] for c in text)


def _lower(value: str | float | bytes | None) -> str | float | bytes | None:
    return simple_lower(value) if isinstance(value, str) else value


@lru_cache(maxsize=32)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(r"\z", r"\Z"))  # the end of the text, in Python's spelling


def _matches(pattern: str, value: object) -> bool:
    return isinstance(value, str) and _compiled(pattern).search(value) is not None


def register_sqlite(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that the emitted SQL needs; call it once per connection.

    Both are deterministic, so an index on `lower(column)` can serve an equality of strings.
    """
    connection.create_function("lower", 1, _lower, deterministic=True)
    connection.create_function("regexp", 2, _matches, deterministic=True)
