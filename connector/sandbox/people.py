"""Who looks at the pages: people log in with the sandbox's one password, in memory only.

A page of another site must not act through the browser of who is logged in: the cookie is
SameSite=Strict, every form carries the session's own word, and a foreign Origin is refused.
"""

import secrets
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from connector.sandbox.answers import ApiError, Request
from connector.sandbox.instance import Instance, Session

COOKIE = "travesia_sandbox_person"
WORD = "sysparm_ck"
"""The form field of a session's word; the platform calls its own so."""


@dataclass(frozen=True)
class Person:
    """Who looks: `user` is '' for somebody who has not logged in; `word` goes into forms."""

    user: str = ""
    word: str = ""


NOBODY = Person()


def looking(instance: Instance, request: Request) -> Person:
    """The person behind a request."""
    session = instance.sessions.get(_token(request))
    return Person(session.user, session.word) if session else NOBODY


def _token(request: Request) -> str:
    try:
        cookie = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie else ""


def log_in(instance: Instance, user: str, password: str) -> str:
    """The cookie of a new session, '' where this is not the way in.

    Whoever is an active user may come in, and everybody has the same password.
    """
    is_right = secrets.compare_digest(password.encode(), instance.password.encode())
    rows = instance.database.engine.rows(
        "SELECT 1 FROM sys_user WHERE user_name = ? AND active != 'false'", (user,)
    )
    if not user or not is_right or not rows:
        return ""
    token = secrets.token_hex(16)
    instance.sessions[token] = Session(user, secrets.token_hex(16))
    return f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict"


def log_out(instance: Instance, request: Request) -> str:
    """The cookie that ends the session."""
    instance.sessions.pop(_token(request), None)
    return f"{COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict"


def check_origin(request: Request) -> None:
    """Raises ApiError 403 for a form that stands on a page of somebody else."""
    origin = request.headers.get("origin", "")
    if origin and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise ApiError(403, "Operation Failed", "this form is not on a page of the sandbox")


def check_word(person: Person, given: str) -> None:
    """Raises ApiError 403 for a form that was not made for this session."""
    if not person.word or not secrets.compare_digest(person.word.encode(), given.encode()):
        raise ApiError(403, "Operation Failed", "this form belongs to another session")
