"""How a large table is cut into parts: by the first digit of the sys_id, which is random hex.

The first part has no lower and the last no upper bound, so that keys of another shape (`global`,
`glide.maint`) are in one of them, wherever the instance sorts them.
"""

from itertools import pairwise

from connector.itsm.base import Shard

PAGES_WORTH_SHARDING = 4
"""Up to so many pages one worker is as good: the parts' own ends would cost the requests."""
PAGES_PER_PART = 2
_DIGITS = "0123456789abcdef"


def cut(total: int | None, page_size: int, workers: int) -> list[Shard]:
    """2, 4, 8 or 16 parts of some two pages each, at least one a worker; [] for a small table.

    `total` None: too many to be counted in time.
    """
    if total is None:
        total = 16 * PAGES_PER_PART * page_size
    if total <= PAGES_WORTH_SHARDING * page_size:
        return []
    wanted = max(workers, total // (PAGES_PER_PART * page_size))
    parts = next((n for n in (2, 4, 8) if n >= wanted), 16)
    bounds = ["", *_DIGITS[:: 16 // parts][1:], ""]
    return [Shard(low, high) for low, high in pairwise(bounds)]
