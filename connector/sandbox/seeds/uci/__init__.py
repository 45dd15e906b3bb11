"""The UCI year: a real instance's incidents, replayed (see `replay.py`)."""

from connector.sandbox.seeds.uci.log import DEFAULT_PATH
from connector.sandbox.seeds.uci.replay import Change, changes, incident_id, load, sla_id

__all__ = ["DEFAULT_PATH", "Change", "changes", "incident_id", "load", "sla_id"]
