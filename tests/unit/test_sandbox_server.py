import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector import sandbox
from connector.errors import ConfigError
from connector.sandbox import control
from connector.sandbox.seeding import open_instance
from connector.sandbox.server import listen
from connector.sandbox.tls import prepare
from tests.sandbox_instance import Api, incident_id, make_instance, serving

PROGRAM = """
import sys
from pathlib import Path
from connector.sandbox.server import Place, run
run(Place(0, *map(bool, sys.argv[2:])), Path(sys.argv[1]), "empty", None, None)
"""


@contextmanager
def process(data: Path, *https: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`run` in a process of its own, and the one line it prints."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(data), *https],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout
        try:
            yield started, started.stdout.readline()
        finally:
            started.kill()


def test_it_says_when_it_is_ready_stops_on_sigterm_and_goes_on_where_it_was(
    tmp_path: Path,
) -> None:
    with process(tmp_path / "data") as (started, line):
        assert line.startswith("sandbox ready: http://127.0.0.1:")
        assert "(seed empty, clock " in line
        base = line.split()[2]
        with Api(base) as api:
            user = api.get("/api/now/table/sys_user?user_name=admin").json()["result"][0]
            api.patch(f"/api/now/table/sys_user/{user['sys_id']}", json={"email": "x@y.invalid"})
            api.post("/_sandbox/clock", json={"frozen": True, "until": "2030-01-01 00:00:00"})
        started.send_signal(signal.SIGTERM)
        assert started.wait(10) == 0
    with process(tmp_path / "data") as (started, line):
        assert "clock 2030-01-01 00:00:00" in line
        with Api(line.split()[2]) as api:
            users = api.get("/api/now/table/sys_user?email=x@y.invalid").json()["result"]
            assert [one["user_name"] for one in users] == ["admin"]
        started.send_signal(signal.SIGTERM)
        assert started.wait(10) == 0
        assert started.stderr
        assert "already holds an instance (seed empty)" in started.stderr.read()


def test_a_port_in_use_is_said_so() -> None:
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} is in use"):
            listen(port)


def test_it_listens_on_loopback_with_nagle_off() -> None:
    with listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert listener.proto == socket.IPPROTO_TCP, "asyncio turns Nagle off only on these"


def test_a_seed_that_fails_leaves_no_half_instance(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        open_instance(tmp_path, "uci", None, tmp_path / "absent")
    assert not (tmp_path / "instance.db").exists()
    instance = open_instance(tmp_path, "empty", datetime(2020, 1, 1, tzinfo=UTC), None)
    assert instance.clock.text().startswith("2020-01-01 00:00:0")
    instance.database.close()


def test_an_unknown_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="demo"):
        open_instance(tmp_path, "dmeo", None, None)


def test_another_password_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAVESIA_SANDBOX_PASSWORD", "other")
    instance = open_instance(tmp_path, "empty", None, None)
    with serving(instance) as api:
        assert api.get("/api/now/table/sys_user").status_code == 401
        api.auth = ("admin", "other")
        assert api.get("/api/now/table/sys_user").status_code == 200


def test_requests_are_counted_and_cookies_noticed(tmp_path: Path) -> None:
    with serving(make_instance(tmp_path)) as api:
        api.get("/api/now/v2/table/incident?sysparm_limit=1")
        api.get(f"/api/now/table/incident/{incident_id(1)}")
        api.cookies.clear()
        api.get(f"/api/now/table/incident/{incident_id(2)}")
        counted = api.get("/_sandbox/requests").json()["result"]
        assert counted["requests"] == {
            "GET /api/now/table/incident": 1,
            "GET /api/now/table/incident/{sys_id}": 2,
        }
        assert counted["with_cookies"] == 1
        assert api.delete("/_sandbox/requests").json()["result"]["requests"] == {}


def test_own_endpoints_and_pages_answer_only_to_a_loopback_host(tmp_path: Path) -> None:
    with serving(make_instance(tmp_path)) as api:
        foreign = {"Host": "evil.example"}
        assert api.get("/_sandbox/health", headers=foreign).status_code == 403
        assert api.post("/_sandbox/clock", json={}, headers=foreign).status_code == 403
        assert api.get("/", headers=foreign).status_code == 403
        assert api.get("/").status_code == 200
        assert api.get("/_sandbox/health").json()["result"]["status"] == "ok"
        assert api.get("/_sandbox/nothing").status_code == 404


def test_the_dump_comes_as_json_lines(tmp_path: Path) -> None:
    with serving(make_instance(tmp_path)) as api:
        lines = api.get("/_sandbox/dump?table=incident").text.splitlines()
        assert [json.loads(line)["sys_id"] for line in lines] == [
            incident_id(n) for n in range(1, 26)
        ]
        assert api.get("/_sandbox/dump?table=nosuch").status_code == 400


def test_two_clients_at_once_lose_nothing(tmp_path: Path) -> None:
    with serving(make_instance(tmp_path)) as api:

        def work(worker: int) -> None:
            with Api(api.base) as client:
                for n in range(1, 26):
                    field = ("priority", "close_notes")[worker]
                    url = f"/api/now/table/incident/{incident_id(n)}"
                    assert client.patch(url, json={field: f"{worker}{n}"}).status_code == 200
                    assert len(client.get("/api/now/table/incident").json()["result"]) == 25

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, range(2)))
        rows = api.get("/api/now/table/incident").json()["result"]
        assert {row["sys_mod_count"] for row in rows} == {"2"}
        assert all(row["priority"] and row["close_notes"] for row in rows)


def test_an_unexpected_failure_is_a_500_in_the_documented_shape(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    instance = make_instance(tmp_path)
    with serving(instance) as api:
        instance.database.engine.execute("DROP TABLE task_sla")
        answer = api.get("/api/now/table/task_sla")
        assert answer.status_code == 500
        assert answer.json()["status"] == "failure"
    assert "no such table" in capfd.readouterr().err


def test_an_instance_may_be_made_without_the_tables_of_plug_ins(tmp_path: Path) -> None:
    lacking = ["dmn_demand", "interaction"]
    instance = open_instance(tmp_path, "empty", None, None, lacking=lacking)
    known = instance.database.catalogue
    instance.database.close()
    assert not {"dmn_demand", "interaction"} & set(known)
    assert {"incident", "kb_use", "im_idea_core"} <= set(known)


def test_the_demo_goes_on_when_its_clock_is_advanced(tmp_path: Path) -> None:
    """Tickets that were open are closed, new ones come, with journal and audit; a table that the
    instance lacks brings no trouble."""
    instance = open_instance(tmp_path, "demo", None, None, True, lacking=["interaction"])
    database = instance.database

    def count(sql: str) -> int:
        return int(database.engine.rows(sql)[0][0])

    asked = {
        "all": "SELECT count(*) FROM task WHERE sys_class_name = 'incident'",
        "closed": "SELECT count(*) FROM task WHERE sys_class_name = 'incident' AND state = '7'",
        "said": "SELECT count(*) FROM sys_journal_field",
        "audited": "SELECT count(*) FROM sys_audit",
    }
    before = {name: count(sql) for name, sql in asked.items()}
    body = json.dumps({"until": "2026-12-11 12:00:00"}).encode()
    told = json.loads(asyncio.run(control.advance(instance, body)).body)["result"]
    after = {name: count(sql) for name, sql in asked.items()}
    latest = database.engine.rows("SELECT max(sys_updated_on) FROM task")[0][0]
    database.close()
    assert told["clock"] == "2026-12-11 12:00:00"
    assert all(after[name] > before[name] for name in asked)
    assert "2026-12-10" <= latest <= "2026-12-11 12:00:00"


def test_https_says_whom_to_trust_and_answers_those_who_do(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with process(data, "https") as (started, line):
        assert line.startswith("sandbox ready: https://127.0.0.1:")
        with Api(line.split()[2]) as api:
            api.verify = str(data / "sandbox-ca.pem")
            assert api.get("/_sandbox/health").json()["result"]["seed"] == "empty"
        started.send_signal(signal.SIGTERM)
        assert started.wait(20) == 0
        assert started.stderr
        assert f"{data / 'sandbox-ca.pem'}" in started.stderr.read()


def test_a_client_authority_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate", encoding="utf-8")
    for path in (wrong, tmp_path / "absent.pem"):
        with pytest.raises(ConfigError, match="--client-ca"):
            prepare(tmp_path, path)


def test_without_cryptography_https_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(sandbox, "certificates", raising=False)
    monkeypatch.setitem(sys.modules, "connector.sandbox.certificates", None)
    with pytest.raises(ConfigError, match="extra keys"):
        prepare(tmp_path)
