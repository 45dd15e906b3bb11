"""Small local servers with a certificate of a made-up authority; they keep what reached them."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trustme

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Heard:
    """What reached a server: method and path, with the headers."""

    url: str = ""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    certificates: list[Any] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """Methods and paths, in order."""
        return [line for line, _headers in self.requests]


def json_answer(text: str, *, status: int = 200, **headers: str) -> Answer:
    """An Answer with that JSON text."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        body = text.encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@contextmanager
def serving(
    answer: Answer,
    authority: trustme.CA | None = None,
    clients: trustme.CA | None = None,
    name: str = "localhost",
) -> Iterator[Heard]:
    """A server on any free port: https by `authority`, client certificates by `clients`."""
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def any(self) -> None:
            """Every method."""
            heard.requests.append((f"{self.command} {self.path}", dict(self.headers)))
            size = int(self.headers.get("Content-Length") or 0)
            heard.bodies.append(self.rfile.read(size).decode())
            if isinstance(self.connection, ssl.SSLSocket):
                heard.certificates.append(self.connection.getpeercert())
            answer(self)

        do_GET = do_POST = do_PATCH = do_DELETE = any

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, _address: Any) -> None:
            """A handshake that failed is what some tests want: let the refusal be heard.

            To close with something unread resets the connection, and the alert is lost on the way.
            """
            with suppress(OSError):
                request.settimeout(5)
                while socket.socket.recv(request, 4096):
                    pass

    server = Server(("127.0.0.1", 0), Handler)
    if authority:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            clients.configure_trust(context)
        # The handshake belongs to the connection's own thread, not to the one that accepts.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    port = server.server_address[1]
    heard.url = f"https://localhost:{port}" if authority else f"http://127.0.0.1:{port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
