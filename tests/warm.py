"""`travesia` processes that start in milliseconds: forked from one that has imported everything.

Interpreter and imports take longer than most commands, and the flows start hundreds of them. Here
one server process imports the command, and forks a child for every start: a process with a pid,
arguments, a folder, an environment and streams of its own, which runs `connector.cli.main` to the
end of the interpreter, and can be stopped and killed like any other.

What such a child does not show: that the command can be imported, what is decided at its import
(texts of the help: IMPORTED), and what hangs on the seed of the hashes, which all children of one
server share. So what compares two runs byte for byte starts them for real (`harness.starting`).
"""

import gc
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from tests.harness import TRAVESIA, Process, Start, environment, start_real

ROOT = Path(__file__).parent.parent
IMPORTED = ("TRAVESIA_LANG", "NO_COLOR")
"""Variables that count while the command is imported; who sets others gets a real process."""
_NUMBER = struct.Struct("!i")
"""What a child's parent tells of it: its pid, then its exit code."""


# ── the side of the tests ────────────────────────────────────────────────────────────────────


class Started:
    """A forked command, with as much of `subprocess.Popen` as the tests use."""

    def __init__(
        self,
        args: Sequence[str],
        line: socket.socket,
        stdout: IO[str],
        stderr: IO[str] | None,
    ) -> None:
        self.args = args
        self.stdout: IO[str] | None = stdout
        self.stderr = stderr
        self.returncode: int | None = None
        self._readers: dict[str, threading.Thread] = {}
        self._said: dict[str, str] = {}
        self._line = line
        self.pid = _NUMBER.unpack(line.recv(_NUMBER.size))[0]

    def poll(self) -> int | None:
        """The exit code, negative for a signal, if it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises TimeoutExpired."""
        if self.returncode is None:
            self._line.settimeout(timeout)
            try:
                self.returncode = _NUMBER.unpack(self._line.recv(_NUMBER.size))[0]
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._line.close()
        return self.returncode

    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]:
        """Read all that it says until its end. Raises TimeoutExpired; may be asked again."""
        until = time.monotonic() + (timeout or threading.TIMEOUT_MAX)
        for name, stream in (("stdout", self.stdout), ("stderr", self.stderr)):
            if stream and not stream.closed and name not in self._readers:
                self._readers[name] = threading.Thread(
                    target=self._read, args=(name, stream), daemon=True
                )
                self._readers[name].start()
        for reader in self._readers.values():
            reader.join(until - time.monotonic())
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(None if timeout is None else max(0.001, until - time.monotonic()))
        return self._said.get("stdout", ""), self._said.get("stderr", "")

    def _read(self, name: str, stream: IO[str]) -> None:
        with stream:
            self._said[name] = stream.read()

    def send_signal(self, sig: int) -> None:
        """Send a signal to it, if it is still there."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


@contextmanager
def server() -> Iterator[Start]:
    """How to start a command by a server, which comes up with the first and goes with the block."""
    settled = environment(LC_ALL="C.UTF-8")
    with ExitStack() as stack:
        up: list[socket.socket] = []

        def start(
            words: Sequence[str], folder: Path, env: Mapping[str, str], *, with_stderr: bool = True
        ) -> Process:
            if any(env.get(name) != settled.get(name) for name in IMPORTED):
                return start_real(words, folder, env, with_stderr=with_stderr)
            if not up:
                up.append(stack.enter_context(_running(settled)))
            return _asked_for(up[0], words, folder, env, with_stderr=with_stderr)

        yield start


@contextmanager
def _running(env: Mapping[str, str]) -> Iterator[socket.socket]:
    control, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
    )
    theirs.close()
    with control:
        yield control
    process.wait(30)


def _asked_for(
    control: socket.socket,
    words: Sequence[str],
    folder: Path,
    env: Mapping[str, str],
    *,
    with_stderr: bool,
) -> Started:
    line, its_line = socket.socketpair()
    pipes = [os.pipe() for _stream in range(1 + with_stderr)]
    given = [its_line.fileno(), *(write for _read, write in pipes)]
    socket.send_fds(control, [b"+"], given)
    its_line.close()
    for _read, write in pipes:
        os.close(write)
    order = {"words": list(words), "folder": str(folder), "environment": dict(env)}
    line.sendall(json.dumps(order).encode() + b"\n")
    streams = [os.fdopen(read, encoding="utf-8") for read, _write in pipes]
    return Started([*TRAVESIA, *words], line, streams[0], streams[1] if with_stderr else None)


# ── the side of the server ───────────────────────────────────────────────────────────────────


def serve(control: socket.socket) -> None:
    """Fork a child for each order until nobody is there to give one; returns in the children."""
    tasks = Path("/proc/self/task")
    assert not tasks.exists() or len(list(tasks.iterdir())) == 1, "threads do not survive a fork"
    gc.freeze()
    while True:
        word, given, _flags, _address = socket.recv_fds(control, 1, 3)
        _reap()
        if not word:
            os._exit(0)
        if os.fork() == 0:
            control.close()
            _watch(given)
            return
        for one in given:
            os.close(one)


def _reap() -> None:
    """Take leave of those that ended, so that their processor time counts as the tests' own."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _watch(given: Sequence[int]) -> None:
    """Fork the command, and tell its pid and its end; returns in the command."""
    line = socket.socket(fileno=given[0])
    with line.makefile("r", encoding="utf-8") as words:
        order = json.loads(words.readline())
    pid = os.fork()
    if pid == 0:
        line.close()
        _become(order, given[1:])
        return
    for one in given[1:]:
        os.close(one)
    with suppress(BrokenPipeError):
        line.sendall(_NUMBER.pack(pid))
        _pid, status = os.waitpid(pid, 0)
        line.sendall(_NUMBER.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


def _become(order: dict[str, Any], streams: Sequence[int]) -> None:
    """Be what a freshly started `travesia …` is."""
    gc.unfreeze()  # or what is tidied up at the end would be missed
    for number, stream in enumerate(streams, 1):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["travesia", *order["words"]]


if __name__ == "__main__":
    from connector import cli
    from connector.journey.mapping import load_mapping

    import_module("connector.sandbox.server")  # the command imports it late
    load_mapping()  # not kept: what it parses stays in the caches of the parser
    serve(socket.socket(fileno=int(sys.argv[1])))
    cli.main()
