"""A report inside the tool: one record in our report table, its files attached.

The same period, scope and language are the same record, whoever publishes it and however often.
What is there already is read first; equal content sends nothing. A new file is put beside the old
one and read back before the old one goes, so that readers always find a whole report. Nothing but
our own record and the files on it is ever written or removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import md5, sha256
from typing import Literal

from connector.errors import IncompleteResponseError, RejectedError
from connector.itsm.base import Attachment, Instance
from connector.journey.fields import REPORT_TABLE
from connector.messages import _, speaking
from connector.report.opening import opening
from connector.report.render import ReportFile
from connector.report.report import Report
from connector.timestamps import format_instance

TABLE = REPORT_TABLE.name


@dataclass(frozen=True)
class PublishResult:
    """What publishing did. `uploaded`, `kept` and `removed` count files."""

    sys_id: str
    action: Literal["created", "updated", "unchanged"]
    uploaded: int
    kept: int
    removed: int
    url: str

    @property
    def sent_nothing(self) -> bool:
        """Whether the tool held all of it already."""
        return self.action == "unchanged" and not self.uploaded and not self.removed


def report_id(report: Report) -> str:
    """The sys_id of the report's record: made from its period, scope, chapters and language."""
    return md5(f"{TABLE}|{report.key}".encode(), usedforsecurity=False).hexdigest()


def publish(instance: Instance, report: Report, files: Sequence[ReportFile]) -> PublishResult:
    """Bring the record and its files to what they should be. Raises InstanceError.

    1. Compare the record, send what differs.  2. For each file: keep, or add, verify, drop the old.
    """
    if TABLE not in instance.list_tables([TABLE]):
        raise RejectedError(
            _("Table {table} does not exist; run travesia provision --apply first").format(
                table=TABLE
            )
        )
    sys_id = report_id(report)
    action = _save_record(instance, sys_id, _values(report))
    present = [] if action == "created" else instance.list_attachments(TABLE, sys_id)
    counts = [_save_file(instance, sys_id, file, present) for file in files]
    return PublishResult(
        sys_id=sys_id,
        action=action,
        uploaded=sum(uploaded for uploaded, _removed in counts),
        kept=sum(not uploaded for uploaded, _removed in counts),
        removed=sum(removed for _uploaded, removed in counts),
        url=f"{instance.url.rstrip('/')}/{TABLE}.do?sys_id={sys_id}",
    )


def _values(report: Report) -> dict[str, str]:
    figures = report.figures
    with speaking(report.language):
        summary = "\n".join(opening(report))
    values = {
        "u_title": report.title,
        "u_period_from": format_instance(figures.period.start),
        "u_period_to": format_instance(figures.period.end),
        "u_scope": report.scope_name,
        "u_language": report.language,
        "u_data_until": format_instance(figures.data_until) if figures.data_until else "",
        "u_records": str(figures.records),
        "u_summary": summary,
    }
    # Cut to the column: the tool would do so in silence, and we would find a difference each time.
    longest = {field.name: field.max_length for field in REPORT_TABLE.fields}
    return {name: value[: longest[name]].rstrip() for name, value in values.items()}


def _save_record(
    instance: Instance, sys_id: str, values: dict[str, str]
) -> Literal["created", "updated", "unchanged"]:
    found = instance.read_records(TABLE, [sys_id], list(values))
    if not found:
        instance.create_record(TABLE, {"sys_id": sys_id, **values})
        return "created"
    # A column that is not answered is hidden from us: never a difference that we could mend.
    changed = {
        name: value
        for name, value in values.items()
        if name in found[0] and _same_lines(found[0][name]) != _same_lines(value)
    }
    if not changed:
        return "unchanged"
    instance.update_record(TABLE, sys_id, changed)
    return "updated"


def _same_lines(text: str) -> str:
    # The platform may store line ends its own way.
    return text.replace("\r\n", "\n").rstrip()


def _save_file(
    instance: Instance, sys_id: str, file: ReportFile, present: Sequence[Attachment]
) -> tuple[int, int]:
    """Files uploaded and removed."""
    ours = [attachment for attachment in present if attachment.file_name == file.name]
    same = next((a for a in ours if _holds(instance, a, file.content)), None)
    if same is None:
        fresh = instance.add_attachment(TABLE, sys_id, file.name, file.content_type, file.content)
        _verify(instance, fresh, file)
    stale = [attachment for attachment in ours if attachment is not same]
    for attachment in stale:
        instance.delete_attachment(attachment.sys_id)
    return int(same is None), len(stale)


def _holds(instance: Instance, attachment: Attachment, content: bytes) -> bool:
    if attachment.size != len(content):
        return False
    stored = instance.read_attachment(attachment.sys_id)
    return sha256(stored).digest() == sha256(content).digest()


def _verify(instance: Instance, fresh: Attachment, file: ReportFile) -> None:
    if _holds(instance, fresh, file.content):
        return
    instance.delete_attachment(fresh.sys_id)
    raise IncompleteResponseError(
        _(
            "The file {name} did not arrive whole in {table}; the former one stays. Publish again"
        ).format(name=file.name, table=TABLE)
    )
