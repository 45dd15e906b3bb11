"""One chunk of runs on one instance and one store, each followed by a verdict."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from connector.timestamps import format_instance
from tests.campaign import verdict
from tests.campaign.forks import HARD_LIMIT_SECONDS, Child
from tests.campaign.installation import Installation, make_blank
from tests.campaign.people import Done, People, people
from tests.campaign.plans import random_plan
from tests.campaign.world import World, make_seed

SETTLE = timedelta(seconds=5)
"""More than `settle_seconds`: what was saved last is read too."""

ALLOWED = {0, 3, 4, 6, 130}
"""Exit codes of a disturbed run: done, instance, login, not whole, stopped; anything else fails."""


FIRST_SYNCS, FULL_SYNCS = 0.08, 0.04
"""How many of the disturbed runs begin without a store, or read everything again."""


@dataclass
class Tally:
    """What a campaign did, for the record."""

    runs: int = 0
    fresh: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)


@dataclass
class Chunk:
    """What lives through the runs of a chunk."""

    seed: int
    world: World
    installation: Installation
    tally: Tally
    fresh_every: int
    everybody: People = field(init=False)
    plan: list[dict[str, Any]] = field(default_factory=list)
    """The fault plan of the last run."""

    def begin(self) -> None:
        """Columns, a first sync in peace; from here on people know what our columns may hold."""
        self.installation.do("provision", "--apply")
        self.world.pass_time(SETTLE)
        self.installation.do("sync", "--quiet")
        self.everybody = people(self.world)

    def run(self, number: int) -> list[str]:
        """One disturbed run, a quiet one, the verdict: every fault found."""
        dice = random.Random(f"{self.seed}/{number}")  # noqa: S311 - a repeatable campaign
        self.everybody.done = Done()
        since = format_instance(self.world.now())
        self.world.pass_time(timedelta(minutes=dice.choice((1, 3, 12, 55, 200))))
        for _ in range(dice.choice((0, 0, 1, 3))):
            self.everybody.act(dice, may_be_late=True)
        self.plan = random_plan(dice)
        self.world.control("faults", self.plan)
        found = self._disturbed(dice)
        for _ in range(dice.choice((0, 0, 1, 2))):
            self.everybody.act(dice, may_be_late=True)
        self._note()
        return [*found, *self.verdict(since, number)]

    # ── the disturbed run ────────────────────────────────────────────────────────────────────

    def _disturbed(self, dice: random.Random) -> list[str]:
        deeds = self._deeds(dice)
        kind = dice.random()
        if kind < FIRST_SYNCS:
            self.installation.lose_store()
            self.tally.deeds["first sync"] += 1
        full = ["--full"] if FIRST_SYNCS <= kind < FIRST_SYNCS + FULL_SYNCS else []
        self.tally.deeds["full sync"] += len(full)
        child = self.installation.start("sync", "--json", "--quiet", *full)
        for wait, deed in deeds:
            end = time.monotonic() + wait
            while child.poll() is None and time.monotonic() < end:
                time.sleep(0.002)
            deed(child)
        child.wait(HARD_LIMIT_SECONDS)
        self.tally.ends[_end_of(child)] += 1
        if child.code in ALLOWED or child.code == -signal.SIGKILL:
            return []
        return [f"the disturbed sync ended with {child.code}: {self.installation.output()[-3000:]}"]

    def _deeds(self, dice: random.Random) -> list[tuple[float, Callable[[Child], None]]]:
        """What happens while it runs, each after a pause: edits, a restart, a kill as the last."""
        deeds: list[tuple[float, Callable[[Child], None]]] = [
            (dice.uniform(0, 0.5), lambda _child: self.everybody.act(dice, may_be_late=False))
            for _ in range(dice.choice((0, 1, 2, 4)))
        ]
        if dice.random() < 0.2:
            deeds.insert(dice.randint(0, len(deeds)), (dice.uniform(0, 1), self._restart))
        if dice.random() < 0.5:
            number = signal.SIGKILL if dice.random() < 0.85 else signal.SIGTERM
            phase = dice.choice(("", "extract", "classify", "write_back", "write_back"))
            after = dice.uniform(0, 0.4)
            deeds.append((0, lambda child: self._kill(child, number, phase, after)))
        return deeds

    def _restart(self, _child: Child) -> None:
        self.world.restart()
        self.tally.deeds["restart of the sandbox"] += 1

    def _kill(self, child: Child, number: signal.Signals, phase: str, after: float) -> None:
        """Signal it `after` seconds into the phase; without one, at any moment."""
        status = self.installation.connector.status
        while phase and child.poll() is None:
            if status().get("pid") == child.pid and status().get("phase") == phase:
                break
            time.sleep(0.002)
        end = time.monotonic() + after * (1 if phase else 6)
        while child.poll() is None and time.monotonic() < end:
            time.sleep(0.001)
        if child.poll() is None and number is signal.SIGKILL:
            child.kill()
        elif child.poll() is None:
            child.signal(number)

    # ── peace, and the verdict ───────────────────────────────────────────────────────────────

    def verdict(self, since: str, number: int) -> list[str]:
        """Peace, a sweep where one is needed, a quiet sync: every fault found."""
        self.world.control("faults", method="DELETE")
        self.world.pass_time(SETTLE)
        if self.everybody.done.needs_sweep:
            self.installation.do("reconcile", "--quiet")
        told = self.installation.sync()
        rows = self.world.dump()
        found = [
            *verdict.of_people(self.everybody, rows),
            *verdict.of_quiet_sync(told, rows),
            *verdict.of_audit(self.world, since, was_quiet=not self.everybody.done.actions),
        ]
        if number % self.fresh_every == 0 or found:
            self.tally.fresh += 1
            self.world.pass_time(SETTLE)  # what the quiet sync wrote is to be read
            fresh = self.installation.fresh_sync()
            found += verdict.of_fresh_sync(told, fresh, rows)
        return found

    def _note(self) -> None:
        for fault in self.world.control("faults").json()["result"]:
            self.tally.faults[fault["kind"]] += fault["fired"]
        for line in self.everybody.done.log:
            self.tally.deeds[line.partition(" ")[0]] += 1
        self.tally.runs += 1


def _end_of(child: Child) -> str:
    return "killed" if child.code == -signal.SIGKILL else f"exit {child.code}"


def make_template(folder: Path) -> None:
    """What every chunk starts from: the instance, and an empty store."""
    make_seed(folder / "instance")
    make_blank(folder / "blank.duckdb", folder / "blank.txt")
