"""What people see of moments: rates without small groups, what is open, one record."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connector.cli.moments_view import show_open, show_overview, show_record
from connector.encoded_query import Context
from connector.messages import speaking
from connector.moment_desk import OfRecord, Overview
from connector.moment_records import Listed, Rate, newest_negative, of_record, off, open_ones, rates
from connector.moments import decide_moments
from tests.journey_kit import NOW, Kit, schema, shipped

DAY = timedelta(days=1)


def at(days: float) -> str:
    return f"{NOW - DAY * days:%Y-%m-%d %H:%M:%S}"


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """Seven handed on (two of them of priority 1), one that may still be refused."""
    kit = Kit(tmp_path)
    for n in range(7):
        kit.put(
            "incident",
            {
                "sys_id": f"a{n}",
                "number": f"INC000000{n}",
                "state": "7",
                "priority": "1" if n < 2 else "3",
                "opened_at": at(30 - n),
                "resolved_at": at(20 - n),
                "reassignment_count": "4" if n < 4 else "0",
                "short_description": "secret words",
            },
        )
    kit.put(
        "incident",
        {"sys_id": "b", "number": "INC0000009", "state": "6", "resolved_at": at(2)},
    )
    kit.classify()
    decide_moments(kit.store, kit.mapping, schema(), Context(NOW, "UTC"), "r1")
    kit.finish("r1", NOW)
    return kit


def overview(kit: Kit) -> Overview:
    return Overview(
        as_of=NOW,
        minimum_group=5,
        watermelons=newest_negative(kit.store, kit.mapping, "M29", 9),
        rates=tuple(rates(kit.store, kit.mapping, 5)),
        off=tuple(off(kit.store, kit.mapping, schema())),
    )


def test_a_rate_is_of_what_ended_and_small_groups_are_not_told(kit: Kit) -> None:
    found = {(rate.moment_id, rate.priority): rate for rate in overview(kit).rates}
    whole, first, third = (found["M09", priority] for priority in ("", "1", "3"))
    assert (whole.negative, whole.positive, whole.open) == (4, 3, 0)
    assert whole.share == pytest.approx(4 / 7)
    assert (first.negative, first.positive, first.share) == (None, None, None)
    assert third.share == pytest.approx(2 / 5)


def test_the_overview_says_that_there_is_no_watermelon_before_anything_else(
    kit: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    show_overview(overview(kit), "UTC")
    lines = capsys.readouterr().out.splitlines()
    assert "watermelon" in lines[0]
    shown = "\n".join(lines)
    assert "Being passed around" in shown
    assert "57.1" in shown
    assert "Off: M22 (interaction)" in shown


def test_an_open_moment_says_how_long_and_what_turns_it(
    kit: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = open_ones(kit.store, kit.mapping, ["M07"], 9)
    assert (listed.total, listed.moments[0].left) == (1, 5 * DAY)
    show_open(listed, "UTC")
    shown = capsys.readouterr().out
    assert "INC0000009" in shown
    assert "5 d" in shown
    assert "The resolution holds for seven days" in shown
    show_open(replace(listed, total=0), "UTC")
    assert "No moment of truth is open" in capsys.readouterr().out


def test_a_record_shows_its_moments_with_the_values_behind_them(
    kit: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    found = of_record(kit.store, kit.mapping, schema(), "incident", "a0", "UTC")
    passed = next(one for one in found if one.moment_id == "M09")
    assert passed.polarity == "negative"
    assert passed.because.en == "It was handed on three times or more"
    assert passed.values == (("reassignment_count", "4"),)
    show_record(OfRecord("incident", "INC0000000", NOW, found), "UTC")
    shown = capsys.readouterr().out
    assert "M09 Being passed around: Negative" in shown
    assert "reassignment_count = 4" in shown
    assert "secret" not in shown


@pytest.mark.parametrize("language", ["en", "es"])
def test_at_80_columns_every_word_of_a_moment_s_name_stays_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    names = [moment.name.in_(language) for moment in shipped().moments]
    every = tuple(
        Rate(moment.id, moment.name, "", 1234, 1234, 1234, 1234, 0.143)
        for moment in shipped().moments
    )
    found = Overview(NOW, 5, Listed(0, ()), every, ())
    with speaking(language):
        show_overview(found, "UTC")
    said = capsys.readouterr().out
    assert {word for name in names for word in name.split()} <= set(said.split())
    assert max(len(line) for line in said.splitlines()) <= 80
