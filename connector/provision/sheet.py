"""The sheet that goes with an update set into the change record: Markdown, in one language."""

from collections import Counter
from collections.abc import Iterator, Sequence

from connector.messages import _
from connector.provision.access import INTEGRATION, READER, STEWARD
from connector.provision.model import Artefact
from connector.provision.wanted import Scope


def write(artefacts: Sequence[Artefact], scope: Scope, file_name: str) -> str:
    """The sheet, in the language that is spoken now."""
    return "\n".join(_lines(artefacts, scope, file_name)) + "\n"


def _lines(artefacts: Sequence[Artefact], scope: Scope, file_name: str) -> Iterator[str]:
    yield f"# Travesía: {_('update set for the change record')}"
    yield ""
    yield _("File: {file}. Application: global. Custom tables: {n}.").format(
        file=file_name, n=_count(artefacts, "sys_db_object")
    )
    yield _(
        "The same mapping and settings give the same file, byte for byte; to import it again adds"
        " nothing. What people changed on these records meanwhile shows as collisions: skip those"
        " on sys_ui_action, sys_filter, sys_report and sys_choice."
    )
    yield from _section(_("What it adds"), _adds(artefacts, scope))
    yield from _section(_("What it leaves alone"), _leaves())
    yield from _section(_("Rights"), _rights())
    yield from _section(_("Import"), _import())
    yield from _section(_("Check"), [_("travesia check names everything that is missing.")])
    yield from _section(_("Back-out"), _back_out())
    yield from _section(_("What was not tried"), _untried(scope))


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield from (f"- {line}" for line in lines)


def _count(artefacts: Sequence[Artefact], table: str) -> int:
    return sum(one.table == table for one in artefacts)


def _adds(artefacts: Sequence[Artefact], scope: Scope) -> list[str]:
    tables = [one.fields["name"] for one in artefacts if one.table == "sys_db_object"]
    columns = Counter(one.fields["name"] for one in artefacts if one.table == "sys_dictionary")
    on_tickets = ", ".join(f"{t} ({columns[t]})" for t in scope.holders)
    lines = [_("Tables: {tables}").format(tables=", ".join(tables))]
    if on_tickets:
        text = _("Columns u_journey_*, and nothing else, on: {tables}")
        lines.append(text.format(tables=on_tickets))
    kinds = Counter(one.table for one in artefacts)
    told = ", ".join(f"{table}: {n}" for table, n in kinds.items())
    return [*lines, _("Records by table: {told}").format(told=told)]


def _leaves() -> list[str]:
    return [
        _("The default view, and every view that is not named u_journey."),
        _("Existing columns, choices, access controls, roles, rules, flows and notifications."),
        _("Colours (field styles) are given to values of our own columns only."),
        _(
            "Nothing runs by itself: no business rule, no scheduled job; the UI action is inactive,"
            " and so is the mail about reports unless the settings name who gets it."
        ),
        _(
            "The steps above the form show on incidents in our view only. If incidents have a"
            " process flow of their own, leave the records of sys_process_flow for incident out of"
            " the commit: a flow shows every stage of its table."
        ),
    ]


def _rights() -> list[str]:
    texts = {
        INTEGRATION: _("for Travesía's account alone: fills our columns and tables"),
        STEWARD: _("overrides a touchpoint with a reason, confirms rings, records contacts"),
        READER: _("reads our tables"),
    }
    return [
        *(f"`{role}`: {text}" for role, text in texts.items()),
        _(
            "Our columns are read only for people (Display Read Only), and only these roles pass"
            " their access controls. To write to a ticket at all the account needs a role that may"
            " write its table: the update set does not give it. With mode = table it needs none."
        ),
        _("Roles are given to people after the import: an update set carries no assignments."),
    ]


def _import() -> list[str]:
    return [
        _("As admin, with the role security_admin raised, since there are access controls in it."),
        _("Retrieved Update Sets, Import Update Set from XML; Preview; resolve problems; Commit."),
        _("A new column on task-like tables changes large tables: commit off hours."),
    ]


def _back_out() -> list[str]:
    return [
        _(
            "Back Out on the committed set; of several named Travesía, the newest first, for only"
            " the oldest takes columns and tables. Columns and tables go with their data: what"
            " Travesía computed comes back with travesia sync --full; what people wrote (overrides,"
            " contacts, confirmed rings) does not, so export u_journey_contact,"
            " u_journey_engagement and the override columns first."
        ),
        _("travesia provision --remove then shows what of ours still stands, if anything."),
        _("Turn writing off before: [write_back] enabled = false."),
    ]


def _untried(scope: Scope) -> list[str]:
    lines = [
        _(
            "It was imported, used and taken out again on the embedded instance, which follows the"
            " published documentation, and not yet on a real one. Try it on a development instance"
            " first: docs/try-on-a-pdi.md."
        ),
    ]
    if scope.imported:
        lines.append(
            _(
                "The staging tables name their parent (sys_import_set_row) by its name: look at the"
                " preview whether your release takes it so."
            )
        )
    if scope.protect:
        lines.append(
            _(
                "Releases before Australia have no read-only options; there write the file with"
                " --editable, or the account may not write either. The access controls protect the"
                " columns all the same."
            )
        )
    return lines
