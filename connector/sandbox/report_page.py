"""A sys_report run on a page: one bar a group, the longest first, each leading to its records.

Bars, pies and lists by group are drawn alike, from `table`, `field`, `filter`, `aggregate` and
`sumfield`; other types are said not to be drawn here.
"""

from connector.sandbox.answers import Request, no_record
from connector.sandbox.catalogue import Record, Table
from connector.sandbox.engine import quoted
from connector.sandbox.instance import Instance
from connector.sandbox.list_page import list_url
from connector.sandbox.listing import Selection, select, tail
from connector.sandbox.reader import Reader
from connector.sandbox.rights import context_of

DRAWN = ("bar", "horizontal_bar", "pie", "donut", "semi_donut", "")
_MOST = 40


def content(instance: Instance, reader: Reader, request: Request) -> dict[str, object]:
    """What report.html.j2 shows. Raises ApiError 404, also where the person may not read it."""
    report = instance.database.get(
        instance.database.table("sys_report"), request.parameters.get("jvar_report_id", "")
    )
    table = instance.database.catalogue.get(report["table"]) if report else None
    if report is None or table is None or not reader.access.may_on_page("read", table):
        raise no_record()
    is_drawn = report["type"] in DRAWN and _column(table, report) != ""
    bars = _bars(instance, reader, table, report) if is_drawn else []
    return {
        "title": reader.translated("sys_report", "title", report["title"]),
        "reports_title": reader.titles.tables(instance.database.table("sys_report")),
        "table_title": reader.titles.tables(table),
        "table_url": list_url(reader, table, report["filter"]),
        "group": reader.title(table, report["field"]) if is_drawn else "",
        "counted": _counted(reader, table, report),
        "is_drawn": is_drawn,
        "bars": bars,
        "total": sum(int(str(bar["number"])) for bar in bars),
    }


def _column(table: Table, report: Record) -> str:
    return report["field"] if report["field"] in table.columns else ""


def _summed(table: Table, report: Record) -> str:
    """The column that is summed, '' where records are counted."""
    is_sum = report["aggregate"] == "SUM" and report["sumfield"] in table.columns
    return report["sumfield"] if is_sum else ""


def _counted(reader: Reader, table: Table, report: Record) -> str:
    column = _summed(table, report)
    return reader.title(table, column) if column else reader.text("Records")


def _bars(
    instance: Instance, reader: Reader, table: Table, report: Record
) -> list[dict[str, object]]:
    context = context_of(instance, reader.person.user)
    selection = select(instance.database, table, report["filter"], context)
    found = _groups(instance, selection, report["field"], _summed(table, report))
    largest = max((number for _value, number in found), default=1) or 1
    column = table.columns[report["field"]]
    return [
        {
            "label": reader.cell(table, column, value).text or reader.text("(empty)"),
            "number": number,
            "share": round(100 * number / largest),
            "url": list_url(reader, table, _narrowed(report, value)),
        }
        for value, number in found
    ]


def _groups(
    instance: Instance, selection: Selection, column: str, summed: str
) -> list[tuple[str, int]]:
    """(value, how many) of the largest groups."""
    if selection.is_empty:
        return []
    what = f"sum(CAST(t.{quoted(summed)} AS INTEGER))" if summed else "count(*)"
    rows = instance.database.engine.rows(
        f"SELECT t.{quoted(column)}, {what} {tail(selection)} "
        "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?",
        (_MOST,),
    )
    return [(value, int(number or 0)) for value, number in rows]


def _narrowed(report: Record, value: str) -> str:
    escaped = value.replace("^", "^^")
    only = f"{report['field']}={escaped}" if value else f"{report['field']}ISEMPTY"
    return "^".join(filter(None, (report["filter"], only)))
