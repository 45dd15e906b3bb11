"""The plan made, or everything taken out again: table after table, in small batches."""

from collections.abc import Callable, Iterator, Sequence

from connector import log
from connector.errors import ConfigError, InstanceError
from connector.itsm.base import ErasableInstance, Instance, RecordUpdate, UpdateReply
from connector.journey.model import Mapping as JourneyMapping
from connector.messages import _
from connector.provision.difference import plan_provision, standing
from connector.provision.model import Provisioning, Step
from connector.provision.wanted import Scope

BATCH = 50
SCHEMA = ("sys_db_object", "sys_dictionary")
"""Sent one by one: each changes the schema, and makes records of its own beside it."""

RAISED = ("sys_security_acl", "sys_security_acl_role")
"""Usually closed to REST: they want the role security_admin, raised by a person (§8.2)."""

Progress = Callable[[str, int, int], None]
_log = log.get("provision")


def _silent(_table: str, _done: int, _total: int) -> None:
    """A Progress that nobody watches."""


def apply_provision(
    instance: Instance, mapping: JourneyMapping, scope: Scope, progress: Progress = _silent
) -> Provisioning:
    """Make what is missing, bring what differs to our words; answers what was sent. Never deletes.

    Planned anew after the tables and columns were made: they make their English labels themselves.
    `progress` is told the platform table, how many are done, and of how many. Access controls that
    the instance does not let us make (it may ask for a raised role) are left out: `skipped`.
    Raises ConfigError where a person must settle something first, InstanceError and its kinds.
    """
    plan = _settled(plan_provision(instance, mapping, scope))
    sent: list[Step] = []
    for table in SCHEMA:
        sent += _send_table(instance, table, plan.of(table), progress)
    if sent:
        plan = _settled(plan_provision(instance, mapping, scope))
    skipped = set(plan.skipped)
    for table in plan.counts():
        try:
            sent += _send_table(instance, table, plan.of(table), progress)
        except InstanceError:
            if table not in RAISED:
                raise
            skipped.add(table)
    return Provisioning(tuple(sent), (), plan.absent, tuple(sorted(skipped)), plan.leftovers)


def _settled(plan: Provisioning) -> Provisioning:
    if plan.conflicts:
        raise ConfigError("provision", plan.conflicts)
    return plan


def _send_table(
    instance: Instance, table: str, steps: Sequence[Step], progress: Progress
) -> list[Step]:
    for done in _send(instance, table, steps):
        progress(table, done, len(steps))
    if steps:
        _log.info("provisioned", table=table, sent=len(steps))
    return list(steps)


def _send(instance: Instance, table: str, steps: Sequence[Step]) -> Iterator[int]:
    """Send; yields how many were done, bit by bit."""
    if table in SCHEMA:
        for step in (one for one in steps if one.action == "create"):
            instance.create_record(table, step.changed)
            yield 1
        steps = [one for one in steps if one.action == "update"]
    for start in range(0, len(steps), BATCH):
        some = steps[start : start + BATCH]
        new = [one.changed for one in some if one.action == "create"]
        old = [
            RecordUpdate(table, one.sys_id, dict(one.changed))
            for one in some
            if one.action == "update"
        ]
        replies = instance.create_records(table, new) if new else []
        replies += instance.send_updates(old) if old else []
        text = _("{n} records of {table} could not be made ({detail}); check the account's roles")
        _refuse_refusals(table, replies, text)
        yield len(some)


def _refuse_refusals(table: str, replies: Sequence[UpdateReply], text: str) -> None:
    refused = [reply for reply in replies if reply.status not in ("written", "gone")]
    if refused:
        raise InstanceError(
            text.format(n=len(refused), table=table, detail=refused[0].detail),
            method="POST",
            path="/api/now/v1/batch",
            detail=refused[0].detail,
        )


def plan_removal(instance: Instance, mapping: JourneyMapping, scope: Scope) -> Provisioning:
    """Everything of ours that stands in the instance, last made first; sends nothing.

    Whatever is set now, it is looked for on every table, in both modes, with staging tables.
    `skipped` are the platform tables of which nothing can be said. Raises InstanceError.
    """
    found, unseen = standing(instance, mapping, scope)
    return Provisioning(tuple(reversed(found)), skipped=tuple(unseen))


def remove(
    instance: ErasableInstance, mapping: JourneyMapping, scope: Scope, progress: Progress = _silent
) -> Provisioning:
    """Take out what `plan_removal` names; answers what is gone.

    Columns and tables take their data with them. Raises InstanceError and its kinds.
    """
    plan = plan_removal(instance, mapping, scope)
    for table in plan.counts():
        steps = plan.of(table)
        for start in range(0, len(steps), BATCH):
            some = steps[start : start + BATCH]
            replies = instance.delete_records(table, [step.sys_id for step in some])
            text = _("{n} records of {table} could not be removed ({detail}); remove them by hand")
            _refuse_refusals(table, replies, text)
            progress(table, len(some), len(steps))
        _log.info("removed", table=table, records=len(steps))
    return plan
