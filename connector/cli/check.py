"""`check`: does the mapping hold, does the instance fit it, and what an admin should know."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from connector import services
from connector.check import Aspect, Finding, Level
from connector.cli.options import AsJson, examples, flag, one_of
from connector.cli.output import STYLES, bullet, entry, print_json, say, table
from connector.cli.session import Session, UsageError, session_of
from connector.cli.shape import TO_BEGIN, command
from connector.errors import ConfigError
from connector.messages import LANGUAGES, _, current_language

app = typer.Typer()

ASPECTS: tuple[Aspect, ...] = ("read", "query", "columns", "write", "effects")


@command(
    app,
    TO_BEGIN,
    _(
        "Check the mapping, and whether the instance fits it.\n\n"
        "Names wrong rules, missing columns and rights, rules that can never match, and what a "
        "write would set off. Changes nothing. Without a settings file it checks the shipped "
        "mapping alone."
    ),
    examples(
        ("travesia check", _("all of it")),
        ("travesia check --json", _("for a program, such as your own CI")),
        ("travesia check --sheet > change.md", _("the change request")),
    ),
)
def check(
    context: typer.Context,
    as_sheet: Annotated[
        bool, flag("--sheet", text=_("Write the change request for the instance's admins."))
    ] = False,
    as_annex: Annotated[
        bool, flag("--annex", text=_("Write its annex: every column, all that a write sets off."))
    ] = False,
    language: Annotated[
        str | None,
        typer.Option("--lang", metavar="es|en", parser=one_of(*LANGUAGES), help=_("Its language.")),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Collect the findings, show them. Exit 2 if one is an error."""
    session = session_of(context)
    if as_sheet and as_annex:
        raise UsageError(_("--sheet and --annex are two pages: ask for one after the other"))
    if as_sheet or as_annex:
        _sheet(session, language or current_language(), as_json=as_json, is_annex=as_annex)
        return
    if language:
        raise UsageError(_("--lang is the language of --sheet and --annex: give one of them"))
    config = session.config_if_any()
    findings = services.check(config, session.environment)
    if as_json:
        print_json(findings)
    else:
        _show(session, findings)
        if not config.has_instance:
            say(
                _(
                    "No instance is configured: the mapping alone was checked. "
                    "Next: travesia init (or travesia sandbox, to try it on this machine)."
                )
            )
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(ConfigError.exit_code)


def _sheet(session: Session, language: str, *, as_json: bool, is_annex: bool) -> None:
    if as_json:
        raise UsageError(_("--sheet is Markdown and --json is JSON: choose one"))
    config = session.instance_config()
    text = services.sheet(config, session.environment, language, is_annex=is_annex)
    say(text.rstrip("\n"))


def _show(session: Session, findings: Sequence[Finding]) -> None:
    general = [finding for finding in findings if not finding.aspect]
    of_tables = [finding for finding in findings if finding.aspect]
    is_quiet = session.verbosity == "quiet"
    _bullets([finding for finding in general if finding.level != "ok" or not is_quiet])
    tasks = _tasks(of_tables)
    if of_tables and not is_quiet:
        say()
        _matrix(of_tables, tasks)
        say(_("✓ in order, ! to look at, ✗ wrong, — not looked at; what to do is below."), "dim")
        say()
    _todo(tasks)
    counts = {level: sum(f.level == level for f in findings) for level in ("ok", "warn", "error")}
    say(
        _("{ok} in order, {warn} to look at, {error} wrong.").format(**counts),
        "bold" if not counts["error"] else "bold red",
    )


def _bullets(findings: Sequence[Finding]) -> None:
    for finding in findings:
        bullet(finding.level, f"{finding.subject}: {finding.sentence}", finding.remedy)


Tasks = Mapping[tuple[Aspect, str], list[Finding]]
"""What to do about an aspect → what asks for it, the worst first."""


def _tasks(findings: Sequence[Finding]) -> Tasks:
    wrong = [finding for finding in findings if finding.level != "ok"]
    tasks: dict[tuple[Aspect, str], list[Finding]] = {}
    for finding in sorted(wrong, key=lambda f: (f.level != "error", ASPECTS.index(f.aspect))):
        tasks.setdefault((finding.aspect, finding.remedy), []).append(finding)
    return tasks


def _todo(tasks: Tasks) -> None:
    """Each remedy once, under its number; what asks for it below, tables that say the same once."""
    for number, ((_aspect, remedy), findings) in enumerate(tasks.items(), 1):
        sayings: dict[str, list[str]] = {}
        for finding in findings:
            sayings.setdefault(finding.sentence, []).append(finding.subject)
        lines = [f"{', '.join(tables)}: {sentence}" for sentence, tables in sayings.items()]
        entry(f"{number}", findings[0].level, remedy or _("look into it"), lines)


def _matrix(findings: Sequence[Finding], tasks: Tasks) -> None:
    """One line a table: how each right stands, and the numbers of what to do."""
    heads = (
        _("Table"),
        _("Reads"),
        _("Queries"),
        _("Fields"),
        _("Writes"),
        _("Effects"),
        _("To do"),
    )
    numbers: dict[str, list[str]] = {}
    for number, asking in enumerate(tasks.values(), 1):
        for subject in dict.fromkeys(finding.subject for finding in asking):
            numbers.setdefault(subject, []).append(str(number))
    rows = [
        (
            name,
            *(_mark(findings, name, one) for one in ASPECTS),
            " ".join(numbers.get(name, ())),
        )
        for name in dict.fromkeys(finding.subject for finding in findings)
    ]
    table(heads, rows, is_close=True)


def _mark(findings: Sequence[Finding], subject: str, aspect: Aspect) -> str:
    levels = {f.level for f in findings if (f.subject, f.aspect) == (subject, aspect)}
    order: tuple[Level, ...] = ("error", "warn", "ok")
    worst = next((level for level in order if level in levels), None)
    return STYLES[worst][0] if worst else "—"
