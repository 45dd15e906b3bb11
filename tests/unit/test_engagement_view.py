"""The list of relationships on a narrow terminal and on a wide one."""

from datetime import date
from typing import Any

import pytest

from connector.cli.engagement_view import show_list
from connector.cli.output import bullet
from connector.messages import speaking
from connector.relationship_desk import Relationships
from tests.journey_kit import shipped

LONGEST = "Facturación electrónica / E-invoicing"
STATES = ("at_risk", "transactional", "not_enough", "not_yet", "dormant", "committed")


def row(state: str) -> dict[str, Any]:
    return {
        "customer_name": "Recursos Humanos",
        "customer": "x",
        "service_name": LONGEST,
        "state": state,
        "score": 41.7,
        "month_score": 52.4,
        "provider": 38.2,
        "customer_side": None,
        "confidence": 0.667,
        "people": 1234,
        "dimensions": {},
        "as_of": date(2026, 11, 20),
    }


def listed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int, language: str
) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    opinions = shipped().engagement
    assert opinions is not None
    found = Relationships(opinions, tuple(row(state) for state in STATES), (), 2, 3)
    with speaking(language):
        show_list(found)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("width", [80, 120, 139, 140])
def test_no_line_is_longer_than_the_terminal_and_no_word_is_broken(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    language: str,
) -> None:
    lines = listed(capsys, monkeypatch, width, language)
    table = lines[: lines.index("") if "" in lines else None]
    assert max(len(line) for line in table) <= width
    words = set(" ".join(lines).split())
    state = {"en": "Transactional", "es": "Transaccional"}[language]
    head = {"en": "Provider", "es": "Proveedor"}[language]
    assert {"electrónica", "E-invoicing", "Humanos", state, head} <= words


def test_an_address_is_never_cut_in_two(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    address = f"https://example.invalid/u_journey_report.do?sys_id={'a' * 32}"
    bullet("ok", f"Published in the tool: {address}")
    assert address in capsys.readouterr().out.split()


@pytest.mark.parametrize("language", ["en", "es"])
def test_at_80_columns_a_relationship_takes_at_most_three_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    lines = listed(capsys, monkeypatch, 80, language)
    table = lines[3 : lines.index("")]
    assert len(table) <= 3 * len(STATES)
    figures = [line for line in table if " 42 " in line]
    assert len(figures) == len(STATES)
    assert all(("−10.7" if language == "en" else "−10,7") in line for line in figures)
