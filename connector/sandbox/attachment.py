"""The Attachment API: metadata, upload of a raw body, download, rename, delete.

The metadata are ordinary sys_attachment records; the bytes lie beside them. Refuses an upload
without its three parameters (400) or to a record that does not exist (404). The multipart form of
upload is not offered.
"""

import hashlib
import json

from connector.sandbox import table_api
from connector.sandbox.answers import (
    Answer,
    ApiError,
    Request,
    method_not_allowed,
    no_record,
    result,
    unknown_resource,
)
from connector.sandbox.catalogue import Record, Table
from connector.sandbox.instance import Instance

_LIMIT = "1000"
"""Default page of the attachment list (c_AttachmentAPI)."""


def handle(instance: Instance, request: Request, parts: list[str]) -> Answer:
    """`parts` is the path after /api/now/attachment."""
    match (request.method, parts):
        case ("GET" | "HEAD", []):
            return _list(instance, request)
        case ("POST", ["file"]):
            return _upload(instance, request)
        case ("GET" | "HEAD", [sys_id]):
            return result(_metadata(instance, request, sys_id))
        case ("GET" | "HEAD", [sys_id, "file"]):
            return _download(instance, request, sys_id)
        case ("DELETE", [sys_id]):
            return _delete(instance, request, sys_id)
        case ("PATCH", [sys_id]):
            return _rename(instance, request, sys_id)
        case (_, [] | [_] | [_, "file"]):
            raise method_not_allowed(request.method)
    raise unknown_resource(request.path)


def _table(instance: Instance) -> Table:
    return instance.database.catalogue["sys_attachment"]


def _list(instance: Instance, request: Request) -> Answer:
    separator = "&" if request.query_string else ""
    limited = Request(
        request.method,
        request.path,
        f"sysparm_limit={_LIMIT}{separator}{request.query_string}",
        request.headers,
        user=request.user,
        base=request.base,
    )
    page = table_api.page_of(instance, limited, _table(instance))
    return result([_with_link(request, record) for record in page.records], headers=page.headers)


def _with_link(request: Request, record: Record) -> Record:
    link = f"{request.base}/api/now/attachment/{record['sys_id']}/file"
    return {**record, "download_link": link}


def _record(instance: Instance, sys_id: str) -> Record:
    record = instance.database.get(_table(instance), sys_id)
    if record is None:
        raise no_record()
    return record


def _metadata(instance: Instance, request: Request, sys_id: str) -> Record:
    return _with_link(request, _record(instance, sys_id))


def content(instance: Instance, sys_id: str) -> bytes:
    """The bytes of an attachment. Raises ApiError 404."""
    rows = instance.database.engine.connection.execute(
        "SELECT data FROM _sandbox_content WHERE sys_id = ?", (sys_id,)
    ).fetchall()
    if not rows:
        raise no_record()
    return bytes(rows[0][0])


def _download(instance: Instance, request: Request, sys_id: str) -> Answer:
    record = _metadata(instance, request, sys_id)
    headers = {
        "X-Attachment-Metadata": json.dumps(record),
        "Content-Disposition": f'attachment; filename="{plain_name(record["file_name"])}"',
    }
    return Answer(200, content(instance, sys_id), headers, record["content_type"])


def plain_name(name: str) -> str:
    """A file name fit for a header: ASCII, without quotes or line breaks."""
    kept = (c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    return "".join(kept)


def _upload(instance: Instance, request: Request) -> Answer:
    names = ("table_name", "table_sys_id", "file_name")
    given = {name: request.parameters.get(name, "") for name in names}
    if missing := [name for name in names if not given[name]]:
        raise ApiError(400, "Missing parameter", f"{', '.join(missing)} required")
    content_type = request.headers.get("content-type", "")
    if not content_type:
        raise ApiError(400, "Missing parameter", "Content-Type required")
    database = instance.database
    target = database.catalogue.get(given["table_name"])
    if target is None or not database.exists(target, given["table_sys_id"]):
        raise no_record()
    size = str(len(request.body))
    values = given | {
        "content_type": content_type,
        "size_bytes": size,
        "size_compressed": size,
        "compressed": "false",
        "hash": hashlib.sha256(request.body).hexdigest(),
    }
    with database.transaction():
        record = database.insert(_table(instance), values, request.user)
        database.engine.execute(
            "INSERT INTO _sandbox_content VALUES (?, ?)", (record["sys_id"], request.body)
        )
    location = f"{request.base}/api/now/attachment/{record['sys_id']}"
    return result(_with_link(request, record), 201, {"Location": location})


def _delete(instance: Instance, request: Request, sys_id: str) -> Answer:
    _record(instance, sys_id)
    instance.database.delete(_table(instance), sys_id, request.user)
    return Answer(204)


def _rename(instance: Instance, request: Request, sys_id: str) -> Answer:
    _record(instance, sys_id)
    values = table_api.values_of(request.body)
    name = {key: value for key, value in values.items() if key == "file_name"}
    instance.database.update(_table(instance), sys_id, name, request.user)
    return Answer(204)
