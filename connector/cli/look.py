"""`explain` and `status`: looking at what is known. They wait for nobody's sync."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from connector import reporting, services
from connector.cli.explain_view import show_explanation
from connector.cli.options import AsJson, examples
from connector.cli.output import bullet, print_json
from connector.cli.session import session_of
from connector.cli.shape import TO_LOOK, command
from connector.cli.status_view import show_status, status_as_data
from connector.in_force import shown
from connector.messages import _
from connector.scheduler import next_times

app = typer.Typer()


@command(
    app,
    TO_LOOK,
    _(
        "Tell why a record stands where it stands on the journey.\n\n"
        "The rule that decided and the values it saw, what almost matched, and where the record "
        "was before; as of the last finished run."
    ),
    examples(("travesia explain INC0002475", _("the whole story of one record"))),
)
def explain(
    context: typer.Context,
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help=_("The record's number, as people say it."))
    ],
    as_json: AsJson = False,
) -> None:
    """Parse, explain, show."""
    config = session_of(context).config()
    configured = services.mapping_of(config)
    mapping = services.mapping_in_force(config, configured)
    found = services.explain(config, mapping, number)
    if as_json:
        print_json(found)
        return
    show_explanation(found, mapping, shown(config, mapping))
    if mapping != configured:
        bullet("warn", _("The mapping in the settings is another one and waits"), "travesia plan")


@command(
    app,
    TO_LOOK,
    _(
        "Show what runs, what ran, and what was set aside.\n\n"
        "It may be asked at any time, also while a run is at work, and never asks the instance."
    ),
    examples(
        ("travesia status", _("for a person")),
        ("travesia status --json", _("for monitoring")),
    ),
)
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Collect, show."""
    config = session_of(context).config()
    found = services.status(config)
    waiting = reporting.publications_of(config).listed()
    following = next_times(config, datetime.now(UTC))
    if as_json:
        print_json(status_as_data(found, following, waiting))
    else:
        show_status(found, following, config.schedule_zone, waiting)
