"""Contacts written down in a CSV file: reading it as people save it, every fault with its line.

Knows the file, not the store: names of departments, companies and services are looked up by whoever
has them. The texts of a line (what it was about, what was promised) are checked and left where they
are: nothing of them is kept.
"""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from connector.journey.fields import CONTACT_TABLE
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.near import hint
from connector.messages import _

HEADS: dict[str, tuple[str, ...]] = {
    "date": ("fecha",),
    "department": ("departamento",),
    "company": ("empresa",),
    "service": ("servicio",),
    "touchpoint": ("punto de contacto", "contacto"),
    "summary": ("resumen",),
    "promise": ("promesa",),
    "promise_due": ("promesa para", "promised for", "prometido para"),
    "promise_kept": ("promesa cumplida", "cumplida", "kept"),
}
"""The columns of the file, and what else a Spanish or English person may call them."""

NEEDED = ("date", "touchpoint")
LONGEST = 255
_KEPT = {"yes": "yes", "sí": "yes", "si": "yes", "no": "no", "": ""}
_ISO = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})$")
_DAY_FIRST = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$")
_ENCODINGS = ("utf-8-sig", "cp1252")


@dataclass(frozen=True)
class Line:
    """One contact. `date` and `promise_due` as YYYY-MM-DD; `kept`: yes, no or ""; names as written.

    `number` is its line in the file, from 1.
    """

    number: int
    date: str
    department: str
    company: str
    service: str
    touchpoint: str
    promise_due: str
    kept: str


@dataclass(frozen=True)
class ContactFile:
    """What a file holds; `problems` are sentences with `file:line`."""

    lines: tuple[Line, ...]
    problems: tuple[str, ...]


def decode(content: bytes) -> str:
    """The text of a file as Excel or an editor saved it: UTF-8, UTF-16 or Windows' own.

    Raises ValueError if it is none of them.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    if b"\0" in content:
        raise ValueError(_("it is not text"))
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError(_("it is neither UTF-8 nor Windows-1252 text"))


def read_contacts(text: str, name: str, touchpoints: Mapping[str, Sequence[str]]) -> ContactFile:
    """Read a file; `touchpoints`: id → its names, of those that a contact may be. Never raises."""
    if not text.strip():
        return ContactFile((), (_("{file}: the file is empty").format(file=name),))
    try:
        rows = list(_rows(text))
    except csv.Error as error:
        return ContactFile((), (_("{file}: this is not CSV ({why})").format(file=name, why=error),))
    if not rows:
        return ContactFile((), (_("{file}: the file is empty").format(file=name),))
    (head_line, head), *body = rows
    columns, problems = _columns(head)
    problems = [f"{name}:{head_line}: {sentence}" for sentence in problems]
    if problems:
        return ContactFile((), tuple(problems))
    known = {word.casefold(): id_ for id_, names in touchpoints.items() for word in (id_, *names)}
    lines = []
    for number, cells in body:
        values, faults = _values(columns, cells)
        line, more = _line(number, values, known)
        problems += [f"{name}:{number}: {sentence}" for sentence in (*faults, *more)]
        lines.append(line)
    return ContactFile(() if problems else tuple(lines), tuple(problems))


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row that is not blank."""
    first = next(line for line in text.splitlines() if line.strip())
    delimiter = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield start, [cell.strip() for cell in cells]
        start = reader.line_num + 1


def _columns(head: Sequence[str]) -> tuple[list[str], list[str]]:
    """The columns by our names ("" for one without a head), and what is wrong with the heads."""
    known = {word: column for column, words in HEADS.items() for word in (column, *words)}
    columns, problems = [], []
    for cell in head:
        word = " ".join(cell.casefold().replace("_", " ").split())
        column = known.get(word) or known.get(word.replace(" ", "_"), "")
        if word and not column:
            problems.append(
                _("there is no column {name!r}{hint}").format(name=cell, hint=hint(word, known))
            )
        columns.append(column)
    for column, times in Counter(filter(None, columns)).items():
        if times > 1:
            problems.append(_("the column {name} stands twice").format(name=column))
    missing = [column for column in NEEDED if column not in columns]
    problems += [_("the column {name} is missing").format(name=column) for column in missing]
    return columns, problems


def _values(columns: Sequence[str], cells: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    extra = [cell for cell in cells[len(columns) :] if cell]
    faults = [_("there are more cells than columns; put quotes around a text")] if extra else []
    return dict.fromkeys(HEADS, "") | dict(zip(columns, cells, strict=False)), faults


def _line(
    number: int, values: Mapping[str, str], known: Mapping[str, str]
) -> tuple[Line, list[str]]:
    day, faults = _day(values["date"], is_needed=True)
    due, more = _day(values["promise_due"], is_needed=False)
    touchpoint = known.get(values["touchpoint"].casefold(), "")
    kept = _KEPT.get(values["promise_kept"].casefold())
    line = Line(
        number,
        day,
        values["department"],
        values["company"],
        values["service"],
        touchpoint,
        due,
        kept or "",
    )
    faults += more
    if not touchpoint:
        faults.append(_touchpoint_fault(values["touchpoint"], known))
    if kept is None:
        faults.append(
            _("promise_kept is {value!r}; write yes, no, or nothing").format(
                value=values["promise_kept"]
            )
        )
    return line, [*faults, *_more_faults(values)]


def _touchpoint_fault(written: str, known: Mapping[str, str]) -> str:
    if not written:
        return _("the touchpoint is missing; known are {known}").format(
            known=", ".join(sorted(set(known.values())))
        )
    return _("there is no touchpoint {name!r}{hint}; known are {known}").format(
        name=written,
        hint=hint(written.casefold(), known),
        known=", ".join(sorted(set(known.values()))),
    )


def _more_faults(values: Mapping[str, str]) -> Iterator[str]:
    if not (values["department"] or values["company"]):
        yield _("whose relationship? give a department or a company")
    for column in ("summary", "promise"):
        if len(values[column]) > LONGEST:
            yield _("{column} is longer than {n} characters; one line is enough").format(
                column=column, n=LONGEST
            )


def _day(text: str, *, is_needed: bool) -> tuple[str, list[str]]:
    """A day as YYYY-MM-DD, from that or from day/month/year."""
    if not text:
        return "", [_("the date is missing")] if is_needed else []
    parts = [int(p) for p in m.groups()] if (m := _ISO.match(text)) else []
    if not parts and (m := _DAY_FIRST.match(text)):
        parts = [int(p) for p in reversed(m.groups())]
    try:
        return date(*parts).isoformat(), []
    except (TypeError, ValueError):
        return "", [
            _("{text!r} is no date; write 2026-11-20 or 20/11/2026 (the day first)").format(
                text=text
            )
        ]


def contact_touchpoints(mapping: JourneyMapping) -> dict[str, tuple[str, str]]:
    """What a contact may be: the touchpoints that the rules for contacts name, with their names."""
    named = {rule.touchpoint for rule in mapping.rules_of(CONTACT_TABLE.name)} - {""}
    return {
        id_: (one.name.en, one.name.es) for id_, one in mapping.touchpoints.items() if id_ in named
    }


def keys_of(lines: Iterable[Line]) -> list[str]:
    """The id of each line: the same line has the same id, wherever it stands in the file.

    A promise that is kept later stays the same contact. Equal lines are counted apart. Begins with
    "csv": no id of the tool ever does.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    keys = []
    for line in lines:
        said = (line.date, line.department, line.company, line.service, line.touchpoint)
        parts = tuple(part.casefold() for part in said)
        seen[parts] += 1
        text = "\n".join((*parts, str(seen[parts])))
        keys.append("csv" + hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:29])
    return keys


TEMPLATES: dict[str, str] = {
    "en": (
        "date,department,company,service,touchpoint,summary,promise,promise_due,promise_kept\n"
        "2026-11-05,Finance,,E-mail,service_review,Quarterly review,A faster joiner form,"
        "2026-12-01,\n"
    ),
    "es": (
        "fecha;departamento;empresa;servicio;punto de contacto;resumen;promesa;promesa para;"
        "promesa cumplida\n"
        "05/11/2026;Finanzas;;Correo electrónico;Revisión del servicio;Revisión trimestral;"
        "Un formulario de alta más rápido;01/12/2026;\n"
    ),
}
"""A file to begin with, as it is usual in each language."""
