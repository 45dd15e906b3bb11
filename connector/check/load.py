"""What each job asks of an instance, as it was counted once: `measured.toml`, the one place for it.

Counted by `benchmarks.load` on the embedded instance with its demo. The sheet reckons from it what
another instance will be asked, and docs/servicenow-setup.md shows it as it is.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

QUIET = "a night on which nothing changed"
COUNTS = "a weekly reconciliation, counts only"
KEYS = "a weekly reconciliation, all keys read"


@dataclass(frozen=True)
class Job:
    """Requests of one job: in all, those to the dictionary, counts, batches; records."""

    requests: int
    dictionary: int
    counts: int
    batches: int
    changed: int
    written: int


@dataclass(frozen=True)
class Load:
    """All jobs by name, and how many tables the syncs read."""

    tables: int
    jobs: Mapping[str, Job]

    @property
    def fixed(self) -> int:
        """What a run asks whatever it finds: clock, dictionary, choices, properties."""
        return self.jobs[QUIET].requests - self.tables

    @property
    def reconcile_fixed(self) -> int:
        """What a reconciliation asks beside what it asks of each table."""
        return self.jobs[COUNTS].requests - self.reconcile_per_table * self.tables

    @property
    def reconcile_per_table(self) -> int:
        """Requests of a reconciliation to each table: its count, the keys of what changed since."""
        return (self.jobs[COUNTS].requests - self.jobs[COUNTS].dictionary) // self.tables


@cache
def measured() -> Load:
    """The counts that are shipped."""
    found = tomllib.loads((files("connector.check") / "measured.toml").read_text("utf-8"))
    return Load(found["tables"], {name: Job(**job) for name, job in found["jobs"].items()})


def load_markdown() -> str:
    """The table of docs/servicenow-setup.md."""
    heads = ("job", "requests", "to the dictionary", "counts", "batches")
    rows = [
        f"| {' | '.join((*heads, 'records changed', 'records written'))} |",
        f"|---{'|--:' * 6}|",
    ]
    for name, job in measured().jobs.items():
        cells = (job.requests, job.dictionary, job.counts, job.batches, job.changed, job.written)
        rows.append(f"| {name} | {' | '.join(f'{cell:,}' for cell in cells)} |")
    return "\n".join(rows)


def measured_text(load: Load, head: str) -> str:
    """The file, anew."""
    lines = [head.rstrip(), f"tables = {load.tables}"]
    for name, job in load.jobs.items():
        lines += ["", f'[jobs."{name}"]']
        lines += [f"{field} = {value}" for field, value in vars(job).items()]
    return "\n".join(lines) + "\n"
