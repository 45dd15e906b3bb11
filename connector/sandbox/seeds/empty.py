"""A seed with no business records: the accounts that can log in, and nothing else."""

from collections.abc import Iterator

from connector.sandbox.seeds.base import Batch, base_records


def generate() -> Iterator[Batch]:
    """The base users and roles."""
    return base_records()
