"""Reading the settings file: every problem in one error, with line and near miss."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from connector.config.settings import DEFAULT_NAME, Config
from connector.config.values import did_you_mean, written_problem
from connector.errors import ConfigError
from connector.messages import _
from connector.wording import os_reason

_SECRET_KEY = re.compile(r"pass(word|wd|phrase)|secret|token|api_?key|credential", re.IGNORECASE)
_HEADER = re.compile(r"^\s*\[\s*([\w-]+)\s*\]")
_KEY = re.compile(r"^\s*\"?([\w-]+)\"?\s*=")
_TOML_PLACE = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)

Location = tuple[str, ...]


class Problem(NamedTuple):
    """One fault: where (section, key) and the sentence."""

    where: Location
    sentence: str


def config_path(path: Path | None, environment: Mapping[str, str]) -> Path:
    """The file to read: the one named, else `TRAVESIA_CONFIG`, else `travesia.toml` here."""
    return path or Path(environment.get("TRAVESIA_CONFIG") or DEFAULT_NAME)


def load_config(path: Path | None, environment: Mapping[str, str]) -> Config:
    """Read and validate the settings; relative paths count from the file's folder.

    Secrets are not read here. Raises ConfigError with every problem of the file.
    """
    path = config_path(path, environment)
    text = _read(path)
    data = _written_as_read(_parse(str(path), text))
    problems = list(_cross_problems(data))
    try:
        # Absent sections too are read from here, so that their default paths count from the folder.
        whole = {section: {} for section in Config.model_fields} | data
        config = Config.model_validate(whole, context={"folder": path.parent})
    except ValidationError as error:
        problems += [Problem(_place(detail), _sentence(detail)) for detail in error.errors()]
    if problems:
        raise ConfigError(str(path), _in_order(problems, text))
    return config.from_file(str(path))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        problem = _("there is no such settings file; run `travesia init`, or name one by --config")
    except UnicodeDecodeError:
        problem = _("the file is not UTF-8 text; save it as UTF-8")
    except OSError as error:
        problem = _("cannot read the settings file: {reason}").format(reason=os_reason(error))
    raise ConfigError(str(path), [problem])


def _parse(source: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _TOML_PLACE.match(str(error))
        reason, line, column = match.groups() if match else (str(error), None, None)
        problem = _("line {line}, column {column}: this is not TOML ({reason})").format(
            line=line or len(text.splitlines()), column=column or 1, reason=reason
        )
        raise ConfigError(source, [problem]) from error
    except RecursionError as error:
        raise ConfigError(source, [_("it is nested too deeply")]) from error


def _in_order(problems: list[Problem], text: str) -> list[str]:
    """The sentences with their lines, in the order of the file; without a line last."""
    lines = _lines(text)
    numbered = sorted(
        ((_line_of(problem.where, lines), problem) for problem in problems),
        key=lambda pair: (pair[0] or 1_000_000, pair[1].where),
    )
    return [_told(line, problem) for line, problem in numbered]


def _told(line: int | None, problem: Problem) -> str:
    section, *keys = problem.where
    where = " ".join([f"[{section}]", *keys[:1]])
    if line is None:
        return f"{where}: {problem.sentence}"
    return _("line {line}, {where}: {sentence}").format(
        line=line, where=where, sentence=problem.sentence
    )


def _lines(text: str) -> dict[Location, int]:
    """(section,) and (section, key) → line, for the plain way of writing TOML."""
    lines: dict[Location, int] = {}
    section: Location = ()
    for number, line in enumerate(text.splitlines(), 1):
        if match := _HEADER.match(line):
            section = (match[1],)
            lines.setdefault(section, number)
        elif match := _KEY.match(line):
            lines.setdefault((*section, match[1]), number)
    return lines


def _line_of(where: Location, lines: dict[Location, int]) -> int | None:
    return lines.get(where[:2]) or lines.get(where[:1])


def _place(detail: ErrorDetails) -> Location:
    return tuple(str(part) for part in detail["loc"])


def _section_fields(section: str) -> dict[str, FieldInfo]:
    field = Config.model_fields.get(section)
    model = field.annotation if field else None
    if isinstance(model, type) and issubclass(model, BaseModel):
        return model.model_fields
    return {}


def _sentence(detail: ErrorDetails) -> str:
    """pydantic's finding as our sentence; the value is repeated only where it can be no secret."""
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return _unknown(_place(detail))
        case "value_error":
            return str(context["error"])
        case "literal_error":
            return _("{value!r} is not one of {choices}{hint}").format(
                value=detail["input"],
                choices=str(context["expected"]).replace(" or ", ", "),
                hint=did_you_mean(
                    str(detail["input"]), re.findall(r"'(\w+)'", context["expected"])
                ),
            )
        case "greater_than_equal" | "less_than_equal":
            return _out_of_range(_place(detail), detail["input"])
        case "too_short":
            return _("the list is empty; name at least one")
    return _wrong_type(detail["type"])


def _wrong_type(kind: str) -> str:
    expected = {
        "int_type": _("expected a whole number, like 10"),
        "bool_type": _("expected true or false"),
        "string_type": _('expected a text in quotes, like "incident"'),
        "path_type": _('expected a path in quotes, like "reports"'),
        "tuple_type": _('expected a list, like ["incident", "sc_task"]'),
        "model_type": _("expected a section, like [instance] on a line of its own"),
    }
    return expected.get(kind, _("the value has the wrong type; see config.example.toml"))


def _out_of_range(where: Location, value: object) -> str:
    field = _section_fields(where[0])[where[1]]
    bounds = {type(rule).__name__: rule for rule in field.metadata}
    return _("{value} is out of range; it goes from {low} to {high}").format(
        value=value, low=bounds["Ge"].ge, high=bounds["Le"].le
    )


def _unknown(where: Location) -> str:
    if _SECRET_KEY.search(where[-1]):
        secret = _secret_like(where[-1])
        return _(
            "secrets never stand in this file: put it in the environment variable {variable} "
            "(or another that {secret}_env names), or in a file that {secret}_file names"
        ).format(variable=f"TRAVESIA_{secret.upper()}", secret=secret)
    if len(where) == 1:
        hint = did_you_mean(where[0], Config.model_fields)
        return _("there is no such section{hint}").format(hint=hint or _home_of(where[0]))
    hint = did_you_mean(where[1], _section_fields(where[0])) or _home_of(where[1])
    return _("there is no such setting{hint}").format(hint=hint)


def _secret_like(key: str) -> str:
    """The secret that a key means; the password where nothing says more."""
    likely = {"client": "client_secret", "refresh": "refresh_token", "api_": "api_key"}
    return next((secret for part, secret in likely.items() if part in key.lower()), "password")


def _home_of(key: str) -> str:
    for section in Config.model_fields:
        if key in _section_fields(section):
            return _("; it belongs to [{section}]").format(section=section)
    return ""


def _report_problems(report: dict[str, Any]) -> Iterator[Problem]:
    deliver = report.get("deliver")
    if isinstance(deliver, list) and "article" in deliver and not report.get("knowledge_base"):
        yield Problem(
            ("report", "knowledge_base"),
            _("an article needs a knowledge base: give its sys_id"),
        )
    also = report.get("also")
    names = (
        [one.get("name") for one in also if isinstance(one, dict)] if isinstance(also, list) else []
    )
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        yield Problem(("report", "also"), _("two reports are called {name!r}").format(name=name))
    yield from _mail_problems(report.get("mail"))


def _mail_problems(mail: Any) -> Iterator[Problem]:
    lines = [one for one in mail if isinstance(one, dict)] if isinstance(mail, list) else []
    languages = [str(one.get("language")) for one in lines]
    for language in dict.fromkeys(n for n in languages if languages.count(n) > 1):
        text = _("two mails for {language!r}; name all groups and users in one")
        yield Problem(("report", "mail"), text.format(language=language))
    for one in lines:
        if not one.get("groups") and not one.get("users"):
            yield Problem(("report", "mail"), _("nobody is named; give groups or users by sys_id"))


def _cross_problems(data: dict[str, Any]) -> Iterator[Problem]:
    """What only shows between settings; on the raw data, so that one fault hides no other."""
    if isinstance(data.get("report"), dict):
        yield from _report_problems(data["report"])
    instance = data.get("instance")
    if isinstance(instance, dict):
        yield from _login_problems(instance)
    written = _names(data, "write_back")
    read = _names(data, "extract")
    for table in written:
        if problem := written_problem(table):
            yield Problem(("write_back", "tables"), problem)
        elif table not in read:
            sentence = _("{table} is written but not read; add it to [extract] tables")
            yield Problem(("write_back", "tables"), sentence.format(table=table))


def _written_as_read(data: dict[str, Any]) -> dict[str, Any]:
    """Who reads fewer tables and does not say which to write writes those of them by default."""
    extracted, written = data.get("extract"), data.get("write_back", {})
    if not isinstance(extracted, dict) or not isinstance(written, dict) or "tables" in written:
        return data
    read = _names(data, "extract")
    tables = [table for table in Config().write_back.tables if table in read]
    return {**data, "write_back": {**written, "tables": tables}} if tables else data


def _names(data: dict[str, Any], section: str) -> list[str]:
    settings = data.get(section)
    default = getattr(Config(), section).tables
    names = settings.get("tables", default) if isinstance(settings, dict) else default
    return list(dict.fromkeys(n for n in names if isinstance(n, str))) if names else []


def _login_problems(instance: dict[str, Any]) -> Iterator[Problem]:
    needed = {
        "url": _('which instance? write url = "https://example.service-now.com"'),
        "user": _('whose login? write user = "travesia.integration"'),
        "client_id": _("which OAuth client? write client_id as the instance shows it"),
        "jwt_key_file": _("which key signs? write jwt_key_file, the path of a PEM file"),
        "client_certificate": _("which certificate? write client_certificate, a PEM file"),
        "client_key": _("which key? write client_key, the PEM file of the certificate's key"),
    }
    auth = instance.get("auth", "basic")
    for key in ("url", *(_NEEDED.get(auth, ()) if isinstance(auth, str) else ())):
        if not instance.get(key):
            yield Problem(("instance", key), needed[key])


_NEEDED = {
    "basic": ("user",),
    "oauth_client_credentials": ("client_id",),
    "oauth_password": ("user", "client_id"),
    "oauth_refresh_token": ("client_id",),
    "oauth_jwt": ("user", "client_id", "jwt_key_file"),
    "mutual_tls": ("client_certificate", "client_key"),
}
"""What each login needs of the file itself; secrets come from elsewhere."""
