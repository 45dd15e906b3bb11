"""Real-shaped bodies of the platform, for the tests on the wire; README.md says which is what."""

from pathlib import Path


def body(name: str) -> str:
    """The recorded body of that file name."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
