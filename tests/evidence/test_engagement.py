"""The score on a real year: what it says, and honestly what it foresees (docs/engagement.md)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.backtest import Backtest, backtest
from connector.engagement import Settings, compute_engagement
from connector.store import classifications, engagement
from tests.evidence.uci_store import uci_kit
from tests.journey_kit import Kit, schema

pytestmark = [pytest.mark.evidence, pytest.mark.timeout(900)]
END = datetime(2017, 3, 1, tzinfo=UTC)
SUMMER = datetime(2016, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory, uci: Path) -> Iterator[Kit]:
    found = uci_kit(tmp_path_factory.mktemp("uci"), uci, END)
    found.classify(END)
    classifications.save(found.store, "r")
    yield found
    found.store.close()


@pytest.fixture(scope="module")
def held(kit: Kit) -> Backtest:
    found = backtest(kit.store, kit.mapping, schema(), END, "travesia", "UTC")
    assert found is not None
    return found


def test_the_evidence_is_that_of_the_data_readme(kit: Kit, held: Backtest) -> None:
    assert held.relationship_months
    rows = kit.store.read(
        "SELECT id, sum(records) AS n FROM ledger JOIN line USING (line) GROUP BY id"
    )
    counts = {row["id"]: row["n"] for row in rows}
    assert counts["reopened"] == 275
    assert counts["passed-around"] == 2_848
    # One repeat is by somebody without a location: in no relationship.
    assert counts["repeat-contact"] == pytest.approx(3_065, abs=3)
    assert counts["sla-breached"] == pytest.approx(9_115, abs=5)


def test_relationships_with_low_scores_miss_more_agreed_times_after(held: Backtest) -> None:
    missed = [quarter.missed for quarter in held.by_score]
    assert missed[0] == pytest.approx(0.30, abs=0.03)
    assert missed[-1] == pytest.approx(0.11, abs=0.03)
    assert min(missed[:2]) > max(missed[2:])
    assert held.relationship_months == pytest.approx(314, abs=15)


def test_without_voices_the_score_foresees_hardly_more_than_the_agreed_times(
    held: Backtest,
) -> None:
    """The honest limit: it explains, and foresees about as much as the plain share missed."""
    assert held.score_correlation == pytest.approx(-0.47, abs=0.05)
    assert held.sla_correlation == pytest.approx(0.45, abs=0.05)
    assert abs(-(held.score_correlation or 0) - (held.sla_correlation or 0)) < 0.06


def test_scores_lie_where_they_did_when_they_were_first_measured(held: Backtest) -> None:
    expected = {"p5": 39, "p25": 46, "p50": 51, "p75": 56, "p95": 62}
    assert held.percentiles == pytest.approx(expected, abs=1.5)


def test_without_voices_nobody_is_committed_and_everybody_is_told_so(
    tmp_path: Path, uci: Path
) -> None:
    kit = uci_kit(tmp_path, uci, SUMMER)
    kit.classify(SUMMER)
    settings = Settings("travesia", "UTC", 5)
    result = compute_engagement(kit.store, kit.mapping, schema(), SUMMER, settings)
    rows = engagement.read_next(kit.store)
    assert result.relationships == len(rows) > 300
    assert "committed" not in {row["state"] for row in rows}
    assert not [row for row in rows if "voice" in row["dimensions"]]
    assert min(row["people"] for row in rows) >= 5
