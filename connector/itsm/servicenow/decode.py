"""Bodies of the tool's answers, read with msgspec straight into plain dicts of strings.

An answer is good only if its JSON is whole, has a `result` and no `error` at its top: a 200 may
carry a cancelled query (servicenow-api.md §1.6). Whatever is wrong raises `BadBody`, never msgspec.
"""

from typing import Any

import msgspec

from connector.itsm.base import Record

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


def decode_records(body: bytes) -> list[Record]:
    """A list answer → records of strings. Raises BadBody."""
    try:
        answer = _records_decoder.decode(body)
    except msgspec.DecodeError:
        return _loose_records(decode_result(body))
    if answer.error is not msgspec.UNSET:
        raise _error_in(body)
    if isinstance(answer.result, msgspec.UnsetType):
        raise BadBody("no result")
    return answer.result


def decode_record(body: bytes) -> Record:
    """The answer to a write or to a read of one record → a record of strings. Raises BadBody."""
    return _text_record(decode_result(body))


def decode_result(body: bytes) -> Any:
    """Whatever stands under `result`, as it came. Raises BadBody."""
    try:
        answer = _loose_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unreadable(body) from None
    if answer.error is not msgspec.UNSET:
        raise _error_in(body)
    if answer.result is msgspec.UNSET:
        raise BadBody("no result")
    return answer.result


def decode_object(body: bytes) -> dict[str, Any]:
    """A JSON object without the `result` frame (token and batch answers). Raises BadBody."""
    try:
        answer = _any_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unreadable(body) from None
    if not isinstance(answer, dict):
        raise BadBody("no object")
    if "error" in answer:
        raise _error_in(body)
    return answer


def error_detail(body: bytes) -> str:
    """The tool's own sentence in an error body, or "" (bodies may be HTML, or anything)."""
    try:
        answer = _any_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        said = dict.fromkeys(str(error[k]) for k in ("message", "detail") if error.get(k))
        return ": ".join(said)
    if isinstance(error, str) and isinstance(answer, dict):
        return str(answer.get("error_description") or error)  # a token answer (RFC 6749 §5.2)
    return ""


def encode(value: Any) -> bytes:
    """A JSON body."""
    return msgspec.json.encode(value)


def text(value: Any) -> str:
    """A value as the Table API writes it: null is empty, a reference is its value, true is `true`.

    Some columns arrive as objects whatever was asked, where the instance is patched (§1.5).
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return text(value.get("value", ""))
    return str(value)


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
