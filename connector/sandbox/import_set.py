"""The Import Set API: rows into a staging table, transformed at once or a moment later.

Shapes of the c_ImportSetAPI page (servicenow-api.md §3). A staging table is one that extends
`sys_import_set_row`; what its rows become is `transform`'s matter. Refuses callers without the role
import_transformer. Column names of sys_rest_insert_multiple are not documented: here they are
`transformation` (synchronous) and `column_mapping` (column_name).
"""

import json
from collections.abc import Mapping

import msgspec

from connector.sandbox import rights
from connector.sandbox.answers import (
    Answer,
    ApiError,
    Request,
    encode,
    invalid_table,
    method_not_allowed,
    no_record,
    unknown_resource,
    unreadable_body,
)
from connector.sandbox.catalogue import Record, Table
from connector.sandbox.instance import Instance
from connector.sandbox.transform import Outcome, transform

_ROW = "sys_import_set_row"
_ROLE = "import_transformer"
_OWN = frozenset({"sys_import_state", "sys_import_set", "sys_import_row", "sys_target_sys_id"})


def handle(instance: Instance, request: Request, rest: list[str]) -> Answer:
    """`rest` is the path after /api/now/import. Raises ApiError."""
    staging = _staging(instance, rest[0] if rest else "")
    if not rights.has_role(instance.database, request.user, _ROLE):
        raise ApiError(403, "User Not Authorized", f"the role {_ROLE} is required")
    match (request.method, rest[1:]):
        case ("POST", []):
            return _one(instance, request, staging)
        case ("POST", ["insertMultiple"]):
            return _many(instance, request, staging)
        case ("GET" | "HEAD", [sys_id]):
            return _again(instance, request, staging, sys_id)
        case (_, [] | [_]):
            raise method_not_allowed(request.method)
    raise unknown_resource(request.path)


def _staging(instance: Instance, name: str) -> Table:
    table = instance.database.catalogue.get(name)
    if table is None:
        raise invalid_table(name)
    if _ROW not in table.lineage or table.name == _ROW:
        raise ApiError(400, f"Invalid staging table {name}", f"it does not extend {_ROW}")
    rights.check_reachable(instance, table)
    return table


# ── rows in ──────────────────────────────────────────────────────────────────────────────────


def _one(instance: Instance, request: Request, staging: Table) -> Answer:
    fields = _decoded(request.body)
    if not isinstance(fields, dict):
        raise unreadable_body()
    with instance.database.transaction():
        import_set = _new_set(instance, request, staging, "synchronous", {})
        row = _stage(instance, request.user, staging, import_set, 1, _texts(fields))
        _process(instance, import_set)
    answer = _told(instance, request, staging, import_set["number"], row["sys_id"])
    return Answer(201, encode(answer))


def _many(instance: Instance, request: Request, staging: Table) -> Answer:
    """Asynchronous unless sys_rest_insert_multiple says otherwise; keys are column labels."""
    body = _decoded(request.body)
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise ApiError(400, "Exception while reading request", "records must be an array")
    settings = _settings(instance, staging)
    mode = settings.get("transformation") or "asynchronous"
    by_name = settings.get("column_mapping") == "column_name"
    names = {c.name if by_name else c.label: c.name for c in staging.columns.values()}
    with instance.database.transaction():
        import_set = _new_set(instance, request, staging, mode, request.parameters)
        for number, record in enumerate(records, 1):
            given = {names[key]: value for key, value in record.items() if key in names}
            _stage(instance, request.user, staging, import_set, number, _texts(given))
        if mode == "synchronous":
            _process(instance, import_set)
    made = {
        "import_set_id": import_set["sys_id"],
        "multi_import_set_id": import_set["multi_import_set"],
    }
    return Answer(201, encode(made))


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise unreadable_body() from None


def _texts(fields: Mapping[str, object]) -> Record:
    return {name: _text(value) for name, value in fields.items()}


def _text(value: object) -> str:
    """Strings are kept. Anything else is mangled, as the page warns: `:` becomes `=`."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_text(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_text(inner) for inner in value) + "]"
    return "" if value is None else str(value)


def _settings(instance: Instance, staging: Table) -> Record:
    found = instance.database.engine.records(
        "SELECT * FROM sys_rest_insert_multiple WHERE source_table = ?", (staging.name,)
    )
    return found[0] if found else {}


def _new_set(
    instance: Instance,
    request: Request,
    staging: Table,
    mode: str,
    parameters: Mapping[str, str],
) -> Record:
    database = instance.database
    multiple = parameters.get("multi_import_set_id", "")
    if not multiple:
        table = database.catalogue["sys_multi_import_set"]
        multiple = database.insert(table, {"state": "loading"}, request.user)["sys_id"]
    values = {
        "table_name": staging.name,
        "state": "loaded",
        "mode": mode,
        "multi_import_set": multiple,
        "run_after": parameters.get("run_after", ""),
    }
    return database.insert(database.catalogue["sys_import_set"], values, request.user)


def _stage(
    instance: Instance,
    user: str,
    staging: Table,
    import_set: Record,
    number: int,
    fields: Mapping[str, str],
) -> Record:
    given = {name: value for name, value in fields.items() if name not in _OWN}
    own = {
        "sys_import_set": import_set["sys_id"],
        "sys_import_row": str(number),
        "sys_import_state": "pending",
    }
    return instance.database.insert(staging, given | own, user)


# ── rows out ─────────────────────────────────────────────────────────────────────────────────


def run_due(instance: Instance) -> None:
    """Transform what was loaded before this very second and waits for nothing."""
    database = instance.database
    if "sys_import_set" not in database.catalogue:  # a folder made before there was the table
        return
    due = database.engine.records(
        "SELECT * FROM sys_import_set AS s WHERE state = 'loaded' AND sys_created_on < ? "
        "AND NOT EXISTS (SELECT 1 FROM sys_import_set AS before "
        "WHERE before.sys_id = s.run_after AND before.state = 'loaded') ORDER BY number",
        (instance.clock.text(),),
    )
    for import_set in due:
        with database.transaction():
            _process(instance, import_set)
    if due:
        run_due(instance)  # what waited for one of these


def _process(instance: Instance, import_set: Record) -> None:
    database = instance.database
    staging = database.catalogue[import_set["table_name"]]
    rows = database.engine.records(
        "SELECT * FROM sys_import_set_row WHERE sys_import_set = ? AND sys_class_name = ? "
        "ORDER BY CAST(sys_import_row AS INTEGER)",
        (import_set["sys_id"], staging.name),
    )
    user = import_set["sys_created_by"]
    for row in rows:
        _keep(instance, staging, row, transform(instance, staging, row, user), user)
    sets = database.catalogue["sys_import_set"]
    database.update(sets, import_set["sys_id"], {"state": "processed"}, user)


def _keep(
    instance: Instance, staging: Table, row: Record, outcomes: list[Outcome], user: str
) -> None:
    """What became of a row, on the row itself and for a later GET."""
    last = outcomes[-1]
    values = {
        "sys_import_state": last.status,
        "sys_import_state_comment": last.message,
        "sys_target_table": last.table,
        "sys_target_sys_id": last.sys_id,
        "sys_transform_map": last.map_id,
    }
    instance.database.update(staging, row["sys_id"], values, user)
    kept = json.dumps([outcome.told() for outcome in outcomes])
    instance.database.engine.set_meta(f"import.{row['sys_id']}", kept)


def _again(instance: Instance, request: Request, staging: Table, sys_id: str) -> Answer:
    row = instance.database.get(staging, sys_id)
    if row is None:
        raise no_record()
    sets = instance.database.catalogue["sys_import_set"]
    import_set = instance.database.get(sets, row["sys_import_set"]) or {}
    return Answer(
        200, encode(_told(instance, request, staging, import_set.get("number", ""), sys_id))
    )


def _told(
    instance: Instance, request: Request, staging: Table, number: str, sys_id: str
) -> dict[str, object]:
    """The documented body; a row that still waits has no results."""
    kept = json.loads(instance.database.engine.meta(f"import.{sys_id}") or "[]")
    for one in kept:
        if "sys_id" in one:
            one["record_link"] = f"{request.base}/api/now/table/{one['table']}/{one['sys_id']}"
    return {"import_set": number, "staging_table": staging.name, "result": kept}
