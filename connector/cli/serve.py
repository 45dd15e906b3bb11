"""`serve`: the schedule. Here the jobs are made from the pipeline; the scheduler only runs them."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from connector import alerts, log, pipeline, reporting, scheduler, services
from connector.cli.options import examples, one_of
from connector.cli.output import moment
from connector.cli.period import month_before
from connector.cli.reports import raise_if_spoiled
from connector.cli.session import Session, session_of
from connector.cli.shape import EVERY_DAY, command
from connector.cli.sync import raise_if_asking, raise_if_partial
from connector.config import AlsoReport, Config
from connector.errors import ConnectorError, PartialRunError
from connector.itsm.base import Instance
from connector.messages import _
from connector.on_demand import Answered, Watcher, answer_requests
from connector.report.build import Choice, check_chapters
from connector.reporting import Order
from connector.results import Options, RunResult
from connector.scheduler import Beat, Job, Successes

app = typer.Typer()

_log = log.get("serve")


@command(
    app,
    EVERY_DAY,
    _(
        "Run the schedule: sync nightly, reconcile weekly, report monthly.\n\n"
        "A night that was missed is caught up at start. Somebody is told when a run fails "
        "(\\[schedule] alert_command, alert_webhook_env). SIGTERM and Ctrl-C end it in good "
        "order, also in the middle of a run."
    ),
    examples(
        ("travesia serve", _("until it is stopped")),
        ("travesia serve --once sync", _("one job now, for cron or a systemd timer")),
    ),
)
def serve(
    context: typer.Context,
    once: Annotated[
        str | None,
        typer.Option(
            metavar="sync|reconcile|report",
            help=_("Run this one job now, and leave."),
        ),
    ] = None,
) -> None:
    """Make the jobs, run the schedule. A stop by signal is a good end (exit 0)."""
    session = session_of(context)
    config = session.instance_config()
    tell = alerts.teller(config, session.environment)
    with session.stopping() as stop:
        jobs = make_jobs(session, config, stop)
        if once:
            name = one_of(*(job.name for job in jobs))(once)
            job = next(job for job in jobs if job.name == name)
            raise typer.Exit(_run_once(job, stop, tell))
        for name, due in scheduler.next_times(config, datetime.now(UTC)).items():
            when = f"{moment(due, config.schedule_zone)} {config.schedule_zone}"
            _log.info("scheduled", job=name, next=when)
            if session.shows_progress:  # a person watches, and the log is kept short for them
                session.note(_("{job}: next at {when}").format(job=name, when=when))
        scheduler.serve(jobs, config, stop, tell, beats=make_beats(session, config, stop))


def _run_once(job: Job, stop: threading.Event, tell: alerts.Teller) -> int:
    return {"succeeded": 0, "partial": PartialRunError.exit_code, "failed": 1}[
        scheduler.run_job(job, stop, tell)
    ]


def make_jobs(session: Session, config: Config, stop: threading.Event) -> list[Job]:
    """The jobs of the settings, in the order in which missed ones are caught up."""
    notes = Successes(config.store.path.with_name(config.store.path.stem + ".schedule.json"))
    work: dict[str, Callable[[], None]] = {
        "sync": lambda: _sync(session, config, stop),
        "reconcile": lambda: _reconcile(session, config, stop),
        "report": lambda: _report(session, config, stop),
    }
    for also in config.report.also:
        work[scheduler.job_name(also)] = partial(_report, session, config, stop, also)
    crons = scheduler.crons(config)
    return [
        Job(
            name,
            crons[name],
            run=partial(_noted, work[name], name, notes, tuple(work)),
            last_success=partial(_last_success, config, notes, name),
            runs_at_first_start=name == "sync",
            is_watched=name == "sync",
        )
        for name in work
    ]


def make_beats(session: Session, config: Config, stop: threading.Event) -> list[Beat]:
    """The look at the queue of refresh requests, where [on_demand] is on."""
    if not config.on_demand.enabled:
        return []
    held: list[Instance] = []  # one login for all looks, made at the first

    def look() -> Answered:
        if not held:
            held.append(services.connect(config, session.environment, stop))
        instance, language = held[0], config.mapping.language
        return answer_requests(instance, partial(_refresh, session, config, stop), language)

    return [Beat("on-demand", config.on_demand.poll_seconds, Watcher(look))]


def _refresh(
    session: Session, config: Config, stop: threading.Event, numbers: Sequence[str]
) -> RunResult:
    """Some records and their relatives, with the settings and the mapping of every sync."""
    mapping = services.mapping_of(config)
    instance = services.connect(config, session.environment, stop)
    return pipeline.run(config, instance, mapping, Options(queue=tuple(numbers)), stop)


def _noted(work: Callable[[], None], name: str, notes: Successes, names: Sequence[str]) -> None:
    try:
        work()
    except PartialRunError:
        # It finished: the data are fresh, and to run it again at once would change nothing.
        notes.note(name, datetime.now(UTC), names)
        raise
    notes.note(name, datetime.now(UTC), names)


def _last_success(config: Config, notes: Successes, name: str) -> datetime | None:
    """The newest success of a job, whether scheduled or by hand."""
    known = [notes.last(name)]
    try:
        known.append(services.last_success(config, name))
    except ConnectorError as error:
        # The store may be absent before the first run, or be just replaced: the notes remain.
        _log.debug("no status", reason=str(error))
    return max((at for at in known if at), default=None)


def _sync(session: Session, config: Config, stop: threading.Event) -> None:
    mapping = services.mapping_of(config)
    instance = services.connect(config, session.environment, stop)
    raise_if_partial(pipeline.run(config, instance, mapping, Options(), stop))
    _retry(session, config, stop)


def _reconcile(session: Session, config: Config, stop: threading.Event) -> None:
    mapping = services.mapping_of(config)
    instance = services.connect(config, session.environment, stop)
    raise_if_asking(pipeline.sweep(config, instance, mapping, stop))


def _report(
    session: Session,
    config: Config,
    stop: threading.Event,
    also: AlsoReport | None = None,
) -> None:
    """The month before; `also` is one of the reports besides the monthly one."""
    settings = config.report
    mapping = services.mapping_of(config)
    instance = None
    if settings.publish:
        instance = services.connect(config, session.environment, stop)
    first, after = month_before(datetime.now(UTC), config.instance.time_zone)
    choice = Choice(compared=settings.compare)
    if also:
        choice = Choice(also.scope, also.compare, check_chapters(also.only))
    languages = (also and also.languages) or settings.languages
    order = Order(first, after, languages, settings.formats, settings.out, choice)
    raise_if_spoiled(reporting.report(config, mapping, order, instance))


def _retry(session: Session, config: Config, stop: threading.Event) -> None:
    """What could not be published before: once more. What fails again keeps waiting."""
    if not reporting.publications_of(config).waiting():
        return
    mapping = services.mapping_of(config)
    instance = services.connect(config, session.environment, stop)
    raise_if_spoiled(list(reporting.retry(config, mapping, instance)))
