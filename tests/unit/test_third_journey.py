"""A third journey is one file, a new name is one line; both reach everything that shows a step."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector import write_back
from connector.check import check_mapping
from connector.classify import save_classification
from connector.config import Config
from connector.errors import MappingError
from connector.journey import fields
from connector.journey.mapping import load_mapping
from connector.journey.model import Mapping, Text
from connector.journey.own_tables import choices_of_fields
from connector.report.build import build_report
from tests.journey_kit import NOW, Kit, shipped

STEPS = {
    "conocerse": ("Meet", "Conocerse", ["travesia/explorar", "travesia/entender"]),
    "acuerdo": ("Settle", "Cerrar el trato", ["travesia/visibilizar", "travesia/acordar"]),
    "en_marcha": (
        "Run",
        "En marcha",
        ["travesia/construir", "travesia/preparar", "travesia/usar"],
    ),
    "balance": ("Take stock", "Hacer balance", ["travesia/medir"]),
}
HEAD = """
id = "ciclo"
name = { en = "Short cycle", es = "Ciclo corto" }
description = { en = "Four steps", es = "Cuatro pasos" }
credit = { en = "Invented for a test.", es = "Inventada para una prueba." }
"""


def journey_file() -> str:
    steps = [
        f'\n[[step]]\nid = "{id_}"\nname = {{ en = "{en}", es = "{es}" }}\n'
        f'description = {{ en = "{en}", es = "{es}" }}\ntakes = {takes}\n'.replace("'", '"')
        for id_, (en, es, takes) in STEPS.items()
    ]
    return HEAD + "".join(steps)


def overlay(tmp_path: Path, name: str, text: str) -> Path:
    file = tmp_path / "ours" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return tmp_path / "ours"


@pytest.fixture(scope="module")
def mapping(tmp_path_factory: pytest.TempPathFactory) -> Mapping:
    folder = tmp_path_factory.mktemp("third")
    return load_mapping(overlay(folder, "journeys/ciclo.toml", journey_file()))


@pytest.fixture
def kit(tmp_path: Path, mapping: Mapping) -> Iterator[Kit]:
    made = Kit(tmp_path, mapping)
    times = {"opened_at": "2026-11-10 08:00:00", "sys_created_on": "2026-11-10 08:00:00"}
    call = {"active": "true", "state": "2", "contact_type": "phone", **times}
    closed = {"active": "false", "state": "7", "closed_at": "2026-11-18 08:00:00", **times}
    made.put(
        "incident",
        {"sys_id": "called", "number": "INC1", **call},
        {"sys_id": "closed", "number": "INC2", **closed},
    )
    made.classify()
    yield made
    made.store.close()


def test_a_file_of_four_steps_places_every_touchpoint(mapping: Mapping) -> None:
    assert [step.id for step in mapping.journeys["ciclo"].steps] == list(STEPS)
    for touchpoint in mapping.touchpoints.values():
        own = touchpoint.steps["travesia"]
        assert f"travesia/{own}" in STEPS[touchpoint.steps["ciclo"]][2]


def test_rules_that_leave_their_touchpoints_step_are_followed(mapping: Mapping) -> None:
    departing = [rule for rule in mapping.rules if "travesia" in rule.steps]
    assert departing
    for rule in departing:
        usual = mapping.touchpoints[rule.touchpoint].steps if rule.touchpoint else {}
        step = rule.steps.get("ciclo", usual.get("ciclo", ""))
        assert f"travesia/{rule.steps['travesia']}" in STEPS[step][2], rule.id


def test_records_stand_in_it_like_in_any_journey(kit: Kit) -> None:
    assert kit.placed("called")["steps"]["ciclo"] == "en_marcha"
    assert kit.placed("closed")["steps"]["ciclo"] == "balance"
    assert kit.standing("closed", "ciclo")["step"] == "balance"
    assert kit.placed("called")["steps"]["travesia"] == "usar"


def test_it_can_be_the_one_that_the_tool_shows(kit: Kit, mapping: Mapping) -> None:
    settings = write_back.Settings(
        journey="ciclo",
        language="es",
        tables=("incident",),
        batch_size=10,
        max_records=10,
        settled=timedelta(days=14),
        backfill=timedelta(days=90),
        set_aside_after=3,
    )
    write_back.plan(kit.store, mapping, settings, NOW)
    rows = kit.store.read("SELECT sys_id, to_value FROM plan WHERE field = $f", f=fields.STEP)
    assert {row["sys_id"]: row["to_value"] for row in rows} == {
        "called": "en_marcha",
        "closed": "balance",
    }
    labels = choices_of_fields(mapping, "ciclo")[fields.STEP]
    assert labels["balance"] == Text("Take stock", "Hacer balance")
    assert list(labels) == list(STEPS)


def test_the_report_tells_it(kit: Kit, mapping: Mapping) -> None:
    save_classification(kit.store, "r1")
    kit.finish("r1", NOW)
    start = datetime(2026, 11, 1, tzinfo=UTC)
    config = Config()
    report = build_report(
        kit.store,
        mapping,
        start,
        NOW,
        "es",
        "Europe/Madrid",
        config.report.minimum_group,
        journey="ciclo",
    )
    told = repr(report)
    assert "Ciclo corto" in told
    assert "Hacer balance" in told


def test_check_finds_it_sound(mapping: Mapping) -> None:
    assert not [f for f in check_mapping(mapping) if f.level != "ok" and "ciclo" in f.subject]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("travesia/medir", "travesia/medirr", "did you mean travesia/medir?"),
        ("travesia/medir", "ciclo/acuerdo", "its own step"),
        ('"travesia/medir"', "", "has no step in ciclo"),
        ("travesia/medir", "medir", "is not a name here"),
    ],
)
def test_what_it_cannot_take_over_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    folder = overlay(tmp_path, "journeys/ciclo.toml", journey_file().replace(old, new))
    with pytest.raises(MappingError) as refused:
        load_mapping(folder)
    assert said in " ".join(refused.value.problems)


def test_a_step_and_a_touchpoint_are_renamed_in_a_line_each(tmp_path: Path) -> None:
    lines = (
        '"travesia/usar" = { en = "Enjoy", es = "Disfrutar" }\n'
        '"touchpoints/phone" = { en = "Hotline", es = "Línea directa" }\n'
    )
    renamed = load_mapping(overlay(tmp_path, "names.toml", lines))
    assert renamed.journeys["travesia"].step("usar").name == Text("Enjoy", "Disfrutar")
    assert renamed.touchpoints["phone"].name.es == "Línea directa"
    assert renamed.rules == shipped().rules
    assert renamed.hash != shipped().hash
    labels = choices_of_fields(renamed, "travesia")
    assert labels[fields.STEP]["usar"].es == "Disfrutar"
    assert labels[fields.TOUCHPOINT]["phone"].en == "Hotline"


def test_a_name_for_nothing_is_told_with_its_line(tmp_path: Path) -> None:
    text = '\n"travesia/usra" = { en = "Enjoy", es = "Disfrutar" }\n'
    with pytest.raises(MappingError) as refused:
        load_mapping(overlay(tmp_path, "names.toml", text))
    (problem,) = refused.value.problems
    assert problem.startswith("names.toml:2:")
    assert "did you mean travesia/usar?" in problem
