"""An instance that is broken, or means harm: each answer ends in one clean sentence of ours."""

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

import pytest
import responses

from connector.errors import ConnectorError, ForbiddenError, IncompleteResponseError, InstanceError
from connector.itsm.base import Count, Cursor, Record, RecordUpdate
from connector.itsm.servicenow import Connection, ServiceNow, connect
from connector.itsm.servicenow import keys as keys_module
from connector.itsm.servicenow.auth import decode_token
from connector.itsm.servicenow.decode import BadBody
from connector.timestamps import parse_instance
from tests.tls_server import Answer, serving
from tests.unit.servicenow_wire import BATCH, INCIDENTS, URL, client, query_of, record
from tests.unit.test_servicenow_batch import accepted, answer, ids, update

STATS = f"{URL}/api/now/stats/incident"
OBJECTS = f"{URL}/api/now/table/sys_db_object"
MANY_DIGITS = "9" * 5000
ROW = record(1, 1)


def read(instance: ServiceNow) -> list[Record]:
    after, until = Cursor("2026-11-01 00:00:00"), parse_instance("2026-11-20 00:00:00")
    pages = instance.list_pages("incident", ["number"], after, until)
    return [dict(row) for page in pages for row in page.records]


# ── numbers ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("said", [MANY_DIGITS, "-5", "²", "1e3", "٣", ""])
@pytest.mark.parametrize("ask", [read, lambda i: i.list_tables(["incident"])])
def test_a_count_beyond_belief_is_no_count(said: str, ask: Callable[[ServiceNow], object]) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for url in (INCIDENTS, OBJECTS):
            mock.get(url, body='{"result":[]}', headers={"X-Total-Count": said})
        mock.get(STATS, json={"result": {"stats": {"count": "0"}}})
        assert not ask(client())


def test_an_aggregate_beyond_belief_is_refused() -> None:
    with responses.RequestsMock() as mock:
        mock.get(STATS, json={"result": {"stats": {"count": MANY_DIGITS}}})
        with pytest.raises(IncompleteResponseError):
            client(max_attempts=1).count_records("incident")
    with responses.RequestsMock() as mock:
        mock.get(STATS, json={"result": {"stats": {"count": "25"}}})
        assert client().count_records("incident") == Count(25)


def test_a_table_that_counts_records_and_shows_none_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "MOST_STEPS", 7)
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, body='{"result":[]}', headers={"X-Total-Count": "9" * 15})
        with pytest.raises(InstanceError, match="counts records without end and shows none"):
            read(client())
        assert len(mock.calls) == 2 + 7


# ── texts ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("charset", "coding"),
    [
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("UTF-8", "utf-8-sig"),
        ("ISO-8859-1", "latin-1"),
        ('"utf-16"', "utf-16"),
        ("no-such-charset", "utf-8"),
    ],
)
def test_a_text_is_read_in_the_charset_that_was_said(charset: str, coding: str) -> None:
    body = json.dumps({"result": [{**ROW, "number": "Größe"}]}, ensure_ascii=False).encode(coding)
    kind = f"application/json; charset={charset}" if charset else "application/json"
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, body=body, content_type=kind, headers={"X-Total-Count": "1"})
        assert read(client())[0]["number"] == "Größe"


@pytest.mark.parametrize(
    ("status", "url"), [(403, INCIDENTS), (400, INCIDENTS), (200, INCIDENTS), (401, INCIDENTS)]
)
def test_words_of_the_instance_cannot_steer_the_terminal(status: int, url: str) -> None:
    told = {"message": "\x1b[2J\x1b]0;owned\x07no\u202e\u0085way", "detail": None}
    with responses.RequestsMock() as mock:
        mock.get(url, json={"error": told}, status=status, headers={"X-Transaction-ID": "\x1b[31m"})
        with pytest.raises(InstanceError) as caught:
            read(client(max_attempts=1, page_size=1))
    for text in (str(caught.value), caught.value.detail, caught.value.transaction_id):
        assert text.isprintable()


# ── sizes and paces ──────────────────────────────────────────────────────────────────────────


BOMB = """
import re, sys
from connector.errors import IncompleteResponseError
from connector.itsm.servicenow import Connection, connect
instance = connect(Connection(sys.argv[1], user="u", secret="p", max_attempts=1, page_size=1))
try:
    instance.count_records("incident")
except IncompleteResponseError as error:
    # Of this image of the process alone; ru_maxrss is kept over execve (proc(5), getrusage(2)).
    peak = re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]
    print(int(peak) // 1024, error)
"""


def test_a_body_that_unpacks_to_half_a_gigabyte_never_fills_memory() -> None:
    part = gzip.compress(b" " * (16 << 20))
    bomb = part * 32  # members of one stream

    def explode(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", str(len(bomb)))
        handler.end_headers()
        with suppress(OSError):
            handler.wfile.write(bomb)

    with serving(explode) as heard:
        done = subprocess.run(
            [sys.executable, "-c", BOMB, heard.url], capture_output=True, text=True, check=True
        )
    megabytes, _space, said = done.stdout.partition(" ")
    assert "larger than 64 MB" in said
    assert int(megabytes) < 260


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte at a time, never late enough for a timeout between two of them."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    _dribble(handler, b" ")


def drip_chunked(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    _dribble(handler, b"1\r\n \r\n")


def _dribble(handler: BaseHTTPRequestHandler, part: bytes) -> None:
    with suppress(OSError):
        for _n in range(400):
            handler.wfile.write(part)
            handler.wfile.flush()
            time.sleep(0.05)
    handler.close_connection = True


@pytest.mark.parametrize("slowly", [drip, drip_chunked])
def test_an_answer_that_never_ends_is_ended(slowly: Answer) -> None:
    with serving(slowly) as heard:
        quick = {"timeout_seconds": 0.2, "max_attempts": 1, "page_size": 1}
        instance = connect(Connection(heard.url, user="u", secret="p", **quick))  # type: ignore[arg-type]
        with pytest.raises(IncompleteResponseError, match="was not whole after 1 seconds"):
            read(instance)


# ── batches ──────────────────────────────────────────────────────────────────────────────────


def test_an_answer_about_another_record_is_no_proof() -> None:
    swapped = answer({"0": accepted(2), "1": accepted(1)})
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=swapped)
        found = client(max_attempts=2).send_updates([update(1), update(2)])
        assert ids(mock) == [["0", "1"]] * 2
    assert [reply.status for reply in found] == ["unknown", "unknown"]


def test_answers_to_nothing_we_asked_are_not_listened_to() -> None:
    foreign = {"77": accepted(1), "-1": accepted(1), "abc": accepted(1), MANY_DIGITS: accepted(1)}
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({**foreign, "0": accepted(1)}))
        (found,) = client().send_updates([update(1)])
    assert found.status == "written"


def test_two_answers_that_disagree_prove_nothing() -> None:
    twice = json.loads(answer({"0": accepted(1)}))
    refused = json.loads(answer({"0": (403, "{}")}))["serviced_requests"]
    once = dict(twice)
    twice["serviced_requests"] = [*twice["serviced_requests"], *refused]
    with responses.RequestsMock() as mock:
        mock.post(BATCH, json=twice)
        mock.post(BATCH, json=once)
        (found,) = client().send_updates([update(1)])
        assert ids(mock) == [["0"], ["0"]]
    assert found.status == "written"


def test_a_late_answer_to_a_settled_item_changes_nothing() -> None:
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": accepted(1)}, unserviced=["1"]))
        mock.post(BATCH, body=answer({"0": (403, "{}"), "1": accepted(2)}))
        found = client().send_updates([update(1), update(2)])
    assert [reply.status for reply in found] == ["written", "written"]


def test_a_token_that_dies_in_mid_batch_is_no_records_fault() -> None:
    died = (401, '{"error":{"message":"User Not Authenticated","detail":null}}')
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": accepted(1), "1": died}))
        mock.post(BATCH, body=answer({"1": accepted(2)}))
        found = client().send_updates([update(1), update(2)])
        assert ids(mock) == [["0", "1"], ["1"]]
    assert [reply.status for reply in found] == ["written", "written"]


def test_a_record_that_a_lost_answer_made_is_not_taken_for_refused() -> None:
    values = {"sys_id": "a" * 32, "value": "usar"}
    taken = (403, '{"error":{"message":"Operation Failed","detail":"duplicate key"}}')
    other = {"sys_id": "b" * 32, "value": "usar"}
    with responses.RequestsMock() as mock:
        mock.post(BATCH, status=502)
        mock.post(BATCH, body=answer({"0": taken, "1": taken}))
        held = [values, {**other, "value": "somebody else's"}]
        mock.get(f"{URL}/api/now/table/sys_choice", json={"result": held})
        found = client().create_records("sys_choice", [values, other])
    assert [reply.status for reply in found] == ["written", "forbidden"]
    assert found[0].values == values


def test_where_nobody_may_look_a_refused_record_stays_refused() -> None:
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": (403, "{}")}))
        mock.get(f"{URL}/api/now/table/sys_choice", status=403)
        (found,) = client().create_records("sys_choice", [{"sys_id": "a" * 32}])
    assert found.status == "forbidden"


# ── tokens ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lifetime", ["", ', "expires_in": 0', ', "expires_in": "NaN"'])
def test_a_token_without_a_usable_lifetime_is_used_for_the_usual_one(lifetime: str) -> None:
    """Else each request would ask for one of its own."""
    assert decode_token(f'{{"access_token": "t"{lifetime}}}'.encode()).lifetime == 1800


@pytest.mark.parametrize("lifetime", ["-5", '"Infinity"', '"-inf"', "null", "[]", "{}"])
def test_whatever_a_lifetime_is_it_raises_nothing(lifetime: str) -> None:
    made = decode_token(f'{{"access_token": "t", "expires_in": {lifetime}}}'.encode())
    assert made.lifetime == 1800


@pytest.mark.parametrize("token", ["t\\r\\nX-Evil: 1", "snow☃man", "", "two words"])
def test_a_token_that_cannot_stand_in_a_header_is_none(token: str) -> None:
    with pytest.raises(BadBody):
        decode_token(f'{{"access_token": "{token}", "expires_in": 1799}}'.encode())


# ── whatever else ────────────────────────────────────────────────────────────────────────────


BODIES = (
    "",
    "null",
    '"text"',
    '{"result":"text"}',
    '{"result":null}',
    '{"result":[1,2]}',
    '{"result":[{"sys_id":NaN}]}',
    '{"result":[' + "[" * 50_000,
    "<response/>",
    '{"result":[{"sys_id":"a',
    '{"serviced_requests":null,"unserviced_requests":7}',
)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("kind", ["application/json", "text/html", "text/plain", "image/png", ""])
def test_whatever_comes_ends_in_an_error_of_ours_or_an_honest_unknown(body: str, kind: str) -> None:
    asks: tuple[Callable[[ServiceNow], object], ...] = (
        read,
        lambda i: i.count_records("incident"),
        lambda i: i.list_tables(["incident"]),
        lambda i: i.probe(),
        lambda i: i.create_record("incident", {"sys_id": "a" * 32}),
    )
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in (responses.GET, responses.POST):
            for path in ("table/incident", "stats/incident", "table/sys_db_object", "v1/batch"):
                mock.add(method, f"{URL}/api/now/{path}", body=body, content_type=kind or None)
        mock.get(f"{URL}/api/now/table/sys_user", body=body, content_type=kind or None)
        instance = client(max_attempts=1, page_size=1)
        for ask in asks:
            with pytest.raises(ConnectorError):
                ask(instance)
        (reply,) = instance.send_updates([RecordUpdate("incident", "a" * 32, {"x": "1"})])
    assert reply.status == "unknown"


def test_rights_that_go_away_in_mid_read_are_named() -> None:
    full = {"result": [record(n, n) for n in range(1, 3)]}
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, json=full)
        mock.get(INCIDENTS, json={"error": {"message": "ACL"}}, status=403)
        with pytest.raises(ForbiddenError, match="may not do GET on table incident"):
            read(client(page_size=2))


@pytest.mark.parametrize(
    "key", [{}, {"sys_id": ""}, {"sys_id": "a b'^ORsys_id!="}, {"sys_id": "a\nb"}, {"sys_id": {}}]
)
def test_a_key_that_is_none_goes_into_no_query(key: dict[str, object]) -> None:
    row = {"user_name": "svc", "sys_updated_on": "2026-11-01 00:00:00", **key}
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, json={"result": [row]})
        mock.get(f"{URL}/api/now/table/sys_user", json={"result": [row]})
        instance = client(max_attempts=1)
        with pytest.raises(InstanceError, match="sys_id is hidden or unusable"):
            read(instance)
        assert instance.probe().reads_utc is None
        asked = [query_of(call.request)["sysparm_query"] for call in mock.calls]
    assert not any("ORsys_id" in query for query in asked)
