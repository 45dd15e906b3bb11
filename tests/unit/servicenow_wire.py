"""What the tests on the wire share: settings, a client that does not wait, and a fake table."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import responses
from requests import PreparedRequest

from connector.itsm.base import Record
from connector.itsm.servicenow import Connection, ServiceNow, connect
from connector.itsm.servicenow.gate import Request
from connector.itsm.servicenow.session import Session
from tests.secrets_kit import secret

URL = "https://example.service-now.com"
HOST = "example.service-now.com"
INCIDENTS = f"{URL}/api/now/table/incident"
BATCH = f"{URL}/api/now/v1/batch"
PASSWORD = secret("password")


def settings(**changes: Any) -> Connection:
    """Settings of a made-up instance."""
    return Connection(**{"url": URL, "user": "svc", "secret": PASSWORD, **changes})


@dataclass
class Waits:
    """Stands for time: remembers how long the loop would have slept."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def client(waits: Waits | None = None, **changes: Any) -> ServiceNow:
    """A client that never really waits."""
    return connect(settings(**changes), sleep=waits or Waits())


def session(
    waits: Waits | None = None, stop: threading.Event | None = None, **changes: Any
) -> Session:
    """A session that never really waits."""
    return Session(settings(**changes), stop, waits or Waits())


def get(path: str = "/api/now/table/incident", **more: Any) -> Request:
    """A plain read."""
    return Request("GET", path, **more)


def query_of(request: PreparedRequest) -> dict[str, str]:
    """The parameters of a sent request."""
    return {k: v[0] for k, v in parse_qs(urlsplit(str(request.url)).query).items()}


def queries(mock: responses.RequestsMock) -> list[str]:
    """The encoded queries sent, in order."""
    return [query_of(call.request).get("sysparm_query", "") for call in mock.calls]


_BRANCH = re.compile(r"(sys_updated_on|sys_id)(<=|>=|=|>|<)([^^]*)")


class FakeTable:
    """A table that answers as the platform does: the limit is applied before rows are hidden."""

    def __init__(self, records: Sequence[Record], hidden: frozenset[str] = frozenset()) -> None:
        self.records = list(records)
        self.hidden = hidden
        self.before_each: Callable[[int], None] = lambda _n: None
        self.answered = 0

    def __call__(self, request: PreparedRequest) -> tuple[int, Mapping[str, str], str]:
        self.before_each(self.answered)
        self.answered += 1
        params = query_of(request)
        rows = sorted(self._matching(params["sysparm_query"]), key=_order(params["sysparm_query"]))
        offset, limit = int(params.get("sysparm_offset", "0")), int(params["sysparm_limit"])
        page = [r for r in rows[offset : offset + limit] if r["sys_id"] not in self.hidden]
        fields = params["sysparm_fields"].split(",")
        body = [{k: r[k] for k in fields if k in r} for r in page]
        headers = {} if "sysparm_no_count" in params else {"X-Total-Count": str(len(rows))}
        return 200, headers, json.dumps({"result": body})

    def _matching(self, query: str) -> Iterator[Record]:
        conditions = _BRANCH.findall(query.partition("^ORDERBY")[0])
        compare: dict[str, Callable[[str, str], bool]] = {
            "=": lambda a, b: a == b,
            ">": lambda a, b: a > b,
            "<": lambda a, b: a < b,
            ">=": lambda a, b: a >= b,
            "<=": lambda a, b: a <= b,
        }
        for record in self.records:
            if all(compare[op](record[column], value) for column, op, value in conditions):
                yield record

    def on(self, mock: responses.RequestsMock, url: str = INCIDENTS) -> None:
        """Answer this URL."""
        mock.add_callback(responses.GET, url, callback=self)


def _order(query: str) -> Callable[[Record], tuple[str, ...]]:
    columns = re.findall(r"\^?ORDERBY(\w+)", query)
    return lambda record: tuple(record[column] for column in columns)


def record(number: int, second: int) -> Record:
    """An incident with a made-up key, changed in that second of one hour."""
    moment = f"2026-11-01 08:{second // 60:02}:{second % 60:02}"
    return {"sys_id": f"{number:032x}", "sys_updated_on": moment, "number": f"INC{number:07}"}
