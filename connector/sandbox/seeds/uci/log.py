"""Reads the UCI year: the zipped event log, checked, in the order in which it happened.

Data: *Incident management process enriched event log*, Amaral, Fantinato and Peres, UCI Machine
Learning Repository no. 498, doi 10.24432/C57S4H, CC BY 4.0. Never part of this repository.

Owns the file's shape: columns, `?` for missing, `d/m/Y H:M` read as UTC. Refuses, in one sentence
that names the file and what to try: an absent, cut or foreign zip, missing columns, a row that
cannot be read. Knows nothing of tables and fields of the sandbox.
"""

import csv
import io
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import NoReturn

from connector.errors import ConfigError
from connector.messages import _
from connector.timestamps import format_instance

DEFAULT_PATH = Path("../shared/data/uci-498")
"""Where the data lies beside a checkout of the project."""

ZIP_NAME = "incident_event_log.zip"
COLUMNS = (
    *("number", "incident_state", "active", "reassignment_count", "reopen_count"),
    *("sys_mod_count", "made_sla", "caller_id", "opened_by", "opened_at", "sys_created_by"),
    *("sys_created_at", "sys_updated_by", "sys_updated_at", "contact_type", "location"),
    *("category", "subcategory", "u_symptom", "cmdb_ci", "impact", "urgency", "priority"),
    *("assignment_group", "assigned_to", "knowledge", "u_priority_confirmation", "notify"),
    *("problem_id", "rfc", "vendor", "caused_by", "closed_code", "resolved_by"),
    *("resolved_at", "closed_at"),
)
_TIMES = ("opened_at", "sys_created_at", "sys_updated_at", "resolved_at", "closed_at")
_UPDATED = COLUMNS.index("sys_updated_at")
_MOD_COUNT = COLUMNS.index("sys_mod_count")
_STATE = COLUMNS.index("incident_state")
_MISSING = "?"

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Version:
    """One incident after one update. Times are instance strings; '' = missing.

    `resolved_since` and `closed_since` are when the present run of Resolved-or-Closed, or Closed,
    states began; '' where the state is another one.
    """

    at: str
    mod_count: int
    values: tuple[str, ...]
    resolved_since: str
    closed_since: str

    @property
    def row(self) -> Row:
        """The cells by column name."""
        return dict(zip(COLUMNS, self.values, strict=True))


@dataclass(frozen=True)
class Log:
    """Every incident's versions, oldest first, by (time, sys_mod_count, position in the file)."""

    incidents: Mapping[str, Sequence[Version]]

    @cached_property
    def order(self) -> list[tuple[str, int, str, int]]:
        """(time, sys_mod_count, number, index within the incident) of all versions, as happened."""
        return sorted(
            (version.at, version.mod_count, number, index)
            for number, versions in self.incidents.items()
            for index, version in enumerate(versions)
        )

    def until(self, moment: str) -> Iterator[tuple[str, Sequence[Version]]]:
        """Each incident that exists at `moment` (instance string) with its versions so far."""
        for number, versions in self.incidents.items():
            count = bisect_right(versions, moment, key=lambda version: version.at)
            if count:
                yield number, versions[:count]

    def between(self, after: str, until: str) -> Iterator[tuple[str, int]]:
        """(number, index) of each version with after < time ≤ until, in the order of the log."""
        first = bisect_right(self.order, after, key=lambda entry: entry[0])
        last = bisect_right(self.order, until, key=lambda entry: entry[0])
        for _at, _mod_count, number, index in self.order[first:last]:
            yield number, index


def read_log(path: Path | None = None) -> Log:
    """The log in `path`: the zip, or the folder that holds it (default: beside the project).

    Kept in memory for the next call while the file stays the same. Raises ConfigError.
    """
    given = path or DEFAULT_PATH
    file = given / ZIP_NAME if given.is_dir() else given
    try:
        stat = file.stat()
    except OSError:
        _refuse(file, _("the UCI year is not there; give its place with --uci PATH"))
    return _read(file, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1)
def _read(file: Path, _size: int, _changed: int) -> Log:
    try:
        with zipfile.ZipFile(file) as archive:
            name = next((n for n in archive.namelist() if n.lower().endswith(".csv")), None)
            if name is None:
                _refuse(file, _("there is no CSV in this zip; download it again"))
            with archive.open(name) as raw:
                return _parse(file, io.TextIOWrapper(raw, "utf-8", newline=""))
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        UnicodeDecodeError,
        csv.Error,
        OSError,
    ) as error:
        raise ConfigError(
            str(file), [_("cut short or not the UCI zip; download it again")]
        ) from error


def _parse(file: Path, text: io.TextIOBase) -> Log:
    reader = csv.reader(text)
    header = next(reader, [])
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        _refuse(
            file, _("columns missing: {names}; download it again").format(names=", ".join(missing))
        )
    places = [header.index(column) for column in COLUMNS]
    pool: dict[str, str] = {}
    found: dict[str, list[tuple[str, int, int, tuple[str, ...]]]] = {}
    for position, cells in enumerate(reader):
        try:
            values = _cleaned(tuple(pool.setdefault(cells[p], cells[p]) for p in places))
            key = (_known(values[_UPDATED]), int(values[_MOD_COUNT]), position, values)
            found.setdefault(values[0], []).append(key)
        except (ValueError, IndexError):
            line = reader.line_num
            _refuse(file, _("line {line} cannot be read; download it again").format(line=line))
    return Log({number: _versions(rows) for number, rows in found.items()})


def _versions(rows: list[tuple[str, int, int, tuple[str, ...]]]) -> tuple[Version, ...]:
    versions = []
    resolved_since = closed_since = ""
    for at, mod_count, _position, values in sorted(rows, key=lambda row: row[:3]):
        state = values[_STATE]
        resolved_since = (resolved_since or at) if state in ("Resolved", "Closed") else ""
        closed_since = (closed_since or at) if state == "Closed" else ""
        versions.append(Version(at, mod_count, values, resolved_since, closed_since))
    return tuple(versions)


_TIME_PLACES = frozenset(COLUMNS.index(column) for column in _TIMES)


def _cleaned(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        "" if cell == _MISSING else _instant(cell) if place in _TIME_PLACES else cell
        for place, cell in enumerate(values)
    )


def _known(moment: str) -> str:
    """A moment that may not be missing. Raises ValueError."""
    if not moment:
        raise ValueError
    return moment


@cache
def _instant(text: str) -> str:
    """`5/3/2016 12:00` → `2016-03-05 12:00:00`. Raises ValueError."""
    day, clock = text.split(" ")
    d, m, y = (int(part) for part in day.split("/"))
    hour, minute = (int(part) for part in clock.split(":"))
    return format_instance(datetime(y, m, d, hour, minute, tzinfo=UTC))


def _refuse(file: Path, sentence: str) -> NoReturn:
    raise ConfigError(str(file), [sentence])
