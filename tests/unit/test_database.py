"""The store file: opening, migrating, transactions, snapshot."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from connector.errors import RunInProgressError, StoreError
from connector.store import database
from connector.store.database import (
    BYTES_AT_ONCE,
    Store,
    open_snapshot,
    open_store,
    pack,
    publish_snapshot,
)


def test_a_new_store_has_every_migration_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "store.duckdb"
    open_store(path).close()
    with open_store(path) as store:
        numbers = [row["number"] for row in store.read("SELECT number FROM migration")]
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 1


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.duckdb") as store:
        store.execute("CREATE TABLE t (a INTEGER)")
        with pytest.raises(StoreError):
            _insert_one_good_and_one_bad(store)
        assert store.value("SELECT count(*) FROM t") == 0
        with store.transaction():
            store.execute("INSERT INTO t VALUES ($a)", a=2)
        assert store.value("SELECT a FROM t") == 2


def _insert_one_good_and_one_bad(store: Store) -> None:
    with store.transaction():
        store.execute("INSERT INTO t VALUES (1)")
        with store.transaction():
            store.execute("INSERT INTO t VALUES ('x')")


def test_what_a_killed_run_committed_is_put_into_the_file_before_anything_else(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s.duckdb"
    killed = (
        "import os, sys, pathlib\n"
        "from connector.store.database import open_store\n"
        "store = open_store(pathlib.Path(sys.argv[1]))\n"
        "store.execute('CREATE TABLE t AS SELECT range AS a FROM range(1000)')\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed, str(path)], check=False)
    log = path.with_name("s.duckdb.wal")
    assert log.stat().st_size > 0
    with open_store(path) as store:
        assert not log.exists()
        assert store.value("SELECT count(*) FROM t") == 1000


def test_a_damaged_file_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    path.write_bytes(b"this is not a database" * 500)
    with pytest.raises(StoreError, match=r"s\.duckdb cannot be opened .*move it away"):
        open_store(path)


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    with open_store(path) as store:
        store.execute("INSERT INTO migration (number, name) VALUES (9999, 'future')")
    with pytest.raises(StoreError, match="newer version"):
        open_store(path)


def test_a_migration_backs_the_store_up_first(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    duckdb.connect(str(path)).close()
    open_store(path).close()
    assert (tmp_path / "s.duckdb.before-0001").exists()


def test_readers_use_the_snapshot_and_never_wait(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    with pytest.raises(StoreError, match="travesia sync first"):
        open_snapshot(path)
    with open_store(path) as store:
        store.execute("CREATE TABLE t AS SELECT 1 AS a")
    publish_snapshot(path)
    with open_store(path) as writer, open_snapshot(path) as reader:
        writer.execute("UPDATE t SET a = 2")
        assert reader.value("SELECT a FROM t") == 1


def test_a_snapshot_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    open_store(path).close()
    publish_snapshot(path)
    with open_snapshot(path) as reader, pytest.raises(StoreError):
        reader.execute("CREATE TABLE t (a INTEGER)")


def test_errors_of_the_database_leave_as_ours(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.duckdb") as store:
        for call in (store.read, store.execute, store.value):
            with pytest.raises(StoreError):
                call("SELECT * FROM nowhere")
    assert issubclass(RunInProgressError, StoreError)


def raiser(error: Exception) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> Any:
        raise error

    return call


def disk_with(monkeypatch: pytest.MonkeyPatch, free_mb: int) -> None:
    usage = SimpleNamespace(free=free_mb * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)


SORT = "SELECT i, repeat('x', 200) || i AS s FROM range(3000000) AS r (i) ORDER BY s DESC"


@pytest.mark.parametrize(
    ("free_mb", "said"),
    [(12, r"disk of the store .*12 MB are free"), (50_000, "raise .* memory_limit_mb")],
)
def test_a_query_without_room_names_the_disk_if_it_is_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mb: int, said: str
) -> None:
    disk_with(monkeypatch, free_mb)
    with open_store(tmp_path / "s.duckdb", memory_limit_mb=32) as store:
        store.execute("SET max_temp_directory_size = '1MB'")
        with pytest.raises(StoreError, match=said):
            store.execute(f"CREATE TABLE t AS {SORT}")


def test_a_write_without_room_names_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_with(monkeypatch, 0)
    failed = duckdb.IOException(f'Could not write file "x": {os.strerror(errno.ENOSPC)}')
    store = Store(tmp_path / "s.duckdb", SimpleNamespace(execute=raiser(failed)))  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="0 MB are free"):
        store.execute("INSERT INTO t VALUES (1)")


def test_a_failed_snapshot_leaves_no_draft_and_the_old_one_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.duckdb"
    open_store(path).close()
    publish_snapshot(path)
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(os, "fsync", raiser(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(StoreError, match="No space left on device"):
        publish_snapshot(path)
    assert sorted(tmp_path.iterdir()) == before


def test_a_failed_backup_is_told_and_leaves_no_half_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.duckdb"
    duckdb.connect(str(path)).close()
    monkeypatch.setattr(shutil, "copyfile", raiser(OSError(errno.ENOSPC, "No space left")))
    with pytest.raises(StoreError, match=r"backup .*before-0001 could not be written: No space"):
        open_store(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.duckdb"]


@pytest.mark.parametrize(
    "error",
    [
        duckdb.IOException('IO Error: Cannot open file "s.duckdb": Permission denied'),
        PermissionError(errno.EACCES, "Permission denied", "s.duckdb"),
    ],
)
def test_missing_rights_ask_for_rights_and_not_for_a_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(duckdb, "connect", raiser(error))
    with pytest.raises(StoreError, match="check who owns the file") as caught:
        open_store(tmp_path / "s.duckdb")
    assert "backup" not in str(caught.value)


def test_a_path_with_lock_in_its_name_is_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "clock.duckdb"
    path.write_bytes(b"this is not a database" * 500)
    with pytest.raises(StoreError) as caught:
        open_store(path)
    assert not isinstance(caught.value, RunInProgressError)


@pytest.mark.parametrize("schema", ["main", "sales"])
def test_another_programs_database_is_refused_untouched(tmp_path: Path, schema: str) -> None:
    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as theirs:
        theirs.execute(
            f"CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE {schema}.orders (i INT)"
        )
    content = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        open_store(path)
    assert path.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_given_rows_come_as_they_are_and_what_a_row_lacks_is_unknown(tmp_path: Path) -> None:
    hostile = "a\x00'\"\\\x1f\u2028😀"
    rows: list[dict[str, Any]] = [
        {"a": hostile, "n": 7, "m": {"k": "v"}},
        {"a": ""},
        {"a": None, "other": "left out"},
    ]
    with (
        open_store(tmp_path / "s.duckdb") as store,
        store.given("page", rows, {"a": "VARCHAR", "n": "BIGINT", "m": "MAP(VARCHAR, VARCHAR)"}),
    ):
        assert store.read("SELECT * FROM page") == [
            {"a": hostile, "n": 7, "m": {"k": "v"}},
            {"a": "", "n": None, "m": None},
            {"a": None, "n": None, "m": None},
        ]


def test_given_rows_are_all_there_in_however_many_pieces_they_travel(tmp_path: Path) -> None:
    many = BYTES_AT_ONCE // 250
    # Alike at first, then a hundred times as long: what the first ones weigh says too little.
    rows = [{"a": f"{n}"} for n in range(many)] + [{"a": f"{-n:01000}"} for n in range(1, many)]
    packed = pack(rows)
    assert len(packed) == len(rows)
    assert len(packed.texts) > 1
    assert max(map(len, packed.texts)) <= BYTES_AT_ONCE
    with open_store(tmp_path / "s.duckdb") as store:
        with store.given("page", rows, {"a": "VARCHAR"}):
            assert store.value("SELECT count(DISTINCT a) FROM page") == len(rows)
        with store.given("page", packed, {"a": "VARCHAR"}):
            assert store.value("SELECT count(DISTINCT a) FROM page") == len(rows)
        with store.given("page", [], {"a": "VARCHAR"}):
            assert store.value("SELECT count(*) FROM page") == 0


def test_a_row_larger_than_a_piece_travels_alone(tmp_path: Path) -> None:
    rows = [{"a": "x"}, {"a": "y" * (BYTES_AT_ONCE + 1)}, {"a": "z"}]
    with (
        open_store(tmp_path / "s.duckdb") as store,
        store.given("page", rows, {"a": "VARCHAR"}),
    ):
        assert store.value("SELECT sum(length(a)) FROM page") == BYTES_AT_ONCE + 3


def test_an_error_among_given_rows_is_told_as_it_is(tmp_path: Path) -> None:
    with (
        open_store(tmp_path / "s.duckdb") as store,
        pytest.raises(StoreError, match="nowhere"),
        store.transaction(),
        store.given("page", [{"a": "1"}], {"a": "VARCHAR"}),
    ):
        store.execute("INSERT INTO nowhere FROM page")


@pytest.mark.parametrize(("limit", "threads"), [(96, 1), (112, 1), (256, 2), (1024, 4)])
def test_threads_go_by_the_memory_that_a_store_may_use(
    tmp_path: Path, limit: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    with open_store(tmp_path / "s.duckdb", limit) as store:
        assert store.value("SELECT current_setting('threads')") == threads
        assert store.value("SELECT current_setting('async_threads')") == 1


def test_readers_may_use_more_than_a_run(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    open_store(path, 64).close()
    publish_snapshot(path)
    with open_snapshot(path, 64) as store:
        assert store.value("SELECT current_setting('memory_limit')") == "152.5 MiB"


def test_a_step_that_only_makes_temporary_tables_leaves_the_checkpoints_as_they_were(
    tmp_path: Path,
) -> None:
    def threshold() -> object:
        return store.value("SELECT current_setting('checkpoint_threshold')")

    with open_store(tmp_path / "t.duckdb") as store:
        before = threshold()
        with store.scratching():
            assert threshold() != before
        assert threshold() == before
        with pytest.raises(StoreError), store.scratching():
            store.execute("SELECT no_such_column")
        assert threshold() == before


def test_rows_larger_than_what_is_handed_over_at_once_arrive_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BYTES_AT_ONCE", 1000)
    rows = [{"a": str(n), "b": "ñ\n\"'" * size} for n, size in enumerate((1, 10, 9000, 2, 500, 0))]
    with (
        open_store(tmp_path / "s.duckdb") as store,
        store.given("page", rows, {"a": "VARCHAR", "b": "VARCHAR"}),
    ):
        assert store.read("SELECT * FROM page ORDER BY a") == rows


def test_rows_travel_by_a_private_file_where_the_system_has_no_file_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    folder = tmp_path / "Ana's store"
    folder.mkdir()
    with open_store(folder / "s.duckdb") as store:
        with database.readable(b"secret", folder):
            (file,) = folder.glob(".travesia-*")
            assert file.stat().st_mode & 0o077 == 0
        with store.given("page", [{"a": "1"}, {"a": "2"}], {"a": "VARCHAR"}):
            assert [row["a"] for row in store.read("SELECT a FROM page ORDER BY a")] == ["1", "2"]
    assert list(folder.glob(".travesia-*")) == []


def test_what_is_handed_over_is_never_what_was_before_under_the_same_path(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.duckdb") as store:
        for n in range(20):
            with store.given("page", [{"a": str(n)}], {"a": "VARCHAR"}):
                assert store.value("SELECT a FROM page") == str(n)
