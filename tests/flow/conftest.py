"""Where a flow begins: a demo instance that is new, provisioned, or synced once.

Each is made once for all workers; every test gets copies of its own, and a sandbox of its own.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Connector, Sandbox, sandbox, start_real, starting

NOON = "2026-11-20 12:00:05"
"""Where the clock stands still: past `settle_seconds` of the youngest record of the demo."""
SEEN = "seen"
"""The folder of notes beside the synced template; copies go without."""


@dataclass(frozen=True)
class Place:
    """An instance that runs, and an installation that knows it."""

    instance: Sandbox
    connector: Connector

    @property
    def batches(self) -> int:
        """How often something was sent to it (cheap to ask, so that a run can be hit in time)."""
        return self.instance.requests().get("POST /api/now/batch", 0)

    def stand_at(self, moment: str) -> None:
        """Move the instance's clock."""
        self.instance.control("clock", {"until": moment})


@dataclass(frozen=True)
class FirstNight:
    """What was seen around the first dry run and the first real sync."""

    before: str
    after: str
    dry_plan: bytes
    plan: bytes
    changed_by_dry_run: list[str]
    """Lines of the dump that were not there before, or are there no more."""
    result: dict[str, Any]
    requests: dict[str, int]
    audit: list[dict[str, str]]
    classifications: list[list[Any]]
    """(table, sys_id, rule) of all records."""


@contextmanager
def running(folder: Path) -> Iterator[Place]:
    """The sandbox over `folder`/instance, its clock standing still, and `folder`/connector."""
    with sandbox(folder / "instance", "--seed", "demo", "--frozen") as instance:
        yield Place(instance, Connector(folder / "connector", instance.url))


@contextmanager
def copy_of(template: Path, folder: Path) -> Iterator[Place]:
    """A running copy, gone afterwards: a hundred megabytes are too much to keep for each test."""
    for part in ("instance", "connector"):
        shutil.copytree(template / part, folder / part)
    try:
        with running(folder) as place:
            yield place
    finally:
        shutil.rmtree(folder)


def fresh(place: Place, name: str = "fresh", *, history: bool = True) -> Connector:
    """A store that knows nothing reads everything, and writes nothing."""
    settings = {"write_back": {"enabled": False}, "extract": {"history": history}}
    connector = Connector(place.connector.folder.parent / name, place.instance.url, settings)
    connector.sync("--full")
    return connector


def kinds(requests: dict[str, int]) -> set[str]:
    """The methods that were sent, batched or not."""
    return {kind.removeprefix("batched ").split()[0] for kind in requests}


def _make_new(folder: Path) -> None:
    with running(folder) as place:
        place.stand_at(NOON)


def _make_provisioned(folder: Path) -> None:
    with running(folder) as place:
        place.connector.do("provision", "--apply")


def _make_synced(folder: Path) -> None:
    """Started for real: two plans are compared, which must not hang on the seed of the hashes."""
    notes = folder / SEEN
    notes.mkdir()
    with starting(start_real), running(folder) as place:
        instance, connector = place.instance, place.connector
        before = instance.whole_dump()
        connector.do("sync", "--dry-run", "--plan-file", f"../{SEEN}/dry_plan")
        after_dry_run = instance.whole_dump()
        instance.reset_requests()
        seen: dict[str, Any] = {"result": connector.sync("--plan-file", f"../{SEEN}/plan")}
        seen["requests"] = instance.requests()
        after = instance.whole_dump()
        seen["audit"] = list(instance.dump("sys_audit").values())
        seen["classifications"] = connector.read(
            "SELECT table_name, sys_id, rule_id FROM classification"
        )
    seen["changed_by_dry_run"] = (
        []
        if after_dry_run == before
        else sorted({*before.splitlines()} ^ {*after_dry_run.splitlines()})
    )
    for name, text in (("before", before), ("after", after), ("seen", json.dumps(seen))):
        (notes / name).write_text(text, encoding="utf-8")


class Places:
    """The templates, made on first use by whichever worker comes first."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def new(self) -> Path:
        return self._once("new", None, _make_new)

    def provisioned(self) -> Path:
        return self._once("provisioned", self.new, _make_provisioned)

    def synced(self) -> Path:
        return self._once("synced", self.provisioned, _make_synced)

    def _once(
        self, name: str, before: Callable[[], Path] | None, make: Callable[[Path], None]
    ) -> Path:
        place = self._root / name
        with (self._root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not place.exists():
                draft = self._root / f"{name}.draft"
                shutil.rmtree(draft, ignore_errors=True)
                if before:
                    shutil.copytree(before(), draft)
                make(draft)
                draft.rename(place)
        return place


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    own = tmp_path_factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    (root / "places").mkdir(exist_ok=True)
    return Places(root / "places")


@pytest.fixture
def new(places: Places, tmp_path: Path) -> Iterator[Place]:
    """The demo as it comes: without our columns; and a connector that never ran."""
    with copy_of(places.new(), tmp_path / "new") as place:
        yield place


@pytest.fixture
def provisioned(places: Places, tmp_path: Path) -> Iterator[Place]:
    """The demo with our columns, empty; and a connector that never ran."""
    with copy_of(places.provisioned(), tmp_path / "provisioned") as place:
        yield place


@pytest.fixture
def synced(places: Places, tmp_path: Path) -> Iterator[Place]:
    """The demo after its first sync, and the connector that did it."""
    with copy_of(places.synced(), tmp_path / "synced") as place:
        yield place


@pytest.fixture(scope="session")
def settled(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The same once for all tests that only look: nothing may change it."""
    with copy_of(places.synced(), tmp_path_factory.mktemp("settled") / "place") as place:
        store = place.connector.store.read_bytes()
        yield place
        assert {kind.split()[0] for kind in place.instance.requests()} <= {"GET"}
        assert place.connector.store.read_bytes() == store


@pytest.fixture(scope="session")
def first_night(places: Places) -> FirstNight:
    """The tale of the first dry run and the first sync."""
    notes = places.synced() / SEEN
    told: dict[str, Any] = json.loads((notes / "seen").read_text(encoding="utf-8"))
    told |= {name: (notes / name).read_bytes() for name in ("dry_plan", "plan")}
    told |= {name: (notes / name).read_text(encoding="utf-8") for name in ("before", "after")}
    return FirstNight(**told)
