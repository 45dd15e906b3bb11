"""Bodies of the tool's answers, read with msgspec straight into plain dicts of strings (or rows).

An answer is good only if its JSON is whole, has a `result` and no `error` at its top: a 200 may
carry a cancelled query (servicenow-api.md §1.6). Whatever is wrong raises `BadBody`, never msgspec.
Text that is no Unicode (an invalid UTF-8 byte, half a surrogate pair) spoils its character only:
one broken record must not stop every run.
"""

import codecs
import re
from contextlib import suppress
from typing import Any, TypeVar, cast

import msgspec

from connector import log
from connector.itsm.base import Record

_log = log.get("servicenow")

QUOTA_PHRASE = "Transaction cancelled"
"""What the platform says when it stops a query that takes too long (§1.6)."""


class BadBody(Exception):
    """The body is no answer; `detail` is the tool's own sentence where there is one."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason)


class _Records(msgspec.Struct):
    result: list[dict[str, str]] | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Loose(msgspec.Struct):
    result: Any = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_records_decoder = msgspec.json.Decoder(_Records)
_loose_decoder = msgspec.json.Decoder(_Loose)
_any_decoder = msgspec.json.Decoder()

_T = TypeVar("_T")
_MOST_DIGITS = 15
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on a body: texts and nesting fail with Python's own errors."""

_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole pair
    r"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|.)",  # any other, so that the u of an escaped backslash before a `u` starts nothing
    re.DOTALL,
)


def decode_records(body: bytes) -> list[Record]:
    """A list answer → records of strings. Raises BadBody."""
    try:
        answer = _records_decoder.decode(body)
    except _UNREADABLE:
        return _loose_records(decode_result(body))
    return cast("list[Record]", _result_of(answer, body))


def decode_rows(body: bytes, decoder: msgspec.json.Decoder[Any]) -> list[Any]:
    """A list answer by a decoder of frames like `_Records`, whose rows are Structs. Raises BadBody.

    Values that are no strings are made such, as in `decode_records`.
    """
    try:
        answer = decoder.decode(body)
    except _UNREADABLE:
        loose = {"result": _loose_records(decode_result(body))}
        return cast("list[Any]", msgspec.convert(loose, decoder.type).result)
    return cast("list[Any]", _result_of(answer, body))


def _result_of(answer: Any, body: bytes) -> Any:
    if answer.error is not msgspec.UNSET:
        raise _error_in(body)
    if answer.result is msgspec.UNSET:
        raise BadBody("no result")
    return answer.result


def decode_record(body: bytes) -> Record:
    """The answer to a write or to a read of one record → a record of strings. Raises BadBody."""
    return _text_record(decode_result(body))


def decode_result(body: bytes) -> Any:
    """Whatever stands under `result`, as it came. Raises BadBody."""
    try:
        answer = _decode(_loose_decoder, body)
    except _UNREADABLE:
        raise _unreadable(body) from None
    return _result_of(answer, body)


def decode_object(body: bytes) -> dict[str, Any]:
    """A JSON object without the `result` frame (token and batch answers). Raises BadBody."""
    try:
        answer = _decode(_any_decoder, body)
    except _UNREADABLE:
        raise _unreadable(body) from None
    if not isinstance(answer, dict):
        raise BadBody("no object")
    if "error" in answer:
        raise _error_in(body)
    return answer


def error_detail(body: bytes) -> str:
    """The tool's own sentence in an error body, or "" (bodies may be HTML, or anything)."""
    try:
        answer = _decode(_any_decoder, body)
    except _UNREADABLE:
        return ""
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        said = dict.fromkeys(str(error[k]) for k in ("message", "detail") if error.get(k))
        return printable(": ".join(said))
    if isinstance(error, str) and isinstance(answer, dict):
        return printable(
            str(answer.get("error_description") or error)
        )  # a token answer (RFC 6749 §5.2)
    return ""


def encode(value: Any) -> bytes:
    """A JSON body."""
    return msgspec.json.encode(value)


def text(value: Any) -> str:
    """A value as the Table API writes it: null is empty, a reference is its value, true is `true`.

    Some columns arrive as objects whatever was asked, where the instance is patched (§1.5).
    """
    while isinstance(value, dict):
        value = value.get("value", "")
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def whole_number(text: str) -> int | None:
    """A count that the instance wrote out; None where it is none, or beyond all belief."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def printable(text: str) -> str:
    """Words of the instance on their way to a terminal or a log, without what could steer it."""
    kept = "".join(char if char.isprintable() or char in "\n\t" else " " for char in text)
    return kept.strip()


def as_utf8(body: bytes, charset: str) -> bytes:
    """The body as msgspec reads it: without a byte order mark, and from another charset if said.

    The platform writes UTF-8 always; what stands between may not. Unknown charsets change nothing.
    """
    if charset and charset.lower().replace("_", "-") not in ("utf-8", "utf8", "us-ascii"):
        with suppress(LookupError, UnicodeError):
            body = body.decode(charset).encode()
    return body.removeprefix(codecs.BOM_UTF8)


def _decode(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    """Decode; where only characters are broken, once more without them. Raises `_UNREADABLE`."""
    try:
        return decoder.decode(body)
    except _UNREADABLE:
        mended = _mended(body)
        if mended == body:
            raise
    answer = decoder.decode(mended)
    _log.warning("broken characters in an answer were replaced", size=len(body))
    return answer


def _mended(body: bytes) -> bytes:
    """The body with U+FFFD for every invalid UTF-8 sequence and every half of a surrogate pair."""
    return _ESCAPE.sub(_whole, body.decode("utf-8", errors="replace")).encode()


def _whole(escape: re.Match[str]) -> str:
    return "\\ufffd" if escape["half"] else escape[0]


def _text_record(record: Any) -> Record:
    if not isinstance(record, dict):
        raise BadBody("no record")
    return {key: text(value) for key, value in record.items()}


def _loose_records(result: Any) -> list[Record]:
    if not isinstance(result, list):
        raise BadBody("no list")
    return [_text_record(record) for record in result]


def _error_in(body: bytes) -> BadBody:
    return BadBody("error", error_detail(body))


def _unreadable(body: bytes) -> BadBody:
    return BadBody("cut", QUOTA_PHRASE if QUOTA_PHRASE.encode() in body else "")
