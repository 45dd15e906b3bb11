"""`init`: from nothing to a settings file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from connector.cli.logins import LOGINS, QUESTIONS, preparations, secret_settings
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
from connector.wording import os_reason

app = typer.Typer()

EXAMPLE_URL = "https://example.service-now.com"


@command(
    app,
    TO_BEGIN,
    _(
        "Write a small settings file: some five questions, ten lines.\n\n"
        "What is given as an option is not asked. A file that exists is never overwritten, and "
        "no secret is ever asked: secrets stay in your environment, or in files of their own."
    ),
    examples(
        ("travesia init", _("answer some questions")),
        ("travesia init --url http://127.0.0.1:8080 --yes", _("for the sandbox")),
        ("travesia init --auth oauth_jwt", _("another login")),
    ),
)
def init(  # noqa: PLR0913, PLR0917 - one for each option
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help=_("The address of the instance."))
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            parser=one_of(*LOGINS),
            help=_(
                "How to log in: basic, oauth_client_credentials, oauth_password,"
                " oauth_refresh_token, oauth_jwt, api_key or mutual_tls."
            ),
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=_("The integration's user, or the OAuth client's id.")),
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(metavar="ID", help=_("The OAuth client's id."))
    ] = None,
    jwt_key_file: Annotated[
        str | None, typer.Option(metavar="FILE", help=_("The private key of oauth_jwt."))
    ] = None,
    client_certificate: Annotated[
        str | None, typer.Option(metavar="FILE", help=_("The certificate of mutual_tls."))
    ] = None,
    client_key: Annotated[
        str | None, typer.Option(metavar="FILE", help=_("The private key of that certificate."))
    ] = None,
    secret_files: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help=_("The folder with a file for each secret, instead of environment variables."),
        ),
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
    auth = ask(_("Log in by {kinds}").format(kinds=_listed()), auth, "basic", one_of(*LOGINS))
    given = {
        "user": user,
        "client_id": client_id,
        "jwt_key_file": jwt_key_file,
        "client_certificate": client_certificate,
        "client_key": client_key,
    }
    login = _answers(ask, auth, given)
    time_zone = ask(_("Time zone of the instance"), time_zone, "UTC", check_zone)
    language = ask(
        _("Language of the texts on tickets, es or en"),
        language,
        current_language(),
        one_of(*LANGUAGES),
    )
    secrets = secret_settings(LOGINS[auth], secret_files)
    instance = {"url": url, "auth": auth, **login, **secrets, "time_zone": time_zone}
    _write(path, _settings(instance, language))
    _say_what_next(path, preparations(LOGINS[auth], login, secret_files))


def _listed() -> str:
    return ", ".join(LOGINS)


Check = Callable[[str], str]
Ask = Callable[[str, str | None, str, Check], str]


def _answers(ask: Ask, auth: str, given: dict[str, str | None]) -> dict[str, str]:
    """What this login needs beside its secrets, asked for where it is not given."""
    wanted = LOGINS[auth].asks
    if "client_id" in wanted and "user" not in wanted and given["client_id"] is None:
        given = {**given, "client_id": given["user"], "user": None}
    for name, value in given.items():
        if value is not None and name not in wanted:
            option = "--" + name.replace("_", "-")
            raise UsageError(
                _("{option} does not go with --auth {auth}; leave it out").format(
                    option=option, auth=auth
                )
            )
    return {
        name: ask(_(QUESTIONS[name].text), given[name], QUESTIONS[name].default, _something)
        for name in wanted
    }


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


def _settings(instance: dict[str, str], language: str) -> str:
    if instance["auth"] == "basic":
        instance = {key: value for key, value in instance.items() if key != "auth"}
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
            str(path), [_("cannot write it: {reason}").format(reason=os_reason(error))]
        ) from error


def _say_what_next(path: Path, first: list[tuple[str, str]]) -> None:
    option = "" if path.name == DEFAULT_NAME else f" --config {path}"
    bullet("ok", _("{path} is written.").format(path=path))
    steps = (
        *first,
        (f"travesia check{option}", _("does the instance answer, does the mapping fit it?")),
        (f"travesia provision{option}", _("what our columns need, before it is made")),
        (f"travesia sync --dry-run{option}", _("what would be written")),
    )
    width = max(len(line) for line, _purpose in steps)
    for line, purpose in steps:
        say(f"  {line:<{width}}  {purpose}")
