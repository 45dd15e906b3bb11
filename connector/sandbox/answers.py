"""Requests and answers of the REST side, and the documented error bodies.

One shape for a call that came over the socket and for an item of a batch, so that both run through
the same handlers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from http import HTTPStatus
from urllib.parse import parse_qsl

import msgspec

JSON = "application/json;charset=UTF-8"

_encoder = msgspec.json.Encoder()


@lru_cache(maxsize=256)  # the items of a batch mostly share theirs
def _decoded(query_string: str) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(query_string, keep_blank_values=True))


@dataclass(frozen=True)
class Request:
    """One call: `path` without query, header names in lower case, `base` like http://host:port.

    `certificate` is the PEM of the client's, verified by TLS; '' where it showed none.
    """

    method: str
    path: str
    query_string: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: str = ""
    base: str = ""
    certificate: str = ""

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The query string, decoded; the last of several values counts."""
        return dict(_decoded(self.query_string))

    def flag(self, name: str) -> bool:
        """A boolean parameter, false unless it says true."""
        return self.parameters.get(name, "").lower() == "true"


@dataclass(frozen=True)
class Answer:
    """What goes back: for a batch item the body is wrapped in base64."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON

    @property
    def phrase(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase


class ApiError(Exception):
    """Raised by a handler, answered with the documented body."""

    def __init__(
        self,
        status: int,
        message: str,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail
        self.headers = headers or {}

    def answer(self) -> Answer:
        """The documented body: {"error": {"message", "detail"}, "status": "failure"}."""
        error = {"message": self.message, "detail": self.detail}
        return Answer(self.status, encode({"error": error, "status": "failure"}), self.headers)


def encode(value: object) -> bytes:
    """JSON bytes."""
    return _encoder.encode(value)


def result(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """{"result": value}."""
    return Answer(status, encode({"result": value}), headers or {})


# The sentences below are the platform's own (servicenow-api.md §1.6, §10).


def not_authenticated() -> ApiError:
    """Missing, wrong or expired credentials."""
    return ApiError(
        401,
        "User Not Authenticated",
        "Required to provide Auth information",
        {"WWW-Authenticate": 'BASIC realm="Service-now"'},
    )


def invalid_table(name: str) -> ApiError:
    """No such table."""
    return ApiError(400, f"Invalid table {name}")


def no_record() -> ApiError:
    """No such record; an ACL that hides it would say the same."""
    return ApiError(
        404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval"
    )


def unknown_resource(path: str) -> ApiError:
    """A path that is no API."""
    return ApiError(400, "Requested URI does not represent any resource", path)


def method_not_allowed(method: str) -> ApiError:
    """This verb is not for this path."""
    return ApiError(405, "Method not supported", f"{method} is not supported for this resource")


def unreadable_body() -> ApiError:
    """The body is not the JSON it should be."""
    return ApiError(400, "Exception while reading request", "The payload is not valid JSON.")


def query_not_allowed() -> ApiError:
    """A column in the query that does not exist or may not be read (mode query_acl)."""
    return ApiError(
        403,
        "Insufficient rights to query records",
        "Field(s) present in the query do not have permission to be read",
    )
