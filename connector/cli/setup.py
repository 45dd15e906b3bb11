"""`init`: from nothing to a settings file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.options import examples, flag, one_of
from connector.cli.output import bullet, say
from connector.cli.session import UsageError, session_of
from connector.cli.shape import TO_BEGIN, command
from connector.config import (
    DEFAULT_NAME,
    check_instance_url,
    check_zone,
    config_path,
)
from connector.errors import ConfigError
from connector.messages import LANGUAGES, _, current_language

app = typer.Typer()

EXAMPLE_URL = "https://example.service-now.com"
LOGINS = ("basic", "oauth_client_credentials")
SECRETS = {"basic": "TRAVESIA_PASSWORD", "oauth_client_credentials": "TRAVESIA_CLIENT_SECRET"}


@command(
    app,
    TO_BEGIN,
    _(
        "Write a small settings file: five questions, ten lines.\n\n"
        "What is given as an option is not asked. A file that exists is never overwritten, and "
        "the password is never asked: it stays in your environment."
    ),
    examples(
        ("travesia init", _("answer five questions")),
        ("travesia init --url http://127.0.0.1:8080 --yes", _("for the sandbox")),
    ),
)
def init(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help=_("The address of the instance."))
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            parser=one_of(*LOGINS),
            help=_("How to log in: basic or oauth_client_credentials."),
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=_("The integration's user, or the OAuth client's id.")),
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help=_("The instance's time zone."))
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            metavar="es|en", parser=one_of(*LANGUAGES), help=_("The language of texts on tickets.")
        ),
    ] = None,
    yes: Annotated[bool, flag("--yes", "-y", text=_("Ask nothing: take the defaults."))] = False,
) -> None:
    """Ask what is not given, write the file, say what comes next."""
    session = session_of(context)
    path = config_path(session.path, session.environment)
    _refuse_existing(path)
    ask = _default_of if yes else _ask
    url = ask(_("Address of the instance"), url, EXAMPLE_URL, _address)
    auth = ask(_("Log in by basic or oauth_client_credentials"), auth, "basic", one_of(*LOGINS))
    who = _("User of the integration") if auth == "basic" else _("Id of the OAuth client")
    user = ask(who, user, "travesia.integration", _something)
    time_zone = ask(_("Time zone of the instance"), time_zone, "UTC", check_zone)
    language = ask(
        _("Language of the texts on tickets, es or en"),
        language,
        current_language(),
        one_of(*LANGUAGES),
    )
    _write(path, _settings(url, auth, user, time_zone, language))
    _say_what_next(path, SECRETS[auth])


Check = Callable[[str], str]


def _something(text: str) -> str:
    if not text.strip():
        raise ValueError(_("an answer is needed"))
    return text.strip()


def _address(text: str) -> str:
    return check_instance_url(_something(text))


def _default_of(_question: str, given: str | None, default: str, check: Check) -> str:
    return _checked(default if given is None else given, check)


def _ask(question: str, given: str | None, default: str, check: Check) -> str:
    """What was given, else the answer of a person, asked again until it fits."""
    if given is not None:
        return _checked(given, check)
    while True:
        try:
            answer = typer.prompt(question, default=default, err=True)
        except (typer.Abort, EOFError) as error:
            raise UsageError(
                _("No answer came; give the answers as options, or --yes for the defaults")
            ) from error
        try:
            return _checked(answer, check)
        except UsageError as refusal:
            typer.echo(str(refusal), err=True)


def _checked(answer: str, check: Check) -> str:
    try:
        return check(answer)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _settings(url: str, auth: str, user: str, time_zone: str, language: str) -> str:
    login = {"user": user, "password_env": SECRETS[auth]}
    if auth != "basic":
        login = {"auth": auth, "client_id": user, "client_secret_env": SECRETS[auth]}
    instance = {"url": url, **login, "time_zone": time_zone}
    lines = [
        "# " + _("Every other setting and its default: config.example.toml"),
        "[instance]",
        *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in instance.items()),
        "[mapping]",
        f'language = "{language}"',
        "[write_back]",
        "enabled = false",
    ]
    return "\n".join(lines) + "\n"


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise ConfigError(
            str(path), [_("the file exists and stays as it is; name another by --config")]
        )


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(
            str(path), [_("cannot write it: {reason}").format(reason=error.strerror)]
        ) from error


def _say_what_next(path: Path, variable: str) -> None:
    option = "" if path.name == DEFAULT_NAME else f" --config {path}"
    bullet("ok", _("{path} is written.").format(path=path))
    steps = (
        (f"export {variable}=…", _("the secret, only in your environment")),
        (f"travesia check{option}", _("does the instance answer, does the mapping fit it?")),
        (f"travesia provision{option}", _("what our columns need, before it is made")),
        (f"travesia sync --dry-run{option}", _("what would be written")),
    )
    width = max(len(line) for line, _purpose in steps)
    for line, purpose in steps:
        say(f"  {line:<{width}}  {purpose}")
