"""`export`: records, steps and contacts as files for process miners and notebooks."""

from pathlib import Path
from typing import Annotated

import typer

from connector import services
from connector.cli.options import AsJson, examples, flag, one_of, several
from connector.cli.output import bullet, print_json
from connector.cli.session import session_of
from connector.cli.shape import TO_LOOK, command
from connector.export.run import FORMATS, Wanted
from connector.messages import LANGUAGES, _

app = typer.Typer()


@command(
    app,
    TO_LOOK,
    _(
        "Write what is known for other tools: XES and OCEL 2.0 for process miners, Parquet for the "
        "rest.\n\n"
        "Every placed record with its steps, the times of its comments and its moments of truth, "
        "as of the last run. Texts and users are left out; each record stands for itself, so give "
        "the files only to those who may see the records."
    ),
    examples(
        ("travesia export --format xes", _("for a process miner")),
        ("travesia export --format ocel --journey itil4", _("the other journey")),
        ("travesia export --format parquet --out lake", _("everything, a file a table")),
    ),
)
def export(
    context: typer.Context,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="xes|ocel|parquet",
            parser=one_of(*FORMATS),
            help=_("In which format (may be repeated). Default: xes and ocel."),
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help=_("The folder; made if it is not there."))
    ] = Path("export"),
    journey: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=_("Of which journey. Default: \\[mapping] journey.")),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            "--lang",
            metavar="es|en",
            parser=one_of(*LANGUAGES),
            help=_(
                "The names of steps and events in this language. Default: \\[mapping] language."
            ),
        ),
    ] = None,
    with_people: Annotated[
        bool, flag("--with-people", text=_("In Parquet also texts and the table of users."))
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Export from the last finished run."""
    config = session_of(context).config_if_any()
    wanted = Wanted(
        several(formats, ("xes", "ocel")),
        journey or "",
        language or config.mapping.language,
        with_people,
    )
    paths = services.export(config, services.mapping_of(config), wanted, out)
    if as_json:
        print_json({"files": [str(path) for path in paths]})
        return
    for path in paths:
        bullet("ok", str(path))
