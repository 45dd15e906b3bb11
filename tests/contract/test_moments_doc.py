"""What docs/moments.md says of the moments is what the mapping says."""

import re
import tomllib
from pathlib import Path

import pytest

from connector.journey.mapping import load_mapping
from connector.journey.moment_docs import moments_markdown
from connector.journey.moment_shapes import EvidenceText, MomentText
from connector.resources import shipped
from tests.journey_kit import shipped as mapping

DOCS = (shipped("mappings").parent / "docs" / "moments.md").read_text(encoding="utf-8")


def test_the_table_in_the_docs_is_that_of_the_mapping() -> None:
    found = re.search(r"<!-- moments:start -->\n(.*)<!-- moments:end -->", DOCS, re.DOTALL)
    assert found
    assert found[1].strip() == moments_markdown(mapping()).strip()


def test_the_example_in_the_docs_loads(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    assert example
    own = tmp_path / "own"
    own.mkdir()
    (own / "moments.toml").write_text(example[1], encoding="utf-8")
    loaded = load_mapping(own)
    assert [m.id for m in loaded.moments] == [m.id for m in mapping().moments]
    ours = loaded.moment(tomllib.loads(example[1])["moment"][0]["id"])
    assert ours is not None
    assert ours.source == "moments.toml:1"


@pytest.mark.parametrize("shape", [MomentText, EvidenceText])
def test_every_key_is_explained(shape: type[MomentText]) -> None:
    for name in shape.model_fields:
        assert f"`{name}`" in DOCS, name
