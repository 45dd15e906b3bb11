"""Whatever the libraries underneath raise, the rest of Travesía meets its own errors only.

oauthlib, which pysnow brings along, is never asked: tokens are fetched by our own session.
"""

import inspect
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import msgspec
import pysnow
import pysnow.exceptions
import pytest
import requests
import responses
import urllib3.exceptions
from urllib3.connection import HTTPConnection

from connector.errors import ConnectorError, InstanceError
from connector.itsm.base import Cursor, RecordUpdate, Shard
from connector.itsm.servicenow import ServiceNow, connect
from tests.unit.servicenow_wire import URL, Waits, client, settings

ID = "0a1b2c3d4e5f60718293a4b5c6d7e801"
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)

CALLS: dict[str, Callable[[ServiceNow], object]] = {
    "now": lambda i: i.now(),
    "probe": lambda i: i.probe(),
    "probe_paging": lambda i: i.probe_paging("incident"),
    "list_tables": lambda i: i.list_tables(["incident"]),
    "list_columns": lambda i: i.list_columns(["incident"]),
    "list_choices": lambda i: i.list_choices(["incident"]),
    "list_pages": lambda i: list(i.list_pages("incident", ["number"], Cursor(), UNTIL)),
    "list_shard_pages": lambda i: list(
        i.list_shard_pages("incident", ["number"], Shard("8", ""), UNTIL, "", threading.Event())
    ),
    "list_records": lambda i: list(i.list_records("incident", ["number"])),
    "read_records": lambda i: i.read_records("incident", [ID], ["number"]),
    "count_records": lambda i: i.count_records("incident"),
    "identity": lambda i: i.identity(),
    "import_updates": lambda i: i.import_updates([RecordUpdate("incident", ID, {})]),
    "send_updates": lambda i: i.send_updates([RecordUpdate("incident", ID, {})]),
    "create_records": lambda i: i.create_records("incident", [{"sys_id": ID}]),
    "create_record": lambda i: i.create_record("incident", {"sys_id": ID}),
    "update_record": lambda i: i.update_record("incident", ID, {}),
    "list_attachments": lambda i: i.list_attachments("incident", ID),
    "read_attachment": lambda i: i.read_attachment(ID),
    "add_attachment": lambda i: i.add_attachment("incident", ID, "a", "text/plain", b""),
    "delete_attachment": lambda i: i.delete_attachment(ID),
    "delete_records": lambda i: i.delete_records("incident", [ID]),
}
"""Every public method; a new one must be added here (see the last test)."""

SENDS_NOTHING: dict[str, Callable[[ServiceNow], object]] = {
    "list_shards": lambda i: i.list_shards("incident", UNTIL),
}

ANSWERED_ALL_THE_SAME = {"send_updates", "create_records"}
"""They never raise for what may have been done: they say `unknown`."""


def exceptions_of(module: ModuleType) -> list[type[Exception]]:
    """Every exception class that a module defines."""
    return sorted(
        {
            found
            for _name, found in inspect.getmembers(module, inspect.isclass)
            if issubclass(found, Exception)
            and not issubclass(found, Warning)
            and found.__module__.partition(".")[0] == module.__name__.partition(".")[0]
        },
        key=lambda found: found.__name__,
    )


def made(kind: type[Exception]) -> Exception:
    """One of that class, whatever its constructor wants."""
    error = kind.__new__(kind)
    error.args = ("made up",)
    return error


SENT = [
    *exceptions_of(requests.exceptions),
    *exceptions_of(urllib3.exceptions),
    OSError,
    TimeoutError,
    ConnectionResetError,
]


@pytest.mark.parametrize("kind", SENT, ids=lambda kind: kind.__name__)
def test_what_sending_raises_becomes_ours(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise made(kind)

    monkeypatch.setattr(requests.Session, "request", broken)
    for call in CALLS.values():
        assert only_ours(call)


@pytest.mark.parametrize("kind", SENT, ids=lambda kind: kind.__name__)
def test_what_reading_a_body_raises_becomes_ours(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> bytes:
        raise made(kind)

    monkeypatch.setattr(urllib3.HTTPResponse, "read1", broken)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        anything(mock, 200, "{}")
        for call in CALLS.values():
            assert only_ours(call)


@pytest.mark.parametrize(
    "kind",
    [
        *exceptions_of(pysnow.exceptions),
        requests.exceptions.JSONDecodeError,
    ],
    ids=lambda kind: kind.__name__,
)
def test_what_pysnow_raises_becomes_ours(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise made(kind)

    monkeypatch.setattr(pysnow.Resource, "get", broken)
    for name in ("list_tables", "list_columns", "list_choices"):
        assert only_ours(CALLS[name])


BODIES = [
    "",
    "null",
    "[]",
    "{}",
    "7",
    '"text"',
    "{",
    '{"result":null}',
    '{"result":[null]}',
    '{"result":[[]]}',
    '{"result":{"result":[]}}',
    '{"result":[{}]}',
    '{"serviced_requests":7}',
    '{"serviced_requests":[{"id":{}}]}',
    '{"error":null}',
    '{"error":[1]}',
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "<html>",
]


@pytest.mark.parametrize(
    "status", [200, 201, 204, 299, 302, 400, 401, 403, 404, 418, 429, 500, 599]
)
def test_any_status_with_any_body_is_an_answer_or_our_error(status: int) -> None:
    for text in BODIES:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            anything(mock, status, text)
            for call in CALLS.values():
                outcome(call)


@pytest.mark.parametrize("kind", [msgspec.DecodeError, msgspec.ValidationError])
def test_decoding_errors_become_ours(kind: type[Exception]) -> None:
    assert issubclass(kind, msgspec.MsgspecError)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        anything(mock, 200, '{"result": [{"sys_id": ')
        for call in CALLS.values():
            outcome(call)


def test_a_token_answer_of_any_shape_is_our_error() -> None:
    for text in BODIES:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            anything(mock, 200, text)
            oauth = settings(
                auth="oauth_client_credentials", client_id="a", client_secret="b", max_attempts=1
            )
            with pytest.raises(InstanceError):
                connect(oauth, sleep=Waits()).now()


def test_a_host_that_does_not_resolve_or_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_self: HTTPConnection) -> None:
        raise urllib3.exceptions.NameResolutionError("nowhere.example", None, OSError())  # type: ignore[arg-type]

    monkeypatch.setattr(HTTPConnection, "connect", refused)
    with pytest.raises(InstanceError, match=r"Cannot reach 127\.0\.0\.1:9; check url"):
        connect(settings(url="http://127.0.0.1:9", max_attempts=1), sleep=Waits()).now()


def test_every_public_method_is_held_against_this_contract() -> None:
    public = {
        name for name, _m in inspect.getmembers(ServiceNow, callable) if not name.startswith("_")
    }
    assert public == {*CALLS, *SENDS_NOTHING}


def test_what_is_said_to_send_nothing_sends_nothing() -> None:
    with responses.RequestsMock() as mock:
        for call in SENDS_NOTHING.values():
            call(client(workers=2))
        assert len(mock.calls) == 0


def anything(mock: responses.RequestsMock, status: int, text: str) -> None:
    for method in ("GET", "POST", "PATCH", "DELETE"):
        mock.add(
            method,
            re.compile(re.escape(URL)),
            status=status,
            body=text,
            content_type="application/json",
            headers={"Date": "Sun, 01 Nov 2026 08:00:00 GMT"},
        )


def outcome(call: Callable[[ServiceNow], object]) -> Any:
    """What a call answers, or the ConnectorError it raises; anything else fails the test."""
    try:
        return call(client(max_attempts=1))
    except ConnectorError as error:
        return error


def only_ours(call: Callable[[ServiceNow], object]) -> bool:
    """Whether the failure came out as our own error, or as `unknown` from a batch."""
    found = outcome(call)
    if isinstance(found, list):
        return all(reply.status == "unknown" for reply in found)
    return isinstance(found, ConnectorError)
