"""Bad input: one sentence on stderr, what is wrong and what to try; the exit code is its kind."""

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import pytest

from tests.flow.conftest import Places, copy_of
from tests.harness import USER, Connector, Sandbox, sandbox

CONFIG, INSTANCE, LOGIN, STORE, USAGE = 2, 3, 4, 5, 64
NO_RETRY = {"max_attempts": 1}
PRIVATE = "what the user of a record wrote"


@pytest.fixture(scope="module")
def instance(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A demo without our columns, shared: nothing here gets as far as writing."""
    with copy_of(places.new(), tmp_path_factory.mktemp("bad") / "place") as place:
        before = place.instance.whole_dump()
        yield place.instance
        assert place.instance.whole_dump() == before


@pytest.fixture
def connector(instance: Sandbox, tmp_path: Path) -> Connector:
    return Connector(tmp_path / "connector", instance.url)


def refused(connector: Connector, code: int, *arguments: str, **env: str) -> str:
    """Run a command that must be refused; answers its sentence."""
    done = connector.call(*arguments, **env)
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    [sentence] = [
        line for line in done.stderr.splitlines() if line and not line.startswith(("20", " "))
    ]
    assert sentence.startswith("Error: ")
    return sentence.removeprefix("Error: ")


# ── settings ─────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_setting_is_named_with_its_line_and_the_near_miss(connector: Connector) -> None:
    connector.write_config(write_back={"bach_size": 5})
    said = refused(connector, CONFIG, "sync")
    line = next(
        number
        for number, text in enumerate(
            (connector.folder / "travesia.toml").read_text().splitlines(), 1
        )
        if "bach_size" in text
    )
    assert said == (
        f"travesia.toml: line {line}, [write_back] bach_size: there is no such setting;"
        " did you mean batch_size?"
    )


def test_all_faults_of_the_settings_are_told_at_once(connector: Connector) -> None:
    connector.write_config(write_back={"batch_size": 0}, schedule={"sync": "25 o'clock"})
    done = connector.call("sync")
    assert done.returncode == CONFIG
    assert done.stderr.startswith("Error: travesia.toml: 2 problems:")
    assert "[write_back] batch_size" in done.stderr
    assert "[schedule] sync" in done.stderr


def test_a_missing_secret_is_asked_for_by_its_variable(connector: Connector) -> None:
    said = refused(connector, CONFIG, "sync", TRAVESIA_PASSWORD="")
    assert "set the environment variable TRAVESIA_PASSWORD" in said
    assert "password_file" in said


def test_without_settings_nothing_begins(connector: Connector) -> None:
    (connector.folder / "travesia.toml").unlink()
    assert "travesia init" in refused(connector, CONFIG, "sync")
    assert not connector.store.exists()


def test_a_date_that_is_none_is_a_fault_of_the_command_line(connector: Connector) -> None:
    assert "'yesterday' is not a date" in refused(connector, USAGE, "sync", "--since", "yesterday")


# ── instance ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", ["sync", "check"])
def test_a_wrong_password_ends_at_once(
    connector: Connector, instance: Sandbox, command: str
) -> None:
    instance.reset_requests()
    said = refused(connector, LOGIN, command, TRAVESIA_PASSWORD="not-this-one")
    assert "refused the login" in said
    assert "not-this-one" not in said
    assert sum(instance.requests().values()) <= 2, "no account is locked by trying again"


def test_an_instance_out_of_reach_is_told_quickly(tmp_path: Path) -> None:
    connector = Connector(tmp_path, "http://127.0.0.1:9")
    began = time.monotonic()
    said = refused(connector, INSTANCE, "sync")
    assert said == "Cannot reach 127.0.0.1:9; check url, proxy and the network"
    assert time.monotonic() - began < 30


def test_an_unknown_table_is_named(connector: Connector) -> None:
    narrow = {"tables": ["incident"], "enabled": False}
    connector.write_config(extract={"tables": ["incident", "incidents"]}, write_back=narrow)
    said = refused(connector, CONFIG, "sync")
    assert "The instance has no table incidents; check its name" in said
    connector.write_config(extract={"tables": ["incident"]}, write_back=narrow)
    said = refused(connector, CONFIG, "sync", "--table", "incidnet")
    assert "incidnet is not among the tables that are read: " in said


def test_before_provisioning_the_missing_columns_are_told_with_the_remedy(
    connector: Connector, instance: Sandbox
) -> None:
    connector.write_config(write_back={"tables": ["incident"]})
    instance.reset_requests()
    said = refused(connector, CONFIG, "sync")
    assert "table incident lacks u_journey_step" in said
    assert "run travesia provision --apply" in said
    assert {kind.split()[0] for kind in instance.requests()} == {"GET"}


def test_an_unknown_record_is_told_by_its_number(connector: Connector) -> None:
    connector.write_config(write_back={"enabled": False})
    said = refused(connector, CONFIG, "sync", "--record", "INC9999999")
    assert "INC9999999" in said
    said = refused(connector, CONFIG, "sync", "--record", "INC1^ORnumberISNOTEMPTY")
    assert "is not a record number" in said


@dataclass
class Canned:
    """What a server that is no ServiceNow answers to everything."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def answering(canned: Canned) -> Iterator[str]:
    """A server on loopback; answers its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(canned.status)
            self.send_header("Date", self.date_time_string())
            self.send_header("Content-Type", canned.kind)
            self.send_header("Content-Length", str(len(canned.body)))
            for name, value in canned.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(canned.body)

        do_POST = do_GET

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def page(text: str) -> Canned:
    body = f"<html><body><p>{text}</p><p>{PRIVATE}</p></body></html>"
    return Canned(body=body.encode(), kind="text/html")


def error(status: int, message: str, **headers: str) -> Canned:
    body = f'{{"error": {{"message": "{message}", "detail": ""}}, "status": "failure"}}'
    return Canned(status, body.encode(), headers=headers)


ROW = '{"result": [{"sys_id": "%s", "name": "' + PRIVATE + '"}]}'


@pytest.mark.parametrize(
    ("canned", "code", "sentence"),
    [
        (page("<form action='login.do'>"), LOGIN, "showed its login page instead of data"),
        (page("Your instance is hibernating"), INSTANCE, "is hibernating; wake it up"),
        (page("Back soon"), INSTANCE, "answered with a web page instead of data"),
        (Canned(404, b"<html>none</html>", "text/html"), INSTANCE, "no ServiceNow REST API"),
        (Canned(body=ROW.encode()[:-9]), INSTANCE, "was cut or is no JSON"),
        (Canned(body=b"\x00\xff\xfe{}"), INSTANCE, "was cut or is no JSON"),
        (Canned(body=b'{"result": 7}'), INSTANCE, "was no list of records"),
        (Canned(body=b"[" * 9999), INSTANCE, "was cut or is no JSON"),
        (error(200, "It did not work"), INSTANCE, "an error inside a success: It did not work"),
        (error(403, "ACL says no"), INSTANCE, "ask for the role"),
        (error(429, "Too many", **{"Retry-After": "1"}), INSTANCE, "limits our requests"),
        (error(500, "Oops"), INSTANCE, "is not available (HTTP 500)"),
        (Canned(302, headers={"Location": "https://u:pw@sso.example/x"}), INSTANCE, "sso.example"),
        (Canned(body=b'{"result": []}'), INSTANCE, "The account sees no table"),
    ],
)
def test_whatever_answers_in_place_of_the_instance_is_told_by_its_kind(
    tmp_path: Path, canned: Canned, code: int, sentence: str
) -> None:
    with answering(canned) as url:
        connector = Connector(tmp_path, url, {"instance": NO_RETRY})
        done = connector.call("sync")
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("Error: ") == 1
    assert "fault of Travesía" not in done.stderr
    told = done.stderr + (tmp_path / "travesia.status.json").read_text()
    assert PRIVATE not in told
    assert "pw@" not in told


# ── mapping ──────────────────────────────────────────────────────────────────────────────────

RULE = """
[[rule]]
id         = "ours-{id}"
tables     = ["incident"]
when       = "{when}"
touchpoint = "{touchpoint}"
because    = {{ en = "Ours", es = "Nuestra" }}
example    = {example}
"""


NARROW = "state=3^priority=1^impact=1"
EXAMPLE = '{ state = "3", priority = "1", impact = "1" }'


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        (
            [("typo", NARROW, "wait_for_usr", EXAMPLE)],
            "there is no touchpoint wait_for_usr; did you mean wait_for_user?",
        ),
        (
            [
                ("wide", NARROW, "phone", EXAMPLE),
                ("hidden", NARROW + "^urgency=1", "email", EXAMPLE[:-1] + ', urgency = "1" }'),
            ],
            "ours-hidden is hidden on incident: ours-wide"
            " (rules/ours.toml:2) stands before it and takes its example;"
            " put ours-hidden first, or make its example reach it",
        ),
        (
            [("query", "state=3^stateVALCHANGES", "phone", '{ state = "3" }')],
            "when: position 13: the operator VALCHANGES cannot be honoured",
        ),
    ],
    ids=["typo in a touchpoint", "hidden rule", "invalid encoded query"],
)
def test_a_broken_mapping_is_told_with_file_line_and_place_before_anything_is_read(
    connector: Connector,
    instance: Sandbox,
    rules: list[tuple[str, str, str, str]],
    sentence: str,
) -> None:
    text = "".join(
        RULE.format(id=name, when=when, touchpoint=touchpoint, example=example)
        for name, when, touchpoint, example in rules
    )
    (connector.folder / "ours" / "rules").mkdir(parents=True)
    (connector.folder / "ours" / "rules" / "ours.toml").write_text(text, encoding="utf-8")
    connector.write_config(mapping={"overlay": "ours"})
    instance.reset_requests()
    line = 2 + 8 * (len(rules) - 1)
    assert refused(connector, CONFIG, "sync") == f"ours: rules/ours.toml:{line}: {sentence}"
    assert instance.requests() == {}


# ── store ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "command", [("report",), ("explain", "INC0001000")], ids=["report", "explain"]
)
def test_before_the_first_run_there_is_nothing_to_look_at(
    connector: Connector, command: tuple[str, ...]
) -> None:
    assert "run travesia sync first" in refused(connector, STORE, *command)


@pytest.mark.parametrize("content", [b"no database at all", None])
def test_a_damaged_store_is_told_with_what_to_do_and_left_as_it_is(
    connector: Connector, content: bytes | None
) -> None:
    content = _torn_database(connector.folder) if content is None else content
    connector.store.write_bytes(content)
    said = refused(connector, STORE, "sync")
    assert "travesia.duckdb cannot be opened" in said
    assert "restore a backup, or move it away" in said
    assert connector.store.read_bytes() == content


def _torn_database(folder: Path) -> bytes:
    """What is left of a database whose disk lost a piece of it."""
    path = folder / "whole.duckdb"
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE t AS SELECT range AS n, md5(range::VARCHAR) FROM range(200000)")
    return path.read_bytes()[: path.stat().st_size // 2]


def test_a_store_that_another_program_holds_is_in_use(connector: Connector) -> None:
    with duckdb.connect(str(connector.store)):
        said = refused(connector, STORE, "sync")
    assert said == "The store travesia.duckdb is in use by another process; wait for it to end"


def test_a_store_of_a_newer_version_is_not_touched(connector: Connector) -> None:
    with duckdb.connect(str(connector.store)) as other:
        other.execute("CREATE TABLE migration (number INTEGER, name VARCHAR, applied_at TIMESTAMP)")
        other.execute("INSERT INTO migration VALUES (999, '0999_later.sql', now()::TIMESTAMP)")
    before = connector.store.read_bytes()
    assert "upgrade travesia" in refused(connector, STORE, "sync")
    assert connector.store.read_bytes() == before


# ── secrets ──────────────────────────────────────────────────────────────────────────────────


def test_no_secret_is_shown_logged_or_kept(tmp_path: Path) -> None:
    secret = "cl4ve-que-nadie-ve"
    more = {"TRAVESIA_SANDBOX_PASSWORD": secret}
    with sandbox(tmp_path / "instance", "--seed", "empty", "--frozen", **more) as instance:
        connector = Connector(tmp_path / "connector", instance.url)
        told = said_aloud(
            connector,
            ("provision", "--apply"),
            ("check",),
            ("sync", "--plan-file", "plan.jsonl"),
            ("status", "--json"),
            ("report", "--publish", "--lang", "es", "--format", "md"),
            TRAVESIA_PASSWORD=secret,
        )
        wrong = connector.call("sync", "--traceback", TRAVESIA_PASSWORD=secret + "!")
    assert wrong.returncode == LOGIN
    assert "Traceback" in wrong.stderr
    kept = kept_by(connector)
    for hidden in (secret, base64.b64encode(f"{USER}:{secret}".encode()).decode()):
        assert hidden not in told + wrong.stdout + wrong.stderr
        assert hidden.encode() not in kept


def test_no_client_secret_is_shown_logged_or_kept(connector: Connector) -> None:
    secret = "sandbox-secret"
    connector.settings = {
        "instance": {"auth": "oauth_client_credentials", "client_id": "sandbox-client"},
        "extract": {"tables": ["sc_task"]},
        "write_back": {"enabled": False, "tables": ["sc_task"]},
    }
    told = said_aloud(connector, ("check",), ("sync",), TRAVESIA_CLIENT_SECRET=secret)
    wrong = connector.call("sync", "--traceback", TRAVESIA_CLIENT_SECRET=secret + "!")
    assert wrong.returncode == LOGIN
    assert secret not in told + wrong.stdout + wrong.stderr
    assert secret.encode() not in kept_by(connector)


def said_aloud(connector: Connector, *commands: tuple[str, ...], **env: str) -> str:
    """Run commands that must succeed, telling as much as they can; answers all they said."""
    connector.write_config(log={"level": "debug"})
    told = ""
    for command in commands:
        done = connector.call("--verbose", "--traceback", *command, **env)
        assert done.returncode == 0, done.stderr
        told += done.stdout + done.stderr
    return told


def kept_by(connector: Connector) -> bytes:
    """All bytes of all files that the connector left in its folder."""
    files = [path for path in connector.folder.rglob("*") if path.is_file()]
    assert {"travesia.duckdb", "travesia.status.json"} <= {path.name for path in files}
    return b"".join(path.read_bytes() for path in files)
