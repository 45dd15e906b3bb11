"""Ask a developer instance what its documentation leaves open: started by hand, never in CI.

    TRAVESIA_PASSWORD=… python -m tools.try_pdi https://dev12345.service-now.com admin > answers.md

It makes three records of its own (an incident, a view, an access control), looks what becomes of
them, and takes them out again. It answers the questions of docs/try-on-a-pdi.md as a Markdown
table, with statuses and errors; nothing of other records but counts and choice values.
Refuses an address that is not a developer instance's, unless it is this machine.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from connector.provision.model import stable_id

_ALLOWED = re.compile(r"^dev\d+\.service-now\.com$|^127\.0\.0\.1$|^localhost$")
_IMPOSSIBLE = "u_journey_no_such_column"
_CHOICES = {
    "interaction": "state",
    "asmt_assessment_instance": "state",
    "sysapproval_approver": "state",
    "dmn_demand": "state",
    "im_idea_core": "state",
    "sc_task": "state",
}
INCIDENT, VIEW = stable_id("try", "incident"), stable_id("try", "sys_ui_view")


@dataclass(frozen=True)
class Answer:
    """One question, what was asked, and what the instance said."""

    question: str
    asked: str
    said: str


class Tool:
    """The instance, by its Table API. No cookies, certificates verified."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self.session = requests.Session()
        self.session.auth = (user, password)
        self.session.trust_env = False
        self.session.headers.update(
            {"Accept": "application/json", "Content-Type": "application/json"}
        )
        self.user = user

    def call(
        self, method: str, path: str, body: Mapping[str, str] | None = None, /, **query: str
    ) -> requests.Response:
        """One request, as it is; redirects are not followed."""
        return self.session.request(
            method,
            f"{self.url}/api/now/{path}",
            params=query,
            json=dict(body) if body is not None else None,
            timeout=90,
            allow_redirects=False,
        )

    def rows(self, table: str, query: str, fields: str) -> list[dict[str, Any]]:
        """The rows of a query; none where it is refused."""
        wanted = {"sysparm_query": query, "sysparm_fields": fields, "sysparm_limit": "200"}
        reply = self.call("GET", f"table/{table}", **wanted)
        return list(reply.json().get("result", [])) if reply.ok else []


def short(reply: requests.Response) -> str:
    """Status and error of a reply, without the records."""
    try:
        error = reply.json().get("error")
    except ValueError:
        return f"{reply.status_code}, {reply.headers.get('Content-Type', '?')}, no JSON"
    return f"{reply.status_code}" + (f" {error}" if error else "")


def _one(reply: requests.Response) -> dict[str, Any]:
    try:
        found = reply.json().get("result")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def impossible_column(tool: Tool) -> Iterator[Answer]:
    """§11.2."""
    count = {"sysparm_limit": "1", "sysparm_fields": "sys_id"}
    every = tool.call("GET", "table/incident", **count).headers.get("X-Total-Count", "none")
    asked = f"{_IMPOSSIBLE}=1"
    reply = tool.call("GET", "table/incident", sysparm_query=asked, **count)
    found = reply.headers.get("X-Total-Count", "none")
    said = f"{short(reply)}; X-Total-Count {found} of {every}"
    yield Answer("2 unknown column in a query", asked, said)


def plain_times(tool: Tool) -> Iterator[Answer]:
    """§11.3: whether the time just read finds the record, in the zone of this account."""
    me = tool.rows("sys_user", f"user_name={tool.user}", "time_zone")
    zone = me[0].get("time_zone") or "the system's" if me else "hidden"
    row = _one(tool.call("GET", f"table/incident/{INCIDENT}"))
    asked = f"sys_id={INCIDENT}^sys_updated_on={row.get('sys_updated_on')}"
    found = len(tool.rows("incident", asked, "sys_id"))
    yield Answer(
        "3 plain time in a query", f"own time, zone {zone}", f"{found} of 1 found (1: read as UTC)"
    )


def writes_that_change_nothing(tool: Tool) -> Iterator[Answer]:
    """§11.4, §11.5, §11.6: versions before and after, and a value that no choice list has."""
    path = f"table/incident/{INCIDENT}"
    before = _one(tool.call("GET", path))
    same = _one(tool.call("PATCH", path, {"short_description": before["short_description"]}))
    said = f"sys_mod_count {before.get('sys_mod_count')} → {same.get('sys_mod_count')}"
    yield Answer("4 PATCH that changes nothing", "same short_description", said)
    for flag in ("true", "false"):
        text = {"short_description": f"try {flag}", "sys_updated_on": "2020-01-01 00:00:00"}
        reply = tool.call("PATCH", path, text, sysparm_suppress_auto_sys_field=flag)
        row = _one(reply)
        version = f"{row.get('sys_mod_count')}, {row.get('sys_updated_on')}"
        asked = f"sysparm_suppress_auto_sys_field={flag}, sys_updated_on 2020"
        yield Answer("5 suppress auto fields", asked, f"{short(reply)}; {version}")
    reply = tool.call("PATCH", path, {"state": "99"})
    said = f"{short(reply)}; state {_one(reply).get('state')} (was {before.get('state')})"
    yield Answer("6 value outside the choice list", "state 99", said)


def same_key_twice(tool: Tool) -> Iterator[Answer]:
    """§11.7."""
    reply = tool.call("POST", "table/incident", {"sys_id": INCIDENT, "short_description": "again"})
    text = _one(tool.call("GET", f"table/incident/{INCIDENT}")).get("short_description")
    yield Answer("7 second POST of a sys_id", "POST", f"{short(reply)}; the record says {text!r}")


def counts(tool: Tool) -> Iterator[Answer]:
    """§11.8."""
    for no_count in ("false", "true"):
        reply = tool.call("GET", "table/incident", sysparm_limit="1", sysparm_no_count=no_count)
        found = reply.headers.get("X-Total-Count", "absent")
        yield Answer("8 X-Total-Count", f"sysparm_no_count={no_count}", found)


def choice_values(tool: Tool) -> Iterator[Answer]:
    """§11.10."""
    for table, column in _CHOICES.items():
        query = f"name={table}^element={column}^language=en^inactive=false^ORDERBYsequence"
        rows = tool.rows("sys_choice", query, "value,label")
        said = ", ".join(f"{row['value']} {row['label']}" for row in rows) or "no list of its own"
        yield Answer("10 choice values", f"{table}.{column}", said)


def configuration(tool: Tool) -> Iterator[Answer]:
    """§11.11, and what provisioning relies on: read-only options, access controls, update sets."""
    view = {"sys_id": VIEW, "name": "u_journey_try", "title": "Travesía try"}
    made = tool.call("POST", "table/sys_ui_view", view)
    rows = tool.rows("sys_update_xml", f"name=sys_ui_view_{VIEW}", "update_set")
    said = f"{short(made)}; {len(rows)} sys_update_xml"
    yield Answer("11 POST to sys_ui_view lands in an update set", "POST", said)
    options = tool.rows("sys_dictionary", "read_only_option=display_read_only", "sys_id")
    there = tool.rows("sys_dictionary", "name=sys_dictionary^element=read_only_option", "sys_id")
    said = f"column there: {bool(there)}; at least {len(options)} columns have display_read_only"
    yield Answer("read-only options", "sys_dictionary.read_only_option", said)
    control = {"name": "u_journey_try", "operation": "read", "type": "record", "active": "false"}
    control["sys_id"] = stable_id("try", "acl")
    reply = tool.call("POST", "table/sys_security_acl", control)
    yield Answer("access control by REST", "POST sys_security_acl", short(reply))
    for table in ("sys_process_flow", "sys_ui_formatter", "sys_filter", "sys_transform_script"):
        reply = tool.call("GET", f"table/{table}", sysparm_limit="1")
        names = ", ".join(sorted(reply.json()["result"][0])) if _has_rows(reply) else short(reply)
        yield Answer("columns that provisioning names", table, names)


def _has_rows(reply: requests.Response) -> bool:
    return reply.ok and bool(reply.json().get("result"))


QUESTIONS: tuple[Callable[[Tool], Iterator[Answer]], ...] = (
    impossible_column,
    plain_times,
    writes_that_change_nothing,
    same_key_twice,
    counts,
    choice_values,
    configuration,
)


def answers(tool: Tool) -> Iterator[Answer]:
    """All questions, one after the other; our records are there before and gone after."""
    made = tool.call(
        "POST", "table/incident", {"sys_id": INCIDENT, "short_description": "Travesía try"}
    )
    yield Answer("POST under a sys_id of ours", "incident", short(made))
    try:
        for question in QUESTIONS:
            yield from question(tool)
    finally:
        for table, sys_id in (
            ("incident", INCIDENT),
            ("sys_ui_view", VIEW),
            ("sys_security_acl", stable_id("try", "acl")),
        ):
            tool.call("DELETE", f"table/{table}/{sys_id}")


def table_of(found: Iterator[Answer]) -> Iterator[str]:
    """The answers as lines of a Markdown table."""
    yield "| question | asked | answer |"
    yield "|---|---|---|"
    for one in found:
        cells = (one.question, one.asked, one.said)
        yield (
            "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
        )


def main(arguments: list[str]) -> int:
    """Ask and print. Exit 64 for wrong arguments."""
    password = os.environ.get("TRAVESIA_PASSWORD", "")
    host = urlsplit(arguments[0]).hostname or "" if arguments else ""
    if len(arguments) != 2 or not password or not _ALLOWED.match(host):
        sys.stderr.write(f"{(__doc__ or '').strip()}\n")
        return 64
    for line in table_of(answers(Tool(arguments[0], arguments[1], password))):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
