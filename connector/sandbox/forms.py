"""What a page sends: fields of a form, and a file, of limited size."""

from dataclasses import dataclass, field
from email.errors import MessageError
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

from connector.sandbox.answers import Request

LARGEST = 16 * 1024 * 1024
"""Bytes of a body that a page takes; the largest update set of ours has a tenth of it."""


@dataclass(frozen=True)
class Sent:
    """The fields, and the file that was chosen, if one."""

    fields: dict[str, str] = field(default_factory=dict)
    file: bytes = b""


def sent(request: Request) -> Sent:
    """The form in a request's body; what cannot be read is an empty one."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        return _multipart(kind, request.body)
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        return Sent()
    return Sent(dict(parse_qsl(text, keep_blank_values=True)))


def _multipart(kind: str, body: bytes) -> Sent:
    """RFC 7578, read as the MIME message that it is."""
    head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1", "replace")
    try:
        message = BytesParser(policy=HTTP).parsebytes(head + body)
        parts = list(message.iter_parts()) if message.is_multipart() else []
    except (MessageError, ValueError, LookupError):
        return Sent()
    fields: dict[str, str] = {}
    file = b""
    for part in parts:
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        name = part.get_param("name", "", "content-disposition")
        if part.get_filename() is not None:
            file = data
        elif isinstance(name, str):
            fields[name] = data.decode("utf-8", "replace")
    return Sent(fields, file)
