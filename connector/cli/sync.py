"""`sync` and `reconcile`: the pipeline, started by hand."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer

from connector import pipeline, services, wording
from connector.cli.options import AsJson, examples, flag, number, when
from connector.cli.output import bars, bullet, print_json, say, table
from connector.cli.session import UsageError, session_of
from connector.cli.shape import EVERY_DAY, command
from connector.config import Config
from connector.errors import ConnectorError, PartialRunError
from connector.journey import fields
from connector.messages import _, _n
from connector.reconcile import Swept
from connector.results import Options, RunResult
from connector.store.changes import Change
from connector.timestamps import parse_since

app = typer.Typer()


@command(
    app,
    EVERY_DAY,
    _(
        "Read what is new, place it on the journey, write it back.\n\n"
        "Nothing is written until the settings say so: \\[write_back] enabled = true. "
        "What was done stays done, whatever interrupts it; the next sync goes on from there."
    ),
    examples(
        ("travesia sync --dry-run", _("what would be written")),
        ("travesia sync --limit 20", _("a pilot: write twenty records")),
        ("travesia sync --record INC0002475", _("one record: what changes on it")),
        ("travesia sync --since 2h", _("read the last two hours again")),
    ),
)
def sync(  # noqa: PLR0913, PLR0917 - the options of a command are its parameters
    context: typer.Context,
    dry_run: Annotated[
        bool, flag("--dry-run", text=_("Read and decide, show the plan, write nothing."))
    ] = False,
    tables: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="TABLE", help=_("Only this table (may be repeated).")),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", help=_("Read again from here on: 90m, 2h, 3d, 1w or 2026-11-01.")
        ),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help=_("Only this record and its relatives.")),
    ] = None,
    full: Annotated[
        bool, flag("--full", text=_("Read everything again, try set-aside records again."))
    ] = False,
    accept_instance: Annotated[
        bool,
        flag(
            "--accept-instance",
            text=_("The instance is another copy than before: write to it from now on."),
        ),
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", parser=number(1, 1_000_000), help=_("Write at most N records.")),
    ] = None,
    plan_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help=_("Save the plan as JSON Lines, one change each; - is stdout.")
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Parse, run, show. Exit 6 if the run ended partial."""
    session = session_of(context)
    _check_choice(record, tables, full, since, as_json=as_json, plan_file=plan_file)
    config = session.instance_config()
    if since is not None:
        _since(since, datetime.now(UTC), config)  # refused before the instance is asked
    mapping = services.mapping_of(config)
    with session.stopping() as stop, bars(session) as progress:
        instance = services.connect(config, session.environment, stop)
        options = Options(
            dry_run=dry_run,
            tables=tuple(tables or ()),
            # Two hours ago are two of the instance's hours: its clock is the one that counts.
            since=None if since is None else _since(since, instance.now(), config),
            record=record,
            full=full,
            limit=limit,
            accept_instance=accept_instance,
        )
        with _plan_target(plan_file) as target:
            result = pipeline.run(config, instance, mapping, options, stop, progress, target)
    if plan_file and str(plan_file) != "-":
        n = result.planned_changes
        session.note(_("The plan ({n} changes) is in {path}").format(n=n, path=plan_file))
    if as_json:
        print_json(result)
    elif str(plan_file) != "-" and session.verbosity != "quiet":
        _show(config, result, options)
    raise_if_partial(result)


def _since(text: str, now: datetime, config: Config) -> datetime:
    return when(lambda: parse_since(text, now, config.instance.time_zone))


def _check_choice(
    record: str | None,
    tables: Sequence[str] | None,
    full: bool,
    since: str | None,
    *,
    as_json: bool,
    plan_file: Path | None,
) -> None:
    if record is not None and not record.strip():
        raise UsageError(_("--record is empty; give the number of a record, like INC0002475"))
    if record and (tables or full or since):
        raise UsageError(_("--record goes alone: leave out --table, --full and --since"))
    if full and since:
        raise UsageError(_("--full reads everything and --since only a part: choose one"))
    if as_json and str(plan_file) == "-":
        raise UsageError(_("--json and --plan-file - both want stdout: choose one"))


@contextmanager
def _plan_target(path: Path | None) -> Iterator[TextIO | None]:
    """Where the plan goes; a file appears whole or not at all."""
    if path is None:
        yield None
    elif str(path) == "-":
        yield sys.stdout
    else:
        draft = path.with_name(path.name + ".part")
        try:
            with draft.open("w", encoding="utf-8", newline="\n") as file:
                yield file
            draft.replace(path)
        except OSError as error:
            text = _("The plan {path} cannot be written ({reason}); name another place for it")
            reason = wording.os_reason(error)
            raise ConnectorError(text.format(path=path, reason=reason)) from error
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def _show(config: Config, result: RunResult, options: Options) -> None:
    if options.record:
        _show_record(result.plan)
    else:
        rows = [
            (c.table, c.extracted, *_unless_only_read(c.classified, c.unclassified, c.planned))
            for c in result.tables
        ]
        heads = (_("Table"), _("Read"), _("Placed"), _("Unplaced"), _("To write"))
        table(heads, rows, numbers=4)
        if options.dry_run:
            _show_plan(result.plan, result.planned_records)
    for sentence in result.messages:
        bullet("warn", sentence)
    say(_outcome(config, result, options))


def _unless_only_read(classified: int, unclassified: int, planned: int) -> tuple[object, ...]:
    """A table that only lends its facts has no places: a dash says more than three noughts."""
    if classified or unclassified:
        return classified, unclassified, planned
    return "—", "—", "—"


def _show_record(plan: Sequence[Change]) -> None:
    """Every field that changes on one record."""
    if plan:
        rows = [(c.number or c.sys_id, c.field, _arrow(c)) for c in plan]
        table((_("Record"), _("Field"), _("Change")), rows)


def _show_plan(plan: Sequence[Change], total: int) -> None:
    """The first records of a plan, with where they go."""
    records: dict[tuple[str, str], dict[str, Change]] = {}
    for change in plan:
        records.setdefault((change.table, change.sys_id), {})[change.field] = change
    rows = [_plan_row(by_field) for by_field in records.values()]
    if rows:
        table((_("Record"), _("Step"), _("Touchpoint"), _("Other fields")), rows)
    if total > len(records):
        more = total - len(records)
        say(
            _n(
                "… and {n} more record; --plan-file FILE has the whole plan",
                "… and {n} more records; --plan-file FILE has the whole plan",
                more,
            ).format(n=more)
        )


def _plan_row(changes: Mapping[str, Change]) -> tuple[str, ...]:
    first = next(iter(changes.values()))
    step, touchpoint = (changes.get(name) for name in (fields.STEP, fields.TOUCHPOINT))
    others = len(changes) - bool(step) - bool(touchpoint)
    return (
        first.number or first.sys_id,
        _arrow(step) if step else "",
        _arrow(touchpoint) if touchpoint else "",
        f"+{others}" if others else "",
    )


def _arrow(change: Change) -> str:
    healing = _(" (overwritten by somebody)") if change.is_healing else ""
    return f"{change.from_value or '—'} → {change.to_value or '—'}{healing}"


def _outcome(config: Config, result: RunResult, options: Options) -> str:
    seconds = wording.number(result.seconds, 1)
    if result.waiting_mapping and not options.dry_run:
        return _("Nothing was written ({seconds} s).").format(seconds=seconds)
    if not result.plan and not result.planned_relationships:
        return _("Everything is as it should be: nothing to write ({seconds} s).").format(
            seconds=seconds
        )
    planned = _planned(result)
    if options.dry_run:
        return _("Would write {planned}; nothing was written.").format(planned=planned)
    if not config.write_back.enabled:
        return _(
            "Would write {planned}, but writing is off: look at travesia sync --dry-run, "
            "then set [write_back] enabled = true."
        ).format(planned=planned)
    if result.held_back:
        return _("Planned {planned}; nothing was written ({seconds:.1f} s).").format(
            planned=planned, seconds=result.seconds
        )
    text = (
        _(
            "Planned {planned}. Records confirmed: {confirmed}, healed: {healed}; "
            "fields refused: {refused}; relationships confirmed: {relationships} ({seconds} s)."
        )
        if result.planned_relationships
        else _(
            "Planned {planned}. Records confirmed: {confirmed}, healed: {healed}; "
            "fields refused: {refused} ({seconds} s)."
        )
    )
    return text.format(
        planned=planned,
        relationships=result.confirmed_relationships,
        confirmed=result.confirmed,
        refused=result.refused,
        healed=result.healed,
        seconds=seconds,
    )


def _planned(result: RunResult) -> str:
    """`9 fields on 1 record and 3 relationships`."""
    changes, records = result.planned_changes, result.planned_records
    of_fields = _n("{n} field", "{n} fields", changes).format(n=changes)
    on_records = _n("on {n} record", "on {n} records", records).format(n=records)
    rows = result.planned_relationships
    relationships = _n("{n} relationship", "{n} relationships", rows).format(n=rows)
    if not records:
        return relationships
    return f"{of_fields} {on_records}" + (
        _(" and {relationships}").format(relationships=relationships) if rows else ""
    )


def raise_if_partial(result: RunResult) -> None:
    """What was not whole, as PartialRunError; it names no record, for it may go into an alert."""
    if result.outcome != "partial":
        return
    if result.waiting_mapping:
        raise PartialRunError(
            _(
                "The run finished, but wrote nothing: the mapping changed and waits for travesia"
                " plan --accept {hash}"
            ).format(hash=result.waiting_mapping)
        )
    if result.held_back:
        raise PartialRunError(result.held_back)
    if not (result.refused or result.set_aside):
        raise PartialRunError(
            _(
                "The run finished, but not whole: something could not be read; travesia status "
                "--json has the run's messages"
            )
        )
    raise PartialRunError(
        _(
            "The run finished, but not whole: fields refused: {refused}, records set aside: "
            "{set_aside}; travesia status names them"
        ).format(refused=result.refused, set_aside=result.set_aside)
    )


@command(
    app,
    EVERY_DAY,
    _(
        "Find what was deleted in the instance, or never seen.\n\n"
        "Compares counts, and the keys of all records where the counts disagree; never content. "
        "Nothing in the instance is touched. Run it weekly; travesia serve does."
    ),
    examples(
        ("travesia reconcile", _("compare everything")),
        ("travesia reconcile --full", _("all keys")),
        ("travesia reconcile && travesia sync", _("and place what it found")),
    ),
)
def reconcile(
    context: typer.Context,
    full: Annotated[
        bool, flag("--full", text=_("Compare all keys, even where the counts agree."))
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Parse, sweep, show. Exit 6 if a table needs a person's decision."""
    session = session_of(context)
    config = session.instance_config()
    mapping = services.mapping_of(config)
    with session.stopping() as stop, bars(session) as progress:
        instance = services.connect(config, session.environment, stop)
        swept = pipeline.sweep(config, instance, mapping, stop, progress, all_keys=full)
    if as_json:
        print_json(swept)
    elif session.verbosity != "quiet":
        _show_swept(swept)
    raise_if_asking(swept)


def raise_if_asking(swept: Sequence[Swept]) -> None:
    """The questions that a person must settle, as PartialRunError."""
    questions = [found.question for found in swept if found.question]
    if questions:
        raise PartialRunError("\n".join(questions))


def _show_swept(swept: Sequence[Swept]) -> None:
    rows = [(s.table, s.keys, s.read_again, s.missing, s.removed) for s in swept]
    heads = (_("Table"), _("Compared"), _("Read again"), _("Missing"), _("Removed"))
    table(heads, rows, numbers=4)
