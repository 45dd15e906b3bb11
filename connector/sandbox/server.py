"""The sandbox as a process: listens on 127.0.0.1 only, says when it is ready, stops on SIGTERM."""

import signal
import socket
import sys
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import uvicorn

from connector.errors import ConfigError
from connector.messages import _
from connector.sandbox.app import create_app
from connector.sandbox.instance import Instance
from connector.sandbox.seeding import holds_instance, open_instance
from connector.sandbox.wire import Protocol


class _Server(uvicorn.Server):
    """Says one line on stdout when it listens."""

    ready_line = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(self.ready_line + "\n")
            sys.stdout.flush()


def listen(port: int) -> socket.socket:
    """A listening socket on loopback. Raises ConfigError where the port is taken."""
    # The protocol must be named: asyncio turns Nagle's algorithm off only on sockets that say TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            "sandbox",
            [_("port {port} is in use; choose another with --port").format(port=port)],
        ) from error
    listener.listen(128)
    return listener


def server_for(instance: Instance) -> _Server:
    """A server of the instance's app, not yet started."""
    return _Server(
        uvicorn.Config(
            create_app(instance),
            http=Protocol,
            access_log=False,
            log_level="warning",
            date_header=False,
            server_header=False,
            lifespan="off",
            timeout_keep_alive=120,
            timeout_graceful_shutdown=5,
        )
    )


def run(
    port: int,
    data: Path,
    seed: str,
    until: datetime | None,
    uci: Path | None,
    frozen: bool = False,
    *,
    lacking: Collection[str] = (),
) -> None:
    """Serve until SIGTERM or Ctrl-C. A folder that holds an instance is reopened as it is.

    A new one has all tables but those `lacking`.

    Raises ConfigError (see open_instance, listen) and SandboxError.
    """
    reopened = holds_instance(data)
    listener = listen(port)
    try:
        instance = open_instance(data, seed, until, uci, frozen, lacking=lacking)
    except BaseException:
        listener.close()
        raise
    if reopened:
        sys.stderr.write(
            _("{folder} already holds an instance (seed {seed}): reopened as it is").format(
                folder=data, seed=instance.seed
            )
            + "\n"
        )
    server = server_for(instance)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.ready_line = (
        f"sandbox ready: {address} (seed {instance.seed}, clock {instance.clock.text()})"
    )
    _serve(server, listener, instance)


def _serve(server: _Server, listener: socket.socket, instance: Instance) -> None:
    # uvicorn raises the signal again once it has stopped: without a handler of ours that would
    # end the process before the database is closed.
    previous = signal.signal(signal.SIGTERM, lambda *_signal: None)
    try:
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, previous)
        instance.database.close()
        listener.close()
