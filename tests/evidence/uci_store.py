"""The UCI year in a store, without HTTP: what the sandbox's seed says stood there at an instant."""

from datetime import datetime
from pathlib import Path

from connector.journey.mapping import load_mapping
from connector.journey.model import Mapping
from connector.sandbox.seeds.uci import load
from tests.journey_kit import Kit

OVERLAY = Path(__file__).parent / "overlay"
TABLES = ("incident", "task_sla", "contract_sla", "cmn_location")


def mapping() -> Mapping:
    """The shipped mapping, with the relationships of the UCI year."""
    return load_mapping(OVERLAY)


def uci_kit(folder: Path, uci: Path, until: datetime) -> Kit:
    """All records of the year as they stood at `until`."""
    kit = Kit(folder, mapping())
    columns = {table: set(kit.columns.get(table, ())) for table in TABLES}
    for table, records in load(uci, until):
        if columns.get(table):
            kit.put(
                table,
                *({k: v for k, v in row.items() if k in columns[table]} for row in records),
            )
    return kit
