"""What a new sandbox instance holds: one generator per seed, and the clock it starts at."""

import difflib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from connector.errors import ConfigError
from connector.messages import _
from connector.sandbox.seeds import demo, empty, uci
from connector.sandbox.seeds.base import Batch, now

SEEDS = ("demo", "empty", "uci")
DEMO_CLOCK = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
UCI_CLOCK = datetime(2016, 4, 1, tzinfo=UTC)
"""Where the clocks stand unless told: a working day at noon; one month into the log."""


def initial(
    seed: str, until: datetime | None = None, uci_path: Path | None = None
) -> tuple[datetime, Iterator[Batch]]:
    """The instance's first clock and its records, as (table, records) in batches.

    `until` is where the clock stands (aware UTC); `uci_path` the UCI zip or its folder.
    Raises ConfigError for an unknown seed; the batches raise it for an unusable UCI file.
    """
    if seed == "demo":
        clock = until or DEMO_CLOCK
        return clock, demo.generate(clock)
    if seed == "uci":
        clock = until or UCI_CLOCK
        return clock, uci.load(uci_path, clock)
    if seed == "empty":
        return until or now(), empty.generate()
    raise ConfigError("--seed", [_unknown(seed)])


def _unknown(seed: str) -> str:
    near = difflib.get_close_matches(seed, SEEDS, n=1)
    text = _("there is no seed {seed}; choose from {names}").format(
        seed=seed, names=", ".join(SEEDS)
    )
    return text + (_(" (did you mean {near}?)").format(near=near[0]) if near else "")
