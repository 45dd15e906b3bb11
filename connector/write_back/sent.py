"""What became of a plan, as a run counts it."""

from dataclasses import dataclass, field


@dataclass
class Sent:
    """What became of a plan, counted in records (refused: in fields)."""

    confirmed: int = 0
    refused: int = 0
    failed: int = 0
    set_aside: int = 0
    concurrent: int = 0
    """Records that somebody else wrote between our look and our write."""
    requests: int = 0
    """Batches sent."""
    messages: list[str] = field(default_factory=list)
    closed_tables: set[str] = field(default_factory=set)
    """Tables on which the integration user may write nothing."""
    crossed: dict[str, list[str]] = field(default_factory=dict)
    """Those records by table: to be read again."""
