"""engagement.toml, loaded: the overlay laid over it, held to its shape, and checked.

An overlay may replace single values: a key of `[formula]`, any key of a block by its `id` (a
relationship by its `table`). A new block is added. Every problem is found, none is raised.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from connector.journey.checks import Draft
from connector.journey.engagement_checks import Places, problems_of
from connector.journey.engagement_model import (
    Dimension,
    Engagement,
    Formula,
    Line,
    Relationship,
    RingEvidence,
    SlaLines,
    State,
)
from connector.journey.engagement_shapes import KEYS, EngagementFile
from connector.journey.files import Source, reason_of
from connector.journey.shapes import File, Words
from connector.messages import _

Raw = tuple[dict[str, Any], Source]


def engagement_of(files: Sequence[Raw], draft: Draft, problems: list[str]) -> Engagement | None:
    """The engagement of a mapping, None if no folder has one or it has faults (in `problems`)."""
    if not files:
        return None
    content, places = _laid_over(files, problems)
    try:
        shape = EngagementFile.model_validate(content)
    except ValidationError as error:
        problems += _sentences(error, content, places, files[-1][1])
        return None
    made = _made(shape)
    problems += problems_of(made, draft, places)
    return made


def _laid_over(files: Sequence[Raw], problems: list[str]) -> tuple[dict[str, Any], Places]:
    """All files as one, later values over earlier ones."""
    found: dict[str, Any] = {}
    places: Places = {}
    for data, source in files:
        for key, value in data.items():
            if key in KEYS and _is_blocks(value):
                problems += _lay_blocks(found.setdefault(key, []), key, value, source, places)
            elif isinstance(value, dict) and isinstance(found.get(key), dict):
                found[key] = {**found[key], **value}
            else:
                found[key] = value
            places.setdefault(("", key), source.at())
    return found, places


def _is_blocks(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _lay_blocks(
    found: list[dict[str, Any]],
    kind: str,
    blocks: Sequence[dict[str, Any]],
    source: Source,
    places: Places,
) -> Iterator[str]:
    """Bring blocks in; yields a sentence for each that is given twice in one file."""
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        name = str(block.get(KEYS[kind], ""))
        where = source.at(kind, number)
        if name in seen:
            yield _("{source}: the {kind} {name} is given twice").format(
                source=where, kind=kind, name=name
            )
        seen.add(name)
        known = next((n for n, one in enumerate(found) if one.get(KEYS[kind]) == name), None)
        if known is None:
            found.append(dict(block))
        else:
            found[known] = {**found[known], **block}
        places[kind, name] = where


def _sentences(
    error: ValidationError, content: dict[str, Any], places: Places, last: Source
) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        path = list(fault["loc"])
        where = last.at()
        if len(path) > 1 and isinstance(path[1], int):
            kind = str(path[0])
            name = str(content[kind][path[1]].get(KEYS[kind], ""))
            where = places[kind, name]
            path = path[2:]
        yield f"{where}: {reason_of(fault, path, EngagementFile)}"


def _made(file: EngagementFile) -> Engagement:
    scored = [state for state in file.state if state.at_least is not None]
    scored.sort(key=lambda state: -(state.at_least or 0))
    others = [state for state in file.state if state.at_least is None]
    return Engagement(
        formula=Formula(**file.formula.model_dump()),
        dimensions=tuple(
            Dimension(one.id, one.name.text(), one.side, one.weight) for one in file.dimension
        ),
        relationships=tuple(Relationship(**_tuples(one)) for one in file.relationship),
        lines=tuple(Line(**_tuples(one)) for one in file.line),
        states=tuple(State(**_tuples(one)) for one in [*scored, *others]),
        ring=tuple(RingEvidence(**_tuples(one)) for one in file.ring),
        unnamed_service=file.unnamed_service.text(),
        sla=SlaLines(file.sla.met, file.sla.breached, file.sla.began),
    )


def _tuples(block: File) -> dict[str, Any]:
    """The values of a block as the model has them: tuples and texts."""
    found: dict[str, Any] = {}
    for key in type(block).model_fields:
        value = getattr(block, key)
        if isinstance(value, Words):
            value = value.text()
        found[key] = tuple(value) if isinstance(value, list) else value
    return found
