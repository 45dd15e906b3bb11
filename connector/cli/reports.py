"""`report` and `brief`: what is known, for readers. They wait for nobody's sync."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from connector import reporting, services
from connector.cli.options import AsJson, examples, flag, one_of, several
from connector.cli.output import bullet, print_json
from connector.cli.period import period
from connector.cli.session import UsageError, session_of
from connector.cli.shape import TO_LOOK, command
from connector.errors import PartialRunError
from connector.messages import LANGUAGES, _
from connector.report.build import Choice, check_chapters
from connector.report.publish import PublishResult
from connector.report.render import FORMATS, write_all
from connector.reporting import Order, ReportResult

app = typer.Typer()

PAGES = ("html", "md")
COMPARED = ("previous", "year", "none")

Languages = Annotated[
    list[str] | None,
    typer.Option(
        "--lang",
        metavar="es|en",
        parser=one_of(*LANGUAGES),
        help=_("In which language (may be repeated). Default: \\[report] languages."),
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help=_("The folder. Default: \\[report] out.")),
]


@command(
    app,
    TO_LOOK,
    _(
        "Write the report of a period, in Spanish and English.\n\n"
        "What changed, what hurts, what to do; the relationships across the journey, the moments "
        "that can still be turned, who moved and why. Without dates it is the month before this "
        "one. Groups under \\[report] minimum_group are not shown on their own."
    ),
    examples(
        ("travesia report", _("last month")),
        ("travesia report --from 2026-01-01 --to 2026-03-31", _("a quarter")),
        ("travesia report --scope department=Finanzas", _("one department")),
        ("travesia report --only durations,conversion", _("two chapters of fifteen")),
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
    languages: Languages = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="html|md|csv|parquet|pdf",
            parser=one_of(*FORMATS),
            help=_("In which format (may be repeated). Default: \\[report] formats."),
        ),
    ] = None,
    scopes: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="KIND=NAME",
            help=_("Only a part: department=…, company=… or service=…, by name or sys_id."),
        ),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            metavar="previous|year|none",
            parser=one_of(*COMPARED),
            help=_("With which period it is compared. Default: \\[report] compare."),
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME,…",
            help=_("Only these chapters (docs/reports.md lists them); may be repeated."),
        ),
    ] = None,
    out: Out = None,
    publish: Annotated[
        bool, flag("--publish", text=_("Put it into the tool too; again updates it."))
    ] = False,
    records: Annotated[
        bool,
        flag(
            "--records",
            text=_("Also list the record numbers behind each figure, in a CSV that stays here."),
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Parse, build one report, name the files of each language."""
    session = session_of(context)
    config = session.instance_config() if publish else session.config()
    scope = _only_one(scopes or [])
    first, after = period(from_, to, config.instance.time_zone)
    chosen = check_chapters([name for text in only or () for name in text.split(",")])
    mapping = services.mapping_of(config)
    instance = services.connect(config, session.environment) if publish else None
    order = Order(
        first,
        after,
        several(languages, config.report.languages),
        several(formats, config.report.formats),
        out or config.report.out,
        Choice(scope, reporting.compared(compare or config.report.compare), chosen),
        records,
    )
    results = reporting.report(config, mapping, order, instance)
    if as_json:
        print_json(results)
    else:
        show_results(results)
    raise_if_spoiled(results)


def _only_one(scopes: Sequence[str]) -> str:
    """The scope, "" where none is given. Raises UsageError for a second one."""
    if len(scopes) > 1:
        raise UsageError(
            _("a report has one --scope, and here are {n}: {scopes}; write one for each").format(
                n=len(scopes), scopes=", ".join(scopes)
            )
        )
    return scopes[0] if scopes else ""


def show_results(results: Sequence[ReportResult]) -> None:
    """The files, and where they stand in the tool."""
    for result in results:
        for file in result.files:
            bullet("ok", str(file))
        if result.published:
            bullet("ok", _published(result.published))


def raise_if_spoiled(results: Sequence[ReportResult]) -> None:
    """Raises PartialRunError with what could not be made; the rest is there by then."""
    _raise_if_any([problem for result in results for problem in result.problems])


def _raise_if_any(problems: Sequence[str]) -> None:
    if problems:
        raise PartialRunError("\n".join(dict.fromkeys(problems)))


def _published(result: PublishResult) -> str:
    if result.sent_nothing:
        return _("In the tool already: {url}").format(url=result.url)
    return _("Published in the tool: {url}").format(url=result.url)


@command(
    app,
    TO_LOOK,
    _(
        "Write one page before a meeting with a customer, or about a service.\n\n"
        "How the relationship stands, which moments can still be turned, what was promised, and "
        "three questions to ask. As of the last finished run."
    ),
    examples(
        ('travesia brief "Finanzas"', _("a department")),
        ("travesia brief ERP --lang es", _("a service, in Spanish")),
    ),
)
def brief(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help=_("The customer or service, or a part of its name.")),
    ],
    languages: Languages = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="html|md",
            parser=one_of(*PAGES),
            help=_("In which format (may be repeated). Default: both."),
        ),
    ] = None,
    out: Out = None,
) -> None:
    """Parse, write the page, name the files."""
    config = session_of(context).config()
    files, problems = reporting.brief(
        config,
        services.mapping_of(config),
        name,
        several(languages, config.report.languages),
        several(formats, PAGES),
    )
    for path in write_all(files, out or config.report.out):
        bullet("ok", str(path))
    _raise_if_any(problems)
