"""Faulty moments are refused at load, each with file, line and what was probably meant."""

import shutil
from pathlib import Path

import pytest

from connector.errors import MappingError
from connector.journey.mapping import load_mapping
from connector.resources import shipped

MOMENT = """\
[[moment]]
id = "X1"
name = {{ en = "Ours", es = "Nuestro" }}
tables = ["incident"]
weight = 5
when = "{when}"
starts = ["{starts}"]
window = {{ days = 7 }}
negative = [
    {{ code = "bad", when = "{negative}", at = ["{at}"], because = {{ en = "Bad", es = "Mal" }} }},
]
turns_positive = {{ en = "Nothing", es = "Nada" }}
show = ["{show}"]
examples = [
    {{ polarity = "{polarity}", values = {{ {values} }} }},
]
{more}
"""
GOOD = {
    "when": "state=2",
    "starts": "opened_at",
    "negative": "priority=1",
    "at": "window.start",
    "polarity": "negative",
    "values": 'state = "2", priority = "1", opened_at = "2026-01-10 09:00:00"',
    "show": "priority",
    "more": "",
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A shipped folder without rules and moments: it loads at once."""
    root = tmp_path / "small"
    for part in ("journeys", "tools"):
        shutil.copytree(shipped("mappings") / part, root / part)
    for part in ("touchpoints.toml", "sets.toml"):
        shutil.copy(shipped("mappings") / part, root / part)
    return root


def problems(root: Path, **changed: str) -> tuple[str, ...]:
    own = root.parent / "own"
    own.mkdir(exist_ok=True)
    (own / "moments.toml").write_text(MOMENT.format(**{**GOOD, **changed}), encoding="utf-8")
    try:
        load_mapping(own, root)
    except MappingError as error:
        return error.problems
    return ()


def test_a_sound_moment_of_an_own_folder_is_taken(small: Path) -> None:
    assert problems(small) == ()
    mapping = load_mapping(small.parent / "own", small)
    assert [moment.id for moment in mapping.moments] == ["X1"]
    assert mapping.hash != load_mapping(None, small).hash


def test_one_that_replaces_a_shipped_one_stands_in_its_place(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    text = MOMENT.format(**GOOD).replace('"X1"', '"M09"')
    (own / "moments.toml").write_text(text, encoding="utf-8")
    mapping = load_mapping(own)
    assert [m.id for m in mapping.moments] == [f"M{n:02}" for n in range(1, 31)]
    ours = mapping.moment("M09")
    assert ours is not None
    assert ours.name.en == "Ours"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"when": "state~2"}, "X1: 'state~2': position"),
        ({"when": "sys_mod_count>3"}, "sys_mod_count may not be used: our own writes move it"),
        (
            {"when": "opened_at>=javascript:gs.daysAgo(3)"},
            "opened_at: a moment knows the time by its window only",
        ),
        (
            {"negative": "approval.pending_days>3"},
            "approval.pending_days: a moment knows the time by its window only",
        ),
        (
            {"negative": "comments.silent_days>3"},
            "comments.silent_days: a moment knows the time by its window only",
        ),
        ({"negative": "sla.has_breeched=true"}, "did you mean sla.has_breached?"),
        ({"at": "window.ending"}, "window.ending is no instant; did you mean window.end?"),
        ({"polarity": "positive"}, "it has no example that is negative"),
        (
            {"values": 'state = "2", priority = "3", opened_at = "2026-01-10 09:00:00"'},
            "the example that should be negative is open on incident",
        ),
        (
            {"values": 'state = "1", priority = "1", opened_at = "2026-01-10 09:00:00"'},
            "the example that should be negative is no such moment on incident",
        ),
        (
            {"values": 'state = "2", priorty = "1", opened_at = "2026-01-10 09:00:00"'},
            "nothing here reads priorty; did you mean priority?",
        ),
        ({"show": "short_description"}, "short_description may not be shown"),
        ({"more": "colour = 1"}, "unknown key colour"),
        ({"polarity": "bad"}, "is none of"),
    ],
)
def test_what_is_refused_and_how_it_is_said(
    small: Path, changed: dict[str, str], said: str
) -> None:
    found = problems(small, **changed)
    assert any(said in problem for problem in found), found
    assert all(problem.startswith("moments.toml:") for problem in found)


def test_one_that_is_off_needs_a_reason_and_nothing_else(small: Path) -> None:
    own = small.parent / "own"
    own.mkdir()
    (own / "moments.toml").write_text(
        '[[moment]]\nid = "X1"\nname = { en = "a", es = "b" }\ntables = ["incident"]\nweight = 1\n'
        'turns_positive = { en = "a", es = "b" }\n'
        'off = { en = "no data says it", es = "ningún dato lo dice" }\n',
        encoding="utf-8",
    )
    assert load_mapping(own, small).moments[-1].off is not None
