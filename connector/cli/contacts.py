"""`contacts`: what no tool records, from a file that people keep."""

from pathlib import Path
from typing import Annotated

import typer

from connector import services, workbench
from connector.cli.options import AsJson, examples, one_of
from connector.cli.output import bullet, print_json
from connector.cli.session import session_of
from connector.cli.shape import EVERY_DAY, command, group
from connector.journey.contacts import TEMPLATES
from connector.messages import LANGUAGES, _, current_language

app = typer.Typer()
contacts = group(
    app,
    "contacts",
    EVERY_DAY,
    _("Contacts that no tool records: meetings, reviews, what was promised."),
    examples(("travesia contacts import contacts.csv", _("take them over"))),
)


@command(
    contacts,
    "",
    _(
        "Read contacts from a CSV file.\n\n"
        "The file is the truth: a line that is gone takes its contact away. A file with a fault is "
        "refused whole, with every fault and its line. The next sync places the contacts."
    ),
    examples(
        ("travesia contacts template > contacts.csv", _("a file to begin with")),
        ("travesia contacts import contacts.csv", _("check it and take it over")),
    ),
    name="import",
)
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_("The CSV file."))],
    as_json: AsJson = False,
) -> None:
    """Read, take over, say how many."""
    config = session_of(context).config()
    taken = workbench.import_contacts(config, services.mapping_of(config), file)
    if as_json:
        print_json(taken)
        return
    text = _("{n} contacts, {changed} of them new or changed; {removed} went. Next: travesia sync")
    bullet("ok", text.format(n=taken.contacts, changed=taken.changed, removed=taken.removed))


@command(
    contacts,
    "",
    _("Write an example of the file to stdout, as it is usual in a language."),
    examples(("travesia contacts template --lang es > contactos.csv", _("for Excel in Spain"))),
)
def template(
    language: Annotated[
        str | None,
        typer.Option(
            "--lang",
            metavar="es|en",
            parser=one_of(*LANGUAGES),
            help=_("In which language. Default: yours."),
        ),
    ] = None,
) -> None:
    """Say it."""
    # With a mark at its start, Excel takes the file for what it is.
    typer.echo("\ufeff" + TEMPLATES[language or current_language()], nl=False)
