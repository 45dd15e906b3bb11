"""The shapes of the files under mappings/, as people write them. Unknown keys are refused.

Only shapes: whether the pieces fit together is checked in `checks.py`.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from connector.journey.model import Band, Channel, Confidence, Kind, Outcome, Phase, Text, Value
from connector.messages import _

_UNSTORABLE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")


def _storable(text: str) -> str:
    """A text that XML can carry: an update set holds our labels (XML 1.0, 2.2 Characters)."""
    if found := _UNSTORABLE.search(text):
        sentence = _("the control character {code} cannot stand in a text; take it out")
        raise ValueError(sentence.format(code=f"U+{ord(found[0]):04X}"))
    return text


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=80)]
Taken = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*/[a-z][a-z0-9_]*$")]
Filled = Annotated[str, StringConstraints(min_length=1), AfterValidator(_storable)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]
SetEntry = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^,^@][^,^]*$")]


class File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Words(File):
    """A text in both languages."""

    en: Filled
    es: Filled

    def text(self) -> Text:
        """As the domain has it."""
        return Text(self.en, self.es)


class StepText(File):
    """One `[[step]]` of a journey. `touchpoints` places touchpoints here, beside their own file;
    `takes` places here what stands in these steps of other journeys (`journey/step`)."""

    id: Name
    name: Words
    description: Words
    group: Words | None = None
    establishes_engagement: bool = False
    touchpoints: list[Name] = Field(default_factory=list)
    takes: list[Taken] = Field(default_factory=list)


class JourneyFile(File):
    """journeys/*.toml"""

    id: Name
    name: Words
    description: Words
    credit: Words
    step: list[StepText] = Field(min_length=1)


class TouchpointText(File):
    """One `[[touchpoint]]`."""

    id: Name
    code: Filled
    name: Words
    kind: Kind
    channel: Channel
    band: Band
    roles: list[Literal["user", "customer", "sponsor"]] = Field(default_factory=list)
    moment: bool = False
    steps: dict[Name, Name] = Field(default_factory=dict)


class TouchpointFile(File):
    """touchpoints.toml"""

    touchpoint: list[TouchpointText] = Field(default_factory=list)


class RuleText(File):
    """One `[[rule]]`."""

    id: RuleId
    tables: list[Name] = Field(min_length=1)
    when: str
    touchpoint: str = ""
    because: Words
    example: dict[FieldName, str]
    steps: dict[Name, Name] = Field(default_factory=dict)
    band: Band | Literal[""] = ""
    outcome: Outcome = ""
    phase: Phase = ""
    value: Value = ""
    confidence: Confidence = "high"
    inherit: Literal["", "step", "all"] = ""
    ignore: bool = False
    before: str = ""


class RuleFile(File):
    """rules/*.toml"""

    rule: list[RuleText] = Field(default_factory=list)


class TableText(File):
    """One `[[table]]` of a tool."""

    name: Name
    label: Words
    columns: list[FieldName] = Field(default_factory=list)
    task: bool = False
    optional: bool = False
    filter: str = ""
    only_with: Name | Literal[""] = ""
    ticket: bool = False


class EdgeText(File):
    """One `[[edge]]`."""

    table: Name
    field: Name
    parent: Name


class RollUpText(File):
    """One `[[roll_up]]`."""

    table: Name
    child: Name
    field: Name


class HistoryText(File):
    """One `[[history]]`."""

    table: Name
    record: Name
    of: Name | Literal[""] = ""


class ToolFile(File):
    """tools/*.toml"""

    table: list[TableText] = Field(default_factory=list)
    edge: list[EdgeText] = Field(default_factory=list)
    roll_up: list[RollUpText] = Field(default_factory=list)
    history: list[HistoryText] = Field(default_factory=list)


class NamesFile(File):
    """names.toml, under one key: `journey/step` or `touchpoints/id` → its other name."""

    names: dict[Taken, Words]


SetFile = dict[Name, list[SetEntry]]


class SetsFile(File):
    """sets.toml, under one key."""

    sets: SetFile
