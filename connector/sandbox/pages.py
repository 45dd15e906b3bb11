"""The pages a person looks at: index of tables, list, form, attachment; Spanish or English.

Looking needs no login: the server listens on loopback alone. To change something one logs in, and
may do what the instance's roles and access controls let one (`access`). Everything is escaped,
nothing comes from elsewhere; an attachment is shown in a frame of its own without scripts.
"""

from collections.abc import Callable
from functools import cache
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from connector.messages import mark
from connector.resources import shipped
from connector.sandbox import (
    attachment,
    form_page,
    form_save,
    list_page,
    people,
    report_page,
    set_pages,
)
from connector.sandbox.answers import Answer, ApiError, Request, method_not_allowed, no_record
from connector.sandbox.catalogue import Table
from connector.sandbox.forms import LARGEST, Sent, sent
from connector.sandbox.instance import Instance
from connector.sandbox.reader import Reader

_HTML = "text/html;charset=UTF-8"
_SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
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
    (mark("Views, rights and update sets"), ("sys_ui", "sys_security", "sys_update", "sys_remote")),
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
    reader = Reader(instance, request, people.looking(instance, request))
    try:
        if request.method in ("GET", "HEAD"):
            return _page(instance, request, reader)
        if request.method != "POST":
            raise method_not_allowed(request.method)
        people.check_origin(request)
        return _sent(instance, request, reader)
    except ApiError as error:
        sentence = reader.text("There is nothing here") if error.status == 404 else error.detail
        shown = {"status": error.status, "sentence": sentence or error.message}
        return _rendered("missing.html.j2", reader, shown, error.status)


def _page(instance: Instance, request: Request, reader: Reader) -> Answer:
    name = request.path.removeprefix("/")
    match name:
        case "":
            return _rendered("index.html.j2", reader, _index(instance, reader))
        case "login.do":
            return _login_page(reader, request.parameters.get("back", ""))
        case "upload.do":
            return _rendered("upload.html.j2", reader, set_pages.upload_content(reader))
        case "sys_report_template.do":
            report = report_page.content(instance, reader, request)
            return _rendered("report.html.j2", reader, report)
        case "sys_attachment.do":
            return _file(instance, request, reader)
    template, make, table = _kind(instance, name)
    return _rendered(template, reader, make(instance, reader, request, table))


Maker = Callable[[Instance, Reader, Request, Table], dict[str, object]]

_KINDS: tuple[tuple[str, str, Maker], ...] = (
    ("_list.do", "list.html.j2", list_page.content),
    (".do", "form.html.j2", form_page.content),
)


def _kind(instance: Instance, name: str) -> tuple[str, Maker, Table]:
    for suffix, template, make in _KINDS:
        if name.endswith(suffix):
            table = instance.database.catalogue.get(name.removesuffix(suffix))
            if table is None:
                raise no_record()
            return template, make, table
    raise no_record()


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


def _file(instance: Instance, request: Request, reader: Reader) -> Answer:
    """An attachment's bytes: shown where `view=true`, else offered for download.

    Who may not read the record's table may not read its files.
    """
    sys_id = request.parameters.get("sys_id", "")
    record = instance.database.get(instance.database.table("sys_attachment"), sys_id)
    owner = instance.database.catalogue.get(record["table_name"]) if record else None
    if record is None or (owner and not reader.access.may_on_page("read", owner)):
        raise no_record()
    headers = dict(_SANDBOXED)
    if not request.flag("view"):
        name = attachment.plain_name(record["file_name"])
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Answer(200, attachment.content(instance, sys_id), headers, record["content_type"])


# ── what is sent ─────────────────────────────────────────────────────────────────────────────


def _sent(instance: Instance, request: Request, reader: Reader) -> Answer:
    if len(request.body) > LARGEST:
        raise ApiError(413, "Too large", reader.text("More than 16 MB: not taken"))
    form = sent(request)
    name = request.path.removeprefix("/")
    if name == "login.do":
        return _log_in(instance, reader, form)
    people.check_word(reader.person, form.fields.get(people.WORD, ""))
    if name == "logout.do":
        return _gone(reader.url("/"), people.log_out(instance, request))
    if name == "upload.do":
        shown, where = set_pages.upload(instance, reader, form)
        return _gone(where) if where else _rendered("upload.html.j2", reader, shown, 400)
    _template, make, table = _kind(instance, name)
    if make is not form_page.content:
        raise method_not_allowed(request.method)
    return _form_sent(instance, request, reader, table, form)


def _form_sent(
    instance: Instance, request: Request, reader: Reader, table: Table, form: Sent
) -> Answer:
    if set_pages.is_command(table, form):
        return _gone(set_pages.do(instance, reader, request, form))
    where, sentence = form_save.save(instance, reader, request, table, form)
    if where:
        return _gone(where)
    content = form_page.content(instance, reader, request, table)
    return _rendered("form.html.j2", reader, {**content, "refused": sentence}, 400)


def _log_in(instance: Instance, reader: Reader, form: Sent) -> Answer:
    back = form.fields.get("back", "")
    user, password = (form.fields.get(name, "") for name in ("user_name", "user_password"))
    cookie = people.log_in(instance, user.strip(), password)
    if not cookie:
        return _login_page(reader, back, is_refused=True)
    return _gone(_own(back) or "/", cookie)


def _login_page(reader: Reader, back: str, *, is_refused: bool = False) -> Answer:
    shown = {"back": _own(back), "is_refused": is_refused}
    return _rendered("login.html.j2", reader, shown, 401 if is_refused else 200)


def _own(address: str) -> str:
    """The address where it is a page of this site, without a language: the person's own counts."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or "\\" in address:
        return ""
    kept = [part for part in parts.query.split("&") if part and not part.startswith("lang=")]
    return f"{parts.path}?{'&'.join(kept)}" if kept else parts.path


def _gone(where: str, cookie: str = "") -> Answer:
    """See there: 303, so that a reload does not send again."""
    headers = {"Location": where, **_SAFE}
    return Answer(303, b"", {**headers, "Set-Cookie": cookie} if cookie else headers, _HTML)
