"""The words of a run as numbers: what TEMP TABLEs with a row for every record say in few words.

Rules, touchpoints, steps and the like come from short lists that are known before the first record
is placed. As an ENUM such a word takes two bytes of a row instead of its text, and is written,
joined and compared as a number; it reads and sorts as its text does. A word that was not learned
is refused when it is written.
"""

from collections.abc import Iterable

from connector.store.database import Store

WORD = "journey_word"
"""The type; its words are those of the last `learn`."""

# What was stored by runs of another mapping goes on being said of records that stay.
_STORED = """
SELECT DISTINCT last_visible AS word FROM classification
UNION ALL SELECT DISTINCT step FROM standing
UNION ALL SELECT DISTINCT source FROM standing
UNION ALL SELECT DISTINCT resolution FROM standing
"""


def learn(store: Store, words: Iterable[str]) -> None:
    """Make the type of `words` and of those that are stored; what was made of the last one goes."""
    store.execute(f"DROP TYPE IF EXISTS {WORD} CASCADE")
    types = {"word": "VARCHAR"}
    with store.given("said", [{"word": word} for word in sorted({"", *words})], types):
        # Sorted, so that the order of the words is that of their texts.
        store.execute(
            f"CREATE TEMP TYPE {WORD} AS ENUM (SELECT DISTINCT word FROM"
            f" (FROM said UNION ALL {_STORED}) WHERE word IS NOT NULL ORDER BY word)"
        )


def as_word(value: str) -> str:
    """SQL: a value as a word."""
    return f"{value}::{WORD}"
