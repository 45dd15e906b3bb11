"""Each login, as `travesia init` writes it, against the sandbox's own check of it, over HTTPS.

The sandbox refuses what a real instance refuses (another key, a jti that came before, a certificate
that nobody mapped); nothing stands between it and the connector.
"""

import gc
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, get_args

import pytest
import requests

from connector import cli, log, services
from connector.config import load_config
from connector.errors import AuthenticationError, InstanceError
from connector.itsm.base import Cursor, RecordUpdate
from connector.itsm.servicenow import ServiceNow, grants
from connector.itsm.servicenow.settings import AuthKind
from connector.sandbox.tls import prepare
from tests import signing
from tests.sandbox_instance import (
    NOW,
    PASSWORD,
    USER,
    USER_ID,
    Api,
    incident_id,
    make_instance,
    serving,
)

CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
KEY = "sandbox-api-key"
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "basic": ("--user", USER),
    "oauth_client_credentials": ("--client-id", CLIENT["client_id"]),
    "oauth_password": ("--client-id", CLIENT["client_id"], "--user", USER),
    "oauth_refresh_token": ("--client-id", CLIENT["client_id"]),
    "oauth_jwt": (
        *("--client-id", CLIENT["client_id"], "--user", USER),
        *("--jwt-key-file", "jwt-key.pem"),
    ),
    "api_key": (),
    "mutual_tls": ("--client-certificate", "client.pem", "--client-key", "client-key.pem"),
}
MORE = (
    'ca_bundle = "sandbox-ca.pem"\nmax_clock_ahead_hours = 0\nmax_attempts = 2\n'
    '[extract]\ntables = ["incident", "sc_task"]\nhistory = false\n'
)


@dataclass
class Place:
    """A sandbox over HTTPS that knows our key and our certificate, and a folder to work in."""

    folder: Path
    api: Api
    secrets: dict[str, str] = field(default_factory=dict)

    def settings(self, auth: str) -> Path:
        """What init writes, and where the sandbox's authority is."""
        path = self.folder / f"{auth}.toml"
        words = ["--config", path.name, "init", "--yes", "--url", self.api.base, "--auth", auth]
        assert cli.run([*words, *ARGUMENTS[auth]]) == 0
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("[mapping]\n", f"{MORE}[mapping]\n"), encoding="utf-8")
        return path

    def fault(self, **plan: Any) -> None:
        """Arm the sandbox."""
        self.api.post("/_sandbox/faults", json=[plan]).raise_for_status()

    def requests(self) -> int:
        """How many were answered, the sandbox's own endpoints apart."""
        return sum(self.api.get("/_sandbox/requests").json()["result"]["requests"].values())

    def tokens_asked(self) -> int:
        """How often the token endpoint was called since the last reset."""
        counted = self.api.get("/_sandbox/requests").json()["result"]["requests"]
        return int(counted.get("POST /oauth_token.do", 0))


class StandingClock(datetime):
    """What `grants` takes for the time: the sandbox's."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "StandingClock":
        return cls.fromtimestamp(NOW.timestamp(), tz)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    authority, own, jwt_key = (signing.curve_key(), signing.curve_key("384"), signing.rsa_key())
    client_ca = tmp_path / "client-ca.pem"
    client_ca.write_text(
        signing.pem(signing.certificate("Clients", authority, is_ca=True)), encoding="utf-8"
    )
    shown = signing.pem(signing.certificate("travesia", own, authority, "Clients"))
    (tmp_path / "client.pem").write_text(shown, encoding="utf-8")
    signing.write_key(tmp_path / "client-key.pem", own)
    signing.write_key(tmp_path / "jwt-key.pem", jwt_key)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(grants, "datetime", StandingClock)
    with serving(make_instance(tmp_path), prepare(tmp_path, client_ca)) as api:
        know(api, "sys_user_certificate", user=USER_ID, pem_certificate=shown)
        know(api, "sys_certificate", name="ours", pem_certificate=signing.public_pem(jwt_key))
        found = Place(tmp_path, api)
        form = {"grant_type": "password", "username": USER, "password": PASSWORD, **CLIENT}
        with requests.Session() as person:
            person.trust_env, person.verify = False, api.verify
            answer = person.post(f"{api.base}/oauth_token.do", data=form).json()
        found.secrets = {
            "TRAVESIA_PASSWORD": PASSWORD,
            "TRAVESIA_CLIENT_SECRET": CLIENT["client_secret"],
            "TRAVESIA_REFRESH_TOKEN": answer["refresh_token"],
            "TRAVESIA_API_KEY": KEY,
        }
        for name, value in found.secrets.items():
            monkeypatch.setenv(name, value)
        yield found
        gc.collect()  # connections that are still warm would keep the server from ending
    log.configure()


def know(api: Api, table: str, **values: str) -> None:
    api.post(f"/api/now/table/{table}", json=values).raise_for_status()


def test_every_login_is_tried_here() -> None:
    assert set(ARGUMENTS) == set(get_args(AuthKind))


def connected(place: Place, settings: Path) -> ServiceNow:
    return services.connect(load_config(settings, {}), place.secrets)


def read(instance: ServiceNow) -> set[str]:
    pages = instance.list_pages("incident", ["number"], Cursor(), NOW + timedelta(days=30))
    return {row["number"] for page in pages for row in page.records}


@pytest.mark.parametrize("auth", sorted(ARGUMENTS))
def test_a_login_reads_over_https_and_writes_as_its_user(place: Place, auth: str) -> None:
    instance = connected(place, place.settings(auth))
    before = place.tokens_asked()
    assert len(read(instance)) == 25
    made = instance.update_record("incident", incident_id(3), {"short_description": auth})
    assert (made["short_description"], made["sys_updated_by"]) == (auth, USER)
    (reply,) = instance.send_updates([RecordUpdate("incident", incident_id(4), {"state": "2"})])
    assert (reply.status, reply.values["state"]) == ("written", "2")
    assert instance.count_records("incident").records == 25
    is_token = auth.startswith("oauth_")
    assert place.tokens_asked() - before == int(is_token), "one token for all requests"


def test_the_command_syncs_by_a_login_of_the_sandboxs_own(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of them whole; what the others do differently, the tests around show."""
    settings = place.settings("oauth_jwt")
    capsys.readouterr()
    assert cli.run(["--config", settings.name, "sync", "--json"]) == 0
    tables = json.loads(capsys.readouterr().out)["tables"]
    assert {one["table"]: one["extracted"] for one in tables}["incident"] == 20  # five to come


@pytest.mark.parametrize("auth", sorted(a for a in ARGUMENTS if a.startswith("oauth_")))
def test_a_token_that_dies_in_mid_run_is_asked_for_anew_by_every_grant(
    place: Place, auth: str
) -> None:
    """By the fault, and by the instance's own clock, which the client does not see (vector 40)."""
    instance = connected(place, place.settings(auth))
    before = place.tokens_asked()
    place.fault(kind="unauthorised", table="incident", count=1)
    assert len(read(instance)) == 25
    assert place.tokens_asked() - before == 2
    place.api.post("/_sandbox/clock", json={"until": "2026-11-20 12:04:00"})
    assert len(read(instance)) == 25
    assert place.tokens_asked() - before == 2


@pytest.mark.parametrize("auth", sorted(ARGUMENTS))
def test_a_login_that_the_sandbox_refuses_ends_in_one_sentence_for_a_person(
    place: Place, auth: str
) -> None:
    settings = place.settings(auth)
    place.secrets = dict.fromkeys(place.secrets, "wrong")
    stranger, authority = signing.write_key(place.folder / "s.pem", KEYS[0]), KEYS[1]
    made = signing.certificate("stranger", KEYS[0], authority, "Clients")
    (place.folder / "client.pem").write_text(signing.pem(made), encoding="utf-8")
    stranger.replace(place.folder / "client-key.pem")
    counted = place.requests()
    with pytest.raises(InstanceError) as caught:
        read(connected(place, settings))
    assert "wrong" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    if auth == "mutual_tls":  # the handshake ends, with an alert or without a word
        assert "client_certificate and client_key" in str(caught.value)
        assert place.requests() == counted
        return
    assert (type(caught.value), caught.value.exit_code) == (AuthenticationError, 4)
    # What is refused at the door is not counted there; tokens are asked for once.
    assert place.requests() - counted == int(auth.startswith("oauth_"))


KEYS = (signing.curve_key("256"), signing.curve_key("384"))


def test_a_certificate_that_nobody_mapped_is_a_login_that_a_person_must_mend(place: Place) -> None:
    settings = place.settings("mutual_tls")
    (row,) = place.api.get("/api/now/table/sys_user_certificate").json()["result"]
    place.api.delete(f"/api/now/table/sys_user_certificate/{row['sys_id']}").raise_for_status()
    with pytest.raises(AuthenticationError, match="refused the login"):
        services.connect(load_config(settings, {}), {}).now()


def test_an_authority_that_is_not_trusted_sends_nothing(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = place.settings("basic")
    text = settings.read_text(encoding="utf-8").replace('ca_bundle = "sandbox-ca.pem"\n', "")
    settings.write_text(text, encoding="utf-8")
    counted = place.api.get("/_sandbox/requests").json()["result"]["requests"]
    assert cli.run(["--config", settings.name, "sync"]) == 3
    assert "is not trusted; set ca_bundle" in capsys.readouterr().err
    assert place.api.get("/_sandbox/requests").json()["result"]["requests"] == counted
