"""Labels of tables and columns in the reader's language, from sys_documentation."""

from connector.sandbox.catalogue import Table
from connector.sandbox.database import Database


class Titles:
    """Table and column labels in one language; English, then the name, where it has none."""

    def __init__(self, database: Database, language: str) -> None:
        self._database = database
        self._language = language
        self._read: dict[str, dict[str, tuple[str, str]]] = {}

    def _of(self, table: str) -> dict[str, tuple[str, str]]:
        """element ('' for the table itself) → (label, plural)."""
        if table not in self._read:
            rows = self._database.engine.rows(
                "SELECT element, label, plural, language FROM sys_documentation "
                "WHERE name = ? AND language IN ('en', ?) ORDER BY language != 'en'",
                (table, self._language),
            )
            self._read[table] = {
                element: (label, plural) for element, label, plural, _language in rows if label
            }
        return self._read[table]

    def table(self, table: Table) -> str:
        """`Incident`."""
        return self._of(table.name).get("", (table.label, ""))[0]

    def tables(self, table: Table) -> str:
        """`Incidents`; the singular where there is no plural."""
        label, plural = self._of(table.name).get("", (table.label, ""))
        return plural or label

    def column(self, table: Table, column: str) -> str:
        """`Short description`; the nearest table of the lineage that names it decides."""
        for name in table.lineage:
            if found := self._of(name).get(column):
                return found[0]
        return table.columns[column].label
