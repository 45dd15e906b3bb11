"""The Batch API: items run one after another through the same handlers, in one transaction.

One failing item does not stop the rest; its partial work cannot exist, because every write of a
handler is a savepoint of its own. Bodies travel as base64.
"""

import base64
import binascii
import time
from collections.abc import Callable

import msgspec

from connector.sandbox.answers import Answer, ApiError, Request, encode, unreadable_body
from connector.sandbox.instance import Instance


class _Header(msgspec.Struct):
    name: str
    value: str = ""


class _Item(msgspec.Struct):
    id: str | int
    method: str
    url: str
    headers: list[_Header] = []
    body: str = ""
    exclude_response_headers: bool = False


class _Batch(msgspec.Struct):
    rest_requests: list[_Item]
    batch_request_id: str | int | float = ""


_decoder = msgspec.json.Decoder(_Batch)

Handler = Callable[[Instance, Request], Answer]


def handle(instance: Instance, request: Request, handler: Handler) -> Answer:
    """Run every item through `handler`. Raises ApiError 400 for a body that is no batch."""
    try:
        batch = _decoder.decode(request.body)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise unreadable_body() from None
    with instance.database.transaction():
        serviced = [_run(instance, request, item, handler) for item in batch.rest_requests]
    body = {
        "batch_request_id": str(batch.batch_request_id),
        "serviced_requests": serviced,
        "unserviced_requests": [],
    }
    return Answer(200, encode(body))


def _run(instance: Instance, outer: Request, item: _Item, handler: Handler) -> dict[str, object]:
    started = time.perf_counter()
    try:
        answer = handler(instance, _request(outer, item))
    except ApiError as error:
        answer = error.answer()
    headers = [] if item.exclude_response_headers else _headers(answer)
    return {
        "id": str(item.id),
        "status_code": answer.status,
        "status_text": answer.phrase,
        "body": base64.b64encode(answer.body).decode(),
        "headers": headers,
        "execution_time": int((time.perf_counter() - started) * 1000),
    }


def _request(outer: Request, item: _Item) -> Request:
    path, _mark, query_string = item.url.partition("?")
    try:
        body = base64.b64decode(item.body, validate=True) if item.body else b""
    except binascii.Error:
        raise unreadable_body() from None
    return Request(
        method=item.method.upper(),
        path=path,
        query_string=query_string,
        headers={header.name.lower(): header.value for header in item.headers},
        body=body,
        user=outer.user,
        base=outer.base,
    )


def _headers(answer: Answer) -> list[dict[str, str]]:
    pairs = {"Content-Type": answer.content_type, **answer.headers}
    return [{"name": name, "value": value} for name, value in pairs.items()]
