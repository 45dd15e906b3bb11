"""Load the mapping: the shipped folder, an organisation's own folder laid over it, and the proofs.

The overlay replaces by id: a journey, a touchpoint, a set by its name, a rule in its place. A new
rule goes in front of the shipped ones, or before the rule that its `before` names. Every problem is
reported at once, with file and line.
"""

import hashlib
import json
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from connector.errors import MappingError
from connector.journey.checks import Draft, check
from connector.journey.engagement_file import engagement_of
from connector.journey.engagement_model import Engagement
from connector.journey.examples import filled
from connector.journey.files import Folder, read_folder
from connector.journey.model import (
    Edge,
    History,
    Journey,
    Mapping,
    RollUp,
    Rule,
    Step,
    TableSpec,
    Touchpoint,
)
from connector.journey.naming import renamed_journey, renamed_touchpoint
from connector.journey.near import hint
from connector.journey.shapes import JourneyFile, RuleText, ToolFile, TouchpointText
from connector.journey.taking import place_rule, place_touchpoints, taking_of
from connector.messages import _, mark
from connector.resources import shipped as shipped_path


def load_mapping(overlay: Path | None = None, shipped: Path | None = None) -> Mapping:
    """The mapping in force. Raises MappingError with every problem found.

    `overlay` is the organisation's own folder; `shipped` the one that comes with the package.
    """
    root = shipped or shipped_path("mappings")
    folders = [read_folder(root)] + ([read_folder(overlay)] if overlay else [])
    problems = [problem for folder in folders for problem in folder.problems]
    draft = _merged(folders, problems)
    _fill_examples(draft, problems)
    problems += check(draft)
    written = [one for folder in folders for one in folder.engagement]
    engagement = engagement_of(written, draft, problems)
    if problems:
        raise MappingError(str(overlay or root), problems)
    return _frozen(draft, engagement)


def _frozen(draft: Draft, engagement: Engagement | None) -> Mapping:
    mapping = Mapping(
        journeys=draft.journeys,
        touchpoints=draft.touchpoints,
        rules=tuple(draft.rules),
        sets=draft.sets,
        tables=draft.tables,
        edges=tuple(draft.edges),
        roll_ups=tuple(draft.roll_ups),
        history=tuple(draft.history),
        past=draft.past,
        moments=tuple(draft.moments.values()),
        engagement=engagement,
        hash="",
    )
    content = asdict(mapping)
    for rule in (*content["rules"], *content["moments"]):
        del rule["source"]  # where it stands says nothing of what it does
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    draft_hash = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Mapping(**{**mapping.__dict__, "hash": draft_hash})


def _merged(folders: Sequence[Folder], problems: list[str]) -> Draft:
    """All folders as one, later ones over earlier ones."""
    draft = Draft()
    for folder in folders:
        problems += _repeated(folder)
        for journey, source in folder.journeys:
            draft.journeys[journey.id] = _journey(journey)
            draft.placed[journey.id] = {
                touchpoint: step.id for step in journey.step for touchpoint in step.touchpoints
            }
            draft.takes[journey.id] = taking_of(journey)
            draft.sources[journey.id] = source
        for touchpoint, source in folder.touchpoints:
            draft.touchpoints[touchpoint.id] = _touchpoint(touchpoint)
            draft.sources[touchpoint.id] = source
        draft.moments |= {one.id: one.moment(source) for one, source in folder.moments}
        draft.sets |= folder.sets
        draft.names |= folder.names
        for past, source in folder.pasts:  # an overlay's file replaces the one under it as a whole
            draft.past, draft.sources["past"] = past, source
        for tool, source in folder.tools:
            _lay_tool(draft, tool, source)
        _lay_rules(draft, folder.rules, problems)
    _place_touchpoints(draft)
    _rename(draft)
    return draft


def _rename(draft: Draft) -> None:
    """Steps and touchpoints under the names that names.toml gives them."""
    names = {name: text for name, (text, _source) in draft.names.items()}
    draft.journeys = {id_: renamed_journey(one, names) for id_, one in draft.journeys.items()}
    draft.touchpoints = {
        id_: renamed_touchpoint(one, names) for id_, one in draft.touchpoints.items()
    }


def _fill_examples(draft: Draft, problems: list[str]) -> None:
    """Where an example names a set, its first entry stands from here on."""

    def fill(example: Dict[str, str], source: str) -> dict[str, str]:
        try:
            return filled(example, draft.sets)
        except KeyError as error:
            name = error.args[0]
            problems.append(
                _("{source}: example: there is no set {name}{hint}").format(
                    source=source, name=name, hint=hint(name, draft.sets)
                )
            )
            return dict(example)

    for place, rule in enumerate(draft.rules):
        draft.rules[place] = replace(rule, example=fill(rule.example, rule.source))
    for id_, moment in draft.moments.items():
        told = [replace(one, values=fill(one.values, moment.source)) for one in moment.examples]
        draft.moments[id_] = replace(moment, examples=tuple(told))


def _repeated(folder: Folder) -> list[str]:
    """Ids given twice inside one folder."""
    seen: dict[tuple[str, str], str] = {}
    found = []
    named = [
        *((mark("rule"), rule.id, source) for rule, source in folder.rules),
        *((mark("touchpoint"), one.id, source) for one, source in folder.touchpoints),
        *((mark("journey"), one.id, source) for one, source in folder.journeys),
        *((mark("moment"), one.id, source) for one, source in folder.moments),
    ]
    for kind, name, source in named:
        if first := seen.get((kind, name)):
            found.append(
                _("{source}: the {kind} {name} is given twice, first at {first}").format(
                    source=source, kind=_(kind), name=name, first=first
                )
            )
        seen.setdefault((kind, name), source)
    return found


def _journey(file: JourneyFile) -> Journey:
    steps = tuple(
        Step(
            id=step.id,
            position=position,
            name=step.name.text(),
            description=step.description.text(),
            group=step.group.text() if step.group else None,
            establishes_engagement=step.establishes_engagement,
        )
        for position, step in enumerate(file.step, start=1)
    )
    return Journey(
        id=file.id,
        name=file.name.text(),
        description=file.description.text(),
        credit=file.credit.text(),
        steps=steps,
    )


def _touchpoint(text: TouchpointText) -> Touchpoint:
    return Touchpoint(
        id=text.id,
        code=text.code,
        kind=text.kind,
        channel=text.channel,
        band=text.band,
        roles=tuple(text.roles),
        is_potential_moment=text.moment,
        steps=dict(text.steps),
        name=text.name.text(),
    )


def _place_touchpoints(draft: Draft) -> None:
    """What a journey's own file says of touchpoints goes over what touchpoints.toml says; then
    come those that it takes over from other journeys."""
    for journey, placed in draft.placed.items():
        for name, step in placed.items():
            if name in draft.touchpoints:
                touchpoint = draft.touchpoints[name]
                steps = {**touchpoint.steps, journey: step}
                draft.touchpoints[name] = Touchpoint(**{**touchpoint.__dict__, "steps": steps})
    draft.touchpoints |= {t.id: t for t in place_touchpoints(draft.touchpoints, draft.takes)}
    draft.rules = [place_rule(rule, draft.touchpoints, draft.takes) for rule in draft.rules]


def _lay_tool(draft: Draft, tool: ToolFile, source: str) -> None:
    for table in tool.table:
        draft.tables[table.name] = TableSpec(
            name=table.name,
            label=table.label.text(),
            columns=tuple(table.columns),
            is_task=table.task,
            optional=table.optional,
            filter=table.filter,
            only_with=table.only_with,
            is_ticket=table.ticket,
        )
        draft.sources[f"table {table.name}"] = source
    edges = [Edge(one.table, one.field, one.parent) for one in tool.edge]
    roll_ups = [RollUp(one.table, one.child, one.field) for one in tool.roll_up]
    draft.edges += [edge for edge in edges if edge not in draft.edges]
    draft.roll_ups += [one for one in roll_ups if one not in draft.roll_ups]
    history = [History(one.table, one.record, one.of) for one in tool.history]
    draft.history += [one for one in history if one not in draft.history]


def _rule(text: RuleText, source: str) -> Rule:
    return Rule(
        id=text.id,
        tables=tuple(text.tables),
        when=text.when,
        touchpoint=text.touchpoint,
        because=text.because.text(),
        example=dict(text.example),
        steps=dict(text.steps),
        band=text.band,
        outcome=text.outcome,
        phase=text.phase,
        value=text.value,
        confidence=text.confidence,
        inherit=text.inherit,
        ignore=text.ignore,
        source=source,
    )


def _lay_rules(draft: Draft, rules: Sequence[tuple[RuleText, str]], problems: list[str]) -> None:
    """Replace in place by id; put new rules before the one they name, else in front of all.

    The first folder only appends: its order is the order of its files.
    """
    place = {rule.id: number for number, rule in enumerate(draft.rules)}
    is_first = not draft.rules
    front: list[Rule] = []
    waiting: list[tuple[str, Rule]] = []
    for text, source in rules:
        rule = _rule(text, source)
        if text.id in place and not is_first:
            draft.rules[place[text.id]] = rule
        elif text.before:
            waiting.append((text.before, rule))
        else:
            (draft.rules if is_first else front).append(rule)
    draft.rules[:0] = front
    for before, rule in waiting:
        _insert_before(draft, before, rule, problems)


def _insert_before(draft: Draft, before: str, rule: Rule, problems: list[str]) -> None:
    ids = [one.id for one in draft.rules]
    if before not in ids:
        problems.append(
            _("{source}: before = {before!r} names no rule{hint}").format(
                source=rule.source, before=before, hint=hint(before, ids)
            )
        )
        return
    draft.rules.insert(ids.index(before), rule)
