"""The hour's requests: never more than the budget within any sixty minutes, across runs."""

from pathlib import Path

import pytest
import responses

from connector.errors import BudgetSpentError, PartialRunError, StoreError
from connector.itsm.servicenow.budget import Budget
from connector.itsm.servicenow.decode import decode_records
from tests.recorded import body
from tests.unit.servicenow_wire import INCIDENTS, get, session


class Hour:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def spend(budget: Budget, hour: Hour, times: int = 1) -> None:
    for _n in range(times):
        budget.spend(hour.sleep)


def test_a_request_waits_until_the_oldest_is_an_hour_old() -> None:
    hour = Hour()
    budget = Budget(3, 3600, clock=hour)
    spend(budget, hour)
    hour.now += 100
    spend(budget, hour, 2)
    spend(budget, hour)
    assert hour.slept == [3500.0]
    spend(budget, hour)
    assert hour.slept == [3500.0, 100.0]


def test_in_no_sixty_minutes_more_is_sent_than_the_budget() -> None:
    hour, sent = Hour(), []
    budget = Budget(5, 3600, clock=hour)
    for n in range(60):
        hour.now += 7 * (n % 13)
        spend(budget, hour)
        sent.append(hour.now)
    for moment in sent:
        assert sum(moment - 3600 < other <= moment for other in sent) <= 5


def test_too_long_a_wait_ends_the_run_with_one_sentence_that_says_when() -> None:
    hour = Hour()
    budget = Budget(2, 900, clock=hour)
    spend(budget, hour, 2)
    with pytest.raises(BudgetSpentError, match="2 requests an hour is used up until 2027-01-15"):
        spend(budget, hour)
    assert hour.slept == []
    assert issubclass(BudgetSpentError, PartialRunError)
    hour.now += 2701
    spend(budget, hour)
    assert hour.slept == [899.0]


def test_the_next_run_knows_what_this_one_used_however_it_ended(tmp_path: Path) -> None:
    hour, path = Hour(), tmp_path / "store.requests"
    spend(Budget(3, 900, path, hour), hour, 2)
    with path.open("a") as file:
        file.write("18000")  # a crash in mid-line
    following = Budget(3, 900, path, hour)
    spend(following, hour)
    with pytest.raises(BudgetSpentError):
        spend(following, hour)
    hour.now += 3601
    spend(Budget(3, 900, path, hour), hour, 3)
    assert len(path.read_text().splitlines()) == 3
    assert hour.slept == []


def test_without_a_budget_nothing_is_counted_or_kept(tmp_path: Path) -> None:
    hour, path = Hour(), tmp_path / "store.requests"
    spend(Budget(0, 0, path, hour), hour, 50)
    assert hour.slept == []
    assert not path.exists()


def test_a_count_that_cannot_be_kept_is_one_sentence(tmp_path: Path) -> None:
    hour = Hour()
    with pytest.raises(StoreError, match="Cannot keep count of requests in"):
        spend(Budget(3, 0, tmp_path / "absent" / "x.requests", hour), hour)


def test_every_request_counts_tokens_and_repeated_ones_too() -> None:
    token = "https://example.service-now.com/oauth_token.do"
    with responses.RequestsMock() as mock:
        mock.post(token, body=body("token.json"))
        mock.get(INCIDENTS, status=503)
        mock.get(INCIDENTS, body=body("empty_page.json"))
        sender = session(
            requests_per_hour=3,
            longest_budget_seconds=0.0,
            auth="oauth_client_credentials",
            client_id="a",
            client_secret="b",
        )
        sender.call(get(), decode_records)
        with pytest.raises(BudgetSpentError):
            sender.call(get(), decode_records)
        assert len(mock.calls) == 3
