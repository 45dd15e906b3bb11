"""Every way to log in to the sandbox (servicenow-api.md §5, vectors 57, 58 and 40). Real HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.sandbox.tls import Tls, prepare
from tests import signing
from tests.sandbox_instance import NOW, USER, USER_ID, Api, make_instance, serving

INCIDENT = "/api/now/table/incident"
TOKEN = "/oauth_token.do"
CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
GRANT = {"grant_type": "client_credentials", **CLIENT}
PASSWORD = {"grant_type": "password", "username": USER, "password": "sandbox", **CLIENT}
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        yield client


@pytest.fixture
def stranger(api: Api) -> Iterator[Api]:
    """A client without credentials."""
    with Api(api.base) as client:
        client.auth = None
        yield client


def make(api: Api, table: str, **values: str) -> Any:
    answer = api.post(f"/api/now/table/{table}", json=values)
    assert answer.status_code == 201, answer.text
    return answer.json()["result"]


def asked(client: Api, form: dict[str, str]) -> Any:
    answer = client.post(TOKEN, data=form)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: requests.Response) -> str:
    assert answer.status_code == 401
    body = answer.json()
    assert set(body) == {"error", "error_description"}
    error: str = body["error"]
    return error


def opens(client: Api, token: str) -> bool:
    answer = client.get(INCIDENT, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code == 200


# ── OAuth ────────────────────────────────────────────────────────────────────────────────────


def test_client_credentials_give_a_token_without_a_refresh_token(stranger: Api) -> None:
    """57"""
    token = asked(stranger, GRANT)
    assert set(token) == {"access_token", "scope", "token_type", "expires_in"}
    assert (token["scope"], token["token_type"], token["expires_in"]) == (
        "useraccount",
        "Bearer",
        1799,
    )
    assert opens(stranger, token["access_token"])
    assert refused(stranger.post(TOKEN, json=GRANT)) == "invalid_request"


def test_a_password_gives_a_token_that_writes_as_its_user(stranger: Api) -> None:
    token = asked(stranger, {**PASSWORD, "username": "admin"})
    assert (token["expires_in"], len(token["refresh_token"]) > 32) == (1799, True)
    stranger.headers["Authorization"] = f"Bearer {token['access_token']}"
    made = stranger.post(INCIDENT, json={"description": "by token"}).json()["result"]
    assert made["sys_created_by"] == "admin"


def test_wrong_passwords_clients_and_grants_are_told_apart(stranger: Api) -> None:
    assert refused(stranger.post(TOKEN, data={**PASSWORD, "password": "no"})) == "access_denied"
    assert refused(stranger.post(TOKEN, data={**PASSWORD, "username": "caller"})) == "access_denied"
    wrong = {**PASSWORD, "client_secret": "no"}
    assert refused(stranger.post(TOKEN, data=wrong)) == "invalid_client"
    other = {**GRANT, "grant_type": "authorization_code"}
    assert refused(stranger.post(TOKEN, data=other)) == "unsupported_grant_type"
    assert stranger.get(TOKEN).status_code == 405


def test_a_refresh_returns_the_same_token_while_it_lives_and_a_new_one_after(
    api: Api, stranger: Api
) -> None:
    """40"""
    first = asked(stranger, PASSWORD)
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], **CLIENT}
    api.post("/_sandbox/clock", json={"until": "2026-11-20 12:10:00"})
    again = asked(stranger, form)
    assert again["access_token"] == first["access_token"]
    assert again["expires_in"] == 1199

    api.post("/_sandbox/clock", json={"until": "2026-11-20 12:30:00"})
    assert not opens(stranger, first["access_token"])
    renewed = asked(stranger, form)
    assert renewed["access_token"] != first["access_token"]
    assert opens(stranger, renewed["access_token"])

    api.post("/_sandbox/clock", json={"until": "2027-03-01 00:00:00"})
    assert refused(stranger.post(TOKEN, data=form)) == "invalid_grant"
    made_up = {**form, "refresh_token": "x"}
    assert refused(stranger.post(TOKEN, data=made_up)) == "invalid_grant"


def test_secrets_in_the_url_are_refused_unless_the_instance_takes_them(
    api: Api, stranger: Api
) -> None:
    url = f"{TOKEN}?client_secret=sandbox-secret"
    form = {key: value for key, value in GRANT.items() if key != "client_secret"}
    assert refused(stranger.post(url, data=form)) == "invalid_request"
    name = "glide.oauth.allow.parameters.in.post.body.only"
    make(api, "sys_properties", name=name, value="false")
    assert stranger.post(url, data=form).status_code == 200


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("glide.oauth.inbound.ropc.grant_type.disabled", "true", PASSWORD),
        ("glide.oauth.inbound.client.credential.grant_type.enabled", "false", GRANT),
    ],
)
def test_a_grant_can_be_switched_off(
    api: Api, stranger: Api, name: str, value: str, form: dict[str, str]
) -> None:
    make(api, "sys_properties", name=name, value=value)
    assert refused(stranger.post(TOKEN, data=form)) == "unsupported_grant_type"


# ── JWT ──────────────────────────────────────────────────────────────────────────────────────


def claims(**changes: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "aud": "sandbox-client",
        "iss": "sandbox-client",
        "sub": USER,
        "exp": int(NOW.timestamp()) + 60,
        "jti": "one",
    }
    made = usual | changes
    return {name: value for name, value in made.items() if value is not None}


def bearer(client: Api, assertion: str) -> requests.Response:
    form = {"grant_type": JWT_BEARER, "assertion": assertion, **CLIENT}
    return client.post(TOKEN, data=form)


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"])
def test_a_signed_assertion_opens_the_door_once(api: Api, stranger: Api, algorithm: str) -> None:
    size = algorithm[2:]
    key = signing.rsa_key() if algorithm.startswith("RS") else signing.curve_key(size)
    make(api, "sys_certificate", name="ours", pem_certificate=signing.public_pem(key))
    assertion = signing.signed(claims(), key, algorithm, kid="ours")
    token = bearer(stranger, assertion).json()
    assert opens(stranger, token["access_token"])
    assert "refresh_token" not in token
    assert refused(bearer(stranger, assertion)) == "invalid_grant"
    fresh = signing.signed(claims(jti="two"), key, algorithm)
    assert bearer(stranger, fresh).status_code == 200


def test_a_registered_certificate_verifies_too(api: Api, stranger: Api) -> None:
    key = signing.curve_key()
    made = signing.pem(signing.certificate("travesia", key))
    make(api, "sys_certificate", name="ours", pem_certificate=made)
    assert bearer(stranger, signing.signed(claims(), key, "ES256")).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "other"},
        {"iss": "other"},
        {"sub": "caller"},
        {"sub": None},
        {"jti": None},
        {"exp": None},
        {"exp": int(NOW.timestamp()) - 301},
        {"nbf": int(NOW.timestamp()) + 301},
    ],
)
def test_wrong_claims_are_refused(api: Api, stranger: Api, changes: dict[str, object]) -> None:
    key = signing.curve_key()
    make(api, "sys_certificate", name="ours", pem_certificate=signing.public_pem(key))
    assertion = signing.signed(claims(**changes), key, "ES256")
    assert refused(bearer(stranger, assertion)) == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(NOW.timestamp()) - 299},
        {"nbf": int(NOW.timestamp()) + 299},
        {"iat": int(NOW.timestamp()) + 86_400},
        {"aud": ["sandbox-client", "other"]},
    ],
)
def test_clocks_may_differ_by_five_minutes(
    api: Api, stranger: Api, changes: dict[str, object]
) -> None:
    key = signing.curve_key()
    make(api, "sys_certificate", name="ours", pem_certificate=signing.public_pem(key))
    assert bearer(stranger, signing.signed(claims(**changes), key, "ES256")).status_code == 200


def test_another_signature_another_key_and_no_signature_are_refused(
    api: Api, stranger: Api
) -> None:
    ours, theirs = signing.curve_key("256"), signing.curve_key("384")
    make(api, "sys_certificate", name="ours", pem_certificate=signing.public_pem(ours))
    make(api, "sys_certificate", name="broken", pem_certificate="-----BEGIN CERTIFICATE-----")
    good = signing.signed(claims(), ours, "ES256")
    body = good.rsplit(".", 1)[0]
    forged = [
        signing.signed(claims(), theirs, "ES384"),
        signing.signed(claims(), ours, "ES256", kid="broken"),
        f"{body}.{'A' * 86}",
        f"{body}.",
        body,
        "not a token",
        signing.signed(claims(), signing.rsa_key(), "ES256"),
    ]
    for assertion in forged:
        assert refused(bearer(stranger, assertion)) == "invalid_grant"
    unsigned = signing.signed(claims(), ours, "ES256").split(".")
    none = signing.signed({}, ours, "ES256", alg="none").split(".")[0]
    assert refused(bearer(stranger, f"{none}.{unsigned[1]}.")) == "invalid_grant"
    assert bearer(stranger, good).status_code == 200


# ── API key ──────────────────────────────────────────────────────────────────────────────────


def test_an_api_key_opens_the_door_by_header_only(stranger: Api) -> None:
    """58"""
    right = {"x-sn-apikey": "sandbox-api-key"}
    made = stranger.post(INCIDENT, json={"description": "by key"}, headers=right)
    assert made.json()["result"]["sys_created_by"] == USER
    assert stranger.get(INCIDENT, headers={"x-sn-apikey": "wrong"}).status_code == 401
    assert stranger.get(INCIDENT, params=right).status_code == 401


def test_an_api_key_opens_only_the_apis_that_have_a_policy_for_it(api: Api, stranger: Api) -> None:
    api.post("/_sandbox/mode", json={"api_key_apis": ["table"]})
    stranger.headers["x-sn-apikey"] = "sandbox-api-key"
    assert stranger.get(INCIDENT).status_code == 200
    assert stranger.get("/api/now/v2/table/incident").status_code == 200
    assert stranger.get("/api/now/stats/incident").status_code == 401
    assert stranger.get("/api/now/stats/table").status_code == 401


# ── HTTPS ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def secured(tmp_path: Path) -> tuple[Tls, Path]:
    """HTTPS that knows an authority for client certificates, and such a certificate."""
    authority = signing.curve_key("384")
    client_ca = tmp_path / "client-ca.pem"
    client_ca.write_text(
        signing.pem(signing.certificate("Clients", authority, is_ca=True)), encoding="utf-8"
    )
    key = signing.curve_key()
    made = signing.certificate("travesia", key, authority, "Clients")
    own = signing.write_key(tmp_path / "client.pem", key)
    own.write_text(own.read_text(encoding="utf-8") + signing.pem(made), encoding="utf-8")
    return prepare(tmp_path, client_ca), own


def test_https_is_verified_against_the_folders_own_authority(tmp_path: Path) -> None:
    tls = prepare(tmp_path)
    with serving(make_instance(tmp_path), tls) as api:
        record = api.get(f"{INCIDENT}?sysparm_limit=1").json()["result"][0]
        assert record["caller_id"]["link"].startswith(f"{api.base}/api/now/")
        assert api.base.startswith("https://127.0.0.1:")
        api.verify = True
        with pytest.raises(requests.exceptions.SSLError):
            api.get(INCIDENT)


def test_the_certificate_is_kept_and_its_key_is_the_owners_alone(tmp_path: Path) -> None:
    first = prepare(tmp_path)
    before = first.certificate.read_bytes()
    assert prepare(tmp_path) == first
    assert first.certificate.read_bytes() == before
    assert first.key.stat().st_mode & 0o077 == 0
    first.certificate.write_bytes(b"broken")
    assert prepare(tmp_path).certificate.read_bytes() not in (before, b"broken")


def test_a_client_certificate_logs_in_once_it_is_mapped_to_a_user(
    tmp_path: Path, secured: tuple[Tls, Path]
) -> None:
    tls, own = secured
    with serving(make_instance(tmp_path), tls) as api, Api(api.base) as client:
        client.auth, client.verify = None, str(tls.authority)
        assert client.get(INCIDENT).status_code == 401, "no certificate: the connection stands"
        with Api(api.base) as holder:
            holder.auth, holder.verify, holder.cert = None, str(tls.authority), str(own)
            assert holder.get(INCIDENT).status_code == 401, "nobody has mapped it yet"
            text = own.read_text(encoding="utf-8")
            shown = text[text.index("-----BEGIN CERTIFICATE") :]
            make(api, "sys_user_certificate", user=USER_ID, pem_certificate=shown)
            made = holder.post(INCIDENT, json={"description": "by certificate"}).json()
            assert made["result"]["sys_created_by"] == USER
            assert holder.get(INCIDENT, headers={"x-sn-apikey": "wrong"}).status_code == 401


def test_a_certificate_of_another_authority_ends_in_the_handshake(
    tmp_path: Path, secured: tuple[Tls, Path]
) -> None:
    tls, _own = secured
    stranger = signing.write_key(tmp_path / "stranger.pem", signing.curve_key())
    made = signing.pem(signing.certificate("stranger", signing.curve_key()))
    stranger.write_text(stranger.read_text(encoding="utf-8") + made, encoding="utf-8")
    with serving(make_instance(tmp_path), tls) as api, Api(api.base) as client:
        client.auth, client.verify, client.cert = None, str(tls.authority), str(stranger)
        with pytest.raises(requests.exceptions.ConnectionError):
            client.get(INCIDENT)
