"""Where a report goes inside the tool, as the settings say it."""

from dataclasses import dataclass
from pathlib import Path

from connector.report.summary import SummaryRow


@dataclass(frozen=True)
class Destination:
    """Where a report goes. `rows` are the summary's; `article_state` is that of a new article."""

    kinds: tuple[str, ...] = ("attachment",)
    knowledge_base: str = ""
    article_state: str = "draft"
    templates: Path | None = None
    rows: tuple[SummaryRow, ...] = ()
