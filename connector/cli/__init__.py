"""The `travesia` command. Its door is `main`: errors leave as a sentence and an exit code."""

import sys
import traceback
from collections.abc import Sequence

import typer
from rich.text import Text

from connector.cli.app import app
from connector.cli.session import UsageError, console
from connector.cli.shape import refusal
from connector.errors import ConnectorError, InterruptedRunError
from connector.messages import _
from connector.wording import os_reason


def main() -> None:
    """Run the command line of this process, and end it with the exit code."""
    sys.exit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """Run one command line; answers the exit code (0, or that of the error's class)."""
    try:
        answer = app(list(words), prog_name="travesia", standalone_mode=False)
    except Exception as error:  # noqa: BLE001 - the last door: a sentence, not a stack
        if "--traceback" in words:
            traceback.print_exception(error)
        return _tell(error)
    return answer if isinstance(answer, int) else 0


def _tell(error: Exception) -> int:
    """Say the error on stderr; answers its exit code."""
    if type(error).__name__ == "NoArgsIsHelpError":  # the help was shown already
        return UsageError.exit_code
    sentence, code = _sentence(error)
    head = _("Error")
    text = Text.assemble((f"{head}: ", "bold red"), sentence)
    console(stderr=True).print(text, soft_wrap=True)
    return code


def _sentence(error: Exception) -> tuple[str, int]:
    match error:
        case ConnectorError():
            return str(error), error.exit_code
        case typer.TyperException():
            return refusal(error), UsageError.exit_code
        case typer.Abort():
            return _("stopped"), InterruptedRunError.exit_code
        case OSError():
            name = f"{error.filename}: " if error.filename else ""
            return f"{name}{os_reason(error)}", ConnectorError.exit_code
    return (
        _("this is a fault of Travesía ({kind}), please report it; --traceback shows where").format(
            kind=type(error).__name__
        ),
        ConnectorError.exit_code,
    )
