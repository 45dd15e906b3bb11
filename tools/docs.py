"""`make docs`: write anew the parts of docs/mappings.md that the code knows, by their marks."""

import sys
from pathlib import Path

from connector.encoded_query import semantics_markdown
from connector.journey.facts import facts_markdown

PAGE = Path(__file__).parent.parent / "docs" / "mappings.md"


def renewed(text: str) -> str:
    """The page with its generated parts as the code says them now. Raises ValueError."""
    for name, part in (("facts", facts_markdown()), ("semantics", semantics_markdown())):
        start, end = f"<!-- {name}:start -->\n", f"<!-- {name}:end -->"
        before, found_start, rest = text.partition(start)
        _old, found_end, after = rest.partition(end)
        if not found_start or not found_end:
            raise ValueError(f"{PAGE.name} has lost its mark {start.strip()} or {end}")
        text = f"{before}{start}{part.strip()}\n{end}{after}"
    return text


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name}: facts, semantics\n")


if __name__ == "__main__":
    main()
