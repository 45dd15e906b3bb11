"""What an organisation's own folder does to the shipped one, entry by entry."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from connector.journey.files import Folder, read_folder
from connector.messages import mark
from connector.resources import shipped as shipped_path

ALIKE = 0.85
"""From this likeness on, a new id is probably a shipped one misspelt."""


@dataclass(frozen=True)
class OverlayEntry:
    """One entry of an own folder. `source` and `replaces` as `file:line`.

    `effect`: replaces a shipped one, equal to it (it does nothing), new, or near (a new id that
    looks like the shipped id `near`).
    """

    kind: str
    id: str
    source: str
    effect: Literal["replaces", "equal", "new", "near"]
    replaces: str = ""
    near: str = ""


def overlay_entries(overlay: Path, shipped: Path | None = None) -> list[OverlayEntry]:
    """Every entry of the folder `overlay`, held against the shipped folder. Reads files only."""
    mine = _entries(read_folder(overlay))
    theirs = _entries(read_folder(shipped or shipped_path("mappings")))
    known = {kind: [id_ for k, id_ in theirs if k == kind] for kind, _id in theirs}
    return [
        _entry(kind, id_, source, content, theirs, known.get(kind, []))
        for (kind, id_), (content, source) in mine.items()
    ]


Entries = dict[tuple[str, str], tuple[Any, str]]
"""(kind, id) → content, `file:line`."""


def _entry(
    kind: str, id_: str, source: str, content: Any, theirs: Entries, known: list[str]
) -> OverlayEntry:
    if found := theirs.get((kind, id_)):
        effect: Literal["replaces", "equal"] = "equal" if found[0] == content else "replaces"
        return OverlayEntry(kind, id_, source, effect, replaces=found[1])
    near = get_close_matches(id_, known, n=1, cutoff=ALIKE)
    if near:
        return OverlayEntry(kind, id_, source, "near", near=near[0])
    return OverlayEntry(kind, id_, source, "new")


def _entries(folder: Folder) -> Entries:
    return dict(_each(folder))


def _each(folder: Folder) -> Iterator[tuple[tuple[str, str], tuple[Any, str]]]:
    for rule, source in folder.rules:
        yield (mark("rule"), rule.id), (rule.model_copy(update={"before": ""}), source)
    for touchpoint, source in folder.touchpoints:
        yield (mark("touchpoint"), touchpoint.id), (touchpoint, source)
    for journey, source in folder.journeys:
        yield (mark("journey"), journey.id), (journey, source)
    for moment, source in folder.moments:
        yield (mark("moment"), moment.id), (moment, source)
    for name, values in folder.sets.items():
        yield (mark("set"), name), (tuple(values), "sets.toml")
    for tool, source in folder.tools:
        for table in tool.table:
            yield (mark("table"), table.name), (table, source)
