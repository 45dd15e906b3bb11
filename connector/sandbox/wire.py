"""Answers that break on the connection itself: cut, reset, lost, dripping.

uvicorn gives an application no hand on its connection; `Protocol` puts the transport into every
request's scope. A reset is a real one (RST, by closing with SO_LINGER 0); a cut is a plain end of
the stream (FIN) before the answer is whole.
"""

import asyncio
import socket
import struct
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_TRANSPORT = "travesia.transport"
_LINGER_0 = struct.pack("ii", 1, 0)


class Protocol(H11Protocol):
    """uvicorn's HTTP/1.1, with the connection's transport among the scope's extensions."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn
        """Called by the event loop for each new connection."""
        super().connection_made(transport)
        inner: Any = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[_TRANSPORT] = transport
            await inner(scope, receive, send)

        self.app = with_transport


async def _hang_up(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """Close the connection now, and wait until the server has taken note of it."""
    transport: asyncio.Transport = scope["extensions"][_TRANSPORT]
    if reset:
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


class Lost(Response):
    """No answer at all: the connection is reset. Whether the work was done is the caller's."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI
        """Send nothing."""
        await _hang_up(scope, receive, reset=True)


class Broken(Response):
    """The head and the first `share` of the body, then a reset or an early end.

    An early end comes in mid-chunk (no length was said), a reset under a Content-Length.
    """

    def __init__(
        self, body: bytes, status: int, headers: Mapping[str, str], share: float, *, reset: bool
    ) -> None:
        super().__init__(body, status, headers)
        self._sent = min(int(len(body) * share), len(body) - 1)
        self._reset = reset
        if not reset:
            del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a part."""
        await _begin(self, send)
        part = bytes(self.body)[: self._sent]
        if part:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await _hang_up(scope, receive, reset=self._reset)


class Dripping(Response):
    """The whole answer, `size` bytes at a time with `pause` seconds in between."""

    def __init__(
        self, body: bytes, status: int, headers: Mapping[str, str], size: int, pause: float
    ) -> None:
        super().__init__(body, status, headers)
        self._size = size
        self._pause = pause

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI
        """Send slowly."""
        await _begin(self, send)
        body = bytes(self.body)
        for start in range(0, len(body), self._size):
            part = body[start : start + self._size]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(self._pause)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _begin(response: Response, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )
