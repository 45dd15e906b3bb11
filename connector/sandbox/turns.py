"""Who is served when: semaphores of a node, and sessions that serve one request at a time.

A request first waits for its session (glide_session_store), then for one of the node's slots. A
full session queue drops the request (202, empty), a full node refuses it (429 without rate
headers): servicenow-api.md §1.4, §6.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


class QueueFullError(Exception):
    """One waits too many; `is_session` tells which queue."""

    def __init__(self, *, is_session: bool) -> None:
        super().__init__("session" if is_session else "node")
        self.is_session = is_session


class Line:
    """So many served at a time, so many waiting, first come first served. `slots` 0: no limit."""

    def __init__(self, slots: int, queue: int) -> None:
        self._slots = slots
        self._queue = queue
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.longest = 0

    @property
    def is_idle(self) -> bool:
        """Whether nobody is served or waits."""
        return not self._busy

    async def enter(self) -> float:
        """Wait for a slot; the milliseconds waited, -1 where the queue is full."""
        if not self._slots or self._busy < self._slots:
            self._busy += 1
            return 0.0
        if len(self._waiting) >= self._queue:
            return -1.0
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self.longest = max(self.longest, len(self._waiting))
        began = time.perf_counter()
        await turn
        return (time.perf_counter() - began) * 1000

    def leave(self) -> None:
        """Give the slot to the one who waits longest."""
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._busy -= 1


@dataclass(frozen=True)
class Waited:
    """Milliseconds spent in the two queues: the Server-Timing of an answer."""

    session: float = 0.0
    node: float = 0.0

    @property
    def header(self) -> str:
        """As a real instance says it."""
        return f"sem_wait;dur={self.node:.0f}, sesh_wait;dur={self.session:.0f}"


NOT_AT_ALL = Waited()


@dataclass
class Turns:
    """The queues of one node."""

    slots: int = 0
    queue: int = 50
    session_queue: int = 10
    sessions: dict[str, Line] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._node = Line(self.slots, self.queue)

    @property
    def longest_queue(self) -> int:
        """The most that ever waited for a slot."""
        return self._node.longest

    @asynccontextmanager
    async def turn(self, session: str) -> AsyncIterator[Waited]:
        """Wait until it is this request's turn. `session` is '' where it brought no cookie.

        Raises QueueFullError.
        """
        async with self._in_session(session) as in_session:
            waited = await self._node.enter()
            if waited < 0:
                raise QueueFullError(is_session=False)
            try:
                yield Waited(in_session, waited)
            finally:
                self._node.leave()

    @asynccontextmanager
    async def _in_session(self, session: str) -> AsyncIterator[float]:
        if not session:
            yield 0.0
            return
        line = self.sessions.setdefault(session, Line(1, self.session_queue))
        waited = await line.enter()
        if waited < 0:
            raise QueueFullError(is_session=True)
        try:
            yield waited
        finally:
            line.leave()
            if line.is_idle:
                self.sessions.pop(session, None)
