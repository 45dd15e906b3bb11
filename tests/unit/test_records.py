"""Records at rest: landing, merging, retention."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.errors import StoreError
from connector.store import records
from connector.store.database import BYTES_AT_ONCE, Store, open_store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
COLUMNS = ("sys_id", "sys_updated_on", "sys_mod_count", "state", "u_journey_step")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "s.duckdb") as opened:
        records.ensure_table(opened, "incident", COLUMNS)
        yield opened


def row(sys_id: str, minute: int, mod: int = 0, **values: str) -> dict[str, str]:
    return {
        "sys_id": sys_id,
        "sys_updated_on": f"2026-11-20 10:{minute:02}:00",
        "sys_mod_count": str(mod),
        "state": "1",
        "u_journey_step": "",
        **values,
    }


def land(store: Store, *rows: dict[str, str]) -> int:
    return records.land(store, "incident", COLUMNS, rows, "r1")


def current(store: Store, column: str = "state") -> dict[str, str]:
    rows = store.read(f"SELECT sys_id, {column} AS v FROM current.incident")
    return {found["sys_id"]: found["v"] for found in rows}


def test_the_newest_version_is_by_time_then_mod_count_as_a_number(store: Store) -> None:
    land(store, row("a", 1, 9, state="old"), row("a", 1, 10, state="new"), row("b", 2))
    merged = records.merge(store, "incident", NOW)
    assert current(store) == {"a": "new", "b": "1"}
    assert (merged.new, merged.changed, merged.same) == (2, 0, 0)


def test_a_version_read_again_is_dropped_on_landing(store: Store) -> None:
    land(store, row("a", 1))
    records.merge(store, "incident", NOW)
    assert land(store, row("a", 1)) == 0
    assert land(store, row("a", 1, state="2")) == 1


def test_our_own_write_coming_back_changes_no_input(store: Store) -> None:
    land(store, row("a", 1))
    records.merge(store, "incident", NOW)
    land(store, row("a", 5, 1, u_journey_step="usar"))
    merged = records.merge(store, "incident", NOW)
    assert (merged.new, merged.changed, merged.same) == (0, 0, 1)
    assert current(store, "_inputs_updated_on") == {"a": "2026-11-20 10:01:00"}
    assert current(store, "u_journey_step") == {"a": "usar"}
    assert store.value("SELECT count(*) FROM version.incident") == 0


def test_a_superseded_version_is_kept_when_its_inputs_differ(store: Store) -> None:
    land(store, row("a", 1))
    records.merge(store, "incident", NOW)
    land(store, row("a", 2, 1, state="2"), row("a", 3, 2, state="3"))
    records.merge(store, "incident", NOW)
    kept = store.read("SELECT state FROM version.incident ORDER BY state")
    assert [k["state"] for k in kept] == ["1", "2"]
    assert current(store, "_inputs_updated_on") == {"a": "2026-11-20 10:03:00"}


def test_an_older_version_never_replaces_a_newer_one(store: Store) -> None:
    land(store, row("a", 5, 3, state="new"))
    records.merge(store, "incident", NOW)
    land(store, row("a", 1, 1, state="old"))
    records.merge(store, "incident", NOW)
    assert current(store) == {"a": "new"}


def test_a_hidden_field_is_unknown_and_an_empty_one_is_empty(store: Store) -> None:
    hidden = row("a", 1)
    del hidden["state"]
    land(store, hidden, row("b", 1, state=""))
    records.merge(store, "incident", NOW)
    assert current(store) == {"a": None, "b": ""}


def test_an_added_column_is_unknown_until_it_is_read(store: Store) -> None:
    land(store, row("a", 1))
    records.merge(store, "incident", NOW)
    assert records.ensure_table(store, "incident", [*COLUMNS, "category"]) == ["category"]
    assert current(store, "category") == {"a": None}
    records.land(store, "incident", [*COLUMNS, "category"], [row("a", 1, category="network")], "r2")
    records.merge(store, "incident", NOW)
    assert current(store, "category") == {"a": "network"}


def test_what_a_reply_said_is_seen_but_a_foreign_edit_beside_it_still_shows(store: Store) -> None:
    land(store, row("a", 1))
    records.merge(store, "incident", NOW)
    reply = {
        "sys_id": "a",
        "u_journey_step": "usar",
        "sys_updated_on": "2026-11-20 10:09:00",
        "sys_mod_count": "2",
    }
    records.take_seen(
        store, "incident", ["sys_updated_on", "sys_mod_count", "u_journey_step"], [reply]
    )
    assert land(store, row("a", 9, 2, u_journey_step="usar")) == 0
    assert land(store, row("a", 9, 2, u_journey_step="usar", state="6")) == 1


def test_retention_drops_old_versions_and_long_closed_records(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.duckdb") as store:
        columns = [*COLUMNS, "active", "closed_at"]
        records.ensure_table(store, "incident", columns)
        rows = [
            row("old", 1, active="false", closed_at="2024-01-01 00:00:00"),
            row("open", 1, active="true", closed_at=""),
            row("new", 1, active="false", closed_at="2026-11-01 00:00:00"),
        ]
        records.land(store, "incident", columns, rows, "r1")
        records.merge(store, "incident", datetime(2026, 1, 1, tzinfo=UTC))
        records.land(
            store,
            "incident",
            columns,
            [row("open", 2, 1, state="2", active="true", closed_at="")],
            "r1",
        )
        records.merge(store, "incident", datetime(2026, 1, 1, tzinfo=UTC))
        assert records.prune(store, "incident", NOW, "2026-01-01 00:00:00") == (1, 1)
        assert sorted(current(store)) == ["new", "open"]


def test_a_name_that_is_no_name_never_reaches_the_database(store: Store) -> None:
    with pytest.raises(StoreError, match="not a legal"):
        records.ensure_table(store, 'x" (a); DROP TABLE run; --', [])
    with pytest.raises(StoreError, match="not a legal"):
        records.ensure_table(store, "fine", ["Robert'); --"])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.integers(0, 3)), max_size=12),
    st.data(),
)
def test_the_result_does_not_depend_on_where_pages_and_runs_are_cut(
    tmp_path_factory: pytest.TempPathFactory,
    versions: list[tuple[str, int, int]],
    data: st.DataObject,
) -> None:
    versions = sorted(set(versions), key=lambda v: (v[1], v[2]))
    rows = [row(i, minute, mod, state=f"{minute}.{mod}") for i, minute, mod in versions]
    results = []
    for cut in (len(rows), data.draw(st.integers(0, len(rows)))):
        with open_store(tmp_path_factory.mktemp("s") / "s.duckdb") as store:
            records.ensure_table(store, "incident", COLUMNS)
            for part in (rows[:cut], rows[cut:]):
                land(store, *part)
                records.merge(store, "incident", NOW)
            results.append(current(store))
    assert results[0] == results[1]


@pytest.mark.parametrize("is_first", [True, False])
def test_texts_arrive_as_they_are_whatever_they_hold(store: Store, is_first: bool) -> None:
    """Rows travel as lines of JSON: a line break in a text must not cut its record."""
    texts = [
        "two\nlines",
        "a\r\nb",
        "\u2028",
        'quote " and \\ and \\n',
        "ñandú 🐦",
        "\x00",
        "{}",
        "",
    ]
    if not is_first:
        assert land(store, row("z", 1)) == 1
        records.merge(store, "incident", NOW)
    rows = [row(f"k{n}", 2, state=text) for n, text in enumerate(texts)]
    assert land(store, *rows) == len(rows)
    records.merge(store, "incident", NOW)
    found = current(store)
    assert [found[f"k{n}"] for n in range(len(texts))] == texts


def test_more_rows_than_are_handed_over_at_once_all_arrive(store: Store) -> None:
    large = "x" * (BYTES_AT_ONCE // 10)
    rows = [row(f"{n:05}", 1, state=large) for n in range(25)]
    assert land(store, *rows) == len(rows)
    records.merge(store, "incident", NOW)
    assert land(store, *rows, row("new", 2)) == 1


def test_a_first_merge_gives_what_a_merge_over_an_older_state_gives(store: Store) -> None:
    """The short way of a first read (nothing at rest, every record once) is only shorter."""
    fresh = [row(key, 5, 2, state=state) for key, state in (("a", "1"), ("b", "3"), ("c", ""))]
    land(store, *fresh)
    assert records.merge(store, "incident", NOW) == records.Merged(3, 0, 0)
    first = store.read("SELECT * FROM current.incident ORDER BY sys_id")
    assert store.value("SELECT count(*) FROM landing.incident") == 0
    assert store.value("SELECT count(*) FROM version.incident") == 0
    store.execute("DELETE FROM current.incident")
    land(store, *(row(key, 1, 0, state="9") for key in "abc"))
    records.merge(store, "incident", NOW)
    land(store, *fresh)
    assert records.merge(store, "incident", NOW) == records.Merged(0, 3, 0)
    assert store.read("SELECT * FROM current.incident ORDER BY sys_id") == first


def test_a_first_read_that_met_a_record_twice_keeps_the_newest_and_the_older_version(
    store: Store,
) -> None:
    land(store, row("a", 1, 1, state="old"), row("b", 1))
    land(store, row("a", 2, 2, state="new"))
    assert records.merge(store, "incident", NOW) == records.Merged(2, 0, 0)
    assert current(store) == {"a": "new", "b": "1"}
    assert [v["state"] for v in store.read("SELECT state FROM version.incident")] == ["old"]
