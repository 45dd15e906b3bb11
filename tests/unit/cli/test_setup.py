"""`travesia init`, `check`, `provision`: questions and answers, findings, a plan before all."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from connector import cli, provisioning, services
from connector.check import Finding
from connector.config import load_config
from connector.errors import ConfigError
from connector.itsm.servicenow.settings import AuthKind
from connector.provision import Artefact, Provisioning, Scope, Step
from tests.unit.cli.kit import SETTINGS


def test_check_without_settings_checks_the_mapping_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "travesia.toml").unlink()
    asked = []

    def check(config: Any, _environment: Any) -> list[Finding]:
        asked.append(config.has_instance)
        return [Finding("ok", "mapping", "2 journeys")]

    monkeypatch.setattr(services, "check", check)
    assert cli.run(["check"]) == 0
    assert asked == [False]
    out = capsys.readouterr().out
    assert "✓ mapping: 2 journeys" in out
    assert "No instance is configured: the mapping alone was checked." in out


def test_check_exits_2_when_a_finding_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = [
        Finding("ok", "clock", "in order"),
        Finding("warn", "sc_task", "hidden column"),
        Finding("error", "incident", "no such table", "check its name"),
    ]
    monkeypatch.setattr(services, "check", lambda *_: findings)
    assert cli.run(["check"]) == 2
    out = capsys.readouterr().out
    assert "✗ incident: no such table\n  → check its name" in out
    assert "1 in order, 1 to look at, 1 wrong." in out
    assert cli.run(["check", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)[2]["remedy"] == "check its name"


def test_provision_shows_first_and_makes_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []
    column = Artefact("sys_dictionary", "id", {"name": "incident", "element": "u_journey_step"})

    def provision(_config: Any, _environment: Any, scope: Scope, *, apply: bool) -> Provisioning:
        assert "incident" in scope.tables
        asked.append(apply)
        return Provisioning((Step("create", column, "id", column.fields),))

    monkeypatch.setattr(provisioning, "provision", provision)
    assert cli.run(["provision"]) == 0
    assert "travesia provision --apply makes it" in capsys.readouterr().out
    assert cli.run(["provision", "--apply"]) == 0
    assert "1 thing was made" in capsys.readouterr().out
    assert asked == [False, True]


def test_provision_with_a_conflict_exits_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        provisioning,
        "provision",
        lambda *_, **_more: Provisioning((), ("Column x is an integer",)),
    )
    assert cli.run(["provision"]) == 2
    assert "Column x is an integer" in capsys.readouterr().err


def test_init_with_yes_writes_ten_lines_that_load(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["init", "--config", "new.toml", "--url", "http://127.0.0.1:8080/", "--yes"]
    assert cli.run(words) == 0
    text = (home / "new.toml").read_text(encoding="utf-8")
    assert len(text.splitlines()) == 10
    config = load_config(home / "new.toml", {})
    assert config.instance.url == "http://127.0.0.1:8080"
    assert not config.write_back.enabled
    steps = capsys.readouterr().out.splitlines()[1:]
    assert steps[0].startswith("  export TRAVESIA_PASSWORD=")
    purposes = ("the password", "does the instance", "what our columns", "what would be written")
    assert len({line.index(text) for line, text in zip(steps, purposes, strict=True)}) == 1


@pytest.mark.parametrize("option", ["--url", "--user"])
def test_init_takes_an_empty_answer_for_an_answer(
    home: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert cli.run(["init", "--yes", "--config", "new.toml", option, ""]) == 64
    assert "an answer is needed" in capsys.readouterr().err
    assert not (home / "new.toml").exists()


def test_init_asks_five_questions_and_asks_again_what_does_not_fit(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(
        [
            "http://example.com",
            "https://example.com",
            "oauth_client_credentials",
            'a"b',
            "UTC",
            "es",
        ]
    )
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))
    assert cli.run(["init", "--config", "new.toml"]) == 0
    assert "use https" in capsys.readouterr().err
    config = load_config(home / "new.toml", {})
    assert (config.instance.auth, config.instance.client_id) == ("oauth_client_credentials", 'a"b')
    assert config.mapping.language == "es"
    assert list(answers) == []


@pytest.mark.parametrize("auth", sorted(get_args(AuthKind)))
@pytest.mark.parametrize("in_files", [False, True])
def test_init_writes_every_login_that_the_client_knows(
    home: Path, auth: AuthKind, in_files: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what it wrote, and the secrets where it said, the client finds nothing missing."""
    words = ["init", "--config", "new.toml", "--url", "https://example.com", "--yes"]
    folder = ["--secret-files", str(home)] if in_files else []
    assert cli.run([*words, "--auth", auth, *folder]) == 0
    config = load_config(home / "new.toml", {})
    said = capsys.readouterr().out
    environment = {}
    for name in SECRETS:
        (home / name).write_text("s3cret", encoding="utf-8")
        if f"export TRAVESIA_{name.upper()}=…" in said:
            environment[f"TRAVESIA_{name.upper()}"] = "s3cret"
        assert (str(home / name) in said) <= in_files
    assert config.instance.auth == auth
    assert bool(environment) == (not in_files and auth != "mutual_tls")
    if auth not in ("oauth_jwt", "mutual_tls"):  # there the files of keys are still to come
        services.connect(config, environment)
        return
    with pytest.raises(ConfigError) as caught:
        services.connect(config, environment)
    assert "secret is missing" not in str(caught.value)
    for key in ("jwt_key_file", "client_key"):
        if value := getattr(config.instance, key):
            assert str(value) in said
            assert str(value) in str(caught.value)


SECRETS = ("password", "client_secret", "refresh_token", "api_key")


def test_init_asks_only_what_the_login_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answers = {"Log in by": "oauth_jwt", "Address": "https://example.com"}

    def prompt(question: str, default: str, **_more: object) -> str:
        asked.append(question)
        return next((a for start, a in answers.items() if question.startswith(start)), default)

    monkeypatch.setattr("typer.prompt", prompt)
    assert cli.run(["init", "--config", "new.toml"]) == 0
    assert len(asked) == 7
    assert [text for text in asked if "OAuth" in text or "User" in text or "private key" in text]
    assert not any("certificate" in text for text in asked)


@pytest.mark.parametrize(
    ("auth", "option"), [("api_key", "--user"), ("basic", "--client-key"), ("basic", "--client-id")]
)
def test_init_refuses_what_does_not_go_with_the_login(
    home: Path, auth: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["init", "--config", "new.toml", "--yes", "--auth", auth, option, "x"]
    assert cli.run(words) == 64
    assert f"{option} does not go with --auth {auth}" in capsys.readouterr().err
    assert not (home / "new.toml").exists()


def test_init_never_overwrites(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["init", "--yes"]) == 2
    assert (home / "travesia.toml").read_text(encoding="utf-8") == SETTINGS
    assert "the file exists and stays as it is" in capsys.readouterr().err


def test_init_into_a_folder_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["init", "--yes", "--config", "no/travesia.toml"]) == 2
    assert "cannot write it: No such file" in capsys.readouterr().err


def test_init_refuses_a_wrong_option_before_it_writes(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["init", "--yes", "--config", "new.toml", "--time-zone", "Europe/Madird"]
    assert cli.run(words) == 64
    assert "did you mean Europe/Madrid?" in capsys.readouterr().err
    assert not (home / "new.toml").exists()
