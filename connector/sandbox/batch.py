"""The Batch API: items run one after another through the same handlers, in one transaction.

What is left when the batch's time is used up comes back as `unserviced_requests`.

One failing item does not stop the rest; its partial work cannot exist, because every write of a
handler is a savepoint of its own. Bodies travel as base64.
"""

import base64
import binascii
import time
from collections.abc import Callable

import msgspec

from connector.sandbox import traffic
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
    serviced, unserviced = _serve(instance, request, batch.rest_requests, handler)
    body = {
        "batch_request_id": str(batch.batch_request_id),
        "serviced_requests": serviced,
        "unserviced_requests": unserviced,
    }
    return Answer(200, encode(body))


def _serve(
    instance: Instance, request: Request, items: list[_Item], handler: Handler
) -> tuple[list[dict[str, object]], list[str]]:
    """What was answered, and the ids that the batch had no more time for (or a fault left)."""
    fault = instance.faults.take("batch", request)
    reached = max(0, len(items) - fault.items) if fault else len(items)
    serviced: list[dict[str, object]] = []
    with instance.database.transaction():
        for item in items[:reached]:
            if instance.limits.is_batch_over:
                break
            serviced.append(_run(instance, request, item, handler))
    return serviced, [str(item.id) for item in items[len(serviced) :]]


def _run(instance: Instance, outer: Request, item: _Item, handler: Handler) -> dict[str, object]:
    started = time.perf_counter()
    try:
        answer = traffic.serve_item(instance, _request(outer, item), handler)
    except ApiError as error:  # an item that cannot be read
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
