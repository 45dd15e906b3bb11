"""Files on records: the Attachment API (servicenow-api.md §4.1), content types always given."""

from dataclasses import dataclass

from connector.errors import RecordGoneError
from connector.itsm.base import Attachment, Record
from connector.itsm.servicenow.decode import decode_record, decode_records, whole_number
from connector.itsm.servicenow.gate import ANYTHING, Request
from connector.itsm.servicenow.keys import checked_id, table_path
from connector.itsm.servicenow.session import Session

_PATH = "/api/now/attachment"


@dataclass(frozen=True)
class Target:
    """Where a file goes, and what it is."""

    table: str
    sys_id: str
    file_name: str
    content_type: str


def list_attachments(session: Session, table: str, sys_id: str) -> list[Attachment]:
    """The files on a record."""
    table_path(table)
    params = {
        "sysparm_query": f"table_name={table}^table_sys_id={checked_id(sys_id)}^ORDERBYsys_id",
        "sysparm_limit": "1000",
    }
    answer = session.call(Request("GET", _PATH, params), decode_records)
    return [_attachment(record) for record in answer.value]


def read_attachment(session: Session, sys_id: str) -> bytes:
    """The bytes of a file, whatever its type."""
    request = Request("GET", f"{_PATH}/{checked_id(sys_id)}/file", accept=ANYTHING)
    return session.call(request, bytes).value


def add_attachment(session: Session, target: Target, content: bytes) -> Attachment:
    """Put a file on a record."""
    table_path(target.table)
    params = {
        "table_name": target.table,
        "table_sys_id": checked_id(target.sys_id),
        "file_name": target.file_name,
    }
    request = Request("POST", f"{_PATH}/file", params, content, content_type=target.content_type)
    return _attachment(session.call(request, decode_record).value)


def delete_attachment(session: Session, sys_id: str) -> None:
    """Remove a file; one that is gone already is fine (a repeated delete meets its own work)."""
    try:
        session.call(Request("DELETE", f"{_PATH}/{checked_id(sys_id)}"), lambda _body: None)
    except RecordGoneError:
        return


def _attachment(record: Record) -> Attachment:
    return Attachment(
        record.get("sys_id", ""),
        record.get("file_name", ""),
        record.get("content_type", ""),
        whole_number(record.get("size_bytes", "")) or 0,
    )
