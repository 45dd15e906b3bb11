"""Secrets that tests use carry a mark, and conftest looks for it in all that a test left behind.

Looked for as it is and in Base64 (as `Authorization: Basic` has it). A test's own secret files
are named `*.secret` or `*-key.pem`.
"""

import base64
from collections.abc import Iterator
from pathlib import Path

MARK = "zzKeptBack7f3aZZ"
_ALLOWED = (".secret", "-key.pem")


def secret(name: str) -> str:
    """A secret that must show nowhere."""
    return f"{MARK}-{name}"


def _forms() -> Iterator[bytes]:
    yield MARK.encode()
    for ahead in range(3):  # where the mark begins within three bytes decides its letters
        coded = base64.b64encode(b"x" * ahead + MARK.encode())
        # The first and the last letters depend on what stands around the mark.
        yield coded[4 * (ahead > 0) : -4]


_FORMS = tuple(_forms())


def shows(text: bytes | str) -> bool:
    """Whether a secret can be read in it."""
    data = text.encode() if isinstance(text, str) else text
    return any(form in data for form in _FORMS)


def files_that_show(folder: Path) -> list[str]:
    """The files below a folder in whose name or content a secret can be read."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    looked_at = (p for p in files if not p.is_symlink() and not p.name.endswith(_ALLOWED))
    return [p.name for p in looked_at if shows(p.name) or shows(p.read_bytes())]
