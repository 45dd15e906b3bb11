"""The fault campaign: `python -m tests.campaign --runs 1000 --seed 1`.

Each run disturbs one `travesia sync` as its dice say: a random fault plan in the sandbox, a kill -9
or SIGTERM in any phase, people who edit, comment, open, delete and overwrite our fields meanwhile,
rows committed late, the sandbox itself killed and started again. Then the faults are taken away,
time passes, one quiet sync runs (after a `travesia reconcile` where something happened that only it
can see: a deletion, a commit later than `lag_minutes`), and the verdict is given:

- every column that is not ours holds what a plain model of the people's deeds says;
- the store's classifications stand in the instance, field by field;
- no write of ours was doubled (sys_audit);
- a store that never saw the instance classifies the same and would write nothing (every
  `--fresh-every` runs, and after every fault found).

Real: the sandbox and the connector are processes of their own that speak HTTP over sockets; the
connector runs the `travesia` command line with the shipped rules on incidents, requests, items and
tasks, its DuckDB store lives through a chunk of runs. Not real: processes are forked, not started
anew; retries wait milliseconds; moments of truth and engagement are left out (they have no cursor
and are decided anew in every run) unless `--whole`. What is drawn repeats with the seed; at which
instruction a kill falls depends on the machine.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.campaign import forks
from tests.campaign.chunk import Chunk, Tally, make_template
from tests.campaign.installation import Installation
from tests.campaign.world import world

CHUNK = 50


def campaign(
    runs: int, seed: int, fresh_every: int, folder: Path, *, say: bool = True
) -> tuple[Tally, list[str]]:
    """Run chunks of CHUNK runs, the first with `seed`; a chunk ends with its first fault."""
    template = folder / "template"
    make_template(template)
    tally, failures = Tally(), []
    for number, start in enumerate(range(0, runs, CHUNK)):
        place = folder / f"chunk{number}"
        wanted = min(CHUNK, runs - start)
        found = _chunk(template, place, seed + number, wanted, fresh_every, tally)
        failures += found
        if say:
            _say(f"chunk {seed + number}: {tally.runs} runs so far, {len(failures)} failures")
            for line in found:
                _say(f"  {line}")
    return tally, failures


def _chunk(
    template: Path, place: Path, seed: int, runs: int, fresh_every: int, tally: Tally
) -> list[str]:
    place.mkdir()
    with world(template / "instance", place / "instance") as running:
        installation = Installation(place, running.url, template / "blank.duckdb")
        chunk = Chunk(seed, running, installation, tally, fresh_every)
        chunk.begin()
        for number in range(1, runs + 1):
            try:
                found = chunk.run(number)
            except AssertionError as error:
                found = [str(error)]
            if found:
                replay = f"python -m tests.campaign --seed {seed} --runs {number} --fresh-every 1"
                return [f"run {number} of chunk {seed} (replay: {replay})", *found, str(chunk.plan)]
    return []


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Parse, run, sum up; 1 if any run failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh-every", type=int, default=5)
    parser.add_argument("--whole", action="store_true", help="with moments and engagement")
    parser.add_argument("--keep", type=Path, help="a new folder to keep everything in")
    asked = parser.parse_args()
    if asked.whole:
        forks.take_whole_mapping()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as passing:
        folder = asked.keep or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        tally, failures = campaign(asked.runs, asked.seed, asked.fresh_every, folder)
    minutes = (time.monotonic() - began) / 60
    _say(f"{tally.runs} runs, {tally.fresh} fresh stores, {minutes:.1f} minutes")
    for name, counted in (("ends", tally.ends), ("faults", tally.faults), ("deeds", tally.deeds)):
        _say(f"{name}: {', '.join(f'{k} {v}' for k, v in sorted(counted.items()))}")
    _say(f"failures: {sum(line.startswith('run ') for line in failures)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
