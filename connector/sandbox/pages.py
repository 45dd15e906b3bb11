"""The pages a person looks at: index of tables, list, form, attachment; Spanish or English.

Read-only and without login: the server listens on loopback alone. Everything is escaped, nothing
comes from elsewhere; an attachment is shown in a frame of its own without scripts.
"""

from collections.abc import Callable
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from connector.messages import LANGUAGES, mark
from connector.resources import shipped
from connector.sandbox import attachment, form_page, list_page
from connector.sandbox.answers import Answer, ApiError, Request, no_record
from connector.sandbox.catalogue import Table
from connector.sandbox.instance import Instance
from connector.sandbox.reader import Reader

_HTML = "text/html;charset=UTF-8"
_SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_SANDBOXED = {"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"}

_TICKETS = mark("Tickets and requests")
_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (mark("Journey"), ("u_journey",)),
    (_TICKETS, ()),
    (
        mark("Service levels, approvals and surveys"),
        ("task_sla", "contract_sla", "sysapproval", "asmt"),
    ),
    (mark("Catalogue and services"), ("sc_", "cmdb")),
    (mark("People and organisation"), ("sys_user", "core_", "cmn_")),
    (mark("System"), ("",)),
)
"""Headings of the index and how the tables under each begin; the first match counts."""


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(shipped("templates") / "sandbox"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def handle(instance: Instance, request: Request) -> Answer:
    """Answer a page, or a page that says there is none."""
    language = request.parameters.get("lang", "en")
    reader = Reader(instance, request, language if language in LANGUAGES else "en")
    try:
        return _page(instance, request, reader)
    except ApiError as error:
        shown = {"status": error.status, "sentence": reader.text("There is nothing here")}
        return _rendered("missing.html.j2", reader, shown, error.status)


def _page(instance: Instance, request: Request, reader: Reader) -> Answer:
    name = request.path.removeprefix("/")
    if not name:
        return _rendered("index.html.j2", reader, _index(instance, reader))
    if name == "sys_attachment.do":
        return _file(instance, request)
    for suffix, template, make in _KINDS:
        if name.endswith(suffix):
            table = instance.database.catalogue.get(name.removesuffix(suffix))
            if table is None:
                raise no_record()
            return _rendered(template, reader, make(instance, reader, request, table))
    raise no_record()


Maker = Callable[[Instance, Reader, Request, Table], dict[str, object]]

_KINDS: tuple[tuple[str, str, Maker], ...] = (
    ("_list.do", "list.html.j2", list_page.content),
    (".do", "form.html.j2", form_page.content),
)


def _rendered(
    template: str, reader: Reader, content: dict[str, object], status: int = 200
) -> Answer:
    html = _environment().get_template(template).render(reader=reader, _=reader.text, **content)
    return Answer(status, html.encode(), _SAFE, _HTML)


def _index(instance: Instance, reader: Reader) -> dict[str, object]:
    groups: dict[str, list[dict[str, object]]] = {heading: [] for heading, _starts in _GROUPS}
    for table in instance.database.catalogue.values():
        entry = {
            "name": table.name,
            "title": reader.titles.tables(table),
            "count": reader.count(table),
            "url": reader.url(f"/{table.name}_list.do"),
        }
        groups[_heading(table)].append(entry)
    return {"groups": [(heading, found) for heading, found in groups.items() if found]}


def _heading(table: Table) -> str:
    if table.physical == "task":
        return _TICKETS
    return next(heading for heading, starts in _GROUPS if table.name.startswith(starts))


def _file(instance: Instance, request: Request) -> Answer:
    """An attachment's bytes: shown where `view=true`, else offered for download."""
    sys_id = request.parameters.get("sys_id", "")
    record = instance.database.get(instance.database.table("sys_attachment"), sys_id)
    if record is None:
        raise no_record()
    headers = dict(_SANDBOXED)
    if not request.flag("view"):
        name = attachment.plain_name(record["file_name"])
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Answer(200, attachment.content(instance, sys_id), headers, record["content_type"])
