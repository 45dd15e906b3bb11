"""`engagement` and `backtest`: the state of relationships, and what its score was worth."""

from datetime import date
from typing import Annotated

import typer

from connector import relationship_desk, services
from connector.cli.backtest_view import backtest_as_data, show_backtest
from connector.cli.engagement_view import as_data, show_list, show_relationship
from connector.cli.options import AsJson, examples, flag
from connector.cli.output import bullet, print_json
from connector.cli.session import UsageError, session_of
from connector.cli.shape import TO_LOOK, command
from connector.config import Config
from connector.in_force import shown
from connector.journey.engagement_words import relationship_name
from connector.journey.model import Mapping
from connector.messages import _, current_language

app = typer.Typer()


@command(
    app,
    TO_LOOK,
    _(
        "Show the state of every relationship between a customer and a service, and why.\n\n"
        "A customer is a department or a company, never a person; small groups are counted with "
        "the one above them. With --relationship: the reasons, the steps, the ring."
    ),
    examples(
        ("travesia engagement", _("all of them, the worst first")),
        ("travesia engagement --moved", _("who moved, and why")),
        ("travesia engagement --relationship ERP", _("one service in detail")),
    ),
)
def engagement(
    context: typer.Context,
    relationship: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help=_("Those whose name contains it, in detail.")),
    ] = None,
    moved: Annotated[
        bool, flag("--moved", text=_("Those that moved in the last 30 days, and why."))
    ] = False,
    confirm_ring: Annotated[
        str | None,
        typer.Option(
            "--confirm-ring",
            metavar="DATE",
            help=_("Confirm that the relationship is established since that day."),
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read, or take a word on a ring; show."""
    config = session_of(context).config()
    mapping = services.mapping_of(config)
    if confirm_ring is not None:
        _confirm(config, mapping, relationship, _day(confirm_ring))
        return
    found = relationship_desk.relationships(config, mapping, relationship or "", moved=moved)
    if as_json:
        print_json(as_data(found))
    elif relationship or moved:
        in_force = services.mapping_in_force(config, mapping)
        for row in found.rows:
            show_relationship(row, found, in_force, shown(config, in_force).mapping.journey)
        if moved and not found.rows:
            bullet("ok", _("No relationship moved in the last 30 days"))
    else:
        show_list(found)


@command(
    app,
    TO_LOOK,
    _(
        "Hold the scores of the past against what came after, on your own records.\n\n"
        "For each month: the score of every relationship as it stood then, and the agreed times "
        "missed in the 30 days after; beside it what the plain share of missed times would have "
        "told."
    ),
    examples(("travesia backtest", _("what the score would have foreseen"))),
)
def backtest(context: typer.Context, as_json: AsJson = False) -> None:
    """Compute, show."""
    config = session_of(context).config()
    found = relationship_desk.run_backtest(config, services.mapping_of(config))
    if as_json:
        print_json(backtest_as_data(found))
    else:
        show_backtest(found)


def _confirm(config: Config, mapping: Mapping, relationship: str | None, day: date) -> None:
    if not relationship:
        raise UsageError(_("--confirm-ring needs --relationship: whose ring is it?"))
    row = relationship_desk.confirm_ring(config, mapping, relationship, day)
    assert mapping.engagement is not None  # noqa: S101 - confirm_ring refuses a mapping without
    name = relationship_name(row, mapping.engagement, current_language())
    text = _("{name}: the ring is confirmed since {day}; the next sync shows it in the tool")
    bullet("ok", text.format(name=name, day=row["ring_confirmed"]))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        sentence = _("{text!r} is not a date; write it like 2026-11-01").format(text=text)
        raise UsageError(sentence) from error
