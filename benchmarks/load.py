"""What one night asks of an instance: requests, by kind, counted by the sandbox's demo.

    python -m benchmarks.load

Default settings, but surveys and HR cases are read too and nothing limits the first write. Counts
are exact and the same on every machine; docs/servicenow-setup.md quotes them.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.harness import Connector, Sandbox, sandbox

NOON = "2026-11-20 12:00:05"
NEXT_NIGHTS = ("2026-11-21 02:00:00", "2026-11-22 02:00:00")


def nights(folder: Path) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Each job's name and the requests it made, by kind."""
    with sandbox(folder / "instance", "--seed", "demo", "--frozen") as instance:
        instance.control("clock", {"until": NOON})
        connector = Connector(folder / "connector", instance.url)
        yield "travesia check", _counted(instance, connector, "check", "--json")
        yield "provision --apply", _counted(instance, connector, "provision", "--apply")
        yield "first sync", _counted(instance, connector, "sync", "--json")
        yield "sync, nothing changed", _counted(instance, connector, "sync", "--json")
        for number, moment in enumerate(NEXT_NIGHTS, start=1):
            instance.advance(moment)
            yield f"night {number}", _counted(instance, connector, "sync", "--json")
        yield "first reconciliation", _counted(instance, connector, "reconcile", "--json")
        yield "the next one", _counted(instance, connector, "reconcile", "--json")


def _counted(instance: Sandbox, connector: Connector, *words: str) -> dict[str, int]:
    instance.reset_requests()
    out = connector.do(*words)
    found = instance.requests()
    if words[0] == "sync":
        told = json.loads(out)
        found["records read"] = sum(table["extracted"] for table in told["tables"])
        found["records written"] = told["confirmed"]
    return found


def line(job: str, counts: Mapping[str, int]) -> str:
    """One row of the table: calls, those to the dictionary, and what rode in batches."""
    calls = {k: n for k, n in counts.items() if not k.startswith(("batched", "records"))}
    known = ("sys_db_object", "sys_dictionary", "sys_choice", "sys_documentation")
    asked = sum(n for kind, n in calls.items() if any(name in kind for name in known))
    stats = sum(n for kind, n in calls.items() if "/stats/" in kind)
    batches = sum(n for kind, n in calls.items() if kind.endswith("/batch"))
    riders = sum(n for kind, n in counts.items() if kind.startswith("batched"))
    read, written = (counts.get(f"records {word}", 0) for word in ("read", "written"))
    cells = (job, sum(calls.values()), asked, stats, batches, riders, read, written)
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def main() -> None:
    """Run, print the table; --verbose names every kind of request."""
    parser = argparse.ArgumentParser(description="What one night asks of an instance.")
    parser.add_argument("--verbose", action="store_true", help="every kind of request")
    is_verbose = parser.parse_args().verbose
    asked = ("job", "requests", "dictionary", "counts", "batches", "writes in them")
    heads = [*asked, "records changed", "written"]
    sys.stdout.write(f"| {' | '.join(heads)} |\n|---{'|--:' * (len(heads) - 1)}|\n")
    with tempfile.TemporaryDirectory() as folder:
        for job, counts in nights(Path(folder)):
            sys.stdout.write(line(job, counts) + "\n")
            for kind, n in sorted(counts.items()) if is_verbose else ():
                sys.stdout.write(f"    {n:6} {kind}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
