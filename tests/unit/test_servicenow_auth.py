"""Logging in: what is sent, when a token is renewed, and that no secret shows."""

import threading
import traceback
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs

import jwt
import pytest
import responses
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from connector.errors import AuthenticationError, ConfigError
from connector.itsm.servicenow import ServiceNow, connect
from connector.itsm.servicenow.auth import Bearer, Token, basic
from connector.itsm.servicenow.gate import Request
from connector.itsm.servicenow.grants import Refresh, Standing
from connector.itsm.servicenow.settings import JwtAlgorithm
from tests.recorded import body
from tests.secrets_kit import secret, shows
from tests.unit.servicenow_wire import INCIDENTS, PASSWORD, URL, Waits, client, settings

TOKEN = f"{URL}/oauth_token.do"
SECRET = secret("client-secret")
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

    def __call__(self, request: Request) -> Token:
        assert request.method == "POST"
        self.count += 1
        return Token(f"token-{self.count}", self.lifetime)


def bearer(tokens: Tokens, clock: Clock | None = None) -> Bearer:
    grant = Standing("client_credentials", client_id="id", client_secret=SECRET)
    return Bearer(grant, tokens, clock or Clock())


def token_of(login: Bearer) -> str:
    return login.headers()["Authorization"]


def test_a_token_is_renewed_a_minute_before_it_expires() -> None:
    clock, tokens = Clock(), Tokens()
    login = bearer(tokens, clock)
    assert token_of(login) == "Bearer token-1"
    clock.now += 1739
    assert token_of(login) == "Bearer token-1"
    clock.now += 1
    assert token_of(login) == "Bearer token-2"


def test_a_very_short_lived_token_is_used_for_half_its_life() -> None:
    clock, tokens = Clock(), Tokens(lifetime=40)
    login = bearer(tokens, clock)
    login.headers()
    clock.now += 19
    assert token_of(login) == "Bearer token-1"
    clock.now += 1
    assert token_of(login) == "Bearer token-2"


def test_threads_share_one_token_request() -> None:
    tokens, start = Tokens(), threading.Barrier(8)
    login = bearer(tokens)
    seen: list[str] = []

    def ask() -> None:
        start.wait()
        seen.append(token_of(login))

    threads = [threading.Thread(target=ask) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["Bearer token-1"] * 8


def test_threads_that_meet_the_same_401_renew_once() -> None:
    tokens = Tokens()
    login = bearer(tokens)
    old = login.headers()
    assert login.renew(old)
    assert login.renew(old)
    assert tokens.count == 2


def test_a_login_does_not_show_itself() -> None:
    shown = [
        repr(basic("svc", PASSWORD)),
        repr(bearer(Tokens())),
        repr(Token(secret("token"), 60, secret("refresh"))),
        repr(Refresh(secret("refresh"), client_id="id", client_secret=SECRET)),
        repr(settings(refresh_token=secret("refresh"), api_key=secret("key"))),
    ]
    assert not [text for text in shown if shows(text)]


# ── the other logins, as they go over the wire ───────────────────────────────────────────────

CLIENT = {"client_id": "travesia", "client_secret": SECRET}


def form_of(call: responses.Call) -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(cast(bytes, call.request.body).decode()).items()}


def log_in(mock: responses.RequestsMock, **how: str) -> list[responses.Call]:
    """Read once with that login; the calls that were made."""
    mock.get(INCIDENTS, **OK)
    read(connect(settings(**{"user": "", "secret": "", **how}), sleep=Waits()))
    return cast(list[responses.Call], list(mock.calls))


def test_the_password_grant_sends_user_and_password_in_the_form_only() -> None:
    with responses.RequestsMock() as mock:
        mock.post(TOKEN, body=body("token.json"))
        asked, used = log_in(mock, auth="oauth_password", user="svc", secret=PASSWORD, **CLIENT)
    wanted = {"grant_type": "password", "username": "svc", "password": PASSWORD, **CLIENT}
    assert form_of(asked) == wanted
    assert used.request.headers["Authorization"] == "Bearer opaque-token-one"
    assert PASSWORD not in str(asked.request.url)


def test_a_newer_refresh_token_replaces_the_one_that_was_given() -> None:
    with responses.RequestsMock() as mock:
        first = {"access_token": "one", "expires_in": 1799, "refresh_token": "second-refresh"}
        mock.post(TOKEN, json=first)
        mock.get(INCIDENTS, status=401, body=body("not_authenticated.json"))
        mock.post(TOKEN, json={"access_token": "two", "expires_in": 1799})
        how = {"auth": "oauth_refresh_token", "refresh_token": "first-refresh", **CLIENT}
        calls = log_in(mock, **how)
    forms = [form_of(call) for call in calls if str(call.request.url) == TOKEN]
    assert [form["refresh_token"] for form in forms] == ["first-refresh", "second-refresh"]
    assert all(form["grant_type"] == "refresh_token" for form in forms)
    assert calls[-1].request.headers["Authorization"] == "Bearer two"


def pem(folder: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, word: str = "") -> str:
    """A key as a PEM file, under a passphrase where one is given."""
    how = BestAvailableEncryption(word.encode()) if word else NoEncryption()
    path = folder / f"{word}-key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
    return str(path)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_jwt_is_signed_anew_for_each_token(algorithm: JwtAlgorithm, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else RSA_KEY
    with responses.RequestsMock() as mock:
        mock.post(TOKEN, body=body("token.json"))
        mock.get(INCIDENTS, status=401, body=body("not_authenticated.json"))
        mock.post(TOKEN, json={"access_token": "two", "expires_in": 1799})
        how = {"auth": "oauth_jwt", "user": "svc", "jwt_key_file": pem(tmp_path, key), **CLIENT}
        calls = log_in(mock, jwt_algorithm=algorithm, jwt_key_id="k-7", **how)
    forms = [form_of(call) for call in calls if str(call.request.url) == TOKEN]
    assert {form["grant_type"] for form in forms} == {"urn:ietf:params:oauth:grant-type:jwt-bearer"}
    assert all(form["client_secret"] == SECRET for form in forms)
    told = [
        jwt.decode(form["assertion"], key.public_key(), [algorithm], audience="travesia")
        for form in forms
    ]
    assert [(claims["iss"], claims["sub"]) for claims in told] == [("travesia", "svc")] * 2
    assert told[0]["jti"] != told[1]["jti"]
    assert all(0 < claims["exp"] - claims["iat"] <= 300 for claims in told)
    assert jwt.get_unverified_header(forms[0]["assertion"])["kid"] == "k-7"


RSA_KEY = rsa.generate_private_key(65537, 2048)


def test_a_key_that_cannot_sign_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    how = {"auth": "oauth_jwt", "user": "svc", **CLIENT}
    broken = tmp_path / "broken-key.pem"
    broken.write_text(f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n")
    for path, algorithm in [
        (str(broken), "RS256"),
        (str(tmp_path / "absent.pem"), "RS256"),
        (pem(tmp_path, RSA_KEY, "passphrase"), "RS256"),
        (pem(tmp_path, RSA_KEY), "ES256"),
    ]:
        with pytest.raises(ConfigError, match="no private key for") as caught:
            connect(settings(jwt_key_file=path, jwt_algorithm=algorithm, **how))
        assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_an_api_key_travels_in_its_own_header_and_is_tried_once() -> None:
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, status=401, body=body("not_authenticated.json"))
        keyed = connect(settings(auth="api_key", user="", secret="", api_key=secret("key")))
        with pytest.raises(AuthenticationError, match="check user, password, client secret, key"):
            read(keyed)
        (call,) = list(mock.calls)
    assert call.request.headers["x-sn-apikey"] == secret("key")
    assert "Authorization" not in call.request.headers
    assert secret("key") not in str(call.request.url)


@pytest.mark.parametrize(
    ("auth", "missing"),
    [
        ("oauth_password", 4),
        ("oauth_refresh_token", 3),
        ("oauth_jwt", 4),
        ("api_key", 1),
        ("mutual_tls", 2),
    ],
)
def test_what_a_login_lacks_is_said_all_at_once(auth: str, missing: int) -> None:
    with pytest.raises(ConfigError) as caught:
        connect(settings(auth=auth, user="", secret=""))
    assert len(caught.value.problems) == missing
    assert all(f"auth = {auth!r}" in problem for problem in caught.value.problems)
