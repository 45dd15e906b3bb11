"""engagement.toml as people write it: the shape of each of its blocks."""

from typing import Literal

from pydantic import Field

from connector.journey.engagement_model import Polarity, Side
from connector.journey.shapes import FieldName, File, Name, RuleId, Words

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
