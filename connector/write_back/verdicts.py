"""Whose fault was a refusal, and what follows: the record's, its field's, or the column's.

A record that fails is set aside with its reason after some attempts, and tried again after growing
pauses by the instance's clock; a column that no record takes, until a person has mended it.
"""

from datetime import datetime

from connector.context import Run
from connector.itsm.base import UpdateReply
from connector.messages import _
from connector.store import set_aside
from connector.store.changes import mark
from connector.store.set_aside import Pauses, Refused, Verdict
from connector.timestamps import format_instance
from connector.write_back.sent import Sent
from connector.write_back.settings import Settings


def kept() -> str:
    """The reason of a silent refusal."""
    return _("the instance answered 200 and kept another value")


def refuse_record(
    run: Run,
    key: tuple[str, str],
    reply: UpdateReply,
    settings: Settings,
    now: datetime,
    sent: Sent,
) -> None:
    """The tool said no to a record, and why."""
    table, sys_id = key
    detail = reply.detail or reply.status
    mark(run.store, run.run_id, table, [sys_id], "refused", detail)
    sent.failed += 1
    verdict = set_aside.count_against(run.store, table, sys_id, "", detail, _pauses(settings, now))
    if verdict.is_final:
        sent.set_aside += 1
        sent.messages.append(
            _("{table} {sys_id} was set aside until {moment} UTC: {reason}").format(
                table=table, sys_id=sys_id, reason=detail, moment=_moment(verdict)
            )
        )


def judge(run: Run, settings: Settings, now: datetime, sent: Sent) -> None:
    """Once a run: is it the column that is refused on the whole table, or this record's field?"""
    with run.store.transaction():
        for table in settings.tables:
            set_aside.forgive_written(run.store, run.run_id, table)
        for refused in set_aside.list_refused(run.store, run.run_id):
            if refused.is_of_column:
                _refuse_column(run, settings, now, sent, refused)
                continue
            for sys_id in refused.sys_ids:
                _refuse_field(run, settings, now, sent, (refused.table, sys_id, refused.field))


def _refuse_column(
    run: Run, settings: Settings, now: datetime, sent: Sent, refused: Refused
) -> None:
    sent.messages.append(
        _(
            "{field} on {table} was refused on every record ({n}): {reason}; check its choice"
            " list, its write ACL and its read-only option"
        ).format(field=refused.field, table=refused.table, n=len(refused.sys_ids), reason=kept())
    )
    verdict = set_aside.count_against(
        run.store, refused.table, "*", refused.field, kept(), _pauses(settings, now)
    )
    if verdict.is_final:
        sent.set_aside += 1
        sent.messages.append(
            _(
                "{field} on {table} is no longer written; mend the cause, then run travesia"
                " sync --full"
            ).format(field=refused.field, table=refused.table)
        )


def _refuse_field(
    run: Run, settings: Settings, now: datetime, sent: Sent, place: tuple[str, str, str]
) -> None:
    table, sys_id, field = place
    verdict = set_aside.count_against(
        run.store, table, sys_id, field, kept(), _pauses(settings, now)
    )
    if verdict.is_final:
        sent.set_aside += 1
        sent.messages.append(
            _("{field} on {table} {sys_id} is not written until {moment} UTC: {reason}").format(
                field=field, table=table, sys_id=sys_id, reason=kept(), moment=_moment(verdict)
            )
        )


def _pauses(settings: Settings, now: datetime) -> Pauses:
    return Pauses(now, settings.set_aside_after, settings.longest_pause)


def _moment(verdict: Verdict) -> str:
    return format_instance(verdict.retry_at) if verdict.retry_at else "?"
