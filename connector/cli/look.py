"""`report`, `explain` and `status`: looking at what is known. They wait for nobody's sync."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from connector import services
from connector.cli.explain_view import show_explanation
from connector.cli.options import AsJson, examples, flag, one_of, several
from connector.cli.output import bullet, print_json
from connector.cli.period import period
from connector.cli.session import session_of
from connector.cli.shape import TO_LOOK, command
from connector.cli.status_view import show_status, status_as_data
from connector.messages import LANGUAGES, _
from connector.report.publish import PublishResult
from connector.scheduler import next_times

app = typer.Typer()

FORMATS = ("html", "md", "csv")


@command(
    app,
    TO_LOOK,
    _(
        "Write the report of a period, in Spanish and English.\n\n"
        "Volumes, steps, SLA, touchpoints, value. Without dates it is the month before "
        "this one. Groups under \\[report] minimum_group are not shown on their own."
    ),
    examples(
        ("travesia report", _("last month")),
        ("travesia report --from 2026-01-01 --to 2026-03-31", _("a quarter")),
        ("travesia report --lang es --format html --publish", _("into the tool too")),
    ),
)
def report(  # noqa: PLR0913, PLR0917 - the options of a command are its parameters
    context: typer.Context,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help=_("The first day."))
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help=_("The last day, included."))
    ] = None,
    languages: Annotated[
        list[str] | None,
        typer.Option(
            "--lang",
            metavar="es|en",
            parser=one_of(*LANGUAGES),
            help=_("In which language (may be repeated). Default: \\[report] languages."),
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="html|md|csv",
            parser=one_of(*FORMATS),
            help=_("In which format (may be repeated). Default: \\[report] formats."),
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help=_("The folder. Default: \\[report] out.")),
    ] = None,
    publish: Annotated[
        bool, flag("--publish", text=_("Put it into the tool too; again updates it."))
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Parse, build one report per language, name the files."""
    session = session_of(context)
    config = session.instance_config() if publish else session.config()
    first, after = period(from_, to, config.instance.time_zone)
    mapping = services.mapping_of(config)
    instance = services.connect(config, session.environment) if publish else None
    results = [
        services.report(
            config,
            mapping,
            first,
            after,
            language,
            several(formats, config.report.formats),
            out or config.report.out,
            publish,
            instance,
        )
        for language in several(languages, config.report.languages)
    ]
    if as_json:
        print_json(results)
        return
    for result in results:
        for file in result.files:
            bullet("ok", str(file))
        if result.published:
            bullet("ok", _published(result.published))


def _published(result: PublishResult) -> str:
    if result.sent_nothing:
        return _("In the tool already: {url}").format(url=result.url)
    return _("Published in the tool: {url}").format(url=result.url)


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
    show_explanation(found, mapping, config)
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
    following = next_times(config, datetime.now(UTC))
    if as_json:
        print_json(status_as_data(found, following))
    else:
        show_status(found, following, config.schedule_zone)
