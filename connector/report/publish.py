"""A report inside the tool: one record in our report table, its files attached.

The same period, scope and language are the same record, whoever publishes it and however often.
What is there already is read first; equal content sends nothing. A new file is put beside the old
one and read back before the old one goes, so that readers always find a whole report. Nothing but
our own record and the files on it is ever written or removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import md5
from typing import Literal

from connector.errors import RejectedError
from connector.itsm.base import Instance
from connector.journey.fields import REPORT_TABLE
from connector.messages import _, speaking
from connector.report.attach import drop, keep_file
from connector.report.opening import opening
from connector.report.picture_files import PictureFile, left_over
from connector.report.render import ReportFile
from connector.report.report import Report
from connector.timestamps import format_instance

TABLE = REPORT_TABLE.name
STATE = "u_state"
PUBLISHING, PUBLISHED = "publishing", "published"
_NO_TAGS = str.maketrans("<>", "‹›")


@dataclass(frozen=True)
class PublishResult:
    """What publishing did. `uploaded`, `kept` and `removed` count files."""

    sys_id: str
    action: Literal["created", "updated", "unchanged"]
    uploaded: int
    kept: int
    removed: int
    url: str
    article: str = ""
    """The sys_id of the knowledge article, "" where none was asked for."""
    article_sent: int = 0
    """Changes that were sent of the article: its text, pictures put there and removed."""
    rows: int = 0
    """Rows of the summary table that were sent."""

    @property
    def sent_nothing(self) -> bool:
        """Whether the tool held all of it already."""
        is_same = self.action == "unchanged" and not self.uploaded and not self.removed
        return is_same and not self.rows and not self.article_sent


def report_id(report: Report) -> str:
    """The sys_id of the report's record: made from its period, scope, chapters and language."""
    return md5(f"{TABLE}|{report.key}".encode(), usedforsecurity=False).hexdigest()


def publish(
    instance: Instance,
    report: Report,
    files: Sequence[ReportFile],
    pictures: Sequence[PictureFile] = (),
) -> PublishResult:
    """Bring the record and its files to what they should be. Raises InstanceError.

    1. Compare the record, send what differs; a new one says that it is being published.
    2. For each file: keep, or add, verify, drop the old; then the pictures that it no longer has.
    3. Say that it is published: what the tool's own notification may wait for, once a report.
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
    uploaded = removed = 0
    for file in (*files, *(picture.file for picture in pictures)):
        kept = keep_file(instance, TABLE, sys_id, file, present)
        uploaded += kept.is_new
        removed += drop(instance, kept.stale)
    if pictures:
        removed += drop(instance, left_over(report, pictures, present))
    _say_published(instance, sys_id)
    return PublishResult(
        sys_id=sys_id,
        action=action,
        uploaded=uploaded,
        kept=len(files) + len(pictures) - uploaded,
        removed=removed,
        url=f"{instance.url.rstrip('/')}/{TABLE}.do?sys_id={sys_id}",
    )


def _values(report: Report) -> dict[str, str]:
    figures = report.figures
    with speaking(report.language):
        # The mail shows it as HTML: names that people gave shall be no tags there.
        summary = "\n".join(opening(report)).translate(_NO_TAGS)
    values = {
        "u_title": report.title,
        "u_period_from": format_instance(figures.period.start),
        "u_period_to": format_instance(figures.period.end),
        "u_scope": report.scope_name,
        "u_language": report.language,
        "u_data_until": format_instance(figures.data_until) if figures.data_until else "",
        "u_records": str(figures.records),
        "u_chapters": ", ".join(report.chosen) or "monthly",
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
        instance.create_record(TABLE, {"sys_id": sys_id, **values, STATE: PUBLISHING})
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


def _say_published(instance: Instance, sys_id: str) -> None:
    """Only where it is not said yet: whoever is told by mail is told once."""
    found = instance.read_records(TABLE, [sys_id], [STATE])
    # A column that is not answered is hidden, or not provisioned yet.
    if found and found[0].get(STATE, PUBLISHED) != PUBLISHED:
        instance.update_record(TABLE, sys_id, {STATE: PUBLISHED})


def _same_lines(text: str) -> str:
    # The platform may store line ends its own way.
    return text.replace("\r\n", "\n").rstrip()
