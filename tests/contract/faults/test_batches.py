"""Faults inside of batches: items that fail alone or are never served.

The number in a docstring is the conformance vector's (servicenow-api.md §10). Over real sockets.
"""

from tests.contract.faults.kit import arm, batch, limit, state, statuses
from tests.sandbox_instance import Api


def test_an_item_beyond_the_batchs_time_stays_unserviced(api: Api) -> None:
    """55"""
    limit(api, cost_ms={"write": 15_000})
    answer = batch(api, 1, 3, 4)
    assert answer["unserviced_requests"] == ["4"]
    assert statuses(answer) == {"1": 200, "3": 200}
    assert [state(api, n) for n in (1, 3, 4)] == ["3", "3", "2"]


def test_a_fault_leaves_the_last_items_unserviced(api: Api) -> None:
    arm(api, {"kind": "unserviced", "items": 2})
    assert batch(api, 1, 3, 4)["unserviced_requests"] == ["3", "4"]
    assert [state(api, n) for n in (1, 3, 4)] == ["3", "1", "2"]
    assert batch(api, 1, 3, 4)["unserviced_requests"] == []


def test_items_fail_alone_inside_a_good_batch(api: Api) -> None:
    item = {"where": "item", "table": "incident"}
    arm(
        api,
        {"kind": "rate_limited", "after": 1, **item},
        {"kind": "server_error", "after": 1, **item},
        {"kind": "failed_after", "after": 1, **item},
    )
    answer = batch(api, 1, 3, 4, 6)
    assert statuses(answer) == {"1": 200, "3": 429, "4": 500, "6": 500}
    assert [state(api, n) for n in (1, 3, 4, 6)] == ["3", "1", "2", "3"]
    headers = {h["name"]: h["value"] for h in answer["serviced_requests"][1]["headers"]}
    assert headers["Retry-After"] == "1"
