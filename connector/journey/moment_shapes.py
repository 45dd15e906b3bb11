"""The shape of moments.toml, as people write it. Unknown keys are refused."""

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from connector.journey.moment_model import (
    START,
    Decided,
    Evidence,
    Example,
    Moment,
    Polarity,
    Window,
)
from connector.journey.shapes import FieldName, File, Name, Words

MomentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=20)]
Weight = Annotated[int, Field(ge=1, le=10)]
Days = Annotated[int, Field(ge=0, le=3660)]


class EvidenceText(File):
    """One piece of evidence, under `positive`, `negative` or `neutral`."""

    code: Name
    when: str
    at: list[FieldName] = Field(default_factory=lambda: [START], min_length=1)
    because: Words
    weight: Weight | None = None
    optional: bool = False

    def evidence(self, polarity: Decided, weight: int) -> Evidence:
        """As the domain has it."""
        return Evidence(
            code=self.code,
            polarity=polarity,
            when=self.when,
            at=tuple(self.at),
            because=self.because.text(),
            weight=self.weight or weight,
            optional=self.optional,
        )


class WindowText(File):
    """`window = { days = 7 }`, `{ from = ["closed_at"], working_days = 5 }`."""

    when: str = ""
    start: list[FieldName] = Field(alias="from", default_factory=list)
    minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    days: Days = 0
    working_days: Days = 0

    def window(self) -> Window:
        """As the domain has it."""
        start = tuple(self.start)
        return Window(self.when, start, self.minutes, self.days, self.working_days)


class ExampleText(File):
    """One proof: with these values the moment is so."""

    polarity: Polarity
    values: dict[FieldName, str]


class MomentText(File):
    """One `[[moment]]`."""

    id: MomentId
    name: Words
    tables: list[Name] = Field(min_length=1)
    weight: Weight
    when: str = ""
    starts: list[FieldName] = Field(default_factory=list)
    lead_days: Days = 0
    window: list[WindowText] = Field(default_factory=lambda: [WindowText()])
    positive: list[EvidenceText] = Field(default_factory=list)
    negative: list[EvidenceText] = Field(default_factory=list)
    neutral: list[EvidenceText] = Field(default_factory=list)
    turns_positive: Words
    show: list[FieldName] = Field(default_factory=list)
    examples: list[ExampleText] = Field(default_factory=list)
    off: Words | None = None

    @field_validator("window", mode="before")
    @classmethod
    def _one_or_several(cls, given: object) -> object:
        """One window may be written without the brackets."""
        return [given] if isinstance(given, dict) else given

    def moment(self, source: str) -> Moment:
        """As the domain has it."""
        return Moment(
            id=self.id,
            name=self.name.text(),
            tables=tuple(self.tables),
            weight=self.weight,
            when=self.when,
            starts=tuple(self.starts),
            lead_days=self.lead_days,
            windows=tuple(window.window() for window in self.window),
            evidence=self._evidence(),
            turns_positive=self.turns_positive.text(),
            show=tuple(self.show),
            examples=tuple(Example(one.polarity, dict(one.values)) for one in self.examples),
            off=self.off.text() if self.off else None,
            source=source,
        )

    def _evidence(self) -> tuple[Evidence, ...]:
        """All of it, the negative first: it wins where two pieces fall on one instant."""
        return (
            *(one.evidence("negative", self.weight) for one in self.negative),
            *(one.evidence("neutral", self.weight) for one in self.neutral),
            *(one.evidence("positive", self.weight) for one in self.positive),
        )


class MomentFile(File):
    """moments.toml"""

    moment: list[MomentText] = Field(default_factory=list)
