"""Engagement of 2,000 relationships, day by day over the window, against one plain aggregate pass.

    python -m benchmarks.engagement [--records 200000]

A store is filled with incidents and their SLA rows (half each), of 200 departments of ten people
and ten services, over a year. Then each pass runs in a process of its own, with the memory that a
store may use by default; the peak is what the operating system says of it (wait4).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from connector.engagement import Settings, compute_engagement
from connector.evaluate import forget
from connector.store.database import Store, open_store
from tests.journey_kit import Kit, schema, shipped

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DEPARTMENTS, SERVICES, PEOPLE, DAYS = 200, 10, 10, 360

_FILL = {
    "cmn_department": "SELECT 'd' || i AS sys_id, 'Department ' || i AS name,"
    f" 'co' AS company FROM range({DEPARTMENTS}) t(i)",
    "cmdb_ci_service": f"SELECT 's' || i AS sys_id, 'Service ' || i AS name"
    f" FROM range({SERVICES}) t(i)",
    "sys_user": f"SELECT 'u' || i AS sys_id, 'd' || (i // {PEOPLE}) AS department, 'false' AS vip"
    f" FROM range({DEPARTMENTS * PEOPLE}) t(i)",
    "incident": "SELECT md5('i' || i) AS sys_id,"
    f" 'u' || (hash(i) % {DEPARTMENTS * PEOPLE}) AS caller_id,"
    f" 's' || (hash(i + 7) % {SERVICES}) AS business_service, '6' AS state,"
    " (hash(i + 1) % 5)::VARCHAR AS reassignment_count, '0' AS reopen_count, 'x' AS category,"
    " 'phone' AS contact_type, strftime(began, '%Y-%m-%d %H:%M:%S') AS opened_at,"
    " strftime(began + INTERVAL 5 HOUR, '%Y-%m-%d %H:%M:%S') AS resolved_at"
    f" FROM (SELECT i, TIMESTAMP '2026-11-19 12:00:00' - to_seconds(hash(i + 3) % {DAYS * 86400})"
    " AS began FROM range($records // 2) t(i))",
    "task_sla": "SELECT md5('t' || i) AS sys_id, md5('i' || i) AS task, 'completed' AS stage,"
    " CASE WHEN hash(i + 5) % 4 = 0 THEN 'true' ELSE 'false' END AS has_breached,"
    " strftime(TIMESTAMP '2026-11-19 18:00:00'"
    f" - to_seconds(hash(i + 3) % {DAYS * 86400}), '%Y-%m-%d %H:%M:%S') AS end_time,"
    " end_time AS planned_end_time FROM range($records // 2) t(i)",
}

_PLAIN = (
    "SELECT u.department, i.business_service, count(*), count(*) FILTER (s.has_breached = 'true'),"
    " max(i.resolved_at) FROM current.incident i JOIN current.sys_user u ON u.sys_id = i.caller_id"
    " JOIN current.task_sla s ON s.task = i.sys_id GROUP BY ALL"
)


def fill(folder: Path, records: int) -> Path:
    """A store with so many incidents and SLA rows."""
    kit = Kit(folder)
    for table, query in _FILL.items():
        more = {"records": records} if "$records" in query else {}
        kit.store.execute(f"INSERT INTO current.{table} BY NAME {query}", **more)
        columns = ", ".join(
            f'"{column}" = coalesce("{column}", {chr(39) * 2})' for column in kit.columns[table]
        )
        kit.store.execute(f"UPDATE current.{table} SET {columns}")
    kit.store.close()
    return folder / "journey.duckdb"


def plain(store: Store) -> int:
    """One aggregate over the same records."""
    return len(store.read(_PLAIN))


def engagement(store: Store) -> int:
    """Everything a run does for engagement."""
    forget(store)
    store.execute("CREATE OR REPLACE TEMP TABLE classified AS FROM classification LIMIT 0")
    settings = Settings("travesia", "UTC", 5)
    return compute_engagement(store, shipped(), schema(), NOW, settings).relationships


def measure_one(path: Path, what: str) -> None:
    """In a process of its own: what it took, on stdout, in seconds of all processors."""
    with open_store(path) as store:
        shipped(), schema()
        began = time.process_time()
        found = {"plain": plain, "engagement": engagement}[what](store)
        seconds = time.process_time() - began
    print(json.dumps({"relationships": found, "seconds": seconds}))


def measure(path: Path, what: str) -> dict[str, float]:
    """Processor seconds, and peak resident memory in MB."""
    command = [sys.executable, "-m", "benchmarks.engagement", "--one", what, "--store", str(path)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    told = json.loads([line for line in process.stdout if line.startswith("{")][-1])
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    return {**told, "resident_mb": usage.ru_maxrss / 1024}


def main() -> None:
    """Print the table and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--one", choices=("plain", "engagement"))
    parser.add_argument("--store", type=Path)
    arguments = parser.parse_args()
    if arguments.one:
        measure_one(arguments.store, arguments.one)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = fill(Path(folder), arguments.records)
        found = {what: measure(path, what) for what in ("plain", "engagement")}
    print(f"{arguments.records:,} records")
    print("| pass | relationships | processor seconds | peak resident MB |")
    print("|---|--:|--:|--:|")
    for what, one in found.items():
        print(
            f"| {what} | {one['relationships']:,.0f} | {one['seconds']:.2f}"
            f" | {one['resident_mb']:.0f} |"
        )
    ratio = found["engagement"]["seconds"] / found["plain"]["seconds"]
    print(f"\n{ratio:.0f} times one plain aggregate pass over the same records")


if __name__ == "__main__":
    main()
