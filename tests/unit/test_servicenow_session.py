"""Sending: the session's manners, the gate, and the one retry loop."""

import contextlib
import io
import threading
from typing import Any

import pytest
import requests
import responses
from responses import matchers

from connector import log
from connector.errors import (
    AuthenticationError,
    ConfigError,
    ForbiddenError,
    IncompleteResponseError,
    InstanceError,
    InterruptedRunError,
    RateLimitedError,
    RecordGoneError,
    RejectedError,
    UnavailableError,
)
from connector.itsm.servicenow import session as session_module
from connector.itsm.servicenow.decode import decode_records
from connector.itsm.servicenow.gate import Request
from connector.itsm.servicenow.settings import check_settings
from tests.recorded import body
from tests.unit.servicenow_wire import HOST, INCIDENTS, PASSWORD, Waits, get, session, settings

OK = {"body": body("empty_page.json"), "content_type": "application/json"}


# ── manners ──────────────────────────────────────────────────────────────────────────────────


def test_cookies_are_never_sent_back() -> None:
    """Calls that share a session are served one at a time, and the eleventh is dropped (§1.4)."""
    with responses.RequestsMock() as mock:
        headers = {"Set-Cookie": "JSESSIONID=abc; Path=/; HttpOnly"}
        mock.get(INCIDENTS, headers=headers, **OK)
        sender = session()
        sender.call(get(), decode_records)
        sender.call(get(), decode_records)
        assert [call.request.headers.get("Cookie") for call in mock.calls] == [None, None]


def test_every_request_says_what_it_sends_and_what_it_takes() -> None:
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, **OK)
        session().call(get(), decode_records)
        sent = mock.calls[0].request.headers
    assert sent["Accept"] == "application/json"
    assert sent["Content-Type"] == "application/json"
    assert sent["User-Agent"].startswith("travesia/")


def test_the_environment_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, match=[matchers.request_kwargs_matcher(_kwargs())], **OK)
        session().call(get(), decode_records)


def test_proxy_and_authorities_come_from_the_settings(tmp_path: Any) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    proxy = "http://proxy.example:3128"
    expected = _kwargs(verify=str(bundle), proxies={"http": proxy, "https": proxy})
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, match=[matchers.request_kwargs_matcher(expected)], **OK)
        session(proxy=proxy, ca_bundle=str(bundle)).call(get(), decode_records)


def _kwargs(**changes: Any) -> dict[str, Any]:
    plain = {"stream": True, "timeout": (10.0, 75.0), "verify": True, "cert": None, "proxies": {}}
    return plain | changes


def test_a_redirect_is_not_followed_and_only_its_host_is_named() -> None:
    target = "https://user:pw@login.example.com/saml?ticket=12345"
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, status=302, headers={"Location": target})
        with pytest.raises(InstanceError) as caught:
            session().call(get(), decode_records)
        assert len(mock.calls) == 1
    assert "login.example.com" in str(caught.value)
    assert "ticket" not in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://example.service-now.com", "plain http"),
        ("https://svc:pw@example.service-now.com", "must not carry a user"),
        ("https://example.service-now.com/nav_to.do?uri=x", "must end after the host name"),
        ("example.service-now.com", "is not an address"),
        ("https://example.service-now.com:99999", "port"),
    ],
)
def test_an_unsafe_address_is_refused_before_anything_is_sent(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        check_settings(settings(url=url))
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:8080/", "http://[::1]:8080"]
)
def test_plain_http_is_allowed_on_this_machine(url: str) -> None:
    assert check_settings(settings(url=url)) == url.rstrip("/")


def test_all_problems_of_the_settings_come_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        check_settings(settings(url="ftp://x", user="", secret="", ca_bundle="/nowhere.pem"))
    assert len(caught.value.problems) == 4


# ── the gate ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "file", "kind", "sentence"),
    [
        (400, "invalid_table.json", RejectedError, "no table incident; check its name"),
        (401, "not_authenticated.json", AuthenticationError, "User Not Authenticated"),
        (403, "write_forbidden.json", ForbiddenError, "table incident"),
        (403, "query_forbidden.json", ForbiddenError, "Insufficient rights"),
        (403, "data_policy.json", ForbiddenError, "Resolution notes"),
        (404, "no_record.json", RecordGoneError, "gone, or hidden"),
        (405, "no_record.json", RejectedError, "refused"),
        (409, "no_record.json", RejectedError, "refused"),
        (415, "no_record.json", RejectedError, "refused"),
    ],
)
def test_a_refusal_is_final_and_says_what_to_try(
    status: int, file: str, kind: type[InstanceError], sentence: str
) -> None:
    waits = Waits()
    with responses.RequestsMock() as mock:
        headers = {"X-Transaction-ID": "a1b2c3d4e5f6"}
        mock.get(INCIDENTS, status=status, body=body(file), headers=headers)
        with pytest.raises(kind, match=sentence) as caught:
            session(waits).call(get(params={"sysparm_query": "name=Ana"}), decode_records)
        assert len(mock.calls) == 1
    error = caught.value
    assert type(error) is kind
    assert (error.method, error.path) == ("GET", "/api/now/table/incident")
    assert (error.status, error.transaction_id) == (status, "a1b2c3d4e5f6")
    assert "Ana" not in str(error)
    assert HOST not in str(error)
    assert waits.seconds == []


@pytest.mark.parametrize(
    ("reply", "kind", "sentence"),
    [
        ({"body": body("cancelled.json")}, IncompleteResponseError, "took too long"),
        ({"body": body("cancelled_after_rows.json")}, IncompleteResponseError, "took too long"),
        ({"body": body("cancelled_cut.txt")}, IncompleteResponseError, "took too long"),
        ({"status": 500, "body": body("cancelled.json")}, IncompleteResponseError, "took too"),
        ({"body": '{"result":[{"sys_id":"00'}, IncompleteResponseError, "cut or is no JSON"),
        ({"body": '{"status":"ok"}'}, IncompleteResponseError, "cut or is no JSON"),
        ({"body": ""}, IncompleteResponseError, "cut or is no JSON"),
        ({"body": b"\xff\xfe"}, IncompleteResponseError, "cut or is no JSON"),
        ({"body": '{"result":7}'}, IncompleteResponseError, "cut or is no JSON"),
        ({"status": 202, "body": ""}, UnavailableError, "HTTP 202"),
        ({"status": 500, "body": "{}"}, UnavailableError, "HTTP 500"),
        (
            {"status": 502, "body": body("bad_gateway.html"), "content_type": "text/html"},
            UnavailableError,
            "HTTP 502",
        ),
        ({"status": 503, "body": "{}"}, UnavailableError, "HTTP 503"),
        ({"status": 504, "body": "{}"}, UnavailableError, "HTTP 504"),
        (
            {"body": body("hibernating.html"), "content_type": "text/html;charset=UTF-8"},
            UnavailableError,
            "hibernating",
        ),
        (
            {"body": body("bad_gateway.html"), "content_type": "text/html"},
            UnavailableError,
            "web page instead of data",
        ),
        ({"status": 429, "body": body("rate_limited.json")}, RateLimitedError, "HTTP 429"),
        ({"body": requests.exceptions.ConnectionError("refused")}, UnavailableError, "reach"),
        ({"body": requests.exceptions.ReadTimeout("slow")}, UnavailableError, "in time"),
        ({"body": requests.exceptions.ProxyError("no")}, UnavailableError, "proxy"),
        ({"body": requests.exceptions.ChunkedEncodingError()}, IncompleteResponseError, "broke"),
    ],
)
def test_a_failure_that_may_pass_is_tried_again_up_to_the_limit(
    reply: dict[str, Any], kind: type[InstanceError], sentence: str
) -> None:
    """A 200 is not success: cancelled queries, HTML and cut JSON come as 200 (§1.6)."""
    waits = Waits()
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, **{"content_type": "application/json"} | reply)
        with pytest.raises(kind, match=sentence) as caught:
            session(waits, max_attempts=3).call(get(), decode_records)
        assert len(mock.calls) == 3
    assert type(caught.value) is kind
    assert len(waits.seconds) == 2


@pytest.mark.parametrize("status", [200, 401])
def test_a_login_page_wants_a_person(status: int) -> None:
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, status=status, body=body("login_page.html"), content_type="text/html")
        with pytest.raises(AuthenticationError) as caught:
            session().call(get(), decode_records)
        assert len(mock.calls) == 1
    assert caught.value.exit_code == 4


def test_the_phrase_inside_a_record_is_no_cancelled_query() -> None:
    """Somebody may well write "Transaction cancelled" into a ticket."""
    text = '{"result":[{"sys_id":"1","short_description":"Transaction cancelled: help"}]}'
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, body=text)
        assert len(session().call(get(), decode_records).value) == 1


def test_a_page_that_is_not_the_api_says_that_the_url_is_wrong() -> None:
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, status=404, body="<html></html>", content_type="text/html")
        with pytest.raises(InstanceError, match="no ServiceNow REST API at this url"):
            session().call(get(), decode_records)


def test_an_untrusted_certificate_is_not_tried_again() -> None:
    error = requests.exceptions.SSLError("[SSL] certificate verify failed: self-signed")
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, body=error)
        with pytest.raises(InstanceError, match="set ca_bundle"):
            session().call(get(), decode_records)
        assert len(mock.calls) == 1


def test_an_answer_that_outgrows_memory_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "MAX_BODY_BYTES", 1000)
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, body="x" * 2000)
        with pytest.raises(IncompleteResponseError, match="larger than"):
            session(max_attempts=1).call(get(), decode_records)


# ── the loop ─────────────────────────────────────────────────────────────────────────────────


def test_pauses_grow_with_full_jitter_from_two_seconds_to_sixty() -> None:
    waits = Waits()
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, status=503)
        with pytest.raises(UnavailableError):
            session(waits, max_attempts=9).call(get(), decode_records)
    limits = [2, 4, 8, 16, 32, 60, 60, 60]
    assert all(0 <= w <= limit for w, limit in zip(waits.seconds, limits, strict=True))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "17"}, 17.0),
        (
            {
                "Retry-After": "Sun, 01 Nov 2026 08:00:30 GMT",
                "Date": "Sun, 01 Nov 2026 08:00:00 GMT",
            },
            30.0,
        ),
        ({"X-RateLimit-Reset": "1793520045", "Date": "Sun, 01 Nov 2026 08:00:00 GMT"}, 45.0),
        ({"Retry-After": "3", "X-RateLimit-Reset": "1793520045"}, 3.0),
    ],
)
def test_the_instance_says_how_long_to_wait(headers: dict[str, str], expected: float) -> None:
    """Moments are held against the instance's own clock, not ours."""
    waits = Waits()
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        mock.get(INCIDENTS, status=429, body=body("rate_limited.json"), headers=headers)
        mock.get(INCIDENTS, **OK)
        session(waits).call(get(), decode_records)
    assert waits.seconds == [expected]


def test_a_wait_of_more_than_an_hour_is_not_waited_for() -> None:
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, status=429, headers={"Retry-After": "86400"})
        with pytest.raises(RateLimitedError) as caught:
            session().call(get(), decode_records)
        assert len(mock.calls) == 1
    assert caught.value.retry_after == 86400


@pytest.mark.parametrize(
    ("request_", "calls"),
    [
        (Request("POST", "/api/now/table/incident", body=b"{}"), 1),
        (Request("POST", "/api/now/table/incident", body=b"{}", is_repeatable=True), 3),
        (Request("PATCH", "/api/now/table/incident", body=b"{}"), 3),
        (Request("DELETE", "/api/now/table/incident"), 3),
    ],
)
def test_a_post_is_repeated_only_where_that_does_no_harm(request_: Request, calls: int) -> None:
    with responses.RequestsMock() as mock:
        mock.add(request_.method, INCIDENTS, status=503)
        with pytest.raises(UnavailableError):
            session(max_attempts=3).call(request_, decode_records)
        assert len(mock.calls) == calls


def test_a_post_that_was_turned_away_unread_goes_again() -> None:
    with responses.RequestsMock() as mock:
        mock.post(INCIDENTS, status=429)
        mock.post(INCIDENTS, **OK)
        session().call(Request("POST", "/api/now/table/incident", body=b"{}"), decode_records)
        assert len(mock.calls) == 2


def test_an_address_that_never_answered_is_given_up_sooner() -> None:
    """A typing error in the URL should not cost a person a minute."""
    refused = requests.exceptions.ConnectionError("refused")
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, body=refused)
        with pytest.raises(UnavailableError):
            session(max_attempts=6).call(get(), decode_records)
        assert len(mock.calls) == 3
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, **OK)
        mock.get(INCIDENTS, body=refused)
        known = session(max_attempts=6)
        known.call(get(), decode_records)
        with pytest.raises(UnavailableError):
            known.call(get(), decode_records)
        assert len(mock.calls) == 1 + 6


def test_a_stop_refuses_before_anything_is_sent() -> None:
    stop = threading.Event()
    stop.set()
    with responses.RequestsMock() as mock, pytest.raises(InterruptedRunError):
        session(stop=stop).call(get(), decode_records)
    assert len(mock.calls) == 0


def test_a_stop_ends_a_wait() -> None:
    stop = threading.Event()
    timer = threading.Timer(0.05, stop.set)
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, status=429, headers={"Retry-After": "600"})
        timer.start()
        with pytest.raises(InterruptedRunError):
            session_module.Session(settings(), stop).call(get(), decode_records)
        assert len(mock.calls) == 1
    timer.join()


def test_a_failure_that_the_caller_answered_costs_no_attempt_and_no_wait() -> None:
    waits, sizes = Waits(), iter([400, 200, 100])
    asked: list[str] = []

    def make() -> Request:
        asked.append(str(next(sizes, 100)))
        return get(params={"sysparm_limit": asked[-1]})

    with responses.RequestsMock() as mock:
        for _attempt in range(2):
            mock.get(INCIDENTS, body=body("cancelled.json"))
        mock.get(INCIDENTS, **OK)
        session(waits, max_attempts=1).call(make, decode_records, lambda _error: True)
    assert asked == ["400", "200", "100"]
    assert waits.seconds == [0.0, 0.0]


def test_logs_hold_neither_query_nor_password() -> None:
    stream = io.StringIO()
    log.configure("debug", stream=stream)
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, status=503)
        mock.get(INCIDENTS, **OK)
        session().call(get(params={"sysparm_query": "short_descriptionLIKEAna"}), decode_records)
    log.configure()
    assert "again" in stream.getvalue()
    assert "/api/now/table/incident" in stream.getvalue()
    assert "Ana" not in stream.getvalue()
    assert PASSWORD not in stream.getvalue()


def test_nothing_that_can_be_printed_holds_a_secret() -> None:
    proxy = "http://me:hidden-proxy-pw@proxy.example:3128"
    shown = settings(client_secret="hidden-client", proxy=proxy)
    request = get(params={"x": "hidden-param"}, body=b"hidden-body")
    for thing in (shown, session(), request):
        assert PASSWORD not in repr(thing)
        assert "hidden" not in repr(thing)


def test_requests_in_flight_at_once_never_share_an_http_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor its connection; a session that is free is used again, which spares a handshake."""
    both, used = threading.Barrier(2, timeout=20), []
    real = requests.Session.request

    def watched(self: requests.Session, *args: Any, **more: Any) -> requests.Response:
        used.append(self)
        if len(used) <= 2:
            both.wait()
        return real(self, *args, **more)

    monkeypatch.setattr(requests.Session, "request", watched)
    sender = session(workers=2)
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, **OK)
        threads = [
            threading.Thread(target=lambda: sender.call(get(), decode_records)) for _n in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sender.call(get(), decode_records)
    assert used[0] is not used[1]
    assert used[2] in used[:2]


# ── how many at once ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 429},
        {"status": 202},
        {"status": 503},
        {"body": requests.exceptions.ReadTimeout("slow")},
    ],
)
def test_a_sign_of_overload_halves_what_is_in_flight_and_good_answers_grow_it(
    reply: dict[str, Any],
) -> None:
    sender = session(workers=4)
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, **reply)
        mock.get(INCIDENTS, **OK)
        sender.call(get(), decode_records)
        assert sender._limiter.limit == 2
        for _n in range(4):
            sender.call(get(), decode_records)
        assert sender._limiter.limit == 4


@pytest.mark.parametrize(("waited", "limit"), [("0", 2), ("0.4", 1), ("12", 1)])
def test_a_queue_in_the_instance_is_a_sign_of_overload(waited: str, limit: int) -> None:
    sender = session(workers=2)
    with responses.RequestsMock() as mock:
        timing = f"sem_wait;dur={waited}, sesh_wait;dur=99"
        mock.get(INCIDENTS, headers={"Server-Timing": timing}, **OK)
        sender.call(get(), decode_records)
    assert sender._limiter.limit == limit


def test_a_time_that_a_429_names_holds_for_every_worker() -> None:
    """They are one user to the instance: another worker's request would be refused as well."""
    stop, sent = threading.Event(), []
    waiting = threading.Event()

    def sleep(_seconds: float) -> None:
        waiting.set()
        stop.wait(20)

    sender = session_module.Session(settings(workers=2), stop, sleep)
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, status=429, headers={"Retry-After": "600"})

        def ask() -> None:
            with contextlib.suppress(InterruptedRunError):
                sender.call(get(), decode_records)
            sent.append(len(mock.calls))

        first = threading.Thread(target=ask)
        first.start()
        assert waiting.wait(20)
        second = threading.Thread(target=ask)
        second.start()
        second.join(0.3)
        assert second.is_alive()
        assert len(mock.calls) == 1
        stop.set()
        for thread in (first, second):
            thread.join(20)
        assert sent == [1, 1]
