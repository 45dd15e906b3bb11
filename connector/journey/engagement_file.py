"""engagement.toml as people write it: its shape, the overlay laid over it, and its checks.

An overlay may replace single values: a key of `[formula]`, any key of a block by its `id` (a
relationship by its `table`). A new block is added. Every problem is found, none is raised.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from pydantic import Field, ValidationError

from connector.encoded_query import EncodedQueryError
from connector.journey.checks import Draft
from connector.journey.conditions import forbidden_fields, parse_condition
from connector.journey.engagement_model import (
    OWN_PLACE,
    UNSCORED,
    Dimension,
    Engagement,
    Formula,
    Line,
    Polarity,
    Relationship,
    RingEvidence,
    Side,
    SlaLines,
    State,
)
from connector.journey.facts import FAMILIES, facts_of, find_fact
from connector.journey.files import Source, reason_of
from connector.journey.near import hint
from connector.journey.shapes import FieldName, File, Name, RuleId, Words
from connector.messages import _

KEYS = {"dimension": "id", "relationship": "table", "line": "id", "state": "id", "ring": "id"}
"""The kinds of blocks, and the key by which an overlay finds one."""

Days = Field(ge=1, le=3650)
Points = Field(ge=0, le=100)
Weight = Field(ge=0, le=100)


class FormulaText(File):
    """`[formula]`"""

    half_life_days: int = Days
    window_days: int = Days
    k: float = Field(gt=0, le=1000)
    confidence_k: float = Field(gt=0, le=1000)
    minimum_evidence: float = Field(ge=0, le=1000)
    moment_weight: float = Weight
    sponsor_weight: float = Weight
    cap: float = Points
    hysteresis_points: float = Points
    hysteresis_days: int = Field(ge=1, le=60)
    thin_days: int = Field(ge=1, le=60)
    dormant_from: float = Points
    moved_points: float = Points


class DimensionText(File):
    """One `[[dimension]]`."""

    id: Name
    name: Words
    side: Side
    weight: float = Field(gt=0, le=100)


class RelationshipText(File):
    """One `[[relationship]]`."""

    table: Name
    touchpoint: Name | Literal["", "*"] = ""
    customer: list[FieldName] = Field(default_factory=list)
    service: list[FieldName] = Field(default_factory=list)
    service_table: Name | Literal[""] = ""
    service_fallback: list[FieldName] = Field(default_factory=list)
    person: list[FieldName] = Field(default_factory=list)
    sponsor: list[FieldName] = Field(default_factory=list)
    via: list[FieldName] = Field(default_factory=list)
    contact: list[FieldName] = Field(default_factory=list)
    contact_when: str = ""


class LineText(File):
    """One `[[line]]`."""

    id: RuleId
    name: Words
    dimension: Name
    value: float = Field(ge=-1, le=1)
    tables: list[Name] = Field(default_factory=list)
    when: str = ""
    at: list[FieldName] = Field(default_factory=list)
    moment: str = ""
    polarity: Polarity | Literal[""] = ""
    weight: float = Field(default=1.0, ge=0, le=100)
    touchpoint: Name | Literal[""] = ""
    is_severe: bool = False
    answers: bool = False


class StateText(File):
    """One `[[state]]`."""

    id: Name
    name: Words
    action: Words
    at_least: float | None = Field(default=None, ge=0, le=100)
    needs: list[Name] = Field(default_factory=list)


class RingText(File):
    """One `[[ring]]`."""

    id: RuleId
    name: Words
    tables: list[Name] = Field(default_factory=list)
    when: str = ""
    at: list[FieldName] = Field(default_factory=list)
    in_step: bool = False
    contacts: int = Field(default=0, ge=0, le=1000)
    score: float = Field(default=0.0, ge=0, le=100)


class SlaText(File):
    """`sla`: what the backtest counts."""

    met: RuleId
    breached: RuleId
    began: FieldName


class EngagementFile(File):
    """engagement.toml"""

    formula: FormulaText
    unnamed_service: Words
    sla: SlaText
    dimension: list[DimensionText] = Field(min_length=1)
    relationship: list[RelationshipText] = Field(min_length=1)
    line: list[LineText] = Field(min_length=1)
    state: list[StateText] = Field(min_length=1)
    ring: list[RingText] = Field(default_factory=list)


Raw = tuple[dict[str, Any], Source]
Places = dict[tuple[str, str], str]
"""(kind, key) of a block → the `file:line` that had the last word on it."""


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
    problems += _problems(made, draft, places)
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


# --- checks ---------------------------------------------------------------------------------------


def _problems(made: Engagement, draft: Draft, places: Places) -> Iterator[str]:
    found: list[tuple[tuple[str, str], Iterator[str]]] = [
        *((("line", one.id), _line(one, made, draft)) for one in made.lines),
        *((("line", one.id), _asked(one, made, draft)) for one in made.lines),
        *((("ring", one.id), _asked(one, made, draft)) for one in made.ring),
        *((("relationship", one.table), _relationship(one, draft)) for one in made.relationships),
        *((("state", one.id), _state(one, made)) for one in made.states),
    ]
    for place, sentences in found:
        for sentence in sentences:
            yield f"{places[place]}: {sentence}"
    yield from _whole(made, places)


def _known(kind: str, name: str, known: Iterable[str]) -> Iterator[str]:
    names = list(known)
    if name and name not in names:
        yield _("there is no {kind} {name}{hint}").format(
            kind=kind, name=name, hint=hint(name, names)
        )


def _line(line: Line, made: Engagement, draft: Draft) -> Iterator[str]:
    yield from _known(_("dimension"), line.dimension, [one.id for one in made.dimensions])
    yield from _known(_("touchpoint"), line.touchpoint, draft.touchpoints)
    yield from _known(_("moment"), line.moment, draft.moments)
    if bool(line.moment) == bool(line.tables):
        yield _("the line {id} needs either tables or a moment").format(id=line.id)
    if line.moment and not line.polarity:
        yield _("the line {id} does not say which polarity of its moment counts").format(id=line.id)
    if line.tables and not line.at:
        yield _("the line {id} does not say when it happened (at)").format(id=line.id)


def _asked(one: Line | RingEvidence, made: Engagement, draft: Draft) -> Iterator[str]:
    """A condition over tables: the tables are tied to a relationship, its facts exist."""
    ties = [relationship.table for relationship in made.relationships]
    for table in one.tables:
        yield from _known(_("table"), table, draft.tables)
        if table in draft.tables and table not in ties:
            yield _(
                "{table} has no [[relationship]]: nobody would know whose evidence it is"
            ).format(table=table)
    for name in one.at:
        if name.startswith("sys_updated"):
            yield _("{field} may not be used: our own writes move it").format(field=name)
    yield from _condition(one.when, one.tables, draft)


def _condition(when: str, tables: Sequence[str], draft: Draft) -> Iterator[str]:
    try:
        query = parse_condition(when, draft.sets)
    except EncodedQueryError as error:
        yield _("when: position {n}: {why}").format(n=error.position, why=error.reason)
        return
    for name in forbidden_fields(query):
        yield _("{field} may not be used: our own writes move it").format(field=name)
    for table in tables:
        for name in sorted(query.fields):
            is_fact = "." in name and name.split(".")[0] in FAMILIES
            if is_fact and not find_fact(table, name) and not _is_column(name):
                yield _("{table} has no fact {name}{hint}").format(
                    table=table, name=name, hint=hint(name, facts_of(table))
                )


def _is_column(name: str) -> bool:
    """`sla.target` of task_sla is a dot-walk, though `sla` is a family of facts, too."""
    return name.startswith("sla.")


def _relationship(one: Relationship, draft: Draft) -> Iterator[str]:
    yield from _known(_("table"), one.table, draft.tables)
    if one.touchpoint != OWN_PLACE:
        yield from _known(_("touchpoint"), one.touchpoint, draft.touchpoints)
    if not one.touchpoint and not one.via:
        yield _("{table}: say in which touchpoint's step its evidence counts").format(
            table=one.table
        )
    if bool(one.via) == bool(one.customer):
        yield _("{table}: name either its customer or, with via, the record that knows it").format(
            table=one.table
        )
    if one.via and one.person:
        yield _("{table}: with via, the people are those of the record that it leads to").format(
            table=one.table
        )
    yield from _condition(one.contact_when, [one.table], draft)


def _state(state: State, made: Engagement) -> Iterator[str]:
    if state.at_least is None and state.id not in UNSCORED:
        yield _("the state {id} needs at_least; without it stand only {known}").format(
            id=state.id, known=", ".join(UNSCORED)
        )
    if state.at_least is not None and state.id in UNSCORED:
        yield _("the state {id} comes without a score; leave out at_least").format(id=state.id)
    for name in state.needs:
        yield from _known(_("dimension"), name, [one.id for one in made.dimensions])


def _whole(made: Engagement, places: Places) -> Iterator[str]:
    where = places["", "state"]
    ids = [state.id for state in made.states]
    for name in UNSCORED:
        if name not in ids:
            yield _("{source}: the state {id} is missing").format(source=where, id=name)
    if not made.scored or made.scored[-1].at_least:
        yield _("{source}: one state must hold from 0 points").format(source=where)
    elif made.scored[-1].needs:
        yield _("{source}: the state from 0 points may need nothing").format(source=where)
    lines = [line.id for line in made.lines]
    for name in (made.sla.met, made.sla.breached):
        for sentence in _known(_("line"), name, lines):
            yield f"{places['', 'sla']}: {sentence}"
