"""`plan`: what a changed mapping would move, and the word that lets it."""

from pathlib import Path
from typing import Annotated

import typer

from connector import services, workbench
from connector.cli.options import AsJson, examples
from connector.cli.output import bullet, moment, print_json, say, table
from connector.cli.session import session_of
from connector.cli.shape import MAPPING, command
from connector.config import Config
from connector.journey.model import Mapping
from connector.messages import _, _n, current_language
from connector.preview import Preview
from connector.store.moves import Moved

app = typer.Typer()

SHOWN = 30
"""So many moves are shown; --json has all."""

MappingsFolder = Annotated[
    Path | None,
    typer.Option(
        "--mappings",
        metavar="DIR",
        help=_("Your own mapping folder, also one that the settings do not name yet."),
    ),
]


@command(
    app,
    MAPPING,
    _(
        "Show what a changed mapping would move, and accept it.\n\n"
        "A changed mapping does not go live by itself: until it is accepted, the one in force goes "
        "on placing records and nothing is written. Works on the records of the last run; nothing "
        "is sent, and without --accept nothing is stored."
    ),
    examples(
        ("travesia plan", _("what would move")),
        ("travesia plan --mappings our-mapping", _("the same for a folder to try")),
        ("travesia plan --accept 1a2b3c4d5e6f", _("the next sync uses it")),
    ),
)
def plan(
    context: typer.Context,
    folder: MappingsFolder = None,
    word: Annotated[
        str | None,
        typer.Option("--accept", metavar="HASH", help=_("Accept the mapping with this hash.")),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Parse, compare or accept, show."""
    config = session_of(context).config()
    mapping = services.mapping_of(config, folder)
    if word is not None:
        workbench.accept(config, mapping, word)
        _say_accepted(mapping, folder, as_json=as_json)
        return
    found = workbench.plan(config, mapping)
    if as_json:
        print_json(found)
    else:
        _show(found, mapping, config, folder)


def _say_accepted(mapping: Mapping, folder: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"accepted": mapping.hash})
        return
    bullet("ok", _("Accepted: {hash}. The next sync puts it in force.").format(hash=mapping.hash))
    if folder is not None:
        say(_("It does so once [mapping] overlay names {folder}.").format(folder=folder))


def _show(found: Preview, mapping: Mapping, config: Config, folder: Path | None) -> None:
    zone = config.instance.time_zone
    say(
        _("Mapping {hash}; in force is {other}. Records as of {when} {zone}.").format(
            hash=found.hash,
            other=found.in_force or "—",
            when=moment(found.as_of, zone),
            zone=zone,
        )
    )
    say()
    _show_moves(found, mapping, config.mapping.journey)
    _show_counts(found)
    for rule in found.off:
        text = _("Rule {rule} is off: {reason}")
        bullet("warn", text.format(rule=rule.rule_id, reason=rule.reason))
    _show_writes(found)
    _show_next(found, folder)


def _show_moves(found: Preview, mapping: Mapping, journey: str) -> None:
    rows = [
        (
            move.table,
            _place(mapping, journey, move.from_touchpoint, move.from_step),
            _place(mapping, journey, move.to_touchpoint, move.to_step),
            _rules(move),
            # Where records have no number, their sys_ids say nothing to a person.
            ", ".join(one for one in move.sample if one.upper() == one),
            move.records,
        )
        for move in found.moves[:SHOWN]
    ]
    if rows:
        heads = (_("Table"), _("From"), _("To"), _("Rule"), _("For example"), _("Records"))
        table(heads, rows, numbers=1)
    if len(found.moves) > SHOWN:
        n = len(found.moves) - SHOWN
        text = _n("… and {n} more move; --json has all", "… and {n} more moves; --json has all", n)
        say(text.format(n=n))


def _place(mapping: Mapping, journey: str, touchpoint: str, step: str) -> str:
    """`Touchpoint (step)` in the reader's language; ids where this mapping lacks them."""
    language = current_language()
    known = mapping.touchpoints.get(touchpoint)
    steps = {one.id: one.name.in_(language) for one in mapping.journeys[journey].steps}
    name = known.name.in_(language) if known else touchpoint
    where = steps.get(step, step)
    return f"{name} ({where})" if where else name or "—"


def _rules(move: Moved) -> str:
    if move.old_rule_id == move.rule_id:
        return move.rule_id
    return f"{move.old_rule_id or '—'} → {move.rule_id or '—'}"


def _show_counts(found: Preview) -> None:
    counted = found.counted
    if not (counted.moved or counted.others):
        say(_("No record would move ({n} compared).").format(n=counted.records))
        return
    text = _(
        "{moved} of {records} records would move; {others} more would keep step and touchpoint and"
        " change something else. Unclassified: {before} → {after}."
    )
    say(
        text.format(
            moved=counted.moved,
            records=counted.records,
            others=counted.others,
            before=counted.unclassified_before,
            after=counted.unclassified_after,
        )
    )


def _show_writes(found: Preview) -> None:
    records = sum(one.records for one in found.writes)
    fields = sum(one.fields for one in found.writes)
    if not records:
        say(_("Nothing would have to be written."))
        return
    text = _n(
        "In all {fields} fields on {n} record would then be written",
        "In all {fields} fields on {n} records would then be written",
        records,
    ).format(fields=fields, n=records)
    runs = -(-records // found.records_per_run)
    if runs > 1:
        text += _(", in {n} runs").format(n=runs)
    if not found.is_writing:
        text += _(" if [write_back] were enabled")
    say(text + ".")


def _show_next(found: Preview, folder: Path | None) -> None:
    say()
    if found.state == "in_force":
        bullet("ok", _("This mapping is in force."))
    elif found.state == "approved":
        bullet("ok", _("This mapping is accepted; the next sync puts it in force."))
    else:
        option = f" --mappings {folder}" if folder else ""
        remedy = f"travesia plan{option} --accept {found.hash}"
        bullet("warn", _("This mapping waits for your word."), remedy)
