"""Reports as people and the schedule ask for them: measured once, written, delivered, remembered.

1. Measure the period from the last finished run, once for all languages.
2. Write the files of each language; a broken template spoils one file and no other.
3. Deliver into the tool. What could not be delivered is noted beside the store and tried again by
   the next scheduled job (`retry`), never lost; `travesia status` shows it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from connector import identity
from connector.config import Config
from connector.errors import ConnectorError, InstanceError
from connector.in_force import shown, which
from connector.itsm.base import Instance
from connector.journey.model import Mapping
from connector.messages import _
from connector.report.brief import brief_of
from connector.report.build import Choice, build_report
from connector.report.deliver import Delivered, deliver
from connector.report.destination import Destination
from connector.report.figures import Compared
from connector.report.links import NOWHERE, Tool
from connector.report.pending import Pending, Publications
from connector.report.record_list import write_records
from connector.report.render import ReportFile, render_brief_each, render_each, write_all
from connector.report.report import Report
from connector.report.source import open_source
from connector.report.summary import summary_rows
from connector.store import runs
from connector.store.database import Store, open_snapshot


@dataclass(frozen=True)
class Order:
    """One report that somebody asked for; `languages` and `formats` are those of its files."""

    period_from: datetime
    period_to: datetime
    languages: tuple[str, ...]
    formats: tuple[str, ...]
    out: Path
    choice: Choice = field(default=Choice())  # frozen
    has_records: bool = False
    """Whether the numbers of the records behind each figure are written, too: never published."""


@dataclass(frozen=True)
class ReportResult:
    """Where the report of one language went. `problems` are sentences: what could not be made."""

    language: str
    files: tuple[Path, ...]
    published: Delivered | None
    problems: tuple[str, ...] = ()


def compared(text: str) -> Compared:
    """One of the words that say with what a report is compared."""
    return cast("Compared", text)


def publications_of(config: Config) -> Publications:
    """What waits to be published, beside the store."""
    path = config.store.path
    return Publications(path.with_name(path.stem + ".publications.json"))


def report(
    config: Config, mapping: Mapping, order: Order, instance: Instance | None
) -> list[ReportResult]:
    """One report in its languages; delivered into the tool if there is an `instance`.

    Raises StoreError before the first run, ConfigError for an unknown scope or chapter,
    InstanceError at a copy of the instance. What goes
    wrong with one language or file is among the problems of its result.
    """
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        if instance is not None:
            _refuse_copy(store, instance)
        in_force = which(store, mapping).mapping
        built = build_report(
            store,
            in_force,
            order.period_from,
            order.period_to,
            order.languages[0],
            config.instance.time_zone,
            config.report.minimum_group,
            journey=shown(config, in_force).mapping.journey,
            choice=order.choice,
            tool=tool_of(config),
        )
        destination = Destination(
            tuple(config.report.deliver),
            config.report.knowledge_base,
            config.report.article_state,
            config.report.templates,
        )
        if instance is not None and "summary" in destination.kinds:
            destination = replace(destination, rows=tuple(summary_rows(store, built)))
        listed = _list_records(store, built, order) if order.has_records else ()
    results = [
        _one(config, order, built.in_language(language), destination, instance)
        for language in order.languages
    ]
    return [replace(results[0], files=(*results[0].files, *listed)), *results[1:]]


def _list_records(store: Store, built: Report, order: Order) -> tuple[Path, ...]:
    """The same in every language: one file, beside the others."""
    figures = built.figures
    source = open_source(store, built.mapping, figures.period, figures.scope, figures.minimum_group)
    order.out.mkdir(parents=True, exist_ok=True)
    path = order.out / f"{built.stem}_records.csv"
    write_records(built, source, path)
    return (path,)


def _refuse_copy(store: Store, instance: Instance) -> None:
    """Nothing is published in a copy of the instance. Raises InstanceError."""
    is_known = bool(runs.read_identity(store))  # a snapshot remembers nothing new
    if is_known and (found := identity.differs(store, instance)):
        text = _("{found}: nothing is published until travesia sync --accept-instance")
        raise InstanceError(text.format(found=found))


def _one(
    config: Config,
    order: Order,
    built: Report,
    destination: Destination,
    instance: Instance | None,
) -> ReportResult:
    files, problems = render_each(built, order.formats, config.report.templates)
    paths = tuple(write_all(files, order.out))
    if instance is None:
        return ReportResult(built.language, paths, None, tuple(problems))
    pending = publications_of(config)
    note = pending_of(order, built.language)
    try:
        published = deliver(instance, built, files, destination)
    except ConnectorError as error:
        pending.add(note, str(error), datetime.now(UTC))
        said = _("It could not be published and will be tried again: {reason}").format(reason=error)
        return ReportResult(built.language, paths, None, (*problems, said))
    pending.done(note)
    return ReportResult(built.language, paths, published, tuple(problems))


def pending_of(order: Order, language: str) -> Pending:
    """What must be known to publish the report of one language again."""
    return Pending(
        order.period_from.isoformat(),
        order.period_to.isoformat(),
        language,
        order.formats,
        order.choice.scope,
        order.choice.compared,
        order.choice.only,
    )


def retry(config: Config, mapping: Mapping, instance: Instance) -> Iterator[ReportResult]:
    """Publish again what could not be published: the same periods, from the data of now."""
    for note in publications_of(config).waiting():
        order = Order(
            datetime.fromisoformat(note.period_from),
            datetime.fromisoformat(note.period_to),
            (note.language,),
            note.formats,
            config.report.out,
            Choice(note.scope, note.compared, note.only),
        )
        yield from report(config, mapping, order, instance)


def tool_of(config: Config) -> Tool:
    """Where links lead to: lists only where our columns are really written on the records."""
    if not config.has_instance:
        return NOWHERE
    writes = config.write_back
    is_on_records = writes.enabled and writes.mode == "record"
    written = frozenset(writes.tables) if is_on_records else frozenset[str]()
    return Tool(config.instance.url.rstrip("/"), written, config.store.keep_records_months)


def brief(
    config: Config, mapping: Mapping, text: str, languages: Sequence[str], formats: Sequence[str]
) -> tuple[list[ReportFile], list[str]]:
    """One page before a meeting with the customer or service whose name contains `text`.

    Its files, and a sentence for each that could not be made.

    Raises ConfigError if nothing is called so or the mapping has no engagement, StoreError before
    the first run.
    """
    with open_snapshot(config.store.path, config.store.memory_limit_mb) as store:
        in_force = which(store, mapping).mapping
        found = brief_of(
            store,
            in_force,
            text,
            journey=shown(config, in_force).mapping.journey,
            time_zone=config.instance.time_zone,
            minimum_group=config.report.minimum_group,
            tool=tool_of(config),
        )
    return render_brief_each(found, languages, formats, config.report.templates)
