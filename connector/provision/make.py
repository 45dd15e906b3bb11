"""The plan as a whole, and its making: kind after kind, in small batches."""

from collections.abc import Callable, Iterator, Sequence

from connector import log
from connector.errors import ConfigError, InstanceError
from connector.itsm.base import Instance, RecordUpdate, UpdateReply
from connector.journey.model import Mapping as JourneyMapping
from connector.messages import _
from connector.provision.columns import plan_columns
from connector.provision.model import KINDS, META, Artefact, Kind, Provisioning, refuse_foreign
from connector.provision.notification import Mail, plan_notifications
from connector.provision.quiet import plan_quiet

BATCH = 50
_log = log.get("provision")


def plan_provision(
    instance: Instance,
    mapping: JourneyMapping,
    tables: Sequence[str],
    journey: str = "travesia",
    via: str = "batch",
    mails: Sequence[Mail] = (),
) -> Provisioning:
    """What the instance lacks for write-back on `tables` and for reports; sends nothing.

    `journey` is the one whose steps are shown, `via` how records are written, `mails` who is told
    of published reports.
    Raises InstanceError and its kinds.
    """
    plan = plan_columns(instance, mapping, tables, journey)
    if via == "import_set":
        plan = plan.and_also(plan_quiet(instance, [t for t in tables if t not in plan.absent]))
    plan = plan.and_also(plan_notifications(instance, mails))
    for artefact in plan.artefacts:
        refuse_foreign(artefact)
    return plan


def apply_provision(
    instance: Instance,
    mapping: JourneyMapping,
    tables: Sequence[str],
    journey: str = "travesia",
    via: str = "batch",
    progress: Callable[[Kind, int, int], None] = lambda _kind, _done, _total: None,
    *,
    mails: Sequence[Mail] = (),
) -> list[Artefact]:
    """Make what is missing, kind after kind; answers what was sent.

    Planned anew before each kind: making a column makes its English label, too. `progress` is told
    the kind, how many are done, and of how many.
    Raises ConfigError where a person must settle something first, InstanceError and its kinds.
    """
    sent: list[Artefact] = []
    for kind in KINDS:
        plan = plan_provision(instance, mapping, tables, journey, via, mails)
        if plan.conflicts:
            raise ConfigError("provision", plan.conflicts)
        todo = plan.of(kind)
        for done in _send(instance, kind, todo):
            sent += done
            progress(kind, len(done), len(todo))
        if todo:
            _log.info("provisioned", kind=kind, sent=len(todo))
    return sent


def _send(instance: Instance, kind: Kind, todo: Sequence[Artefact]) -> Iterator[list[Artefact]]:
    """Send; yields what was done, bit by bit. Tables and columns singly: they change the schema."""
    if kind in ("table", "column"):
        for artefact in todo:
            instance.create_record(META[kind], artefact.values)
            yield [artefact]
        return
    for start in range(0, len(todo), BATCH):
        some = todo[start : start + BATCH]
        new = [a for a in some if a.action == "create"]
        old = [a for a in some if a.action == "update"]
        replies = instance.create_records(META[kind], [a.values for a in new]) if new else []
        if old:
            replies += instance.send_updates(
                [RecordUpdate(META[kind], a.sys_id, _changed(a)) for a in old]
            )
        _refuse_refusals(kind, replies)
        yield list(some)


def _changed(artefact: Artefact) -> dict[str, str]:
    """Without what only names it for the eye."""
    return {k: v for k, v in artefact.values.items() if k not in ("value", "language")}


def _refuse_refusals(kind: Kind, replies: Sequence[UpdateReply]) -> None:
    refused = [reply for reply in replies if reply.status != "written"]
    if refused:
        text = _("{n} records of {table} could not be made ({detail}); check the account's roles")
        raise InstanceError(
            text.format(n=len(refused), table=META[kind], detail=refused[0].detail),
            method="POST",
            path="/api/now/v1/batch",
            detail=refused[0].detail,
        )
