"""Every login does a whole sync, at the loudest log level, and no secret is left anywhere.

A front stands before the sandbox: it takes the login that the test is about, checks it, and quotes
what it refuses, as the rudest instance might. The sandbox behind it holds the records.
"""

import base64
import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import duckdb
import jwt
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connector import cli, log
from tests import sandbox_instance
from tests.sandbox_instance import Api, make_instance
from tests.secrets_kit import files_that_show, secret, shows
from tests.tls_server import Heard, json_answer, serving

USER = "travesia.integration"
KEY = rsa.generate_private_key(65537, 2048)
SECRETS = {
    "password": secret("password"),
    "client_secret": secret("client-secret"),
    "refresh_token": secret("refresh-token"),
    "api_key": secret("api-key"),
}
TOKEN, LATER = secret("access-token"), secret("later-token")
CLIENT = {"client_id": "travesia-client", "client_secret": SECRETS["client_secret"]}
BASIC = "Basic " + base64.b64encode(f"{USER}:{SECRETS['password']}".encode()).decode()

LOGINS: dict[str, dict[str, str]] = {
    "basic": {"user": USER},
    "oauth_client_credentials": {"client_id": "travesia-client"},
    "oauth_password": {"user": USER, "client_id": "travesia-client"},
    "oauth_refresh_token": {"client_id": "travesia-client"},
    "oauth_jwt": {"user": USER, "client_id": "travesia-client", "jwt_key_file": "jwt-key.pem"},
    "api_key": {},
    "mutual_tls": {"client_certificate": "client.pem", "client_key": "client-key.pem"},
}


class Front:
    """What stands before the sandbox. `tokens` are the bearer tokens that it takes."""

    def __init__(self, sandbox: Api, auth: str) -> None:
        self.sandbox = sandbox
        self.auth = auth
        self.tokens: set[str] = set()
        self.refused = 0

    def __call__(self, handler: BaseHTTPRequestHandler, body: str) -> None:
        if handler.path.startswith("/oauth_token.do"):
            self._hand_out(handler, body)
        elif self._is_welcome(handler):
            self._pass_on(handler, body)
        else:
            self.refused += 1
            given = [handler.headers.get(name, "") for name in ("Authorization", "x-sn-apikey")]
            told = {"message": "No", "detail": " ".join(given)}
            json_answer(json.dumps({"error": told, "status": "failure"}), status=401)(handler)

    def _is_welcome(self, handler: BaseHTTPRequestHandler) -> bool:
        given = handler.headers.get("Authorization", "")
        if self.auth == "basic":
            return given == BASIC
        if self.auth == "api_key":
            return handler.headers.get("x-sn-apikey") == SECRETS["api_key"] and not given
        if self.auth == "mutual_tls":  # nobody else comes through the handshake
            return not given
        return given.removeprefix("Bearer ") in self.tokens

    def _hand_out(self, handler: BaseHTTPRequestHandler, body: str) -> None:
        form = {key: values[0] for key, values in parse_qs(body).items()}
        if not self._is_granted(form):
            told = {"error": "invalid_grant", "error_description": body}
            json_answer(json.dumps(told), status=401)(handler)
            return
        # The first token is refused once it was used, so that each grant is asked for again.
        token = LATER if self.tokens else TOKEN
        self.tokens.add(token)
        answer = {"access_token": token, "expires_in": 1799, "refresh_token": secret("newer")}
        json_answer(json.dumps(answer))(handler)

    def _is_granted(self, form: dict[str, str]) -> bool:
        wanted = {
            "oauth_client_credentials": {"grant_type": "client_credentials"},
            "oauth_password": {
                "grant_type": "password",
                "username": USER,
                "password": SECRETS["password"],
            },
            "oauth_refresh_token": {
                "grant_type": "refresh_token",
                "refresh_token": secret("newer") if self.tokens else SECRETS["refresh_token"],
            },
            "oauth_jwt": {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"},
        }[self.auth]
        if assertion := form.pop("assertion", ""):
            jwt.decode(assertion, KEY.public_key(), ["RS256"], audience="travesia-client")
        return form == {**wanted, **CLIENT}

    def _pass_on(self, handler: BaseHTTPRequestHandler, body: str) -> None:
        kept = ("Accept", "Content-Type")
        reply = self.sandbox.request(  # type: ignore[no-untyped-call]  # as the sandbox's kit has it
            handler.command,
            handler.path,
            data=body.encode() or None,
            headers={name: handler.headers[name] for name in kept if handler.headers[name]},
        )
        more = {k: reply.headers[k] for k in ("X-Total-Count", "Date") if k in reply.headers}
        json_answer(reply.text, status=reply.status_code, **more)(handler)
        if TOKEN in handler.headers.get("Authorization", ""):
            self.tokens.discard(TOKEN)
            self.tokens.add("used")


@pytest.fixture
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    instance = make_instance(tmp_path_factory.mktemp("instance"))
    with sandbox_instance.serving(instance) as api:
        yield api


def start(stack: ExitStack, auth: str, sandbox: Api, folder: Path) -> tuple[Front, Heard]:
    """The front, with the files that the login needs in `folder`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    cert = authority.issue_cert("travesia@example.com")
    cert.cert_chain_pems[0].write_to_path(str(folder / "client.pem"))
    cert.private_key_pem.write_to_path(str(folder / "client-key.pem"))
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "jwt-key.pem").write_bytes(pem)
    front = Front(sandbox, auth)
    heard = stack.enter_context(
        serving(
            lambda handler: front(handler, heard.bodies[-1]),
            authority,
            clients=authority if auth == "mutual_tls" else None,
        )
    )
    return front, heard


def settings(auth: str, url: str) -> str:
    lines = {"url": url, "auth": auth, "ca_bundle": "ca.pem", **LOGINS[auth]}
    text = "\n".join(f"{key} = {json.dumps(value)}" for key, value in lines.items())
    return (
        f"[instance]\n{text}\nworkers = 1\nmax_attempts = 2\nrequests_per_hour = 5000\n"
        'max_clock_ahead_hours = 0\n[extract]\ntables = ["incident", "sc_task"]\n'
        'history = false\n[log]\nlevel = "debug"\n'
    )


@pytest.mark.parametrize("auth", LOGINS)
def test_a_login_syncs_and_leaves_no_secret_behind(
    auth: str,
    sandbox: Api,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)  # what the libraries underneath would log, too
    with ExitStack() as stack:
        front, heard = start(stack, auth, sandbox, tmp_path)
        (tmp_path / "travesia.toml").write_text(settings(auth, heard.url), encoding="utf-8")
        for name, value in SECRETS.items():
            (tmp_path / f"{name}.secret").write_text(value, encoding="utf-8")
            monkeypatch.setenv(f"TRAVESIA_{name.upper()}", value)
        # One login shows all that prints; what the others do differently, a sync shows.
        for words in COMMANDS if auth == "oauth_jwt" else COMMANDS[:1]:
            code = cli.run(["--verbose", "--traceback", *words.split()])
            assert code == 0 or words == "check", words
        renewed = [path for path in heard.paths if "oauth_token" in path]
        assert len(renewed) >= 2 * auth.startswith("oauth_")
        # And now with secrets that the front refuses, and quotes.
        for name in SECRETS:
            monkeypatch.setenv(f"TRAVESIA_{name.upper()}", secret(f"wrong-{name}"))
        front.tokens = {"none"}
        if auth != "mutual_tls":
            assert cli.run(["--verbose", "--traceback", "sync"]) == 4
            assert front.refused or auth.startswith("oauth_")
    log.configure()
    out, err = capfd.readouterr()
    assert "extracted" in err
    assert heard.requests
    assert "***" in err or auth == "mutual_tls", "the refusal was not quoted: nothing was proven"
    for text in (out, err, caplog.text, *heard.paths):
        assert not shows(text)
        assert "eyJ" not in text, "a signed JWT is as good as a password for its five minutes"
    assert files_that_show(tmp_path) == []
    assert not shows(everything_stored(tmp_path))


COMMANDS = ("sync", "status", "check", "explain INC0000001", "report --out reports")


def everything_stored(folder: Path) -> str:
    """Every value of every table of the stores, as text (their files are compressed)."""
    texts: list[Any] = []
    for path in folder.glob("*.duckdb"):
        with duckdb.connect(str(path), read_only=True) as store:
            names = store.execute(
                "SELECT table_schema, table_name FROM information_schema.tables"
            ).fetchall()
            for schema, name in names:
                texts += store.execute(f'SELECT * FROM "{schema}"."{name}"').fetchall()
    assert len(texts) > 25
    return str(texts)


def test_the_look_for_secrets_finds_them() -> None:
    """It would be worth nothing otherwise."""
    for user in ("a", "ab", "abc", "abcd"):
        pair = f"{user}:{SECRETS['password']}".encode()
        assert shows(base64.b64encode(pair))
    assert shows(f"token={TOKEN}&x=1")
    assert not shows("token=***")


def test_a_file_that_shows_a_secret_is_found(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("leaky")
    (folder / "run.log").write_text(f"header {BASIC}")
    (folder / "password.secret").write_text(SECRETS["password"])
    assert files_that_show(folder) == ["run.log"]
