"""The command line as a whole: the global options, and every command in its place."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from connector.cli import (
    check,
    contacts,
    engagement,
    export,
    look,
    mappings,
    moments,
    plan,
    provision,
    reports,
    sandbox,
    serve,
    setup,
    sync,
)
from connector.cli.options import examples, flag
from connector.cli.session import Session, UsageError, Verbosity
from connector.cli.shape import Group, speak
from connector.messages import _

speak()

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a stack with local variables could show a secret
    rich_markup_mode="rich",
    options_metavar=_("[OPTIONS]"),
    subcommand_metavar=_("COMMAND …"),
    epilog=examples(
        ("travesia sandbox", _("an instance on this machine to try it on")),
        ("travesia init", _("settings: five questions")),
        ("travesia sync --dry-run", _("what would be written")),
        ("travesia explain INC0002475", _("why a ticket stands where it does")),
    ),
)
for commands in (
    setup,
    check,
    provision,
    sandbox,
    sync,
    serve,
    reports,
    look,
    moments,
    engagement,
    plan,
    mappings,
    contacts,
    export,
):
    app.add_typer(commands.app)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"travesia {version('travesia')}")
        raise typer.Exit


@app.callback(
    help=_(
        "Travesía places every ITSM record on a customer journey and writes it back, so that "
        "people see it inside the tool.\n\n"
        "The options below may stand before or after the command."
    )
)
def begin(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            help=_("The settings. Default: TRAVESIA_CONFIG, else travesia.toml here."),
        ),
    ] = None,
    verbose: Annotated[
        bool, flag("--verbose", "-v", text=_("Log every step instead of showing bars."))
    ] = False,
    quiet: Annotated[bool, flag("--quiet", "-q", text=_("Say only what went wrong."))] = False,
    traceback: Annotated[  # noqa: ARG001 - read by main, which also meets errors in this parsing
        bool, flag("--traceback", text=_("Show where in the code an error arose."))
    ] = False,
    version_: Annotated[  # noqa: ARG001 - eager: it has answered before we are called
        bool,
        typer.Option(
            "--version",
            callback=_say_version,
            is_eager=True,
            metavar="",
            help=_("Say the version and leave."),
        ),
    ] = False,
) -> None:
    """Open the session that the command finds in its context."""
    if verbose and quiet:
        raise UsageError(_("--verbose and --quiet contradict each other: choose one"))
    verbosity: Verbosity = "verbose" if verbose else "quiet" if quiet else "normal"
    context.obj = Session(config, verbosity)
