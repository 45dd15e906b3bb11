"""Reading a folder of mapping files. Every fault becomes one sentence with file and line.

Checks shapes only (`shapes.py`); whether the pieces fit together is checked in `checks.py`.
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from connector.journey.model import Text
from connector.journey.moment_shapes import MomentFile, MomentText
from connector.journey.near import hint
from connector.journey.past import Past
from connector.journey.past_shapes import PastFile
from connector.journey.shapes import (
    File,
    JourneyFile,
    NamesFile,
    RuleFile,
    RuleText,
    SetsFile,
    ToolFile,
    TouchpointFile,
    TouchpointText,
)
from connector.messages import _
from connector.wording import os_reason


@dataclass
class Folder:
    """Everything found in one folder, rules and touchpoints with their `file:line`."""

    journeys: list[tuple[JourneyFile, str]] = field(default_factory=list)
    touchpoints: list[tuple[TouchpointText, str]] = field(default_factory=list)
    rules: list[tuple[RuleText, str]] = field(default_factory=list)
    sets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    names: dict[str, tuple[Text, str]] = field(default_factory=dict)
    tools: list[tuple[ToolFile, str]] = field(default_factory=list)
    moments: list[tuple[MomentText, str]] = field(default_factory=list)
    engagement: list[tuple[dict[str, Any], "Source"]] = field(default_factory=list)
    pasts: list[tuple[Past, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_folder(root: Path) -> Folder:
    """Read every file of a mapping folder. Faults are collected in `problems`; never raises."""
    found = Folder()
    if not root.is_dir():
        found.problems.append(_("there is no folder {path}; check its name").format(path=root))
        return found
    for path in sorted(root.rglob("*.toml")):
        _read_into(found, path, path.relative_to(root).as_posix())
    return found


def _read_into(found: Folder, path: Path, name: str) -> None:
    try:
        if not path.is_file():  # to open a pipe would wait for a writer, perhaps for ever
            raise OSError(_("it is no regular file"))
        text = path.read_text(encoding="utf-8")
        _take_file(found, name, text, tomllib.loads(text))
    except OSError as error:
        reason = os_reason(error)
    except UnicodeDecodeError:
        reason = _("it is not text in UTF-8")
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
    except RecursionError:
        reason = _("it is nested too deeply")
    else:
        return
    found.problems.append(_("{file}: cannot be read ({reason})").format(file=name, reason=reason))


def _take_file(found: Folder, name: str, text: str, data: dict[str, object]) -> None:
    kind = "sets.toml" if name == "sets.toml" else name.split("/", maxsplit=1)[0]
    take = _KINDS.get(kind)
    if take is None:
        found.problems.append(
            _("{file}: no such file belongs here; known are {known}").format(
                file=name, known="journeys/*.toml, rules/*.toml, tools/*.toml, " + ", ".join(_TOP)
            )
        )
        return
    take(found, Source(name, text), data)


class Source:
    """One file's text, to say where in it a fault lies."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines = text.splitlines()

    def at(self, block: str = "", number: int = 0) -> str:
        """`file:line` of the n-th `[[block]]`, or of the file."""
        return f"{self.name}:{self.line(block, number)}"

    def line(self, block: str = "", number: int = 0, key: str = "") -> int:
        """Line (from 1) of a key in the n-th `[[block]]`; of the block where the key is absent."""
        heads = [n for n, text in enumerate(self.lines) if text.strip() == f"[[{block}]]"]
        start = heads[number] if block and number < len(heads) else 0
        end = next((n for n in heads if n > start), len(self.lines))
        pattern = re.compile(rf"^\s*\"?{re.escape(key)}\"?\s*=")
        inside = (n for n in range(start, end) if key and pattern.match(self.lines[n]))
        return next(inside, start) + 1

    def sentences(self, error: ValidationError, shape: type[BaseModel]) -> list[str]:
        """Every fault pydantic found, as `file:line: sentence`."""
        return [self._sentence(fault, shape) for fault in error.errors(include_url=False)]

    def _sentence(self, fault: Any, shape: type[BaseModel]) -> str:
        path = [part for part in fault["loc"] if part != "sets"]
        number = next((n for n, part in enumerate(path) if isinstance(part, int)), None)
        block, index, keys = "", 0, path
        if number == 1:
            block, index, keys = str(path[0]), int(path[1]), path[2:]
        line = self.line(block, index, str(keys[0]) if keys else "")
        return f"{self.name}:{line}: {_reason(fault, keys, _shape_at(shape, fault['loc'][:-1]))}"


def _shape_at(shape: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """The keys that a file may have at `path`."""
    here: Any = shape
    for part in path:
        if isinstance(part, int):
            continue
        fields = getattr(here, "model_fields", {})
        here = _inner(fields[part].annotation) if part in fields else None
    return list(getattr(here, "model_fields", {}))


def _inner(annotation: Any) -> Any:
    """The model inside `list[Model]` or `Model | None`."""
    for argument in getattr(annotation, "__args__", ()):
        if hasattr(argument, "model_fields"):
            return argument
    return annotation


def reason_of(fault: Any, keys: list[Any], shape: type[BaseModel]) -> str:
    """What is wrong with the value that a fault of pydantic is about, as a sentence."""
    return _reason(fault, keys, _shape_at(shape, fault["loc"][:-1]))


def _reason(fault: Any, keys: list[Any], known: list[str]) -> str:
    key = ".".join(str(part) for part in keys if part != "[key]")
    if fault["type"] == "extra_forbidden":
        return _("unknown key {key}{hint}").format(key=key, hint=hint(str(keys[-1]), known))
    if fault["type"] == "missing":
        return _("the key {key} is missing").format(key=key)
    if fault["type"] == "literal_error":
        allowed = re.findall(r"'([^']*)'", fault["ctx"]["expected"])
        return _("{key} = {value!r} is none of {allowed}{hint}").format(
            key=key,
            value=fault["input"],
            allowed=", ".join(word for word in allowed if word),
            hint=hint(str(fault["input"]), allowed),
        )
    if fault["type"] == "string_pattern_mismatch":
        return _("{key}: {value!r} is not a name here (lower case letters, digits, _)").format(
            key=key, value=fault["input"]
        )
    reason = _expected(fault["type"]) or str(fault.get("ctx", {}).get("error") or fault["msg"])
    return _("{key}: {reason}").format(key=key, reason=reason)


def _expected(kind: str) -> str:
    """What a value of the wrong type should have been; "" where pydantic's own words must do."""
    return {
        "string_type": _('expected a text in quotes, like "incident"'),
        "bool_type": _("expected true or false"),
        "int_type": _("expected a whole number, like 10"),
        "tuple_type": _('expected a list, like ["incident", "sc_task"]'),
        "list_type": _('expected a list, like ["incident", "sc_task"]'),
        "model_type": _('expected a table, like { en = "…", es = "…" }'),
    }.get(kind, "")


_AFile = TypeVar("_AFile", bound=File)


def _validated(
    found: Folder, source: Source, data: dict[str, object], shape: type[_AFile]
) -> _AFile | None:
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        found.problems += source.sentences(error, shape)
        return None


def _take_journey(found: Folder, source: Source, data: dict[str, object]) -> None:
    if file := _validated(found, source, data, JourneyFile):
        found.journeys.append((file, source.at()))


def _take_rules(found: Folder, source: Source, data: dict[str, object]) -> None:
    if file := _validated(found, source, data, RuleFile):
        found.rules += [(rule, source.at("rule", n)) for n, rule in enumerate(file.rule)]


def _take_touchpoints(found: Folder, source: Source, data: dict[str, object]) -> None:
    if file := _validated(found, source, data, TouchpointFile):
        found.touchpoints += [
            (touchpoint, source.at("touchpoint", n)) for n, touchpoint in enumerate(file.touchpoint)
        ]


def _take_moments(found: Folder, source: Source, data: dict[str, object]) -> None:
    if file := _validated(found, source, data, MomentFile):
        found.moments += [(one, source.at("moment", n)) for n, one in enumerate(file.moment)]


def _take_tool(found: Folder, source: Source, data: dict[str, object]) -> None:
    if file := _validated(found, source, data, ToolFile):
        found.tools.append((file, source.name))


def _take_engagement(found: Folder, source: Source, data: dict[str, object]) -> None:
    # As it is: an overlay's file is whole only together with the one under it.
    found.engagement.append((data, source))


def _take_past(found: Folder, source: Source, data: dict[str, object]) -> None:
    if file := _validated(found, source, data, PastFile):
        found.pasts.append((file.past(), source.name))


def _take_sets(found: Folder, source: Source, data: dict[str, object]) -> None:
    if file := _validated(found, source, {"sets": data}, SetsFile):
        found.sets |= {name: tuple(entries) for name, entries in file.sets.items()}


def _take_names(found: Folder, source: Source, data: dict[str, object]) -> None:
    if file := _validated(found, source, {"names": data}, NamesFile):
        found.names |= {
            name: (words.text(), f"{source.name}:{source.line(key=name)}")
            for name, words in file.names.items()
        }


_TOP = (
    "touchpoints.toml",
    "names.toml",
    "moments.toml",
    "engagement.toml",
    "history.toml",
    "sets.toml",
)
_KINDS: dict[str, Callable[[Folder, Source, dict[str, object]], None]] = {
    "journeys": _take_journey,
    "rules": _take_rules,
    "tools": _take_tool,
    "touchpoints.toml": _take_touchpoints,
    "moments.toml": _take_moments,
    "sets.toml": _take_sets,
    "names.toml": _take_names,
    "engagement.toml": _take_engagement,
    "history.toml": _take_past,
}
