"""Our side of the comparisons: the same jobs as the peers' scripts, told in the same words.

    python -m benchmarks.ours <job> <url> <setting as JSON>

`pull` is extraction alone, parsed and not stored; `store` is the real extract step into DuckDB,
with cursors and the merge; `write` is the real write-back step: planned, saved, sent, checked and
noted; then planned once more, which must find nothing.
"""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

from benchmarks.page_rows import FIELDS, made_up
from benchmarks.peers.told import PASSWORD, USER, Tally, main
from connector import write_back
from connector.config import Config
from connector.context import Run
from connector.extract import Reading, extract_table
from connector.itsm.base import Cursor, Page, Shard
from connector.itsm.servicenow import Connection, ServiceNow, connect
from connector.itsm.servicenow.rows import Row
from connector.journey.fields import RECORD_FIELDS
from connector.journey.model import Mapping, Rule, Text
from connector.store import changes, overrides, records
from connector.store.database import Store, open_store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OWN = tuple(field.name for field in RECORD_FIELDS)
_key = itemgetter("sys_id", "number")


def instance(url: str, setting: dict[str, Any]) -> ServiceNow:
    """A connection to the page server."""
    settings = Connection(url=url, user=USER, secret=PASSWORD, workers=setting["workers"])
    return connect(replace(settings, page_size=setting.get("page", settings.page_size)))


def pull(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """Every page, as the extract step gets it, and nothing kept: in parts where there are some."""
    tool = instance(url, setting)
    parts = tool.list_shards("incident", NOW)
    if not parts:
        _tally(tally, tool.list_pages("incident", FIELDS, Cursor(), NOW))
        return
    tallies = [Tally() for _part in parts]
    with ThreadPoolExecutor(setting["workers"]) as pool:
        for _done in pool.map(lambda n: _read(tool, parts[n], tallies[n]), range(len(parts))):
            pass
    for one in tallies:
        tally.add(one)


def _read(tool: ServiceNow, part: Shard, tally: Tally) -> None:
    _tally(tally, tool.list_shard_pages("incident", FIELDS, part, NOW, "", threading.Event()))


def _tally(tally: Tally, pages: Iterator[Page]) -> None:
    for page in pages:
        first = next(iter(page.records), None)
        key: Callable[[Any], Any] = _key
        if isinstance(first, Row):
            key = first.getter("sys_id", "number")
        tally.page(map(key, page.records))
        del page  # one page in memory, not this one beside the next


@contextmanager
def opened(setting: dict[str, Any]) -> Iterator[Store]:
    """A store with the memory that a store has by default."""
    path = Path(setting["folder"]) / "ours.duckdb"
    with open_store(path, Config().store.memory_limit_mb) as store:
        yield store


def store(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """The extract step: pages landed with their cursors, and one merge. Then what stands there."""
    with opened(setting) as at_rest:
        run = Run(at_rest, instance(url, setting), "bench", threading.Event())
        extract_table(run, "incident", FIELDS, NOW, Reading(lag=timedelta(minutes=10)))
        tally.stop()
        rows = at_rest.read("SELECT sys_id, number FROM current.incident")
        tally.page((row["sys_id"], row["number"]) for row in rows)


MAPPING = Mapping(
    journeys={},
    touchpoints={},
    rules=(Rule("r-open", ("incident",), "", "phone", Text("It is open", "Está abierta"), {}),),
    sets={},
    tables={},
    edges=(),
    roll_ups=(),
    hash="0" * 12,
)


def prepare(at_rest: Store, rows: list[dict[str, str]]) -> None:
    """Records as the last extraction saw them, all classified alike."""
    columns = [*FIELDS, *OWN, "active", "closed_at"]
    records.ensure_table(at_rest, "incident", columns)
    empty = {**dict.fromkeys(OWN, ""), "active": "true", "closed_at": ""}
    records.land(at_rest, "incident", columns, [{**row, **empty} for row in rows], "r")
    records.merge(at_rest, "incident", NOW)
    at_rest.execute("CREATE TEMP TABLE classified AS SELECT * FROM classification")
    at_rest.execute("CREATE TEMP TABLE standing_next AS SELECT * FROM standing")
    overrides.stay(at_rest)
    at_rest.execute(
        "INSERT INTO classified SELECT 'incident', sys_id, 'r-open', 'phone',"
        " MAP {'travesia': 'usar'}, 'visible', true, '', '', '', 'high', '', 'h', 'phone'"
        " FROM current.incident"
    )
    at_rest.execute(
        "INSERT INTO standing_next SELECT 'incident', sys_id, 'travesia', 'usar',"
        " TIMESTAMP '2026-11-01 08:00:00', 'timestamp', 'exact' FROM current.incident"
    )


def write(url: str, setting: dict[str, Any], tally: Tally) -> None:
    """Plan, save, send, check; then plan again."""
    with opened(setting) as at_rest:
        prepare(at_rest, _rows(setting))
        tally.start()
        run = Run(at_rest, instance(url, setting), "bench", threading.Event())
        sent = send(run, setting)
        tally.stop()
        assert sent.refused == sent.failed == 0, sent
        done = at_rest.read(
            "SELECT DISTINCT sys_id FROM change WHERE status = 'confirmed' AND run_id = 'bench'"
        )
        assert len(done) == sent.confirmed
        again = send(Run(at_rest, run.instance, "again", run.stop), setting)
        assert again.requests == again.confirmed == again.failed == 0, again
        tally.page((row["sys_id"], "written") for row in done)


def send(run: Run, setting: dict[str, Any]) -> write_back.Sent:
    """The real step, with the shipped settings but for the size and number of batches."""
    settings = write_back.settings_of(Config())
    settings = replace(
        settings,
        tables=("incident",),
        batch_size=setting.get("batch", settings.batch_size),
        workers=setting["workers"],
        max_records=1_000_000,
    )
    write_back.plan(run.store, MAPPING, settings, NOW)
    changes.save_plan(run.store, run.run_id)
    return write_back.send(run, settings, NOW)


def rows(path: str, count: Any, _tally: Tally) -> None:
    """Made-up incidents with our columns on them, empty: as an instance holds them at first."""
    with Path(path).open("w", encoding="utf-8") as lines:
        for row in made_up(int(count)):
            lines.write(json.dumps({**row, **dict.fromkeys(OWN, "")}) + "\n")


def _rows(setting: dict[str, Any]) -> list[dict[str, str]]:
    with Path(setting["rows"]).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    main({"pull": pull, "store": store, "write": write, "rows": rows})
