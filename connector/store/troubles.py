"""What may go wrong with the store's file, said so that somebody can act."""

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from connector.errors import RunInProgressError, StoreError
from connector.messages import _

LOW_DISK_MB = 256
"""Below this a query that ran out of room may have run out of disk: DuckDB spills what it sorts,
calls both "out of memory", and has given the disk back by the time it says so."""


def opening_error(path: Path, error: Exception) -> StoreError:
    """Why the store at `path` cannot be opened."""
    reason = first_line(error)
    if "could not set lock" in reason.lower():
        return RunInProgressError(
            _("The store {path} is in use by another process; wait for it to end").format(path=path)
        )
    if is_disk_full(error):
        return full_disk(path)
    if "permission denied" in reason.lower():
        return StoreError(
            _(
                "The store {path} may not be opened (permission denied); check who owns the file"
                " and its folder, and their rights"
            ).format(path=path)
        )
    return StoreError(
        _(
            "The store {path} cannot be opened ({reason}); restore a backup, or move it away and"
            " run travesia sync again: everything in it can be read anew"
        ).format(path=path, reason=reason)
    )


def out_of_room(path: Path) -> StoreError:
    """Too little memory, or too little disk to work on: DuckDB calls both the same."""
    if _free_mb(path) < LOW_DISK_MB:
        return full_disk(path)
    return StoreError(
        _(
            "The store {path} needs more memory than it may use; raise [store] memory_limit_mb"
        ).format(path=path)
    )


def is_disk_full(error: Exception) -> bool:
    """Whether the system had no room left for a write."""
    return os.strerror(errno.ENOSPC).lower() in str(error).lower()


def full_disk(path: Path) -> StoreError:
    """There is no room, and how much there is."""
    return StoreError(
        _(
            "The disk of the store {path} is full, or too small for its work ({free} MB are free);"
            " make room there and run again"
        ).format(path=path, free=round(_free_mb(path)))
    )


def _free_mb(path: Path) -> float:
    try:
        return shutil.disk_usage(path.parent).free / 2**20
    except OSError:
        return float("inf")


def discard(draft: Path) -> None:
    """Remove half a file; never raises."""
    with suppress(OSError):  # what is told is why the copy failed
        draft.unlink(missing_ok=True)


def first_line(error: Exception) -> str:
    """What DuckDB says first; the rest of it shows SQL."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
