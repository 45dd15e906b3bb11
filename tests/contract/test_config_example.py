"""config.example.toml is the reference of all settings: complete both ways, and true."""

import re
import tomllib
from typing import Any

import pytest
from pydantic import BaseModel

from connector.config import Config, load_config
from connector.resources import shipped

EXAMPLE = shipped("config.example.toml")
OFF = re.compile(r"^#(\w+ = )", re.MULTILINE)
NEEDED = {("instance", "url"), ("instance", "user")}
"""Settings that have no default and are never off."""


def text() -> str:
    return EXAMPLE.read_text(encoding="utf-8")


def flat(data: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {(s, key): value for s, keys in data.items() for key, value in keys.items()}


def defaults() -> dict[tuple[str, str], Any]:
    return flat(Config().model_dump(mode="json"))


def test_every_setting_is_there_in_the_order_of_the_code() -> None:
    assert list(flat(tomllib.loads(OFF.sub(r"\1", text())))) == list(defaults())


def test_what_is_on_shows_its_default() -> None:
    shown = flat(tomllib.loads(text()))
    for place, value in shown.items():
        if place not in NEEDED:
            assert value == defaults()[place], place


def test_what_is_off_has_an_empty_default() -> None:
    off = set(defaults()) - set(flat(tomllib.loads(text())))
    assert {place for place in defaults() if not_set(defaults()[place])} - NEEDED == off


def not_set(value: object) -> bool:
    return value is None or value in ("", [])


@pytest.mark.parametrize("everything_on", [False, True])
def test_it_loads(tmp_path: Any, everything_on: bool) -> None:
    path = tmp_path / "travesia.toml"
    path.write_text(OFF.sub(r"\1", text()) if everything_on else text(), encoding="utf-8")
    config = load_config(path, {})
    assert config.instance.url == "https://example.service-now.com"
    assert config.instance.proxy == ("http://proxy.example.com:3128" if everything_on else "")


def test_every_setting_has_a_comment_right_above_it() -> None:
    lines = text().splitlines()
    for number, line in enumerate(lines):
        if re.match(r"#?\w+ = ", line):
            assert lines[number - 1].startswith("# "), line


def test_every_section_is_a_closed_model() -> None:
    for field in Config.model_fields.values():
        assert isinstance(field.annotation, type)
        assert issubclass(field.annotation, BaseModel)
        assert field.annotation.model_config["extra"] == "forbid"
