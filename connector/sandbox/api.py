"""The REST side's front door: which handler a path belongs to, and the checks before it.

Refuses what the platform refuses before any handler: an `Accept` it cannot give (406), a body of
another type (415), a path that is no API (400).
"""

import re

from connector.sandbox import aggregate, attachment, batch, import_set, jobs, table_api
from connector.sandbox.answers import (
    Answer,
    ApiError,
    Request,
    method_not_allowed,
    unknown_resource,
)
from connector.sandbox.instance import Instance

_VERSION = re.compile(r"^v\d+$")
_JSON_TYPES = ("application/json", "*/*", "application/*")
_WITH_BODY = ("POST", "PUT", "PATCH")


def handle(instance: Instance, request: Request) -> Answer:
    """Answer one call under /api/now. Raises ApiError."""
    jobs.run_due(instance)
    version, resource, rest = _split(request.path)
    instance.counts.requests[f"{request.method} {kind_of(request.path)}"] += 1
    if resource == "batch" and not rest:
        if request.method != "POST":
            raise method_not_allowed(request.method)
        _check_types(request)
        return batch.handle(instance, request, _handle_item)
    return _dispatch(instance, request, version, resource, rest)


def _handle_item(instance: Instance, request: Request) -> Answer:
    """One item of a batch; a batch inside a batch is no resource."""
    version, resource, rest = _split(request.path)
    instance.counts.batched[f"{request.method} {kind_of(request.path)}"] += 1
    return _dispatch(instance, request, version, resource, rest)


def _dispatch(
    instance: Instance, request: Request, version: str, resource: str, rest: list[str]
) -> Answer:
    if resource == "table" and 1 <= len(rest) <= 2:
        _check_types(request)
        sys_id = rest[1] if len(rest) == 2 else ""
        return table_api.handle(instance, request, rest[0], sys_id, version)
    if resource == "stats" and len(rest) == 1:
        _check_types(request)
        return aggregate.handle(instance, request, rest[0])
    if resource == "import":
        _check_types(request)
        return import_set.handle(instance, request, rest)
    if resource == "attachment":
        return attachment.handle(instance, request, rest)
    raise unknown_resource(request.path)


def _split(path: str) -> tuple[str, str, list[str]]:
    """(version or '', resource, what follows)."""
    parts = [part for part in path.split("/") if part]
    if parts[:2] != ["api", "now"]:
        raise unknown_resource(path)
    parts = parts[2:]
    version = parts.pop(0) if parts and _VERSION.match(parts[0]) else ""
    if not parts:
        raise unknown_resource(path)
    return version, parts[0], parts[1:]


def kind_of(path: str) -> str:
    """The path with ids replaced, for counting: /api/now/table/incident/{sys_id}."""
    parts = [part for part in path.split("/") if part]
    if parts[:2] == ["api", "now"] and len(parts) > 2 and _VERSION.match(parts[2]):
        del parts[2]
    if parts[2:3] == ["table"] and len(parts) > 4:
        parts[4] = "{sys_id}"
    if parts[2:3] == ["import"] and len(parts) > 4 and parts[4] != "insertMultiple":
        parts[4] = "{sys_id}"
    if parts[2:3] == ["attachment"] and len(parts) > 3 and parts[3] != "file":
        parts[3] = "{sys_id}"
    return "/" + "/".join(parts)


def _check_types(request: Request) -> None:
    accept = request.headers.get("accept", "*/*")
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    if not any(kind in _JSON_TYPES for kind in kinds):
        raise ApiError(406, "Not Acceptable", f"{kinds[0]} is not supported; use application/json")
    if request.method in _WITH_BODY:
        kind = request.headers.get("content-type", "application/json").partition(";")[0]
        if kind.strip().lower() != "application/json":
            raise ApiError(415, "Unsupported media type", "Use application/json")
