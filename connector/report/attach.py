"""Files of ours on a record of the tool: kept where they are the same, else put beside the old one.

A new file is read back and compared by hash before the older one goes, so that readers always find
a whole one. Nothing but files under names of ours is ever removed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from connector.errors import IncompleteResponseError
from connector.itsm.base import Attachment, Instance
from connector.messages import _
from connector.report.render import ReportFile


@dataclass(frozen=True)
class Kept:
    """A file as it stands in the tool now; `stale` are those whose place it takes."""

    sys_id: str
    is_new: bool
    stale: tuple[Attachment, ...] = ()


def keep_file(
    instance: Instance, table: str, sys_id: str, file: ReportFile, present: Sequence[Attachment]
) -> Kept:
    """See that the file is on the record; removes nothing. Raises InstanceError kinds."""
    ours = [attachment for attachment in present if attachment.file_name == file.name]
    same = next((a for a in ours if _holds(instance, a, file.content)), None)
    fresh = same or _add(instance, table, sys_id, file)
    stale = tuple(attachment for attachment in ours if attachment.sys_id != fresh.sys_id)
    return Kept(fresh.sys_id, same is None, stale)


def drop(instance: Instance, stale: Iterable[Attachment]) -> int:
    """Remove files of ours; answers how many. Raises InstanceError kinds."""
    gone = list(stale)
    for attachment in gone:
        instance.delete_attachment(attachment.sys_id)
    return len(gone)


def _add(instance: Instance, table: str, sys_id: str, file: ReportFile) -> Attachment:
    fresh = instance.add_attachment(table, sys_id, file.name, file.content_type, file.content)
    if _holds(instance, fresh, file.content):
        return fresh
    instance.delete_attachment(fresh.sys_id)
    raise IncompleteResponseError(
        _(
            "The file {name} did not arrive whole in {table}; the former one stays. Publish again"
        ).format(name=file.name, table=table)
    )


def _holds(instance: Instance, attachment: Attachment, content: bytes) -> bool:
    if attachment.size != len(content):
        return False
    stored = instance.read_attachment(attachment.sys_id)
    return sha256(stored).digest() == sha256(content).digest()
