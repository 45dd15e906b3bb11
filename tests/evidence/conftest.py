"""The UCI year: asked for by `make evidence`, and loudly missed when it is absent."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def uci() -> Path:
    """The folder of the UCI year."""
    folder = Path(os.environ.get("TRAVESIA_UCI", "../shared/data/uci-498")).resolve()
    if not (folder / "incident_event_log.zip").exists():
        pytest.fail(f"the evidence needs the UCI year; {folder} has no incident_event_log.zip")
    return folder
