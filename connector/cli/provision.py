"""`provision`: what is ours in the instance, planned, made, taken out, or as an update set."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from connector import provisioning
from connector.cli.options import AsJson, examples, flag
from connector.cli.output import bullet, print_json, say, table
from connector.cli.session import UsageError, session_of
from connector.cli.shape import TO_BEGIN, command
from connector.errors import ConfigError
from connector.messages import _, _n
from connector.provision import Provisioning, Step
from connector.schema import absent_sentences

app = typer.Typer()

NAMED = 60
"""A plan of so many steps is shown name by name."""


@command(
    app,
    TO_BEGIN,
    _(
        "Show, make or remove what is ours in the instance.\n\n"
        "Columns, tables, views, roles and more. It shows the difference and makes nothing until "
        "--apply. Only what is named u_journey is ever made or changed; a second --apply finds "
        "nothing to do. For a production instance, --update-set writes a file that its admins "
        "import."
    ),
    examples(
        ("travesia provision", _("what is missing or different")),
        ("travesia provision --apply", _("make it (as an admin)")),
        ("travesia provision --update-set x.xml", _("as an update set")),
        ("travesia provision --remove", _("what would be taken out again")),
    ),
)
def provision(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: typer.Context,
    plan: Annotated[bool, flag("--plan", text=_("Only show it (as without any option)."))] = False,
    apply: Annotated[bool, flag("--apply", text=_("Make it; never deletes."))] = False,
    remove: Annotated[
        bool, flag("--remove", text=_("Show all that is ours there; with --yes, take it out."))
    ] = False,
    yes: Annotated[
        bool, flag("--yes", text=_("With --remove: do it. The data in our columns go, too."))
    ] = False,
    update_set: Annotated[
        Path | None,
        typer.Option(
            "--update-set", metavar="FILE.xml", help=_("Write an update set and its sheet.")
        ),
    ] = None,
    tables: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="TABLE", help=_("For this table only; may be repeated.")),
    ] = None,
    editable: Annotated[
        bool,
        flag("--editable", text=_("Leave our columns editable: for releases before Australia.")),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Plan, apply, remove or write. Exit 2 if a person must settle something first."""
    _refuse_mixtures(plan, apply, remove, yes, update_set)
    session = session_of(context)
    if update_set is not None:
        config = session.config_if_any()
        files = provisioning.write_update_set(
            config, tables or (), update_set, protect=not editable
        )
        _show_files(files, as_json=as_json)
        return
    config = session.instance_config()
    scope = provisioning.scope_of(config, tables or (), protect=not editable)
    act, is_done = (provisioning.unprovision, yes) if remove else (provisioning.provision, apply)
    result = act(config, session.environment, scope, apply=is_done)
    if as_json:
        print_json(result)
    elif session.verbosity != "quiet":
        (_show_removal if remove else _show)(result, is_done=is_done)
    if result.conflicts:
        raise ConfigError("provision", result.conflicts)


def _refuse_mixtures(
    plan: bool, apply: bool, remove: bool, yes: bool, update_set: Path | None
) -> None:
    ways = {"--plan": plan, "--apply": apply, "--remove": remove}
    chosen = [name for name, is_on in ways.items() if is_on]
    chosen += ["--update-set"] if update_set is not None else []
    if len(chosen) > 1:
        raise UsageError(_("only one of {options} at a time").format(options=", ".join(chosen)))
    if update_set is not None and not update_set.name:
        raise UsageError(_("--update-set needs the name of a file, like journey.xml"))
    if yes and not remove:
        raise UsageError(_("--yes goes with --remove"))


def _show_files(written: Sequence[Path], *, as_json: bool) -> None:
    if as_json:
        print_json([str(path) for path in written])
        return
    for path in written:
        bullet("ok", str(path))
    say(_("Import the first in Retrieved Update Sets; the others go with the change request."))


def _names() -> dict[str, str]:
    return {
        "sys_db_object": _("Tables"),
        "sys_dictionary": _("Columns"),
        "sys_documentation": _("Labels"),
        "sys_choice": _("Choices"),
        "sys_transform_map": _("Transform maps"),
        "sys_transform_entry": _("Field maps"),
        "sys_transform_script": _("Transform scripts"),
        "sys_user_role": _("Roles"),
        "sys_user_role_contains": _("Roles within roles"),
        "sys_security_acl": _("Access controls"),
        "sys_security_acl_role": _("Roles of access controls"),
        "sys_ui_view": _("Views"),
        "sys_ui_formatter": _("Process flows"),
        "sys_process_flow": _("Stages of process flows"),
        "sys_ui_form": _("Forms"),
        "sys_ui_section": _("Form sections"),
        "sys_ui_form_section": _("Places of form sections"),
        "sys_ui_element": _("Columns on forms"),
        "sys_ui_list": _("List layouts"),
        "sys_ui_list_element": _("Columns on lists"),
        "sys_ui_related_list": _("Related lists"),
        "sys_ui_related_list_entry": _("Entries of related lists"),
        "sys_ui_style": _("Colours of values"),
        "sys_filter": _("Saved filters"),
        "sys_report": _("Reports"),
        "sys_ui_action": _("UI actions"),
        "sys_ui_action_role": _("Roles of UI actions"),
        "sysevent_email_action": _("Notifications"),
    }


def _show(result: Provisioning, *, is_done: bool) -> None:
    for sentence in absent_sentences(result.absent):
        say(sentence)
    _show_skipped(result)
    if result.leftovers:
        text = _("No longer in the mapping, and left as they are, since records may hold them: {n}")
        say(text.format(n=", ".join(result.leftovers)))
    if result.is_complete:
        bullet("ok", _complete(result))
        return
    _show_steps(result)
    if is_done:
        n = len(result.steps)
        made = _n("{n} thing was made in the instance.", "{n} things were made in the instance.", n)
        bullet("ok", made.format(n=n))
    elif not result.conflicts:
        say(_("Nothing was made yet: travesia provision --apply makes it."))


def _complete(result: Provisioning) -> str:
    if result.skipped:
        return _("The instance has everything that this account can see: nothing to make.")
    return _("The instance has everything: nothing to make.")


def _show_skipped(result: Provisioning) -> None:
    if result.skipped:
        text = _("Left out, as the instance lacks these or closes them to us: {tables}")
        say(text.format(tables=", ".join(result.skipped)))


def _show_steps(result: Provisioning) -> None:
    names = _names()
    rows = [
        (names.get(kind, kind), _places(result.of(kind)), count)
        for kind, count in result.counts().items()
    ]
    if rows:
        table((_("What"), _("Where"), _("Number")), rows, numbers=1)
    if len(result.steps) <= NAMED:
        for step in result.steps:
            say(_line(step))


def _line(step: Step) -> str:
    sign = {"create": "+", "update": "~", "delete": "-"}[step.action]
    changes = ", ".join(f"{k}: {step.was.get(k, '')!r} → {v!r}" for k, v in step.changed.items())
    more = f" ({changes})" if step.action == "update" else ""
    return f"{sign} {step.table}: {step.name}{more}"


def _show_removal(result: Provisioning, *, is_done: bool) -> None:
    n = len(result.steps)
    _show_skipped(result)
    if not n and result.skipped:
        bullet("ok", _("There is nothing of ours that this account can see."))
        return
    if not n:
        bullet("ok", _("Nothing of ours is in the instance."))
        return
    _show_steps(result)
    if is_done:
        gone = _n("{n} thing of ours was taken out.", "{n} things of ours were taken out.", n)
        bullet("ok", gone.format(n=n))
        return
    say(_("Nothing was removed yet: travesia provision --remove --yes removes it, with its data."))


def _places(steps: Sequence[Step]) -> str:
    """The tables, each with its number; --json has every name, of access controls the column."""
    counts = Counter(step.artefact.place.partition(".")[0] for step in steps)
    return ", ".join(f"{name} ({count})" if name else str(count) for name, count in counts.items())
