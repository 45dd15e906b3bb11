"""How the command line is shaped: global options anywhere, help and refusals in two languages.

typer's context type is private to it, hence the `Any` where its methods are overridden.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import typer
import typer.rich_utils
from typer.core import TyperCommand, TyperGroup

from connector.cli.session import UsageError
from connector.config import did_you_mean
from connector.messages import _

FLAGS = frozenset({"--verbose", "-v", "--quiet", "-q", "--traceback"})
VALUED = frozenset({"--config", "-c"})
Function = TypeVar("Function", bound=Callable[..., Any])
_EXTRA = re.compile(r"unexpected extra argument\S* \((.*)\)")


def speak() -> None:
    """Set typer's fixed words in the reader's language: they are the constants it offers."""
    words = typer.rich_utils
    words.ARGUMENTS_PANEL_TITLE = _("Arguments")
    words.OPTIONS_PANEL_TITLE = _("Options")
    words.COMMANDS_PANEL_TITLE = _("Commands")
    words.DEFAULT_STRING = _("[default: {}]")
    words.REQUIRED_LONG_STRING = _("[required]")


def global_first(words: Sequence[str]) -> list[str]:
    """The global options moved to the front, so that they may stand anywhere before a `--`."""
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if word == "--":
            rest += [word, *remaining]
        elif word in VALUED:
            front += [word, *(value for value in [next(remaining, None)] if value is not None)]
        elif word in FLAGS or word.startswith("--config="):
            front.append(word)
        else:
            rest.append(word)
    return front + rest


class Command(TyperCommand):
    """A command whose help speaks the reader's language."""

    def get_usage(self, ctx: Any) -> str:
        """The usage line."""
        return _translated_usage(super().get_usage(ctx))

    def get_help_option(self, ctx: Any) -> Any:
        """--help, described in the reader's language."""
        return _translated_help(super().get_help_option(ctx))


class Group(TyperGroup):
    """The top: knows the global options wherever they stand, and the near miss of a command."""

    def get_usage(self, ctx: Any) -> str:
        """The usage line."""
        return _translated_usage(super().get_usage(ctx))

    def get_help_option(self, ctx: Any) -> Any:
        """--help, described in the reader's language."""
        return _translated_help(super().get_help_option(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the global options first."""
        return super().parse_args(ctx, global_first(args))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command of that name. Raises UsageError."""
        name = args[0]
        if not name.startswith("-") and name not in self.commands:
            raise UsageError(
                _("There is no command {name!r}{hint}").format(
                    name=name, hint=did_you_mean(name, self.commands) or _("; see travesia --help")
                )
            )
        return super().resolve_command(ctx, args)


def _translated_usage(usage: str) -> str:
    return usage.replace("Usage:", _("Usage:"), 1)


def _translated_help(option: Any) -> Any:
    if option is not None:
        option.help = _("Show this help and leave.")
        option.metavar = ""
    return option


def refusal(error: typer.TyperException) -> str:
    """typer's refusal of a command line as one sentence of ours."""
    kind = type(error).__name__
    option = getattr(error, "option_name", "")
    hint = getattr(error, "param", None)
    name = hint.get_error_hint() if hint is not None else ""
    if kind == "NoSuchOption":
        known = getattr(error, "possibilities", None) or []
        return _("There is no option {name}{hint}").format(
            name=option, hint=did_you_mean(option, known) or _("; see --help")
        )
    if kind == "MissingParameter":
        return _("{name} is missing; see --help").format(name=name)
    if kind == "BadOptionUsage":
        return _("{name} does not fit: does it need a value?").format(name=option)
    if extra := _EXTRA.search(error.format_message()):
        return _("Nothing was expected here: {words}").format(words=extra[1])
    return error.format_message()


TO_BEGIN = _("To begin")
EVERY_DAY = _("Every day")
TO_LOOK = _("To look")
MAPPING = _("To own the mapping")


def group(app: typer.Typer, name: str, panel: str, text: str, foot: str) -> typer.Typer:
    """A command that has commands of its own (`travesia name …`)."""
    made = typer.Typer(
        cls=Group,
        no_args_is_help=True,
        options_metavar=_("[OPTIONS]"),
        subcommand_metavar=_("COMMAND …"),
    )
    app.add_typer(made, name=name, help=text, epilog=foot, rich_help_panel=panel)
    return made


def command(
    app: typer.Typer, panel: str, text: str, foot: str, name: str | None = None
) -> Callable[[Function], Function]:
    """Register a function as a command under a panel, with its help and the examples below it."""
    return app.command(
        name,
        cls=Command,
        rich_help_panel=panel or None,
        help=text,
        epilog=foot,
        options_metavar=_("[OPTIONS]"),
    )
