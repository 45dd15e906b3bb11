"""A way there and back that takes its time: a TCP relay in front of an instance.

Every request of a client waits, answers do not; a connection is taken to carry one request after
the other (HTTP/1.1 without pipelining), so what comes from a client after an answer is a request.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

_CHUNK = 1 << 16


@contextlib.contextmanager
def delayed(url: str, seconds: float) -> Iterator[str]:
    """The address at which the instance at `url` answers `seconds` later."""
    target = (urlsplit(url).hostname or "", urlsplit(url).port or 80)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    thread = threading.Thread(target=_accept, args=(listener, target, seconds), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _accept(listener: socket.socket, target: tuple[str, int], seconds: float) -> None:
    while True:
        try:
            client, _address = listener.accept()
        except OSError:
            return
        relay = _Relay(client, socket.create_connection(target), seconds)
        for work in (relay.requests, relay.answers):
            threading.Thread(target=work, daemon=True).start()


class _Relay:
    """One connection, both ways."""

    def __init__(self, client: socket.socket, server: socket.socket, seconds: float) -> None:
        self._client, self._server, self._seconds = client, server, seconds
        self._is_answered = True
        self._ended = threading.Semaphore(0)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def requests(self) -> None:
        """From the client; the first bytes of a request wait. Closes both ways at the end."""
        with self._client, self._server:
            self._pump(self._client, self._server, is_request=True)
            for _way in ("requests", "answers"):
                self._ended.acquire()

    def answers(self) -> None:
        """From the instance, at once."""
        self._pump(self._server, self._client, is_request=False)

    def _pump(self, source: socket.socket, target: socket.socket, *, is_request: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if is_request and self._is_answered:
                    time.sleep(self._seconds)
                self._is_answered = not is_request
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._ended.release()
