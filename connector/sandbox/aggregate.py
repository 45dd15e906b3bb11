"""The Aggregate API: counts, averages, extremes and sums, whole or by group (c_AggregateAPI page).

Numbers are text, averages with four decimals as in the page's sample. Row rights do not bind it:
the page says that it honours read access only where a role defines it. Refuses an aggregate, an
operator or a field that is not there.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.sandbox import rights
from connector.sandbox.answers import (
    Answer,
    ApiError,
    Request,
    invalid_table,
    method_not_allowed,
    result,
)
from connector.sandbox.catalogue import Record
from connector.sandbox.display import Labels
from connector.sandbox.engine import quoted
from connector.sandbox.instance import Instance
from connector.sandbox.listing import Place, Selection, tail
from connector.sandbox.rendering import user_zone
from connector.sandbox.table_api import selection_of

_FUNCTIONS = ("avg", "max", "min", "sum")
_NUMERIC = frozenset({"integer", "decimal", "float", "longint", "percent_complete"})
_DATES = frozenset({"glide_date_time", "glide_date", "due_date", "glide_duration"})
_OPERATORS = {"=": "=", "!=": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
_NUMBER = re.compile(r"^-?\d+(\.\d+)?$")


@dataclass
class _Question:
    """One call as SQL pieces: what is computed, by what it is grouped, kept and ordered."""

    selection: Selection
    wanted: dict[tuple[str, str], str] = field(default_factory=dict)
    """(function, field path; count: '') → SQL."""
    groups: dict[str, Place] = field(default_factory=dict)
    having: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)


def handle(instance: Instance, request: Request, name: str) -> Answer:
    """GET /api/now/stats/{table}. Raises ApiError."""
    if request.method not in ("GET", "HEAD"):
        raise method_not_allowed(request.method)
    table = instance.database.catalogue.get(name)
    if table is None:
        raise invalid_table(name)
    rights.check_reachable(instance, table)
    question = _question(request, selection_of(instance, request, table))
    if not question.wanted:
        return result({"stats": {}})
    rows = _rows(instance, question)
    if not question.groups:
        return result({"stats": _stats(question, rows[0])})
    labels = Labels(instance.database, "en", user_zone(instance.database, request.user))
    shape = request.parameters.get("sysparm_display_value", "false").lower()
    return result(
        [
            {"stats": _stats(question, row), "groupby_fields": _group(question, row, labels, shape)}
            for row in rows
        ]
    )


# ── the question ─────────────────────────────────────────────────────────────────────────────


def _question(request: Request, selection: Selection) -> _Question:
    question = _Question(selection)
    if request.flag("sysparm_count"):
        question.wanted["count", ""] = "count(*)"
    for function in _FUNCTIONS:
        for path in _listed(request, f"sysparm_{function}_fields"):
            question.wanted[function, path] = _computed(selection, function, path)
    for path in _listed(request, "sysparm_group_by"):
        question.groups[path] = _place(selection, path)
    question.having = [_having(selection, text) for text in _listed(request, "sysparm_having")]
    question.order = [_order(question, text) for text in _listed(request, "sysparm_order_by")]
    return question


def _listed(request: Request, name: str) -> Iterator[str]:
    texts = (text.strip() for text in request.parameters.get(name, "").split(","))
    return (text for text in texts if text)


def _place(selection: Selection, path: str) -> Place:
    try:
        return selection.walk.place(path)
    except KeyError:
        raise _invalid(f"there is no field {path} in {selection.walk.table.name}") from None


def _invalid(detail: str) -> ApiError:
    return ApiError(400, "Invalid aggregate", detail)


def _computed(selection: Selection, function: str, path: str) -> str:
    """One aggregate as SQL. Empty values do not count, dates have no average or sum."""
    if function == "count":
        return "count(*)"
    if function not in _FUNCTIONS:
        raise _invalid(f"{function} is none of count, {', '.join(_FUNCTIONS)}")
    place = _place(selection, path)
    kind = place.column.internal_type
    value = f"nullif({place.alias}.{quoted(place.column.name)}, '')"
    if function in ("avg", "sum") and kind in _DATES:
        raise _invalid(f"{path} is a date; it has no {function}")
    if function in ("avg", "sum") or kind in _NUMERIC:
        value = f"CAST({value} AS NUMERIC)"
    return f"{function}({value})"


def _having(selection: Selection, text: str) -> str:
    """`aggregate^field^operator^value` as SQL."""
    parts = text.split("^")
    if len(parts) != 4 or parts[2] not in _OPERATORS or not _NUMBER.match(parts[3]):
        raise _invalid(f"having takes aggregate^field^operator^number, not {text}")
    function, path, operator, number = parts
    return f"{_computed(selection, function.lower(), path)} {_OPERATORS[operator]} {number}"


def _order(question: _Question, text: str) -> str:
    """`AVG^state`, `COUNT`, `state^DESC`: an aggregate or a group, ascending unless told."""
    first, *rest = text.split("^")
    direction = "DESC" if rest and rest[-1].upper() == "DESC" else "ASC"
    paths = [part for part in rest if part.upper() not in ("DESC", "ASC")]
    if first in question.groups:
        return f"{_sql(question.groups[first])} {direction}"
    path = paths[0] if paths else ""
    return f"{_computed(question.selection, first.lower(), path)} {direction}"


def _sql(place: Place) -> str:
    return f"coalesce({place.alias}.{quoted(place.column.name)}, '')"


# ── the answer ───────────────────────────────────────────────────────────────────────────────


def _rows(instance: Instance, question: _Question) -> list[tuple[object, ...]]:
    """One row per group: the groups' values, then the aggregates'."""
    if question.selection.is_empty:
        return [] if question.groups else [(0,) * len(question.wanted)]
    groups = [_sql(place) for place in question.groups.values()]
    sql = f"SELECT {', '.join([*groups, *question.wanted.values()])} {tail(question.selection)}"
    if groups:
        sql += f" GROUP BY {', '.join(groups)}"
        if question.having:
            sql += f" HAVING {' AND '.join(question.having)}"
        sql += f" ORDER BY {', '.join([*question.order, *groups])}"
    return list(instance.database.engine.rows(sql))


def _stats(question: _Question, row: Sequence[object]) -> dict[str, object]:
    """{"count": "7", "avg": {"priority": "2.5000"}}."""
    values = dict(zip(question.wanted, row[len(question.groups) :], strict=True))
    nested: dict[str, Record] = {}
    for (function, path), value in values.items():
        if function != "count":
            nested.setdefault(function, {})[path] = _text(function, value)
    counted = {"count": str(values["count", ""])} if ("count", "") in values else {}
    return {**counted, **nested}


def _text(function: str, value: object) -> str:
    if value is None:
        return ""
    if function == "avg" and isinstance(value, int | float):
        return f"{value:.4f}"
    return str(value)


def _group(question: _Question, row: Sequence[object], labels: Labels, shape: str) -> list[Record]:
    groups: Mapping[str, Place] = question.groups
    return [
        _group_field(path, place, str(value), labels, shape)
        for (path, place), value in zip(groups.items(), row, strict=False)
    ]


def _group_field(path: str, place: Place, value: str, labels: Labels, shape: str) -> Record:
    if shape not in ("true", "all"):
        return {"field": path, "value": value}
    shown = labels.shown(place.table, place.column, value)
    if shape == "true":
        return {"field": path, "value": shown}
    return {"field": path, "value": value, "display_value": shown}
