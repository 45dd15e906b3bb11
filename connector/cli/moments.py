"""`moments`: what became of the moments of truth, and what can still be turned."""

from typing import Annotated

import typer

from connector import moment_desk, services
from connector.cli.moments_view import show_open, show_overview, show_record
from connector.cli.options import AsJson, examples, flag
from connector.cli.output import print_json
from connector.cli.session import UsageError, session_of
from connector.cli.shape import TO_LOOK, command
from connector.messages import _

app = typer.Typer()


@command(
    app,
    TO_LOOK,
    _(
        "Show what became of the moments of truth.\n\n"
        "How often each went well or wrong, on the records of each priority; the watermelons "
        "(every time kept, and the person is not content) first. With --open: what can still be "
        "turned, how long, and by what."
    ),
    examples(
        ("travesia moments", _("all of them")),
        ("travesia moments --open", _("what can still be turned")),
        ("travesia moments --moment M08", _("one moment, and where it went wrong")),
        ("travesia moments --record INC0002475", _("those of one record")),
    ),
)
def moments(
    context: typer.Context,
    only_open: Annotated[
        bool, flag("--open", text=_("Those whose window still runs, the most urgent first."))
    ] = False,
    record: Annotated[
        str | None, typer.Option(metavar="NUMBER", help=_("Those of one record."))
    ] = None,
    moment: Annotated[
        str | None, typer.Option(metavar="ID", help=_("One moment of truth, like M08."))
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Parse, look, show."""
    if record is not None and (only_open or moment is not None):
        raise UsageError(_("--record stands alone: it shows all moments of that record"))
    config = session_of(context).config()
    mapping = services.mapping_of(config)
    zone = config.instance.time_zone
    if record is not None:
        of_record = moment_desk.of_record(config, mapping, record)
        print_json(of_record) if as_json else show_record(of_record, zone)
    elif only_open:
        listed = moment_desk.open_moments(config, mapping, moment)
        print_json(listed) if as_json else show_open(listed, zone)
    else:
        found = moment_desk.overview(config, mapping, moment)
        print_json(found) if as_json else show_overview(found, zone)
