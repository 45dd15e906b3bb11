"""The shape of a definition: what a figure is called, its unit, and its meaning."""

from dataclasses import dataclass

from connector.messages import _


@dataclass(frozen=True)
class Definition:
    """A figure's id (stable, for machines), unit, name and meaning (English; said through `_`).

    `decimals` are those of its value in the long table, as the pages show it.
    """

    id: str
    unit: str
    name: str
    text: str
    decimals: int = 0

    @property
    def said_name(self) -> str:
        """The name in the language `_` speaks."""
        return _(self.name)

    @property
    def said_text(self) -> str:
        """The meaning in the language `_` speaks."""
        return _(self.text)
