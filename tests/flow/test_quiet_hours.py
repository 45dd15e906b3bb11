"""Nothing moves in the tool: then nothing moves at ours, however often and whatever is run.

One story, told once: two nights, a fresh store beside them, a sweep, and a stretch read again. Each
test looks at another side of it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.flow.conftest import Place, Places, copy_of, fresh, kinds
from tests.harness import Connector, classifications

STANDINGS = "SELECT * FROM standing ORDER BY ALL"
Rows = list[tuple[Any, ...]]
Lines = dict[str, dict[str, int]]
"""What a run logged of each table that it read."""


@dataclass(frozen=True)
class Seen:
    """The instance, and what is kept of it, at one moment of the story."""

    dump: str
    placed: Rows
    standings: Rows

    @classmethod
    def of(cls, place: Place) -> "Seen":
        connector = place.connector
        return cls(
            place.instance.whole_dump(), classifications(connector), connector.read(STANDINGS)
        )


@dataclass(frozen=True)
class Night:
    """A sync: what it answers, and what it asked."""

    result: dict[str, Any]
    requests: dict[str, int]


@dataclass(frozen=True)
class Story:
    """All of it."""

    first: Seen
    nights: tuple[Night, Night]
    later: Seen
    by_fresh_store: Rows
    after_sweep: dict[str, Any]
    placed_after_sweep: Rows
    since: Lines
    full: Lines
    incidents: list[dict[str, str]]
    slas: int


def night(place: Place, moment: str) -> Night:
    place.stand_at(moment)
    place.instance.reset_requests()
    result = place.connector.sync()
    return Night(result, place.instance.requests())


def read_lines(connector: Connector, *arguments: str) -> Lines:
    """Run a sync; how many rows each table answered, from the log."""
    connector.write_config(log={"style": "json"})
    done = connector.call("sync", *arguments)
    assert done.returncode == 0, done.stderr
    log = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return {line["table"]: line for line in log if line["event"] == "extracted"}


@pytest.fixture(scope="module")
def story(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("quiet") / "place"
    with copy_of(places.synced(), folder) as place:
        instance, connector = place.instance, place.connector
        first = Seen.of(place)
        # Past `settle_seconds` our own writes are read back.
        one = night(place, "2026-11-20 12:00:15")
        by_fresh_store = classifications(fresh(place))
        two = night(place, "2026-11-20 12:20:00")
        later = Seen.of(place)
        place.stand_at("2026-11-20 12:40:00")
        connector.do("reconcile")
        after_sweep = connector.sync()
        placed_after_sweep = classifications(connector)
        # An hour later the lag no longer reaches our own writes, which a sync has met meanwhile.
        place.stand_at("2026-11-20 13:00:00")
        yield Story(
            first=first,
            nights=(one, two),
            later=later,
            by_fresh_store=by_fresh_store,
            after_sweep=after_sweep,
            placed_after_sweep=placed_after_sweep,
            since=read_lines(connector, "--since", "2h"),
            full=read_lines(connector, "--full"),
            incidents=list(instance.dump("incident").values()),
            slas=len(instance.dump("task_sla")),
        )


def test_a_second_sync_writes_nothing_and_a_third_sees_no_echo(story: Story) -> None:
    for each in story.nights:
        assert (each.result["confirmed"], each.result["planned_records"]) == (0, 0)
        assert each.result["plan"] == []
        extracted = {t["table"]: t["extracted"] for t in each.result["tables"] if t["extracted"]}
        assert extracted == {}, "our own writes are no news"
        assert kinds(each.requests) == {"GET"}
        of_records = {k: v for k, v in each.requests.items() if "/table/sys_d" not in k}
        assert max(of_records.values()) <= 6, of_records
    assert story.later.dump == story.first.dump


def test_our_own_writes_change_no_classification(story: Story) -> None:
    assert story.later.placed == story.first.placed
    assert story.by_fresh_store == story.first.placed
    assert story.later.standings == story.first.standings, "what does not move keeps its time"


def test_reconciling_between_two_syncs_changes_nothing(story: Story) -> None:
    assert story.after_sweep["plan"] == []
    assert story.placed_after_sweep == story.later.placed


def test_since_reads_a_stretch_again_and_full_reads_everything(story: Story) -> None:
    lately = [r for r in story.incidents if r["sys_updated_on"] >= "2026-11-20 11:00:00"]
    assert story.since["incident"]["read"] == len(lately)
    assert story.full["incident"]["read"] == len(story.incidents)
    assert story.full["task_sla"]["read"] == story.slas
    assert not any(line.get("landed") for line in [*story.since.values(), *story.full.values()])
