"""What a single value may be: zones, variables, tables, addresses. Each refusal is one sentence.

A validator never repeats a value that may hold a secret.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, Strict, ValidationInfo

from connector.config.cron import check_cron
from connector.messages import _


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?` for a near miss, else nothing."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return _("; did you mean {name}?").format(name=near[0]) if near else ""


def as_tuple(value: object) -> object:
    """TOML's list as the tuple that a frozen setting keeps."""
    return tuple(value) if isinstance(value, list) else value


def check_zone(name: str) -> str:
    """The name of a time zone. Raises ValueError with the near miss."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            _("{name!r} is no time zone; write it like Europe/Madrid{hint}").format(
                name=name, hint=did_you_mean(name, available_timezones())
            )
        ) from None
    return name


def _check_variable(name: str) -> str:
    # The value is not repeated: it may be the secret itself, put in the wrong place.
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
        raise ValueError(
            _("name an environment variable in capitals, like TRAVESIA_PASSWORD, not the secret")
        )
    return name


def check_table(name: str) -> str:
    """The name of a table, as it stands in queries and in paths. Raises ValueError."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,79}", name):
        raise ValueError(
            _("{name!r} is no table name; use the name (sc_task), not the label").format(name=name)
        )
    return name


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


_NEVER_WRITTEN = re.compile(r"sys_|task_sla$|contract_sla$|sysapproval_|asmt_|kb_|cmn_|core_")
"""Users, SLA rows, approvals, surveys, knowledge, the organisation: read, never written."""

_OURS = re.compile(r"u_journey(_|$)")


def written_problem(table: str) -> str:
    """Why the records of a table are not to show where they stand; "" if they may."""
    text = ""
    if _NEVER_WRITTEN.match(table):
        text = _("{table} is only ever read; take it out")
    elif _OURS.match(table):
        text = _("{table} is a table of ours, which is made anyway; take it out")
    elif table == "task":
        text = _("a column of {table} is on every table that extends it; name those you mean")
    return text.format(table=table)


def _check_report_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
        raise ValueError(
            _("{name!r} is no name of a report; use small letters, digits and hyphens").format(
                name=name
            )
        )
    return name


def _check_sys_id(text: str) -> str:
    if text and not re.fullmatch(r"[0-9a-f]{32}", text):
        raise ValueError(_("{text!r} is no sys_id; it has 32 hexadecimal digits").format(text=text))
    return text


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _split_url(text: str) -> SplitResult:
    """The parts of a URL; refuses one with a user or password, without repeating it."""
    if "@" in text:
        raise ValueError(_("a user or password in a URL ends up in logs; leave it out"))
    try:
        parts = urlsplit(text)
        _port = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(_("write a whole URL, like https://example.service-now.com"))
    return parts


def check_instance_url(text: str) -> str:
    """The address of an instance without a slash at its end; "" is none. Raises ValueError."""
    if not text:
        return text
    parts = _split_url(text)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(_("write only the address of the instance, with nothing after the host"))
    check_transport(parts)
    return f"{parts.scheme}://{parts.netloc}"


def check_transport(parts: SplitResult) -> None:
    """Refuse plain http beyond this machine. Raises ValueError."""
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError(_("use https: plain http is only for this machine (the sandbox)"))


def check_webhook_url(text: str) -> str:
    """The URL of an alert webhook (it comes from the environment). Raises ValueError."""
    check_transport(_split_url(text))
    return text


def _check_proxy(text: str) -> str:
    if text:
        _split_url(text)
    return text


_HOURS = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")


def _check_hours(text: str) -> str:
    if text and (not _HOURS.fullmatch(text) or text[:5] == text[6:]):
        raise ValueError(
            _("{text!r} are no hours; write them like 20:00-06:00, or leave them empty").format(
                text=text
            )
        )
    return text


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    """A relative path counts from the folder of the settings file."""
    folder: Path | None = (info.context or {}).get("folder")
    return folder / path if folder else path


Names = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
Tables = Annotated[
    tuple[Annotated[str, AfterValidator(check_table)], ...],
    BeforeValidator(as_tuple),
    Field(min_length=1),
    AfterValidator(_each_once),
]
ReportName = Annotated[str, AfterValidator(_check_report_name)]
SysId = Annotated[str, AfterValidator(_check_sys_id)]
Zone = Annotated[str, AfterValidator(check_zone)]
Variable = Annotated[str, AfterValidator(_check_variable)]
InstanceUrl = Annotated[str, AfterValidator(check_instance_url)]
Proxy = Annotated[str, AfterValidator(_check_proxy)]
File = Annotated[Path, Strict(False), AfterValidator(_beside_the_file)]
Hours = Annotated[str, AfterValidator(_check_hours)]
Cron = Annotated[str, AfterValidator(check_cron)]
