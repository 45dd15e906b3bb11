"""`kill -9` in the middle of a first read in parts: the next run goes on, part by part."""

import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb

from tests import sandbox_instance
from tests.harness import Connector
from tests.sandbox_instance import Api, incidents, make_instance
from tests.tls_server import Heard, json_answer, serving

SETTINGS: dict[str, dict[str, Any]] = {
    "instance": {"page_size": 2, "workers": 2},
    "extract": {"tables": ["incident"], "history": False},
    "write_back": {"enabled": False, "tables": ["incident"]},
}


class Turnstile:
    """Passes requests on to the sandbox; after `open_for` pages of parts nobody comes through."""

    def __init__(self, sandbox: Api, open_for: int) -> None:
        self.sandbox = sandbox
        self.left = open_for
        self.is_shut = threading.Event()
        self.freed = threading.Event()
        self.lock = threading.Lock()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        if is_of_a_part(handler.path):
            with self.lock:
                self.left -= 1
            if self.left < 0:
                self.is_shut.set()
                self.freed.wait(60)
                handler.close_connection = True
                return
        headers = {"Accept": "application/json"}
        reply = self.sandbox.request("GET", handler.path, headers=headers)  # type: ignore[no-untyped-call]  # as the kit has it
        kept = {k: reply.headers[k] for k in ("X-Total-Count", "Date") if k in reply.headers}
        json_answer(reply.text, status=reply.status_code, **kept)(handler)


def query_of(path: str) -> str:
    return parse_qs(urlsplit(path).query).get("sysparm_query", [""])[0]


def is_of_a_part(path: str) -> bool:
    query = query_of(path)
    by_key = query.count("ORDERBY") == 1 and query.endswith("^ORDERBYsys_id")
    return "/table/incident" in path and by_key and "sys_updated_on<=" in query


def windows(heard: Heard, high: str) -> list[str]:
    """What was asked of the part that ends below `high`."""
    asked = [query_of(line) for line in heard.paths if is_of_a_part(line)]
    return [q for q in asked if (f"sys_id<{high}^" in q if high else "sys_id<" not in q)]


def spread() -> list[dict[str, str]]:
    """Incidents whose keys begin with any digit, as real ones do."""
    return [
        {**incident, "sys_id": f"{n % 16:x}{n:031x}", "number": f"INC{n:07}"}
        for n, incident in enumerate(incidents() * 2, 100)
    ]


def test_a_killed_read_in_parts_goes_on_where_each_part_stood(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    folder.mkdir()
    instance = make_instance(folder)
    instance.database.load("incident", spread())
    with sandbox_instance.serving(instance) as api:
        turnstile = Turnstile(api, open_for=8)
        with serving(turnstile) as heard:
            connector = Connector(tmp_path / "connector", heard.url, SETTINGS)
            process = connector.start("sync", "--json")
            assert turnstile.is_shut.wait(60)
            process.kill()
            process.communicate()
            turnstile.freed.set()
            with duckdb.connect(str(connector.store), read_only=True) as store:
                stood = store.execute("SELECT high, after, is_done FROM shard").fetchall()
                landed = store.execute("SELECT count(*) FROM current.incident").fetchall()
        # Eight pages came; two workers, the queue and the writer can hold four.
        assert landed[0][0] >= 4
        assert any(after for _high, after, _done in stood)
        assert not all(done for *_rest, done in stood)

        with serving(Turnstile(api, open_for=10_000)) as again:
            connector.write_config(instance={**SETTINGS["instance"], "url": again.url})
            connector.sync()
        for high, after, is_done in stood:
            first = windows(again, high)[:1]
            assert bool(first) != is_done
            assert all(q.startswith(f"sys_id>{after}^") for q in first if after)
    rows = connector.read("SELECT sys_id FROM current.incident")
    assert len(rows) == len(set(rows)) == 3 * 25
    assert connector.read("SELECT count(*) FROM shard") == [(0,)]
