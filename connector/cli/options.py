"""The options that commands share, and how their values are read."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from connector.cli.session import UsageError
from connector.config import did_you_mean
from connector.messages import _


def flag(*names: str, text: str) -> Any:
    """A switch; without the `<bool>` that typer would show beside it."""
    return typer.Option(*names, help=text, metavar="", show_default=False)


AsJson = Annotated[bool, flag("--json", text=_("Answer as one JSON document, for programs."))]


def number(low: int, high: int) -> Callable[[object], int]:
    """A reader of whole numbers in a range. Raises UsageError."""

    def read(given: object) -> int:
        text = str(given)  # typer sends the default through here as well, and that is a number
        if text.isascii() and text.isdigit() and low <= int(text) <= high:
            return int(text)
        raise UsageError(
            _("{text!r} is no whole number from {low} to {high}").format(
                text=text, low=low, high=high
            )
        )

    return read


def one_of(*choices: str) -> Callable[[str], str]:
    """A reader of one of a few words. Raises UsageError with the near miss."""

    def read(text: str) -> str:
        if text in choices:
            return text
        raise UsageError(
            _("{text!r} is not one of {choices}{hint}").format(
                text=text, choices=", ".join(choices), hint=did_you_mean(text, choices)
            )
        )

    return read


def when(read: Callable[[], datetime]) -> datetime:
    """A time that the user wrote, its refusal as a usage error."""
    try:
        return read()
    except OverflowError as error:
        raise UsageError(_("this date is too far away")) from error
    except ValueError as error:
        raise UsageError(str(error)) from error


def examples(*pairs: tuple[str, str]) -> str:
    """The examples at the foot of a help page: command, and what it is for."""
    width = max(len(command) for command, _purpose in pairs)
    # The indent stands inside the markup: before it, typer would take it away.
    lines = [f"[bold]  {command:<{width}}[/]  [dim]{purpose}[/]" for command, purpose in pairs]
    return "\n".join([_("Examples:"), *lines])


def several(values: Sequence[str] | None, default: Sequence[str]) -> tuple[str, ...]:
    """What was given (once each, in order), else the default."""
    return tuple(dict.fromkeys(values)) if values else tuple(default)
