"""On real sockets: certificates both ways, answers that break off, and no way to another host."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import trustme

from connector.errors import (
    AuthenticationError,
    ConfigError,
    IncompleteResponseError,
    InstanceError,
)
from connector.itsm.servicenow import Connection, ServiceNow, connect
from tests.tls_server import Answer, Heard, json_answer, serving
from tests.unit.servicenow_wire import Waits

EMPTY = json_answer('{"result":[]}', X_Total_Count="0")
SECRETS = {"Authorization", "x-sn-apikey", "Cookie"}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def instance_of(bundle: str) -> Iterator[Any]:
    """Makes clients of a local server; their connections are closed afterwards."""
    made: list[ServiceNow] = []

    def make(heard: Heard, **changes: Any) -> ServiceNow:
        basics = {"url": heard.url, "user": "svc", "secret": "s3cret", "ca_bundle": bundle}
        made.append(connect(Connection(**{"max_attempts": 1, **basics, **changes}), sleep=Waits()))
        return made[-1]

    yield make
    for one in made:
        for session in one._session._idle:
            session.close()


def read(instance: ServiceNow) -> list[dict[str, str]]:
    return list(instance.list_records("incident", ["number"]))


def pair(authority: trustme.CA, folder: Path, name: str = "travesia") -> dict[str, str]:
    """A client certificate and its key, as files."""
    cert = authority.issue_cert(f"{name}@example.com", common_name=name)
    paths = {"client_certificate": folder / f"{name}.pem", "client_key": folder / f"{name}-key.pem"}
    cert.cert_chain_pems[0].write_to_path(str(paths["client_certificate"]))
    cert.private_key_pem.write_to_path(str(paths["client_key"]))
    return {setting: str(path) for setting, path in paths.items()}


def mutual(authority: trustme.CA, folder: Path, name: str = "travesia") -> dict[str, str]:
    return {"auth": "mutual_tls", "user": "", "secret": "", **pair(authority, folder, name)}


# ── trust ────────────────────────────────────────────────────────────────────────────────────


def test_an_own_authority_is_trusted_by_its_bundle(authority: trustme.CA, instance_of: Any) -> None:
    with serving(EMPTY, authority) as heard:
        assert read(instance_of(heard)) == []
    assert len(heard.requests) == 1


def test_without_it_nothing_is_sent(authority: trustme.CA, instance_of: Any) -> None:
    with (
        serving(EMPTY, authority) as heard,
        pytest.raises(InstanceError, match="is not trusted; set ca_bundle"),
    ):
        read(instance_of(heard, ca_bundle=""))
    assert heard.requests == []


def test_a_certificate_for_another_name_is_refused(authority: trustme.CA, instance_of: Any) -> None:
    with (
        serving(EMPTY, authority, name="elsewhere.example") as heard,
        pytest.raises(InstanceError, match="is not trusted"),
    ):
        read(instance_of(heard))
    assert heard.requests == []


# ── mutual TLS ───────────────────────────────────────────────────────────────────────────────


def test_the_certificate_alone_logs_in(
    authority: trustme.CA, instance_of: Any, tmp_path: Path
) -> None:
    with serving(EMPTY, authority, clients=authority) as heard:
        assert read(instance_of(heard, **mutual(authority, tmp_path))) == []
    subject = dict(part[0] for part in heard.certificates[0]["subject"])
    assert subject["commonName"] == "travesia"
    assert not SECRETS & set(heard.requests[0][1])


@pytest.mark.parametrize("stranger", [True, False], ids=["a stranger's", "none"])
def test_another_certificate_or_none_is_refused_in_one_sentence(
    authority: trustme.CA, instance_of: Any, tmp_path: Path, stranger: bool
) -> None:
    how = mutual(trustme.CA(), tmp_path) if stranger else {}
    with (
        serving(EMPTY, authority, clients=authority) as heard,
        pytest.raises(InstanceError) as caught,
    ):
        read(instance_of(heard, **how))
    assert heard.requests == []
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, AuthenticationError)
    assert "check client_certificate and client_key" in str(caught.value)


def test_files_that_are_no_pair_are_said_before_anything_is_sent(
    authority: trustme.CA, instance_of: Any, tmp_path: Path
) -> None:
    mine, other = mutual(authority, tmp_path), mutual(authority, tmp_path, "other")
    absent = str(tmp_path / "absent.pem")
    for key in (other["client_key"], absent, mine["client_certificate"]):
        with pytest.raises(ConfigError, match="are no pair"):
            instance_of(Heard("https://localhost:1"), **{**mine, "client_key": key})


# ── nowhere else ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("auth", ["basic", "api_key", "oauth_client_credentials"])
def test_a_redirect_to_another_host_is_never_followed(
    status: int, auth: str, instance_of: Any
) -> None:
    """Neither with the login nor without it, nor with the body of a token request."""
    with serving(EMPTY) as elsewhere:
        target = f"{elsewhere.url}/api/now/table/incident?sysparm_query=x"
        with serving(json_answer("{}", status=status, Location=target)) as heard:
            instance = instance_of(
                heard, auth=auth, api_key="k3y", client_id="a", client_secret="b"
            )
            with pytest.raises(InstanceError, match="was sent on to 127"):
                read(instance)
            with pytest.raises(InstanceError, match="was sent on to 127"):
                instance.update_record("incident", "0" * 32, {"u_x": "1"})
        assert elsewhere.requests == []
    assert len(heard.requests) == 2


def page(rows: int, links: str) -> Answer:
    """A page, with a Link header that leads elsewhere."""
    records = [
        {"sys_id": f"{n:032x}", "sys_updated_on": "2026-11-01 08:00:00", "number": f"INC{n}"}
        for n in range(rows)
    ]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        is_first = "sys_id%3E" not in handler.path and "sysparm_offset" not in handler.path
        body = json.dumps({"result": records if is_first else []})
        json_answer(body, Link=links, X_Total_Count=str(rows))(handler)

    return answer


def test_link_headers_are_never_followed(instance_of: Any) -> None:
    """Pages go by key; the small calls through pysnow count for themselves."""
    with serving(EMPTY) as elsewhere:
        links = f'<{elsewhere.url}/api/now/table/incident?sysparm_offset=2>;rel="next"'
        with serving(page(2, links)) as heard:
            instance = instance_of(heard, page_size=2)
            assert len(read(instance)) == 2
            instance.list_tables(["incident"])
            instance.list_columns(["incident"])
        assert elsewhere.requests == []
    assert len(heard.requests) > 2


# ── answers that break off ───────────────────────────────────────────────────────────────────


def cut(handler: BaseHTTPRequestHandler) -> None:
    """Promises more than comes."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"result":[{"sys_id":"1"}]}')
    handler.close_connection = True


def cut_chunked(handler: BaseHTTPRequestHandler) -> None:
    """Ends within a chunk (§1.6 d)."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b'1b\r\n{"result":[{"sys_id":"1"}]}\r\nff\r\n{"res')
    handler.close_connection = True


@pytest.mark.parametrize("answer", [cut, cut_chunked])
def test_a_connection_that_is_cut_is_no_answer_even_where_the_rest_would_be_json(
    answer: Answer, instance_of: Any
) -> None:
    with serving(answer) as heard, pytest.raises(IncompleteResponseError, match="broke off"):
        read(instance_of(heard, max_attempts=1, page_size=50))
