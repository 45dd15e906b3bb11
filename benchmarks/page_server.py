"""A Table API and Batch API that cost next to nothing, so that clients are what is measured.

    python -m benchmarks.page_server --records 100000 --port 0 [--latency-ms 80] [--row-cost-us 100]
        [--slots 4] [--write-cost-ms 30] [--table incident=rows.jsonl]

Pages are slices of rows serialised beforehand (page_rows.py), by key or by offset. What a real
instance takes is set by hand, and can be changed while it runs (`POST /_bench/settings`):

- latency: before every answer, whatever the load (the way there and back);
- slots: how many requests are worked on at once (API_INT semaphores), 0 for no limit;
- cost per row read and per record written: time in which a request holds its slot.

Not modelled: that requests of one session run one at a time, a queue that is full (429), gzip.
Items of a batch are worked on one after the other. A written value is kept and told, and a record
keeps its place in the order. Every request is counted (`GET /_bench/counts`).
"""

import argparse
import base64
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from benchmarks.page_rows import Asked, Row, Table, UnknownQuery, checksum, made_up, parse

TABLE_PATH = "/api/now/table/"
TABLE_PATHS = (TABLE_PATH, "/api/now/v2/table/", "/api/now/v1/table/")
BATCH_PATHS = ("/api/now/batch", "/api/now/v1/batch")
DEFAULT_LIMIT = 10_000
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found"}

Body = tuple[bytes, memoryview, bytes]


@dataclass(frozen=True)
class Costs:
    """What a request takes. Zero everywhere: as fast as this process can."""

    latency_ms: float = 0
    row_cost_us: float = 0
    write_cost_ms: float = 0
    slots: int = 0


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    method: str
    path: str
    params: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """One answer, and the seconds of work that it costs."""

    status: int
    body: Body
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0


def _json(value: Any, status: int = 200, seconds: float = 0.0) -> Answer:
    body = (msgspec.json.encode(value), memoryview(b""), b"")
    return Answer(status, body, seconds=seconds)


def _error(status: int, message: str) -> Answer:
    said = {"error": {"message": message, "detail": ""}, "status": "failure"}
    return _json(said, status)


@dataclass
class Pages:
    """The tables, what was written to them, and what every request costs."""

    tables: dict[str, Table]
    costs: Costs = field(default_factory=Costs)
    written: dict[tuple[str, str], Row] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    slots: threading.Semaphore | None = None

    def set_costs(self, costs: Costs) -> None:
        """From the next request on."""
        self.costs = costs
        self.slots = threading.Semaphore(costs.slots) if costs.slots else None

    def serve(self, call: Call) -> Answer:
        """Answer one call, in the time that it costs."""
        if call.path.startswith("/_bench/"):
            return self._control(call)
        with self.lock:
            self.counts[call.method] += 1
        answer = self._answer(call)
        costs = self.costs
        if costs.latency_ms:
            time.sleep(costs.latency_ms / 1000)
        if answer.seconds:
            with self.slots or nullcontext():
                time.sleep(answer.seconds)
        return answer

    def _answer(self, call: Call) -> Answer:
        if call.method == "POST" and call.path in BATCH_PATHS:
            return self._batch(call)
        prefix = next((p for p in TABLE_PATHS if call.path.startswith(p)), None)
        if prefix is None:
            return _error(400, f"no such resource: {call.path}")
        name, _slash, sys_id = call.path.removeprefix(prefix).partition("/")
        if sys_id:
            return self._one(call, name, sys_id)
        if call.method != "GET":
            return _error(400, "only lists here")
        try:
            return self._list(call, self.tables.get(name) or Table.of(()), name)
        except (UnknownQuery, ValueError) as error:
            return _error(400, f"not understood by the page server: {error}")

    def _list(self, call: Call, table: Table, name: str) -> Answer:
        params = call.params
        asked = parse(
            params.get("sysparm_query", ""), params.get("sysparm_fields", ""), _shape(params)
        )
        limit = int(params.get("sysparm_limit", DEFAULT_LIMIT))
        offset = int(params.get("sysparm_offset", 0))
        view, low, high = table.find(asked)
        start = min(low + offset, high)
        stop = min(start + limit, high)
        headers: list[tuple[str, str]] = []
        if not _says(params, "sysparm_no_count"):
            headers.append(("X-Total-Count", str(high - low)))
        if not _says(params, "sysparm_suppress_pagination_header") and stop < high:
            headers.append(("Link", _next(call, offset + limit)))
        rows = view.page(start, stop)
        if self.written:
            rows = self._with_written(name, asked, rows)
        with self.lock:
            self.counts["rows"] += stop - start
        cost = (stop - start) * self.costs.row_cost_us / 1e6
        return Answer(200, (b'{"result":[', rows, b"]}"), tuple(headers), cost)

    def _with_written(self, name: str, asked: Asked, rows: memoryview) -> memoryview:
        found = msgspec.json.decode(b"[%b]" % bytes(rows), type=list[dict[str, Any]])
        for row in found:
            news = self.written.get((name, str(row.get("sys_id"))), {})
            row.update({k: v for k, v in news.items() if not asked.fields or k in asked.fields})
        return memoryview(msgspec.json.encode(found)[1:-1])

    def _one(self, call: Call, name: str, sys_id: str) -> Answer:
        table = self.tables.get(name)
        record = table.get(sys_id) if table else None
        if record is None:
            return _error(404, "No Record found")
        seconds = 0.0
        if call.method in ("PATCH", "PUT"):
            self._write(name, sys_id, call.body)
            seconds = self.costs.write_cost_ms / 1000
        record = {**record, **self.written.get((name, sys_id), {})}
        wanted = [f for f in call.params.get("sysparm_fields", "").split(",") if f]
        result = {f: record.get(f, "") for f in wanted} if wanted else record
        return _json({"result": result}, seconds=seconds)

    def _write(self, name: str, sys_id: str, body: bytes) -> None:
        values = msgspec.json.decode(body, type=dict[str, str])
        with self.lock:
            self.counts["written"] += 1
            self.written.setdefault((name, sys_id), {}).update(values)

    def _batch(self, call: Call) -> Answer:
        asked = msgspec.json.decode(call.body)
        served, seconds = [], 0.0
        for item in asked["rest_requests"]:
            parts = urlsplit(item["url"])
            body = base64.b64decode(item.get("body") or "")
            answer = self._answer(
                Call(item["method"], parts.path, dict(parse_qsl(parts.query)), body)
            )
            seconds += answer.seconds
            served.append(
                {
                    "id": item["id"],
                    "status_code": answer.status,
                    "status_text": _REASONS[answer.status],
                    "body": base64.b64encode(b"".join(answer.body)).decode(),
                    "headers": [],
                    "execution_time": round(answer.seconds * 1000),
                }
            )
        batch_id = str(asked.get("batch_request_id", ""))
        told = {"batch_request_id": batch_id, "serviced_requests": served}
        return _json({**told, "unserviced_requests": []}, seconds=seconds)

    def _control(self, call: Call) -> Answer:
        verb = (call.method, call.path.removeprefix("/_bench/"))
        if verb == ("POST", "settings"):
            self.set_costs(replace(Costs(), **msgspec.json.decode(call.body)))
            return _json({})
        if verb == ("POST", "reset"):
            self.counts.clear()
            self.written.clear()
            return _json({})
        if verb == ("GET", "counts"):
            total = sum(n for kind, n in self.counts.items() if kind.isupper())
            return _json({**self.counts, "requests": total})
        if verb == ("GET", "expected"):
            return _json({name: _expected(table) for name, table in self.tables.items()})
        if verb == ("GET", "written"):
            return _json([[*key, values] for key, values in sorted(self.written.items())])
        return _error(404, "no such control")


def _expected(table: Table) -> dict[str, Any]:
    rows = (msgspec.json.decode(table.base.row(n), type=Row) for n in range(len(table.base.ids)))
    pairs = ((row["sys_id"], row.get("number", "")) for row in rows)
    return {"count": len(table.base.ids), "checksum": checksum(pairs)}


def _shape(params: Mapping[str, str]) -> str:
    if params.get("sysparm_display_value") == "all":
        return "all"
    return "plain" if _says(params, "sysparm_exclude_reference_link") else "links"


def _says(params: Mapping[str, str], name: str) -> bool:
    return params.get(name, "").lower() == "true"  # pysnow writes Python's True


def _next(call: Call, offset: int) -> str:
    query = urlencode({**call.params, "sysparm_offset": str(offset)})
    return f'<{{base}}{call.path}?{query}>;rel="next"'


class Server:
    """One thread a connection; answers are sent without copying rows."""

    def __init__(self, pages: Pages, port: int = 0) -> None:
        self.pages = pages
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def run(self) -> None:
        """Accept until `close`."""
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """No more connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _talk(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = connection.makefile("rb", 1 << 16)
        with connection, reader:
            try:
                while (call := _read(reader.readline, reader.read)) is not None:
                    self._send(connection, self.pages.serve(call))
            except (ConnectionError, TimeoutError):
                return

    def _send(self, connection: socket.socket, answer: Answer) -> None:
        head, rows, tail = answer.body
        size = len(head) + len(rows) + len(tail)
        lines = [
            f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}",
            "Content-Type: application/json;charset=UTF-8",
            f"Date: {formatdate(usegmt=True)}",
            f"Content-Length: {size}",
            *(f"{name}: {value.replace('{base}', self.url)}" for name, value in answer.headers),
        ]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + head)
        connection.sendall(rows)
        connection.sendall(tail)


def _read(line: Callable[[], bytes], body: Callable[[int], bytes]) -> Call | None:
    first = line()
    if not first:
        return None
    method, target, _version = first.decode().split(" ", 2)
    size = 0
    while (header := line().strip()) != b"":
        name, _colon, value = header.partition(b":")
        if name.lower() == b"content-length":
            size = int(value)
    parts = urlsplit(target)
    params = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Call(method, parts.path, params, body(size) if size else b"")


def load(path: Path) -> Table:
    """A table from a file of JSON lines."""
    with path.open("rb") as lines:
        return Table.of(msgspec.json.decode(line, type=Row) for line in lines)


def main() -> None:
    """Load, say where, serve until killed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--records", type=int, default=100_000, help="made-up incidents")
    parser.add_argument("--table", action="append", default=[], help="name=rows.jsonl instead")
    parser.add_argument("--port", type=int, default=0)
    for knob in ("latency-ms", "row-cost-us", "write-cost-ms"):
        parser.add_argument(f"--{knob}", type=float, default=0)
    parser.add_argument("--slots", type=int, default=0)
    asked = parser.parse_args()
    files = dict(one.split("=", 1) for one in asked.table)
    tables = {name: load(Path(path)) for name, path in files.items()}
    pages = Pages(tables or {"incident": Table.of(made_up(asked.records))})
    pages.set_costs(Costs(asked.latency_ms, asked.row_cost_us, asked.write_cost_ms, asked.slots))
    server = Server(pages, asked.port)
    print(f"page server ready: {server.url}", flush=True)
    server.run()


if __name__ == "__main__":
    main()
