"""System properties: the switches that administrators of a real instance know by name."""

from connector.sandbox.database import Database


def value(database: Database, name: str, default: str = "") -> str:
    """The value of a property, `default` where nobody has set it."""
    if "sys_properties" not in database.catalogue:  # a folder made before there was the table
        return default
    rows = database.engine.rows("SELECT value FROM sys_properties WHERE name = ?", (name,))
    return rows[0][0] if rows else default


def is_on(database: Database, name: str) -> bool:
    """Whether a property says true; one that nobody has set says false."""
    return value(database, name).strip().lower() == "true"
