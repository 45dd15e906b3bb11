"""How a table is cut into parts, by the first digits of the sys_id, which is random hex.

One part for each worker, whatever the size: no count comes first, and with equal parts the workers
end together after the fewest rounds of pages. A small table costs a request for each worker, where
its count and its one page would cost two. The first page of a part brings the part's count.

The first part has no lower and the last no upper bound, so that keys of another shape (`global`,
`glide.maint`) are in one of them, wherever the instance sorts them.
"""

from itertools import pairwise

from connector.itsm.base import Shard

_DIGITS = 2
_KEYS = 16**_DIGITS


def cut(workers: int) -> list[Shard]:
    """`workers` parts of the same size; [] for a single worker."""
    if workers < 2:
        return []
    inner = [f"{_KEYS * n // workers:0{_DIGITS}x}" for n in range(1, workers)]
    return [Shard(low, high) for low, high in pairwise(["", *inner, ""])]
