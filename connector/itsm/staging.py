"""The names of the staging tables by which records are written quietly."""

PREFIX = "u_journey_in_"
TARGET = "u_journey_target"
"""The column of a staging table that holds the sys_id of the record to be written."""


def staging_of(table: str) -> str:
    """The staging table of a written table."""
    return f"{PREFIX}{table}"
