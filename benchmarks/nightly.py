"""A night, end to end, against the script that an administrator would write with pysnow.

    python -m benchmarks.nightly [--records 20000] [--latency-ms 80] [--sample 200] [--docs]

The demo's six ticket tables, copied until `--records` of them are there, provisioned and synced
once. Then every one of them changes, and `travesia sync` runs: the real command, over the real
sandbox with its own rules, behind a relay that lets each request wait. The script
(peers/admin_script.py) reads the same changes whole and writes `--sample` of them; as it writes one
after the other, the rest is reckoned from those, and said to be.
"""

import argparse
import base64
import hashlib
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from benchmarks import side_by_side as bench
from benchmarks.latency import delayed
from connector.config.settings import WriteBackSettings
from tests.harness import PASSWORD, Connector, Sandbox, sandbox

TABLES = {
    "incident": ("state", "hold_reason", "caller_id", "assignment_group", "short_description"),
    "sc_request": ("request_state", "stage", "requested_for", "short_description"),
    "sc_req_item": ("state", "stage", "cat_item", "request", "short_description"),
    "sc_task": ("state", "request_item", "assignment_group", "short_description"),
    "sysapproval_approver": ("state", "sysapproval", "approver"),
    "task_sla": ("stage", "task", "has_breached", "planned_end_time"),
}
"""Six tables, with what the script reads of each; the first field is the one that changes."""

WRITTEN = tuple(table for table in TABLES if table in WriteBackSettings().tables)
AT_ONCE = 200
_SYSTEM = ("sys_created_on", "sys_updated_on", "sys_created_by", "sys_updated_by", "sys_mod_count")

Row = dict[str, str]
Write = tuple[str, str, str, Row]


@dataclass(frozen=True)
class Night:
    """What one night took."""

    changed: int
    read: int
    written: int
    seconds: float
    requests: int
    is_reckoned: bool = False


def copies(rows: dict[str, dict[str, Row]], wanted: int) -> Iterator[Write]:
    """Copies of all rows with keys of their own, which refer to each other within a copy."""
    keys = {sys_id for of_table in rows.values() for sys_id in of_table}
    have, n = len(keys), 0
    while have < wanted:
        n += 1
        for table, of_table in rows.items():
            for sys_id, row in of_table.items():
                if have < wanted:
                    values = {k: _copied(v, keys, n) for k, v in row.items() if k not in _SYSTEM}
                    values.pop("number", None)
                    yield "POST", table, _copied(sys_id, keys, n), values
                    have += 1


def _copied(value: str, keys: set[str], n: int) -> str:
    if value not in keys:
        return value
    return hashlib.md5(f"{value}-{n}".encode(), usedforsecurity=False).hexdigest()


def changes(rows: dict[str, dict[str, Row]]) -> Iterator[Write]:
    """Every record takes the state of the next one that differs, as if a night had passed."""
    for table, of_table in rows.items():
        column = TABLES[table][0]
        values = sorted({row.get(column, "") for row in of_table.values()} - {""})
        for n, (sys_id, row) in enumerate(of_table.items()):
            others = [value for value in values if value != row.get(column, "")]
            yield "PATCH", table, sys_id, {column: others[n % len(others)]}


def apply(instance: Sandbox, writes: Iterator[Write]) -> int:
    """Send writes to the sandbox as an administrator, in batches, and count what was done."""
    done, part = 0, []
    for write in writes:
        part.append(write)
        if len(part) == AT_ONCE:
            done += _send(instance, part)
            part = []
    return done + (_send(instance, part) if part else 0)


def _send(instance: Sandbox, part: Sequence[Write]) -> int:
    items = []
    for n, (method, table, sys_id, values) in enumerate(part):
        path = f"/api/now/table/{table}" + (f"/{sys_id}" if method == "PATCH" else "")
        body = values if method == "PATCH" else {**values, "sys_id": sys_id}
        items.append(
            {
                "id": str(n),
                "method": method,
                "url": f"{path}?sysparm_fields=sys_id",
                "headers": [{"name": "Content-Type", "value": "application/json"}],
                "body": base64.b64encode(json.dumps(body).encode()).decode(),
            }
        )
    reply = requests.post(
        f"{instance.url}/api/now/v1/batch",
        json={"batch_request_id": "1", "rest_requests": items},
        auth=("admin", PASSWORD),
        headers={"Accept": "application/json"},
        timeout=600,
    )
    reply.raise_for_status()
    served = reply.json()["serviced_requests"]
    return sum(one["status_code"] < 300 for one in served)


def ours(instance: Sandbox, connector: Connector, seconds: float, changed: int) -> Night:
    """The real command behind the relay."""
    instance.reset_requests()
    with delayed(instance.url, seconds) as url:
        connector.write_config(instance={"url": url, "workers": 4}, write_back={"workers": 4})
        began = time.perf_counter()
        counts = connector.sync("--quiet")
        took = time.perf_counter() - began
    read = sum(table["extracted"] for table in counts["tables"])
    return Night(changed, read, counts["confirmed"], took, _sent(instance))


def _sent(instance: Sandbox) -> int:
    """Requests since the last reset; what rode in a batch came in one."""
    said = instance.requests()
    return sum(n for kind, n in said.items() if not kind.startswith("batched"))


def script(instance: Sandbox, since: str, seconds: float, changed: int, sample: int) -> Night:
    """The administrator's script behind the same relay; its writes beyond the sample reckoned."""
    tables = {
        name: {"fields": ["sys_id", "number", *fields], "is_written": name in WRITTEN}
        for name, fields in TABLES.items()
    }
    instance.reset_requests()
    with delayed(instance.url, seconds) as url:
        found = subprocess.run(
            [
                bench.python_of("pysnow"),
                str(bench.ROOT / "benchmarks" / "peers" / "admin_script.py"),
                *(url, since, json.dumps(tables), str(sample)),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
    sent = _sent(instance)
    told = json.loads(found.stdout.splitlines()[-1])
    each = told["write_seconds"] / told["written"]
    return Night(
        changed,
        told["read"],
        told["to_write"],
        told["read_seconds"] + each * told["to_write"],
        sent + 2 * (told["to_write"] - told["written"]),
        is_reckoned=told["written"] < told["to_write"],
    )


def measure(folder: Path, records: int, seconds: float, sample: int) -> tuple[Night, Night, Night]:
    """Ours, the script, and our next night, in which nothing changed."""
    with sandbox(folder / "instance", "--seed", "demo") as instance:
        settings = {"extract": {"tables": [*TABLES]}, "write_back": {"tables": [*WRITTEN]}}
        connector = Connector(folder / "connector", instance.url, settings)
        connector.do("provision", "--apply")
        rows = {table: instance.dump(table) for table in TABLES}
        print(f"{apply(instance, copies(rows, records)):,} copies", flush=True)
        connector.sync("--quiet")
        time.sleep(3)  # the settle time of the first night
        rows = {table: instance.dump(table) for table in TABLES}
        since = instance.control("health")["clock"][:19].replace("T", " ")
        changed = apply(instance, changes(rows))
        print(f"{changed:,} changed", flush=True)
        time.sleep(3)
        night = ours(instance, connector, seconds, changed)
        print(night, flush=True)
        quiet = ours(instance, connector, seconds, 0)
        print(quiet, flush=True)
        theirs = script(instance, since, seconds, changed, sample)
        print(theirs, flush=True)
    return night, theirs, quiet


def block(found: tuple[Night, Night, Night], asked: Any) -> str:
    """What docs/benchmarks.md says of it."""
    night, theirs, quiet = found
    rows = [
        "| night | changed | read | written | seconds | requests |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    labels = ("`travesia sync`", "the pysnow script", "`travesia sync`, the night after")
    for label, one in zip(labels, (night, theirs, quiet), strict=True):
        mark = " (reckoned)" if one.is_reckoned else ""
        rows.append(
            f"| {label} | {one.changed:,} | {one.read:,} | {one.written:,}"
            f" | {one.seconds:,.0f}{mark} | {one.requests:,}{mark} |"
        )
    return "\n\n".join(
        [
            f"`python -m benchmarks.nightly --records {asked.records} --latency-ms"
            f" {asked.latency_ms} --sample {asked.sample}`: {bench.machine()}",
            "\n".join(rows),
            f"{theirs.seconds / night.seconds:.1f} times faster, with"
            f" 1/{theirs.requests / max(1, night.requests):.0f} of the requests.",
        ]
    )


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--latency-ms", type=int, default=80)
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), asked.records, asked.latency_ms / 1000, asked.sample)
    text = block(found, asked)
    print(text)
    if asked.docs:
        bench.write_block("nightly", text)


if __name__ == "__main__":
    main()
