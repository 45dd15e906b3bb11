"""The normative table of what each operator means: docs/mappings.md is generated from it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SemanticsRow:
    """One row: how it is written, for which types, what it means, what it does with empties."""

    operator: str
    forms: tuple[str, ...]
    types: str
    meaning: str
    empties: str


def semantics_rows() -> tuple[SemanticsRow, ...]:
    """Every operator that can be honoured, in the order of the documentation."""
    return ()


def semantics_markdown() -> str:
    """The rows as a Markdown table."""
    return ""
