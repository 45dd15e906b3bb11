"""The script for a developer instance, tried where we can: it answers, and leaves nothing."""

from pathlib import Path

import pytest

from tests.sandbox_instance import PASSWORD, make_instance, serving
from tools import try_pdi


def test_it_answers_every_question_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    instance = make_instance(tmp_path)
    admin = {"sys_id": "9" * 32, "user_name": "admin", "name": "Admin", "time_zone": "UTC"}
    instance.database.load("sys_user", [admin])
    monkeypatch.setenv("TRAVESIA_PASSWORD", PASSWORD)
    with serving(instance) as api:
        before = api.get("/_sandbox/dump").content
        assert try_pdi.main([api.base, "admin"]) == 0
        assert api.get("/_sandbox/dump").content == before
    lines = capsys.readouterr().out.splitlines()
    found = {line.split("|")[1].strip().partition(" ")[0] for line in lines[2:]}
    assert {"2", "3", "4", "5", "6", "7", "8", "10", "11"} <= found
    said = {line.split("|")[1].strip(): line.split("|")[3].strip() for line in lines[2:]}
    assert said["4 PATCH that changes nothing"] == "sys_mod_count 0 → 0"
    assert said["3 plain time in a query"].startswith("1 of 1")
    assert said["7 second POST of a sys_id"].endswith("'try false'")


@pytest.mark.parametrize("url", ["https://acme.service-now.com", "https://dev1.example.com", ""])
def test_it_asks_developer_instances_only(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRAVESIA_PASSWORD", "x")
    assert try_pdi.main([url, "admin"]) == 64
    assert "developer instance" in capsys.readouterr().err
