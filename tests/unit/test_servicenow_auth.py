"""Logging in: what is sent, when a token is renewed, and that no secret shows."""

import threading
from typing import cast
from urllib.parse import parse_qs

import pytest
import responses

from connector.errors import AuthenticationError
from connector.itsm.servicenow import ServiceNow, connect
from connector.itsm.servicenow.auth import Basic, ClientCredentials
from connector.itsm.servicenow.gate import Request
from tests.recorded import body
from tests.unit.servicenow_wire import INCIDENTS, PASSWORD, URL, Waits, client, settings

TOKEN = f"{URL}/oauth_token.do"
SECRET = "hidden-client-secret"
OK = {"body": body("empty_page.json"), "headers": {"X-Total-Count": "0"}}


def oauth() -> ServiceNow:
    return connect(
        settings(
            auth="oauth_client_credentials",
            user="",
            secret="",
            client_id="travesia",
            client_secret=SECRET,
        ),
        sleep=Waits(),
    )


def read(instance: ServiceNow) -> None:
    list(instance.list_records("incident", ["number"]))


def logins(mock: responses.RequestsMock) -> list[str]:
    return [c.request.headers["Authorization"] for c in mock.calls if "table" in str(c.request.url)]


def test_basic_sends_user_and_password_as_utf_8() -> None:
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, **OK)
        read(client(user="añoranza", secret="contraseña"))
        assert logins(mock) == ["Basic YcOxb3JhbnphOmNvbnRyYXNlw7Fh"]


def test_a_refused_password_is_tried_once_because_more_would_lock_the_account() -> None:
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, status=401, body=body("not_authenticated.json"))
        with pytest.raises(AuthenticationError, match="check user, password"):
            read(client())
        assert len(mock.calls) == 1


def test_the_token_is_asked_for_once_with_a_form_and_never_in_the_url() -> None:
    with responses.RequestsMock() as mock:
        mock.post(TOKEN, body=body("token.json"))
        mock.get(INCIDENTS, **OK)
        instance = oauth()
        read(instance)
        read(instance)
        asked = mock.calls[0].request
        assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert "Authorization" not in asked.headers
        assert parse_qs(cast(bytes, asked.body).decode()) == {
            "grant_type": ["client_credentials"],
            "client_id": ["travesia"],
            "client_secret": [SECRET],
        }
        assert logins(mock) == ["Bearer opaque-token-one"] * 2
        assert all(SECRET not in str(call.request.url) for call in mock.calls)
        assert len(mock.calls) == 3


def test_an_expired_token_is_renewed_once_on_a_401() -> None:
    with responses.RequestsMock() as mock:
        mock.post(TOKEN, body=body("token.json"))
        mock.get(INCIDENTS, status=401, body=body("not_authenticated.json"))
        mock.post(TOKEN, json={"access_token": "opaque-token-two", "expires_in": 1799})
        mock.get(INCIDENTS, **OK)
        read(oauth())
        assert logins(mock) == ["Bearer opaque-token-one", "Bearer opaque-token-two"]


def test_a_second_401_is_final() -> None:
    with responses.RequestsMock() as mock:
        mock.post(TOKEN, body=body("token.json"))
        mock.get(INCIDENTS, status=401, body=body("not_authenticated.json"))
        with pytest.raises(AuthenticationError):
            read(oauth())
        assert len(logins(mock)) == 2


def test_a_wrong_client_secret_is_said_without_showing_it() -> None:
    with responses.RequestsMock() as mock:
        mock.post(TOKEN, status=401, body=body("token_refused.json"))
        with pytest.raises(AuthenticationError, match="Client authentication failed") as caught:
            read(oauth())
        assert len(mock.calls) == 1
    assert SECRET not in str(caught.value)


def test_a_token_request_is_repeated_while_the_instance_is_not_there() -> None:
    with responses.RequestsMock() as mock:
        mock.post(TOKEN, status=503)
        mock.post(TOKEN, body=body("token.json"))
        mock.get(INCIDENTS, **OK)
        read(oauth())
        assert len(mock.calls) == 3


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Tokens:
    """Hands out numbered tokens."""

    def __init__(self, lifetime: float = 1800) -> None:
        self.count = 0
        self.lifetime = lifetime

    def __call__(self, request: Request) -> tuple[str, float]:
        assert request.method == "POST"
        self.count += 1
        return f"token-{self.count}", self.lifetime


def test_a_token_is_renewed_a_minute_before_it_expires() -> None:
    clock, tokens = Clock(), Tokens()
    login = ClientCredentials("id", "secret", tokens, clock)
    assert login.header() == "Bearer token-1"
    clock.now += 1739
    assert login.header() == "Bearer token-1"
    clock.now += 1
    assert login.header() == "Bearer token-2"


def test_a_very_short_lived_token_is_used_for_half_its_life() -> None:
    clock, tokens = Clock(), Tokens(lifetime=40)
    login = ClientCredentials("id", "secret", tokens, clock)
    login.header()
    clock.now += 19
    assert login.header() == "Bearer token-1"
    clock.now += 1
    assert login.header() == "Bearer token-2"


def test_threads_share_one_token_request() -> None:
    tokens, start = Tokens(), threading.Barrier(8)
    login = ClientCredentials("id", "secret", tokens)
    seen: list[str] = []

    def ask() -> None:
        start.wait()
        seen.append(login.header())

    threads = [threading.Thread(target=ask) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["Bearer token-1"] * 8


def test_threads_that_meet_the_same_401_renew_once() -> None:
    tokens = Tokens()
    login = ClientCredentials("id", "secret", tokens)
    old = login.header()
    assert login.renew(old)
    assert login.renew(old)
    assert tokens.count == 2


def test_a_login_does_not_show_itself() -> None:
    assert repr(Basic("svc", PASSWORD)) == "Basic()"
    assert repr(ClientCredentials("id", SECRET, Tokens())) == "ClientCredentials()"
