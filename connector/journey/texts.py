"""A text in both languages: what every name and reason of the mapping is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """A text in both languages."""

    en: str
    es: str

    def in_(self, language: str) -> str:
        """The text in `en` or `es`."""
        return self.es if language == "es" else self.en
