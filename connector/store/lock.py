"""The sidecar beside the store: both the lock and the status, a small JSON that anybody may read.

The lock is the operating system's (flock): it falls with its process, however that ends, so a
sidecar left behind by a killed run locks nothing.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connector.errors import RunInProgressError, StoreError
from connector.messages import _
from connector.store.troubles import full_disk, is_disk_full
from connector.wording import os_reason

ATTEMPTS = 6
PAUSE_SECONDS = 0.05
"""How often a run asks for the lock: whoever looks whether it is held (`is_locked`) shares it for
an instant, and must not turn a starting run away."""


class Status:
    """What the present run says of itself; every `say` is on disk when it returns."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path
        self._said: dict[str, Any] = {}

    def say(self, **facts: Any) -> None:
        """Add or replace facts (run_id, phase, table, counts, …). Raises StoreError."""
        self._said.update(facts, pid=os.getpid(), at=datetime.now(UTC).isoformat("T", "seconds"))
        content = json.dumps(self._said, ensure_ascii=False, default=str).encode()
        try:
            os.pwrite(self._descriptor, content, 0)
            os.ftruncate(self._descriptor, len(content))
        except OSError as error:
            raise _not_writable(self._path, error) from error

    def say_at_last(self, **facts: Any) -> None:
        """The same on the way out of a run that failed: why it failed matters more."""
        with suppress(StoreError):
            self.say(**facts)


def sidecar_path(store: Path) -> Path:
    """Where the sidecar of a store lies."""
    return store.with_name(store.stem + ".status.json")


@contextmanager
def locked(store: Path) -> Iterator[Status]:
    """Hold the lock of a store. Raises RunInProgressError with what the other run is doing."""
    path = sidecar_path(store)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _not_writable(path, error) from error
    try:
        _take(descriptor, store)
        yield Status(descriptor, path)
    finally:
        os.close(descriptor)


def _not_writable(path: Path, error: OSError) -> StoreError:
    if is_disk_full(error):
        return full_disk(path)
    text = _("{path} cannot be written ({reason}); check the folder in [store] path")
    return StoreError(text.format(path=path, reason=os_reason(error)))


def _take(descriptor: int, store: Path) -> None:
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return
    other = read_status(store)
    raise RunInProgressError(
        _(
            "Another run works on {store} (process {pid}, phase {phase});"
            " wait for it, or look at travesia status"
        ).format(store=store, pid=other.get("pid", "?"), phase=other.get("phase", "?"))
    )


def is_locked(store: Path) -> bool:
    """Whether a run holds the lock now."""
    path = sidecar_path(store)
    if not path.exists():
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def read_status(store: Path) -> dict[str, Any]:
    """The last thing said, {} if nothing was. Safe at any time, also in mid-write."""
    for _attempt in range(3):
        try:
            found = json.loads(sidecar_path(store).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, OSError):
            continue
        return found if isinstance(found, dict) else {}
    return {}
