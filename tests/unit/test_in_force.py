"""A changed mapping does not go live by itself: it waits for a person's word."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connector.classify import save_classification
from connector.errors import ConfigError
from connector.in_force import accept, content_of, enter, which
from connector.journey.mapping import load_mapping
from connector.journey.model import Mapping
from connector.store import mappings
from connector.store.database import Store
from tests.journey_kit import NOW, Kit, shipped

HOUR = timedelta(hours=1)


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    made = Kit(tmp_path)
    yield made
    made.store.close()


def begin(store: Store, run_id: str) -> None:
    store.execute(
        "INSERT INTO run (run_id, kind, started_at) VALUES ($id, 'sync', now()::TIMESTAMP)",
        id=run_id,
    )


def changed(tmp_path: Path) -> Mapping:
    """The shipped mapping with one touchpoint that lies elsewhere: phone calls are step 2."""
    folder = tmp_path / "ours" / "rules"
    folder.mkdir(parents=True)
    (folder / "ours.toml").write_text(
        """
[[rule]]
id = "calls-are-meetings"
tables = ["incident"]
when = "active=true^contact_type=phone"
touchpoint = "relationship_meeting"
because = { en = "We meet", es = "Nos vemos" }
example = { active = "true", contact_type = "phone" }
""",
        encoding="utf-8",
    )
    return load_mapping(tmp_path / "ours")


def test_the_first_mapping_of_a_store_is_accepted_by_itself(kit: Kit) -> None:
    begin(kit.store, "r1")
    assert enter(kit.store, shipped(), "r1").waiting is None
    known = mappings.in_force(kit.store)
    assert known is not None
    assert known.hash == shipped().hash


def test_a_changed_mapping_waits_and_the_one_in_force_goes_on(kit: Kit, tmp_path: Path) -> None:
    begin(kit.store, "r1")
    enter(kit.store, shipped(), "r1")
    new = changed(tmp_path)
    begin(kit.store, "r2")
    found = enter(kit.store, new, "r2")
    assert found.mapping == shipped()
    assert found.waiting is new
    assert new.hash in found.sentence
    row = kit.store.read("SELECT mapping_hash, is_placed FROM run WHERE run_id = 'r2'")[0]
    assert row == {"mapping_hash": shipped().hash, "is_placed": True}


def test_what_was_accepted_goes_live_with_the_next_run(kit: Kit, tmp_path: Path) -> None:
    begin(kit.store, "r1")
    enter(kit.store, shipped(), "r1")
    new = changed(tmp_path)
    accept(kit.store, new, new.hash[:6].upper())
    assert which(kit.store, shipped()).waiting is None
    begin(kit.store, "r2")
    assert enter(kit.store, new, "r2").waiting is None
    back = which(kit.store, shipped())
    assert back.waiting is not None, "the old one was replaced: it needs a word again"
    assert back.mapping == new


@pytest.mark.parametrize("word", ["", "abc", "ffffffffffff", "zzzz"])
def test_another_hash_is_refused_with_the_right_one(kit: Kit, word: str) -> None:
    with pytest.raises(ConfigError, match=shipped().hash) as refused:
        accept(kit.store, shipped(), word)
    assert refused.value.exit_code == 2
    assert not mappings.is_approved(kit.store, shipped().hash)


def test_content_that_cannot_be_read_leaves_every_record_where_it_stands(kit: Kit) -> None:
    mappings.put_in_force(kit.store, "0123456789ab", '{"journeys": "of another version"}')
    found = which(kit.store, shipped())
    assert not found.places
    assert found.waiting is not None


def test_a_mapping_survives_the_store_word_for_word(kit: Kit) -> None:
    mappings.put_in_force(kit.store, shipped().hash, content_of(shipped()))
    other = replace(shipped(), hash="feedfeedfeed")
    assert which(kit.store, other).mapping == shipped()


def test_a_store_from_before_goes_on_with_its_last_mapping(kit: Kit) -> None:
    store = kit.store
    store.execute("DELETE FROM accepted_mapping")
    store.execute(
        "INSERT INTO run (run_id, kind, started_at, outcome, mapping_hash)"
        " VALUES ('old', 'sync', now()::TIMESTAMP, 'succeeded', 'aaaabbbbcccc')"
    )
    folder = Path(mappings.__file__).parent / "migrations"
    text = (folder / "0005_mapping.sql").read_text(encoding="utf-8")
    start = text.index("INSERT INTO accepted_mapping")
    store.execute(text[start : text.index(";", start)])
    found = which(store, shipped())
    assert found.waiting is not None
    assert not found.places


def test_nights_between_change_and_acceptance_stay_the_customers(kit: Kit, tmp_path: Path) -> None:
    """What a customer moved while a mapping waited is not put down to the mapping."""
    call = {"number": "INC1", "active": "true", "state": "2", "contact_type": "phone"}
    opened = {"opened_at": "2026-11-10 08:00:00", "sys_updated_on": "2026-11-10 08:00:00"}
    kit.put(
        "incident", {"sys_id": "stays", **call, **opened}, {"sys_id": "moves", **call, **opened}
    )
    night(kit, shipped(), "r1", NOW)
    new = changed(tmp_path)
    solved = "2026-11-20 15:00:00"
    kit.store.execute(
        "UPDATE current.incident SET state = '6', active = 'false', resolved_at = $at,"
        " _inputs_updated_on = $at"
        " WHERE sys_id = 'moves'",
        at=solved,
    )
    night(kit, new, "r2", NOW + 24 * HOUR)  # the new one waits
    night(kit, new, "r3", NOW + 48 * HOUR)
    accept(kit.store, new, new.hash)
    night(kit, new, "r4", NOW + 72 * HOUR)
    moves = kit.store.read(
        "SELECT sys_id, cause, run_id FROM transition WHERE journey = 'travesia'"
        " AND from_step <> '' ORDER BY 1, 3"
    )
    assert moves == [
        {"sys_id": "moves", "cause": "customer", "run_id": "r2"},
        {"sys_id": "stays", "cause": "mapping", "run_id": "r4"},
    ]


def test_a_record_that_only_the_new_mapping_places_was_moved_by_it(
    kit: Kit, tmp_path: Path
) -> None:
    noise = {"number": "INC1", "active": "true", "contact_type": "phone", "state": "2"}
    times = {"opened_at": "2026-11-10 08:00:00", "sys_updated_on": "2026-11-10 08:00:00"}
    kit.put("incident", {"sys_id": "a", "short_description": "[test] x", **noise, **times})
    night(kit, shipped(), "r1", NOW)
    assert kit.store.read("SELECT * FROM standing") == []
    new = changed(tmp_path)
    accept(kit.store, new, new.hash)
    night(kit, new, "r2", NOW + 24 * HOUR)
    causes = kit.store.read("SELECT DISTINCT cause FROM transition WHERE to_step <> ''")
    assert causes == [{"cause": "mapping"}]


def night(kit: Kit, configured: Mapping, run_id: str, now: object) -> None:
    """One run as the pipeline does it, without a tool."""
    begin(kit.store, run_id)
    force = enter(kit.store, configured, run_id)
    kit.mapping = force.mapping
    kit.classify(now, run_id)  # type: ignore[arg-type]
    save_classification(kit.store, run_id)
    kit.store.execute(
        "UPDATE run SET outcome = 'partial', high_mark = $now WHERE run_id = $id",
        now=now.replace(tzinfo=None),  # type: ignore[attr-defined]
        id=run_id,
    )
