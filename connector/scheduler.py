"""The schedule: which job runs when, one after the other, and who is told when it does not.

Owns APScheduler. Jobs are plain functions; what they do is not known here, nor how an alert is
told (`alerts.py`).
1. At start, whatever was missed while nobody was at home runs at once (`missed`).
2. From then on cron fires, in one single-thread executor: two runs never overlap, fires that
   pile up become one.
3. A run that failed or was not whole is told to a command and a webhook; so is, once per outage,
   that there was no success for too long.
4. The stop event ends the run between two transactions, and then this.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from connector import log
from connector.alerts import Alert, Teller
from connector.config import AlsoReport, Config
from connector.config.cron import cron_lines
from connector.errors import (
    ConfigError,
    ConnectorError,
    InterruptedRunError,
    PartialRunError,
    RunInProgressError,
)
from connector.messages import _

_log = log.get("scheduler")

PATROL = timedelta(minutes=1)
"""How often the time since the last success is looked at."""

BLINK_SECONDS = 1.0
"""The longest sleep: a signal that another thread received is seen when the main thread wakes."""

Clock = Callable[[], datetime]

Ending = Literal["succeeded", "partial", "failed"]
"""How a job ended; a partial one finished, and needs a person."""


def machine_clock() -> datetime:
    """This machine's time, aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Job:
    """One scheduled piece of work.

    `run` does it and raises ConnectorError if it failed, PartialRunError if it finished and needs
    a person; `last_success` is when it last finished.
    `cron` is "" for never. A watched job is missed when it has had no success for too long.
    """

    name: str
    cron: str
    run: Callable[[], None]
    last_success: Callable[[], datetime | None]
    runs_at_first_start: bool = False
    is_watched: bool = False


@dataclass(frozen=True)
class Beat:
    """A small piece of work every so many seconds, in turn with the jobs; none is told of."""

    name: str
    seconds: int
    run: Callable[[], None]


class Successes:
    """When each job last succeeded: a small JSON beside the store, so that a restart knows."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def last(self, job: str) -> datetime | None:
        """The last success of a job, None if none is known."""
        try:
            return datetime.fromisoformat(json.loads(self._path.read_text("utf-8"))[job])
        except (OSError, ValueError, KeyError, TypeError):
            # A lost or damaged note only means that the job runs once more.
            return None

    def note(self, job: str, at: datetime, jobs: Sequence[str]) -> None:
        """Remember a success; `jobs` are all whose notes are kept. Replaces the file whole."""
        known = {name: last.isoformat() for name in jobs if (last := self.last(name))}
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps(known | {job: at.isoformat()}), encoding="utf-8")
        beside.replace(self._path)


def trigger_of(job: Job, zone: str, source: str) -> BaseTrigger:
    """The job's schedule: the next time of any of its lines. Raises ConfigError if one never is."""
    try:
        triggers = [
            CronTrigger.from_crontab(line, timezone=ZoneInfo(zone)) for line in cron_lines(job.cron)
        ]
        if all(one.get_next_fire_time(None, machine_clock()) for one in triggers):
            return triggers[0] if len(triggers) == 1 else OrTrigger(triggers)
        reason = _("there is no such day")
    except ValueError as error:
        reason = str(error)
    problem = _("[schedule] {name} {cron!r} never fires: {reason}").format(
        name=job.name, cron=job.cron, reason=reason
    )
    raise ConfigError(source, [problem])


def job_name(also: AlsoReport) -> str:
    """The name of the job of a report besides the monthly one."""
    return f"report-{also.name}"


def crons(config: Config) -> dict[str, str]:
    """Every job → its schedule ("" = never), in the order in which missed ones are caught up."""
    schedule = config.schedule
    lines = {"sync": schedule.sync, "reconcile": schedule.reconcile, "report": schedule.report}
    return lines | {job_name(also): also.cron for also in config.report.also}


def next_times(config: Config, now: datetime) -> dict[str, datetime]:
    """When each scheduled job fires next, by name, aware UTC. Raises ConfigError."""
    times = {}
    for name, cron in crons(config).items():
        if cron:
            job = Job(name, cron, run=lambda: None, last_success=lambda: None)
            trigger = trigger_of(job, config.schedule_zone, config.source)
            times[name] = trigger.get_next_fire_time(None, now).astimezone(UTC)
    return times


def missed(job: Job, trigger: BaseTrigger, now: datetime) -> bool:
    """Whether the job should have run since its last success."""
    last = job.last_success()
    if last is None:
        return job.runs_at_first_start
    due = trigger.get_next_fire_time(None, last)
    return due is not None and due <= now


def run_job(job: Job, stop: threading.Event, tell: Teller) -> Ending:
    """Run a job now; log and tell if it failed or was not whole. Never raises.

    Being stopped is no failure, nor is finding another run at work: it does the same work, and
    if it does not, the watch for successes says so.
    """
    if stop.is_set():
        return "failed"
    _log.info("job started", job=job.name)
    try:
        job.run()
    except (InterruptedRunError, RunInProgressError) as reason:
        _log.warning("job not finished", job=job.name, reason=str(reason))
    except PartialRunError as partial:
        _log.warning("job partial", job=job.name, reason=str(partial))
        tell(_partial(job, str(partial)))
        return "partial"
    except ConnectorError as error:
        _log.error("job failed", job=job.name, reason=str(error))
        tell(_failure(job, str(error)))
    except Exception as error:  # noqa: BLE001 - one run must not end the schedule (style: Errors)
        _log.error("job failed", job=job.name, exc_info=error)
        # Only the kind of a foreign error: its text might hold anything.
        tell(_failure(job, _("unexpected error {kind}; see the log").format(kind=_kind(error))))
    else:
        _log.info("job succeeded", job=job.name)
        return "succeeded"
    return "failed"


def run_beat(beat: Beat, stop: threading.Event) -> None:
    """One beat now; what goes wrong is logged. Never raises."""
    if stop.is_set():
        return
    try:
        beat.run()
    except ConnectorError as error:
        _log.warning("beat failed", beat=beat.name, reason=str(error))
    except Exception as error:  # noqa: BLE001 - as for a job: it must not end the schedule
        _log.error("beat failed", beat=beat.name, exc_info=error)


def _kind(error: BaseException) -> str:
    return type(error).__name__


def _failure(job: Job, reason: str) -> Alert:
    message = _("The scheduled {job} failed: {reason}").format(job=job.name, reason=reason)
    return Alert("failed", job.name, message)


def _partial(job: Job, reason: str) -> Alert:
    message = _("The scheduled {job} needs a person: {reason}").format(job=job.name, reason=reason)
    return Alert("partial", job.name, message)


@dataclass
class Watch:
    """Tells once per outage when a job has had no success for `limit`."""

    jobs: Sequence[Job]
    limit: timedelta
    tell: Teller
    started: datetime
    _told: set[tuple[str, datetime]] = field(default_factory=set)

    def look(self, now: datetime) -> None:
        """Compare the last successes with the clock; before the first one, the start counts."""
        for job in self.jobs:
            last = job.last_success() or self.started
            if job.is_watched and now - last > self.limit and (job.name, last) not in self._told:
                self._told.add((job.name, last))
                self.tell(_overdue(job, self.limit))


def _overdue(job: Job, limit: timedelta) -> Alert:
    message = _("No successful {job} for more than {hours} hours; look at travesia status").format(
        job=job.name, hours=int(limit.total_seconds() // 3600)
    )
    _log.error("job overdue", job=job.name)
    return Alert("overdue", job.name, message)


def build(
    jobs: Sequence[Job],
    config: Config,
    stop: threading.Event,
    tell: Teller,
    now: datetime,
    beats: Sequence[Beat] = (),
) -> BackgroundScheduler:
    """A scheduler with all jobs that have a schedule, not yet started. Raises ConfigError.

    Missed jobs fire at once, in the order given; `misfire_grace_time=None` because a machine that
    slept through the night still owes the run.
    """
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # `_log` says what matters
    scheduler = BackgroundScheduler(
        timezone=ZoneInfo(config.schedule_zone),
        executors={"default": ThreadPoolExecutor(max_workers=1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    # A beat waits while a job is at work, which is nothing to speak of.
    quiet = {beat.name for beat in beats}
    scheduler.add_listener(partial(_say_skipped, quiet), EVENT_JOB_MAX_INSTANCES)
    for beat in beats:
        every = IntervalTrigger(seconds=beat.seconds)
        scheduler.add_job(run_beat, every, args=(beat, stop), id=beat.name, name=beat.name)
    for position, job in enumerate(jobs):
        if job.cron:
            trigger = trigger_of(job, config.schedule_zone, config.source)
            first = {}
            if missed(job, trigger, now):
                _log.info("job was missed, runs now", job=job.name)
                # Jobs due at the same instant fire in the order of their names; keep ours.
                first["next_run_time"] = machine_clock() + timedelta(milliseconds=position)
            scheduler.add_job(
                run_job, trigger, args=(job, stop, tell), id=job.name, name=job.name, **first
            )
    return scheduler


def _say_skipped(quiet: Collection[str], event: JobSubmissionEvent) -> None:
    if event.job_id in quiet:
        return
    _log.warning("job is still running, this time is left out", job=event.job_id)


def serve(
    jobs: Sequence[Job],
    config: Config,
    stop: threading.Event,
    tell: Teller,
    *,
    clock: Clock = machine_clock,
    patrol: timedelta = PATROL,
    beats: Sequence[Beat] = (),
) -> None:
    """Run the schedule until `stop` is set; a run at work is waited for. Raises ConfigError."""
    started = clock()
    scheduler = build(jobs, config, stop, tell, started, beats)
    limit = timedelta(hours=config.schedule.alert_after_hours)
    watch = Watch(jobs, limit, tell, started)
    scheduler.start()
    try:
        while not _is_stopped_within(patrol, stop):
            watch.look(clock())
    finally:
        stop.set()
        scheduler.shutdown(wait=True)


def _is_stopped_within(pause: timedelta, stop: threading.Event) -> bool:
    """Wait for the stop in blinks; answers whether it came."""
    until = time.monotonic() + pause.total_seconds()
    while (left := until - time.monotonic()) > 0:
        if stop.wait(min(left, BLINK_SECONDS)):
            return True
    return stop.is_set()
