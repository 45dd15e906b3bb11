"""The one message catalogue: every sentence a user reads, in English and Spanish.

English is the key, `locale/es.po` holds the Spanish. Read by Babel at run time, so there is nothing
to compile. Texts with values are formatted after translation: `_("{n} records").format(n=3)`.
Refuses nothing: a sentence without Spanish is said in English, and the tests find it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files

from babel.messages.pofile import read_po

LANGUAGES = ("en", "es")
"""The languages in which every user-facing text exists."""


def language_of(environment: dict[str, str] | os._Environ[str]) -> str:
    """The reader's language from the environment: `TRAVESIA_LANG`, else the POSIX locale order.

    Source of the order: POSIX.1-2017 §8.2 (LC_ALL, then LC_MESSAGES, then LANG).
    """
    for name in ("TRAVESIA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            return value[:2].lower() if value[:2].lower() in LANGUAGES else "en"
    return "en"


_language: ContextVar[str | None] = ContextVar("language", default=None)


def use_language(language: str) -> None:
    """From here on `_` answers in this language (`en` or `es`)."""
    _language.set(language)


def current_language() -> str:
    """The language `_` answers in."""
    return _language.get() or language_of(os.environ)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Inside the block `_` answers in this language: a report in another one than the reader's."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def mark(text: str) -> str:
    """`text` as it is, found by the extraction: for texts kept as data and translated when said."""
    return text


@cache
def _catalogue(language: str) -> dict[str | tuple[str, str], tuple[str, ...]]:
    """Message → its forms (one, or singular and plural)."""
    path = files("connector") / "locale" / f"{language}.po"
    with path.open("rb") as file:
        entries = [(m.id, m.string) for m in read_po(file) if m.id and m.string]
    return {
        (id_ if isinstance(id_, str) else (id_[0], id_[1])): (
            (string,) if isinstance(string, str) else tuple(string)
        )
        for id_, string in entries
    }


def translate(text: str, language: str) -> str:
    """`text` (English) in `language`; the English itself where the catalogue has none."""
    return text if language == "en" else _catalogue(language).get(text, (text,))[0]


def _(text: str) -> str:
    """`text` in the reader's language."""
    return translate(text, current_language())


def _n(singular: str, plural: str, n: int) -> str:
    """The form for `n` in the reader's language; both of our languages say "one" only for 1."""
    language = current_language()
    forms = (singular, plural)
    if language != "en":
        forms = _catalogue(language).get(forms, forms)  # type: ignore[assignment]  # always a pair
    return forms[0] if n == 1 else forms[1]
