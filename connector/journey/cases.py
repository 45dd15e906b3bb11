"""The organisation's own cases: a file of records, each with the place that it should come to.

TOML (`[[case]]`) or CSV (a line each); every fault is told at once, with its line.
"""

import csv
import io
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError

from connector.journey.contacts import decode
from connector.journey.files import Source
from connector.journey.near import hint
from connector.journey.shapes import FieldName, File, Name
from connector.messages import _
from connector.wording import os_reason

EXPECTED = ("rule", "touchpoint", "step", "outcome", "band", "value")
_HEADS = ("name", "table", "number")
_CSV = "expect."


def _as_text(value: object) -> object:
    """A whole number or a yes-or-no without quotes is what the tool calls it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


Value = Annotated[str, BeforeValidator(_as_text)]


class Expected(File):
    """Where a record should stand; what is left out is not looked at. `step` is of the shown
    journey, `steps` of any."""

    rule: str | None = None
    touchpoint: str | None = None
    step: str | None = None
    steps: dict[Name, str] = Field(default_factory=dict)
    outcome: str | None = None
    band: str | None = None
    value: str | None = None


class CaseText(File):
    """One `[[case]]`: a record by its field values, or by its number."""

    name: str = ""
    table: str = ""
    number: str = ""
    record: dict[FieldName, Value] = Field(default_factory=dict)
    expect: Expected


class CaseFile(File):
    """A file of cases. `as_of`: when relative dates are read, YYYY-MM-DD HH:MM:SS in UTC."""

    as_of: str = ""
    case: list[CaseText] = Field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """One case, with `file:line`. Either `number`, or `table` and `record`."""

    source: str
    name: str
    table: str
    number: str
    record: Mapping[str, str]
    expect: Expected
    as_of: datetime | None = None


@dataclass
class Cases:
    """Everything that was found in some files; `problems` are sentences with `file:line`."""

    cases: list[Case] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_cases(paths: Sequence[Path]) -> Cases:
    """Read files of cases. Faults are collected; never raises. A file without a case is a fault:
    it would pass for ever."""
    found = Cases()
    for path in paths:
        before = len(found.cases) + len(found.problems)
        try:
            text = decode(path.read_bytes())
        except OSError as error:
            found.problems.append(f"{path}: {os_reason(error)}")
        except ValueError as error:
            found.problems.append(f"{path}: {error}")
        else:
            (_read_csv if path.suffix.lower() == ".csv" else _read_toml)(found, path.name, text)
        if len(found.cases) + len(found.problems) == before:
            found.problems.append(_("{file}: there is no case in it").format(file=path.name))
    return found


def _read_toml(found: Cases, name: str, text: str) -> None:
    source = Source(name, text)
    try:
        file = CaseFile.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found.problems.append(
            _("{file}: cannot be read ({reason})").format(file=name, reason=error)
        )
    except ValidationError as error:
        found.problems += source.sentences(error, CaseFile)
    else:
        as_of, fault = _moment(file.as_of)
        found.problems += [f"{name}:{source.line(key='as_of')}: {fault}"] if fault else []
        for number, one in enumerate(file.case):
            _add(found, source.at("case", number), one, as_of)


def _moment(text: str) -> tuple[datetime | None, str]:
    if not text:
        return None, ""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC), ""
    except ValueError:
        return None, _("as_of is {text!r}; write it like 2026-11-20 12:00:00").format(text=text)


def _add(found: Cases, source: str, one: CaseText, as_of: datetime | None = None) -> None:
    if bool(one.number) == bool(one.table and one.record):
        found.problems.append(
            _("{source}: give the number of a record, or a table and field values").format(
                source=source
            )
        )
        return
    if one.expect == Expected():
        found.problems.append(_("{source}: nothing is expected").format(source=source))
        return
    name = one.name or one.number or source
    found.cases.append(Case(source, name, one.table, one.number, one.record, one.expect, as_of))


def _read_csv(found: Cases, name: str, text: str) -> None:
    """A head line; `expect.…` columns say the place, `name`, `table`, `number` the record, and all
    others are its fields. An empty cell is not looked at, or empty."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return
    delimiter = max(";,\t", key=lines[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    head: list[str] = []
    start = 1
    for cells in reader:
        source, start = f"{name}:{start}", reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        if not head:
            head = [cell.strip() for cell in cells]
            found.problems += [f"{source}: {fault}" for fault in _head_faults(head)]
            continue
        if any(cell.strip() for cell in cells[len(head) :]):
            text = _("{source}: it has more cells than the head has columns")
            found.problems.append(text.format(source=source))
            continue
        _add_row(found, source, dict(zip(head, (cell.strip() for cell in cells), strict=False)))


def _head_faults(head: Sequence[str]) -> list[str]:
    known = [_CSV + name for name in EXPECTED]
    return [
        _("there is no column {name!r}{hint}").format(name=one, hint=hint(one, known))
        for one in head
        if one.startswith(_CSV) and one not in known and not one.startswith(f"{_CSV}steps.")
    ]


def _add_row(found: Cases, source: str, row: Mapping[str, str]) -> None:
    said = {key: value for key, value in row.items() if key and value}
    expect = {key.removeprefix(_CSV): value for key, value in said.items() if key.startswith(_CSV)}
    steps = {k.removeprefix("steps."): v for k, v in expect.items() if k.startswith("steps.")}
    plain = {key: value for key, value in expect.items() if key in EXPECTED}
    record = {k: v for k, v in said.items() if k not in _HEADS and not k.startswith(_CSV)}
    given = {key: said[key] for key in _HEADS if key in said}
    try:
        one = CaseText.model_validate(
            {**given, "record": record, "expect": {**plain, "steps": steps}}
        )
    except ValidationError as error:
        reasons = {f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()}
        found.problems += [f"{source}: {reason}" for reason in sorted(reasons)]
        return
    _add(found, source, one)
