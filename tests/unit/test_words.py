"""Words as numbers: they read, compare and sort as their texts do, and unknown ones are refused."""

from pathlib import Path

import pytest

from connector.errors import StoreError
from connector.store import words
from connector.store.database import Store, open_store
from connector.store.words import WORD, as_word


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "t.duckdb")


def said(store: Store, *texts: str) -> list[str]:
    """These words, written to a table of words and read in its order."""
    store.execute(f"CREATE OR REPLACE TEMP TABLE said_words (word {WORD})")
    for text in texts:
        store.execute("INSERT INTO said_words VALUES ($text)", text=text)
    return [row["word"] for row in store.read("SELECT word FROM said_words ORDER BY word")]


def test_they_read_compare_and_sort_as_their_texts(store: Store) -> None:
    words.learn(store, ["visible", "it's", "ñandú", "agree"])
    assert said(store, "visible", "ñandú", "agree", "it's", "") == sorted(
        ["", "agree", "it's", "visible", "ñandú"]
    )
    assert store.value("SELECT count(*) FROM said_words WHERE word = 'visible'") == 1
    assert store.value("SELECT count(*) FROM said_words WHERE word = 'never said'") == 0
    assert store.value("SELECT any_value(word || '/x') FROM said_words WHERE word = 'agree'") == (
        "agree/x"
    )


def test_a_word_that_was_not_learned_is_refused(store: Store) -> None:
    words.learn(store, ["known"])
    with pytest.raises(StoreError, match="unheard"):
        said(store, "unheard")


def test_what_is_stored_from_another_mapping_can_still_be_said(store: Store) -> None:
    store.execute(
        "INSERT INTO standing (table_name, sys_id, journey, step, since, source)"
        " VALUES ('incident', 'a', 'itil4', 'a_step_of_old', now()::TIMESTAMP, 'observed')"
    )
    words.learn(store, ["known"])
    assert said(store, "a_step_of_old", "observed", "night", "known")


def test_they_are_learned_anew_by_every_run(store: Store) -> None:
    words.learn(store, ["before"])
    said(store, "before")
    words.learn(store, ["after"])
    assert said(store, "after") == ["after"]
    assert store.value(f"SELECT {as_word('$w')} = 'after'", w="after")
