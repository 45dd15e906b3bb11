"""The store file: opening, migrating, transactions, snapshot."""

from pathlib import Path

import duckdb
import pytest

from connector.errors import RunInProgressError, StoreError
from connector.store.database import Store, open_snapshot, open_store, publish_snapshot


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
