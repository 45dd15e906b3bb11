"""Random fault plans for the connector's own requests; people are spared."""

import random
from typing import Any

from connector.sandbox.faults import KINDS
from tests.harness import USER

_KNOBS: dict[str, dict[str, tuple[Any, ...]]] = {
    "rate_limited": {"retry_after": (0,)},
    "node_restart": {"requests": (0, 1, 4, 12)},
    "unavailable": {"status": (502, 503, 504)},
    "hibernating": {"status": (200, 503)},
    "cancelled_after_rows": {"rows": (0, 1, 5)},
    "cancelled_cut": {"rows": (0, 1, 5)},
    "short_page": {"rows": (0, 1, 7)},
    "repeated_rows": {"rows": (1, 3)},
    "cut": {"share": (0.0, 0.3, 0.99)},
    "reset_mid": {"share": (0.0, 0.3, 0.99)},
    "latency": {"ms": (5, 40)},
    "drip": {"bytes": (200, 2000), "pause_ms": (1,)},
    "clock_skew": {"seconds": (-3000, -60, 60, 3000)},
    "unserviced": {"items": (1, 3, 99)},
}
_TABLES = ("", "", "", "", "", "incident", "incident", "sc_req_item", "sys_audit", "sys_choice")


def random_plan(dice: random.Random) -> list[dict[str, Any]]:
    """None to five faults: mostly passing ones, now and then one that stays for the whole run."""
    return [_fault(dice) for _ in range(dice.choice((0, 1, 1, 2, 2, 3, 4, 5)))]


def _fault(dice: random.Random) -> dict[str, Any]:
    kind = dice.choice(sorted(KINDS))
    fault: dict[str, Any] = {"kind": kind, "user": USER, **_place(dice, kind), **_when(dice)}
    for knob, values in _KNOBS.get(kind, {}).items():
        fault[knob] = dice.choice(values)
    return fault


def _place(dice: random.Random, kind: str) -> dict[str, str]:
    if KINDS[kind].on_items and dice.random() < 0.4:
        return {"where": "item"}
    if KINDS[kind].stage == "batch" or dice.random() < 0.4:
        return {"path": "/api/now/batch"}
    return {"table": dice.choice(_TABLES)}


def _when(dice: random.Random) -> dict[str, Any]:
    if dice.random() < 0.35:
        chance = dice.choice((0.05, 0.2, 0.5, 1.0))
        return {"probability": chance, "seed": dice.randrange(10**6)}
    return {"count": dice.randint(1, 4), "after": dice.choice((0, 0, 0, 1, 3, 9))}
