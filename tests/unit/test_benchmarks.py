"""The page server answers as the Table API would, and our side of each benchmark does its work."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from benchmarks import nightly, ours, pull, side_by_side
from benchmarks.latency import delayed
from benchmarks.page_rows import FIELDS, Table, checksum, made_up
from benchmarks.page_server import Costs, Pages, Server
from benchmarks.peers.told import FIELDS as THEIR_FIELDS
from benchmarks.peers.told import Tally

ROWS = sorted(made_up(200), key=lambda row: row["sys_id"])
BY_TIME = sorted(ROWS, key=lambda row: (row["sys_updated_on"], row["sys_id"]))
PLAIN = {"sysparm_exclude_reference_link": "true"}


@contextmanager
def page_server(count: int = 200) -> Iterator[Server]:
    """A page server in this process."""
    server = Server(Pages({"incident": Table.of(made_up(count))}))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with page_server() as running:
        yield running


def ask(server: Server, query: str = "", **params: str) -> requests.Response:
    return requests.get(
        f"{server.url}/api/now/table/incident",
        params={"sysparm_query": query, **PLAIN, **params},
        timeout=10,
    )


def rows(server: Server, query: str = "", **params: str) -> list[Any]:
    found: list[Any] = ask(server, query, **params).json()["result"]
    return found


def test_pages_by_offset_bring_every_record_once_in_order(server: Server) -> None:
    found = [
        row
        for offset in range(0, 250, 70)
        for row in rows(server, "ORDERBYsys_id", sysparm_offset=str(offset), sysparm_limit="70")
    ]
    assert found == ROWS
    by_time = "ORDERBYsys_updated_on^ORDERBYsys_id"
    assert rows(server, by_time, sysparm_offset="190") == BY_TIME[190:]


def test_pages_by_key_bring_what_lies_after_the_key(server: Server) -> None:
    assert rows(server, f"sys_id>{ROWS[99]['sys_id']}^ORDERBYsys_id") == ROWS[100:]
    assert rows(server, f"sys_id>={ROWS[99]['sys_id']}^ORDERBYsys_id") == ROWS[99:]
    moment = BY_TIME[120]["sys_updated_on"]
    order = "^ORDERBYsys_updated_on^ORDERBYsys_id"
    assert rows(server, f"sys_updated_on>{moment}{order}") == BY_TIME[121:]
    assert rows(server, f"sys_updated_on<={moment}{order}") == BY_TIME[:121]
    assert rows(server, f"sys_updated_on={moment}^sys_id>0^ORDERBYsys_id") == [BY_TIME[120]]


@pytest.mark.parametrize("order", ["^ORDERBYsys_id", "^ORDERBYsys_updated_on^ORDERBYsys_id"])
def test_shards_of_sys_id_are_disjoint_and_whole_in_either_order(
    server: Server, order: str
) -> None:
    moment = BY_TIME[150]["sys_updated_on"]
    found = [
        rows(server, f"sys_id>={low}^sys_id<{high}^sys_updated_on<={moment}{order}")
        for low, high in (("0", "4"), ("4", "8"), ("8", "c"), ("c", "g"))
    ]
    assert all(len(shard) > 10 for shard in found)
    together = [row for shard in found for row in shard]
    assert sorted(row["sys_id"] for row in together) == sorted(r["sys_id"] for r in BY_TIME[:151])
    for shard in found:
        wanted = BY_TIME if "updated" in order else ROWS
        assert shard == [row for row in wanted if row in shard]


def test_counts_and_links_come_unless_they_are_declined(server: Server) -> None:
    full = ask(server, "ORDERBYsys_id", sysparm_limit="150")
    assert full.headers["X-Total-Count"] == "200"
    assert requests.get(full.links["next"]["url"], timeout=10).json()["result"] == ROWS[150:]
    slim = ask(
        server,
        "ORDERBYsys_id",
        sysparm_limit="150",
        sysparm_no_count="true",
        sysparm_suppress_pagination_header="true",
    )
    assert not {"X-Total-Count", "Link"} & set(slim.headers)


def test_fields_and_shapes_are_as_asked(server: Server) -> None:
    first = ROWS[0]
    listed = f"sys_idIN{first['sys_id']},{'f' * 32}"
    assert rows(server, listed, sysparm_fields="sys_id,number") == [
        {"sys_id": first["sys_id"], "number": first["number"]}
    ]
    linked = rows(server, listed, sysparm_exclude_reference_link="false")[0]
    assert linked["caller_id"]["value"] == first["caller_id"]
    shown = rows(server, listed, sysparm_display_value="all")[0]
    assert set(shown) == set(FIELDS)
    assert shown["number"]["display_value"] == first["number"]


def test_what_is_not_understood_is_refused(server: Server) -> None:
    for query in ("state=1", "sys_id>1^NQsys_id<1", "ORDERBYnumber"):
        assert ask(server, query).status_code == 400


def item(sys_id: str, values: dict[str, str], n: int) -> dict[str, object]:
    body = base64.b64encode(json.dumps(values).encode()).decode()
    url = f"/api/now/table/incident/{sys_id}?sysparm_fields=sys_id,state"
    return {"id": str(n), "method": "PATCH", "url": url, "body": body, "headers": []}


def test_writes_are_kept_counted_and_told_one_by_one_and_in_batches() -> None:
    with page_server() as server:
        first, second = ROWS[0]["sys_id"], ROWS[1]["sys_id"]
        one = f"{server.url}/api/now/table/incident/{first}"
        assert requests.patch(one, json={"state": "9"}, timeout=10).json()["result"]["state"] == "9"
        batch = {
            "batch_request_id": "b",
            "rest_requests": [item(second, {"state": "8"}, 0), item("f" * 32, {"state": "8"}, 1)],
        }
        reply = requests.post(f"{server.url}/api/now/v1/batch", json=batch, timeout=10).json()
        served = {s["id"]: s for s in reply["serviced_requests"]}
        assert [served["0"]["status_code"], served["1"]["status_code"]] == [200, 404]
        assert json.loads(base64.b64decode(served["0"]["body"])) == {
            "result": {"sys_id": second, "state": "8"}
        }
        assert [row["state"] for row in rows(server, "ORDERBYsys_id", sysparm_limit="2")] == [
            "9",
            "8",
        ]
        counts = requests.get(f"{server.url}/_bench/counts", timeout=10).json()
        assert counts == {"PATCH": 1, "POST": 1, "GET": 1, "requests": 3, "rows": 2, "written": 2}


def test_work_takes_a_slot_for_as_long_as_its_rows_and_writes_cost(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("benchmarks.page_server.time.sleep", slept.append)
    server.pages.set_costs(Costs(latency_ms=80, row_cost_us=100, write_cost_ms=30, slots=1))
    rows(server, sysparm_limit="50")
    items = [item(row["sys_id"], {"state": "2"}, n) for n, row in enumerate(ROWS[:3])]
    requests.post(f"{server.url}/api/now/v1/batch", json={"rest_requests": items}, timeout=10)
    assert slept == pytest.approx([0.08, 0.005, 0.08, 0.09])
    server.pages.set_costs(Costs())
    server.pages.written.clear()


def test_a_checksum_tells_lost_and_repeated_records() -> None:
    pairs = [(row["sys_id"], row["number"]) for row in ROWS]
    assert checksum(pairs) == checksum(reversed(pairs))
    assert len({checksum(pairs), checksum(pairs[1:]), checksum([*pairs, pairs[0]])}) == 3


def test_our_side_of_a_pull_brings_every_record_parsed_and_stored(
    server: Server, tmp_path: Path
) -> None:
    expected = checksum((row["sys_id"], row["number"]) for row in ROWS)
    setting = {"workers": 4, "page": 50, "folder": str(tmp_path)}
    for job in (ours.pull, ours.store):
        tally = Tally()
        job(server.url, setting, tally)
        assert (tally.count, tally.checksum) == (200, expected)
    assert tally.seconds > 0


def test_our_side_of_a_write_writes_every_record_once_and_then_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    ours.rows(str(path), 200, Tally())
    with page_server() as server:
        tally = Tally()
        setting = {"workers": 2, "batch": 40, "rows": str(path), "folder": str(tmp_path)}
        ours.write(server.url, setting, tally)
        written = requests.get(f"{server.url}/_bench/written", timeout=10).json()
        counts = requests.get(f"{server.url}/_bench/counts", timeout=10).json()
    assert tally.count == counts["written"] == 200
    assert {sys_id for _table, sys_id, _values in written} == {row["sys_id"] for row in ROWS}
    assert all(values["u_journey_step"] == "usar" for _table, _sys_id, values in written)
    assert counts["POST"] <= 16
    assert "PATCH" not in counts


def test_peers_are_asked_for_the_same_fields() -> None:
    assert THEIR_FIELDS == FIELDS


def test_the_relay_carries_request_after_request_unchanged(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("benchmarks.latency.time.sleep", waits.append)
    with delayed(server.url, 0.08) as url, requests.Session() as session:
        for _turn in range(3):
            reply = session.get(f"{url}/api/now/table/incident", params=PLAIN, timeout=10)
            assert reply.json()["result"] == ROWS
    assert waits == [0.08] * 3


def test_copies_refer_to_each_other_and_changes_change_every_record() -> None:
    rows = {
        "incident": {"a": {"sys_id": "a", "number": "INC1", "state": "1", "sys_mod_count": "4"}},
        "task_sla": {
            "s": {"sys_id": "s", "task": "a", "stage": "paused", "sla": "shared"},
            "t": {"sys_id": "t", "task": "b", "stage": "completed", "sla": "shared"},
        },
    }
    made = list(nightly.copies(rows, 6))
    assert [(method, table) for method, table, _sys_id, _values in made] == [
        ("POST", "incident"),
        ("POST", "task_sla"),
        ("POST", "task_sla"),
    ]
    incident, sla, other = (values for _method, _table, _sys_id, values in made)
    assert set(incident) == {"sys_id", "state"}
    assert sla["task"] == made[0][2] != "a"
    assert (sla["sla"], other["task"]) == ("shared", "b")
    rows["incident"]["b"] = {"sys_id": "b", "state": "2"}
    assert [(sys_id, values) for _m, _t, sys_id, values in nightly.changes(rows)] == [
        ("a", {"state": "2"}),
        ("b", {"state": "1"}),
        ("s", {"stage": "completed"}),
        ("t", {"stage": "paused"}),
    ]


def test_a_generated_block_is_replaced_and_the_rest_of_the_page_stays(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("# Benchmarks\n\nBefore.\n", encoding="utf-8")
    for text in ("old", "new"):
        side_by_side.write_block("pull", text, page)
    assert page.read_text(encoding="utf-8") == (
        "# Benchmarks\n\nBefore.\n\n<!-- pull: generated -->\nnew\n<!-- pull: end -->\n"
    )


def test_real_processes_are_measured_verified_and_told() -> None:
    clients = (pull.OURS[0], side_by_side.Client("lost", "", "pull", {"workers": 1}))
    with side_by_side.page_server("--records", "200") as server:
        expected = server.call("expected")["incident"]
        (found,) = side_by_side.measure(clients[:1], server, side_by_side.holds(expected), 1)
        wrong = side_by_side.holds({**expected, "checksum": 1})
        with pytest.raises(side_by_side.Unequal, match="lost: 200 records"):
            side_by_side.measure(clients[1:], server, wrong, 1)
    assert found.requests >= 1
    assert found.resident_mb > 10
    told = side_by_side.table([found], found)
    assert told.splitlines()[2].startswith(f"| {pull.PULLED} | ")


def test_a_goal_says_by_how_much_it_was_missed() -> None:
    assert side_by_side.Goal("fast", 3.0, 4).row() == "| fast | 3.00× | ≥ 4.00× | missed by 25% |"
    assert side_by_side.Goal("lean", 0.5, 0.7, at_most=True).is_met
