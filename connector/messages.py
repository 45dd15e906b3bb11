"""The one message catalogue: every sentence a user reads, in English and Spanish.

English is the key, `locale/es.po` holds the Spanish. Read by Babel at run time, so there is nothing
to compile. Texts with values are formatted after translation: `_("{n} records").format(n=3)`.
"""

import os
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


@cache
def _catalogue(language: str) -> dict[str, str]:
    path = files("connector") / "locale" / f"{language}.po"
    with path.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file) if m.id and m.string}


def translate(text: str, language: str) -> str:
    """`text` (English) in `language`; the English itself where the catalogue has none."""
    return text if language == "en" else _catalogue(language).get(text, text)


def _(text: str) -> str:
    """`text` in the reader's language."""
    return translate(text, current_language())
