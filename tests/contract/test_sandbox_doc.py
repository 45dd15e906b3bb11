"""docs/sandbox-apis.md names every switch and login that the sandbox has."""

import json
import re
from pathlib import Path

import pytest

from connector.sandbox import policies
from connector.sandbox.instance import API_KEY, OAUTH_CLIENT, OAUTH_SECRET
from connector.sandbox.oauth import LIFESPAN
from tests.sandbox_instance import make_instance, serving

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox-apis.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^\| `(\w+)` \| `([^|]+)` \|", TEXT, re.MULTILINE))


def test_every_switch_has_its_line() -> None:
    assert set(EXAMPLES) >= policies.SWITCHES | {"invalid_query"}


@pytest.mark.parametrize("text", [API_KEY, OAUTH_CLIENT, OAUTH_SECRET])
def test_every_credential_is_told(text: str) -> None:
    assert f"`{text}`" in TEXT or f": {text}`" in TEXT
    assert f"{LIFESPAN.seconds} s" in TEXT


def test_every_example_is_taken(tmp_path: Path) -> None:
    """On the small schema, with the one journey column that an example names."""
    with serving(make_instance(tmp_path)) as api:
        column = {"name": "incident", "element": "u_journey_step", "internal_type": "string"}
        assert api.post("/api/now/table/sys_dictionary", json=column).status_code == 201
        for name in policies.SWITCHES:
            answer = api.post("/_sandbox/mode", json={name: json.loads(EXAMPLES[name])})
            assert answer.status_code == 200, (name, answer.text)
