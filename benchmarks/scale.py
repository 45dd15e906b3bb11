"""A million records: what a full classification and a night take.

    python -m benchmarks.scale [--records 1000000] [--changed 5000]

Each step is a process of its own; its peak is what the operating system says of it (wait4), its
time the processor's: other work on the machine shows in the clock, not in that.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.large import (
    MEMORY_MB,
    NOW,
    WRITTEN,
    QuietInstance,
    grow,
    small_store,
)
from connector import classify as step
from connector import extract, history, opening, pipeline, relationships, write_back
from connector import moments as decided
from connector.classify import save_classification
from connector.config import Config, load_config
from connector.results import Options
from connector.store import changes, classifications, moments, records, standings
from connector.store.database import Store, open_store
from connector.timestamps import format_instance
from tests.demo_store import ruled_tables
from tests.journey_kit import shipped

CORES = 2
"""Rates are of so many cores that are free and evenly busy: processor seconds, not the clock's."""

CONFIG = """
[instance]
url = "https://large.example.invalid"
user = "nobody"
[store]
path = "large.duckdb"
memory_limit_mb = {memory}
keep_records_months = 240
[extract]
tables = {tables}
[write_back]
enabled = {enabled}
max_records_per_run = 1000000
"""


@dataclass
class Spans:
    """Seconds of the processor and of the clock, by name."""

    found: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Add what happens inside to `name`."""
        cpu, clock = _cpu(), time.monotonic()
        try:
            yield
        finally:
            sums = self.found.setdefault(name, [0.0, 0.0])
            sums[0] += _cpu() - cpu
            sums[1] += time.monotonic() - clock

    def around(self, module: Any, function: str, name: str) -> None:
        """Measure every call of a function that a module calls by this name."""
        inner: Callable[..., Any] = getattr(module, function)

        def measured(*args: Any, **kwargs: Any) -> Any:
            with self.of(name):
                return inner(*args, **kwargs)

        setattr(module, function, measured)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def config_in(folder: Path, *, enabled: bool) -> Config:
    """The settings of the large store."""
    file = folder / "travesia.toml"
    content = CONFIG.format(
        memory=MEMORY_MB, tables=json.dumps(ruled_tables()), enabled=str(enabled).lower()
    )
    file.write_text(content, encoding="utf-8")
    return load_config(file, {"TRAVESIA_PASSWORD": "none"})


# --- the steps, each a process --------------------------------------------------------------------


def build(folder: Path, wanted: int, _changed: int) -> dict[str, Any]:
    """A first run over the demo, the copies, and a second run that places all of them."""
    config = config_in(folder, enabled=False)
    small_store(config.store.path)
    _run(config, QuietInstance(NOW))
    with open_store(config.store.path, MEMORY_MB) as store:
        placed = grow(store, wanted)
    _run(config, QuietInstance(NOW + timedelta(hours=1)))
    with open_store(config.store.path, MEMORY_MB) as store:
        _settle(store, config)
    return {"records": placed}


def _run(config: Config, instance: QuietInstance) -> Any:
    return pipeline.run(config, instance, shipped(), Options(), threading.Event())


def _settle(store: Store, config: Config) -> None:
    """Let the tool hold what is wanted there, as after the nights before."""
    classifications.stay(store)
    moments.begin(store)
    write_back.plan(store, shipped(), write_back.settings_of(config), NOW)
    for table in WRITTEN:
        own = [c for c in records.list_columns(store, table) if c.startswith(records.OWN_PREFIX)]
        for column in own:
            store.execute(
                f"UPDATE current.{records.name(table)} c SET {records.name(column)} = p.to_value"
                " FROM plan p WHERE p.table_name = $table AND p.field = $field"
                " AND p.sys_id = c.sys_id",
                table=table,
                field=column,
            )


def full(folder: Path, _wanted: int, _changed: int) -> dict[str, Any]:
    """Classify everything, and read everything once for comparison."""
    spans = Spans()
    with open_store(folder / "large.duckdb", MEMORY_MB) as store:
        with spans.of("one pass over all columns"):
            for table in ruled_tables():
                store.read(
                    "SELECT count(*) FROM (SELECT hash(r) % 1000 AS h, count(*) AS n"
                    f" FROM current.{records.name(table)} r GROUP BY h)"
                )
        held = extract.stored_schema(store)
        for module, function, name in (
            (step, "_place", "of it facts, rules, whom they follow"),
            (step, "_see", "of it bands, last visible"),
            (standings, "stand", "of it in which step since when"),
        ):
            spans.around(module, function, name)
        with spans.of("classify"):
            found = step.classify(
                store, shipped(), held, NOW + timedelta(hours=2), "bench", "Europe/Madrid"
            )
        with spans.of("save what differs"):
            save_classification(store, "bench")
    return {"records": found.records, "spans": spans.found}


def night(folder: Path, _wanted: int, changed: int) -> dict[str, Any]:
    """The whole run over records that changed since the last one."""
    config = config_in(folder, enabled=True)
    now = NOW + timedelta(days=1)
    with open_store(config.store.path, MEMORY_MB) as store:
        rows = _changed_rows(store, changed, format_instance(now - timedelta(hours=3)))
    spans = Spans()
    for module, function, name in (
        (pipeline, "take_in", "extract"),
        (pipeline, "classify", "classify"),
        (history, "trace", "past"),
        (pipeline, "save_classification", "save what differs"),
        (decided, "decide_moments", "moments"),
        (relationships, "compute_engagement", "engagement"),
        (pipeline, "_plan", "plan"),
        (write_back, "send", "send"),
        (opening, "publish_snapshot", "snapshot"),
        (changes, "save_plan", "save the plan"),
    ):
        spans.around(module, function, name)
    with spans.of("night"):
        result = _run(config, QuietInstance(now, rows))
    return {
        "records": sum(table.records for table in result.tables),
        "changed": sum(table.extracted for table in result.tables),
        "confirmed": result.confirmed,
        "spans": spans.found,
    }


def _changed_rows(store: Store, wanted: int, when: str) -> dict[str, list[dict[str, str]]]:
    """Some records as they will be: open ones first, a step further."""
    found: dict[str, list[dict[str, str]]] = {}
    for table in WRITTEN:
        rows = store.read(
            f"SELECT * FROM current.{records.name(table)} ORDER BY active DESC, sys_id LIMIT $n",
            n=wanted // len(WRITTEN),
        )
        found[table] = [
            {k: v for k, v in row.items() if not k.startswith("_") and v is not None}
            | {
                "state": "2" if row["state"] == "1" else "3",
                "sys_updated_on": when,
                "sys_mod_count": str(int(row["sys_mod_count"] or 0) + 1),
            }
            for row in rows
        ]
    return found


# --- measuring ------------------------------------------------------------------------------------

STEPS = {"build": build, "full": full, "night": night}


def measured(step: str, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Run a step in a process of its own; its answer, with the peak of its memory."""
    words = ["--step", step, "--folder", str(folder), "--records", str(arguments.records)]
    words += ["--changed", str(arguments.changed)]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.scale", *words], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    said = process.stdout.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, step
    answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    return {**answer, "resident_mb": usage.ru_maxrss / 1024}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--changed", type=int, default=5_000)
    parser.add_argument("--step", choices=STEPS)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.step:
        measure = STEPS[arguments.step]
        print(json.dumps(measure(arguments.folder, arguments.records, arguments.changed)))
        return
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "large.duckdb").exists():
            measured("build", folder, arguments)
        _print_full(measured("full", folder, arguments))
        _print_night(measured("night", folder, arguments))


def _print_full(found: dict[str, Any]) -> None:
    spans, count = found["spans"], found["records"]
    base = spans["one pass over all columns"][0]
    print(f"\n{count:,} records classified, peak {found['resident_mb']:.0f} MB resident", end="")
    print(f", load average {os.getloadavg()[0]:.0f}\n")
    print("| | processor s | times one pass | records/s of two cores | clock s |")
    print("|---|--:|--:|--:|--:|")
    for name, (cpu, clock) in spans.items():
        rate = CORES * count / cpu
        print(f"| {name} | {cpu:.1f} | {cpu / base:.0f} | {rate:,.0f} | {clock:.1f} |")


def _print_night(found: dict[str, Any]) -> None:
    whole = found["spans"]["night"][0]
    print(
        f"\nA night: {found['changed']:,} of {found['records']:,} records changed,"
        f" {found['confirmed']:,} written, peak {found['resident_mb']:.0f} MB resident\n"
    )
    print("| | processor s | share | clock s |")
    print("|---|--:|--:|--:|")
    for name, (cpu, clock) in found["spans"].items():
        print(f"| {name} | {cpu:.1f} | {cpu / whole:.0%} | {clock:.1f} |")


if __name__ == "__main__":
    main()
