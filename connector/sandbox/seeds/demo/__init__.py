"""The demo seed: a generated organisation with a story (see `year.py`)."""

from connector.sandbox.seeds.demo.year import changes, generate

__all__ = ["changes", "generate"]
