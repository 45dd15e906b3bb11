"""`provision`: what our columns, choices and table need in the instance, shown and made."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from connector import services
from connector.cli.options import AsJson, examples, flag
from connector.cli.output import bullet, print_json, say, table
from connector.cli.session import session_of
from connector.cli.shape import TO_BEGIN, command
from connector.errors import ConfigError
from connector.messages import _, _n
from connector.provision import Artefact, Provisioning
from connector.schema import absent_sentences

app = typer.Typer()


@command(
    app,
    TO_BEGIN,
    _(
        "Make our columns, choices and report table in the instance.\n\n"
        "It shows what is missing and makes nothing until --apply. Only names that begin with "
        "u_journey_ are ever made or changed; a second --apply finds nothing to do."
    ),
    examples(
        ("travesia provision", _("what is missing")),
        ("travesia provision --apply", _("make it (needs the rights of an admin)")),
    ),
)
def provision(
    context: typer.Context,
    apply: Annotated[
        bool,
        flag("--apply/--plan", text=_("Make it / only show it.")),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Plan or apply, show. Exit 2 if a person must settle something first."""
    session = session_of(context)
    config = session.instance_config()
    result = services.provision(config, session.environment, apply)
    if as_json:
        print_json(result)
    elif session.verbosity != "quiet":
        _show(result, applied=apply)
    if result.conflicts:
        raise ConfigError("provision", result.conflicts)


def _show(result: Provisioning, *, applied: bool) -> None:
    for sentence in absent_sentences(result.absent):
        say(sentence)
    if result.is_complete:
        bullet("ok", _("The instance has everything: nothing to make."))
        return
    names = {
        "table": _("Tables"),
        "column": _("Columns"),
        "label": _("Labels"),
        "choice": _("Choices"),
        "map": _("Transform maps"),
        "entry": _("Field maps"),
        "script": _("Transform scripts"),
        "notification": _("Notifications"),
    }
    rows = [
        (names.get(kind, kind), _places(result.of(kind)), count)
        for kind, count in result.counts().items()
        if count
    ]
    if rows:
        table((_("What"), _("Where"), _("Number")), rows, numbers=1)
    if applied:
        n = len(result.artefacts)
        made = _n("{n} thing was made in the instance.", "{n} things were made in the instance.", n)
        bullet("ok", made.format(n=n))
    elif not result.conflicts:
        say(_("Nothing was made yet: travesia provision --apply makes it."))


def _places(artefacts: Sequence[Artefact]) -> str:
    """The tables, each with its number; --json has every name."""
    counts = Counter(artefact.table for artefact in artefacts)
    return ", ".join(f"{name} ({count})" for name, count in counts.items())
