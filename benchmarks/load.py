"""What one night asks of an instance: requests, by kind, counted by the sandbox's demo.

    python -m benchmarks.load [--save] [--verbose]

Default settings, but surveys and HR cases are read too and nothing limits the first write. Counts
are exact and the same on every machine. `--save` keeps them in connector/check/measured.toml, from
which `travesia check --sheet` and (by `make docs`) docs/servicenow-setup.md are filled.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from connector.check import load
from connector.check.load import Job, Load
from tests.harness import Connector, Sandbox, sandbox

NOON = "2026-11-20 12:00:05"
NEXT_NIGHTS = ("2026-11-21 02:00:00", "2026-11-22 02:00:00")
SAVED = Path(load.__file__).with_name("measured.toml")
JOBS = (
    ("`travesia check`", ("check", "--json")),
    ("`travesia provision --apply`, once", ("provision", "--apply")),
    ("first sync: all is read, all that is open or lately closed is written", ("sync", "--json")),
    (load.QUIET, ("sync", "--json")),
    ("a night of the demo", ("sync", "--json")),
    ("the night after", ("sync", "--json")),
    (load.KEYS, ("reconcile", "--full", "--json")),
    (load.COUNTS, ("reconcile", "--json")),
)
"""What is done one after the other; before the nights of the demo its clock is moved on."""


def nights(folder: Path) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Each job's name and the requests it made, by kind."""
    ahead = dict(zip((JOBS[4][0], JOBS[5][0]), NEXT_NIGHTS, strict=True))
    with sandbox(folder / "instance", "--seed", "demo", "--frozen") as instance:
        instance.control("clock", {"until": NOON})
        connector = Connector(folder / "connector", instance.url)
        for name, words in JOBS:
            if name in ahead:
                instance.advance(ahead[name])
            yield name, _counted(instance, connector, *words)


def _counted(instance: Sandbox, connector: Connector, *words: str) -> dict[str, int]:
    instance.reset_requests()
    out = connector.do(*words)
    found = instance.requests()
    if words[0] == "sync":
        told = json.loads(out)
        found["tables read"] = len(told["tables"])
        found["records read"] = sum(table["extracted"] for table in told["tables"])
        found["records written"] = told["confirmed"]
    return found


_NO_CALLS = ("batched", "records", "tables")
_DICTIONARY = ("sys_db_object", "sys_dictionary", "sys_choice", "sys_documentation")


def job(counts: Mapping[str, int]) -> Job:
    """The kinds summed up; what rides in a batch is no request of its own."""
    calls = {kind: n for kind, n in counts.items() if not kind.startswith(_NO_CALLS)}

    def asked(*parts: str) -> int:
        return sum(n for kind, n in calls.items() if any(part in kind for part in parts))

    return Job(
        requests=sum(calls.values()),
        dictionary=asked(*_DICTIONARY),
        counts=asked("/stats/"),
        batches=sum(n for kind, n in calls.items() if kind.endswith("/batch")),
        changed=counts.get("records read", 0),
        written=counts.get("records written", 0),
    )


def main() -> None:
    """Run, print what was counted, keep it if asked."""
    parser = argparse.ArgumentParser(description="What one night asks of an instance.")
    parser.add_argument("--verbose", action="store_true", help="every kind of request")
    parser.add_argument("--save", action="store_true", help="keep the counts for the sheet")
    asked = parser.parse_args()
    jobs: dict[str, Job] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, counts in nights(Path(folder)):
            jobs[name] = job(counts)
            sys.stdout.write(f"{name}: {jobs[name]}\n")
            for kind, n in sorted(counts.items()) if asked.verbose else ():
                sys.stdout.write(f"    {n:6} {kind}\n")
            sys.stdout.flush()
    if asked.save:
        head = SAVED.read_text(encoding="utf-8").partition("tables = ")[0]
        tables = jobs[load.KEYS].counts  # that reconciliation counts each table it reads, once
        SAVED.write_text(load.measured_text(Load(tables, jobs), head), encoding="utf-8")


if __name__ == "__main__":
    main()
