"""The connector of the campaign: its folders, its runs, and what its store says afterwards."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from connector import cli
from connector.store.database import open_store
from tests.campaign import forks
from tests.campaign.forks import Child, fork, travesia
from tests.campaign.world import TABLES
from tests.harness import CLASSIFIED, Connector

SETTINGS: dict[str, dict[str, Any]] = {
    "extract": {"tables": list(TABLES)},
    "write_back": {"tables": list(TABLES), "batch_size": 6},
}
PAGE_SIZE = 20
"""Two pages and more for the incidents, so that pages can go wrong in between."""


@dataclass(frozen=True)
class Told:
    """One finished `travesia sync`: its exit code, its JSON, and the store's classifications."""

    code: int
    result: dict[str, Any]
    classified: dict[tuple[str, str], dict[str, Any]]
    output: str


class Installation:
    """One store that lives through a chunk, and fresh ones beside it."""

    def __init__(self, folder: Path, url: str, blank: Path) -> None:
        self._folder = folder
        self._blank = blank
        self._url = url
        self._settings = {**SETTINGS, "instance": {"page_size": PAGE_SIZE}}
        self.connector = Connector(folder / "connector", url, self._settings)
        shutil.copy(blank, self.connector.store)

    def start(self, *words: str) -> Child:
        """`travesia words…`, not waited for."""
        return travesia(self.connector.folder, words, self._folder / "output.txt")

    def output(self) -> str:
        """What the last started one said."""
        return (self._folder / "output.txt").read_text(encoding="utf-8", errors="replace")

    def do(self, *words: str) -> None:
        """`travesia words…`, which must succeed."""
        code = self.start(*words).wait()
        assert code == 0, f"{words}: exit code {code}\n{self.output()[-3000:]}"

    def lose_store(self) -> None:
        """As if the folder were lost and restored without it: the next sync is a first one."""
        for path in self.connector.folder.glob(f"{self.connector.store.stem}*.duckdb*"):
            if path.is_file():  # DuckDB's folder for what it cannot hold may stay
                path.unlink()
        shutil.copy(self._blank, self.connector.store)

    def sync(self) -> Told:
        """A sync in peace, and what its store says then."""
        return _told(self.connector, self._folder / "quiet.txt")

    def fresh_sync(self) -> Told:
        """A sync of a store that never saw the instance; it writes nothing."""
        folder = self._folder / "fresh"
        shutil.rmtree(folder, ignore_errors=True)
        settings = {**self._settings, "write_back": {**SETTINGS["write_back"], "enabled": False}}
        fresh = Connector(folder, self._url, settings)
        shutil.copy(self._blank, fresh.store)
        return _told(fresh, self._folder / "fresh.txt")


def _told(connector: Connector, output: Path) -> Told:
    answer = output.with_suffix(".json")
    answer.unlink(missing_ok=True)

    def task() -> int:
        forks.become_travesia(connector.folder)
        code = cli.run(["sync", "--json", "--quiet"])
        answer.write_text(json.dumps(_classified(connector)), encoding="utf-8")
        return code

    code = fork(task, output).wait()
    said = output.read_text(encoding="utf-8", errors="replace")
    if not answer.exists():
        return Told(code, {}, {}, said)
    rows = json.loads(answer.read_text(encoding="utf-8"))
    classified = {(row["table_name"], row["sys_id"]): row for row in rows}
    start = said.find("{\n")
    result = json.loads(said[start:]) if code in (0, 6) and start >= 0 else {}
    return Told(code, result, classified, said)


def _classified(connector: Connector) -> list[dict[str, Any]]:
    names = [name.strip() for name in CLASSIFIED.split(",")]
    path = connector.store.with_name("travesia.snapshot.duckdb")
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(f"SELECT {CLASSIFIED} FROM classification").fetchall()
    return [dict(zip(names, map(_plain, row), strict=True)) for row in rows]


def _plain(value: object) -> object:
    return value if isinstance(value, str | bool | dict | float | int) else str(value or "")


def make_blank(path: Path, output: Path) -> None:
    """An empty store with its schema, made in a child: this process never opens DuckDB."""

    def task() -> int:
        with open_store(path, 112):
            return 0

    assert fork(task, output).wait() == 0, output.read_text()
