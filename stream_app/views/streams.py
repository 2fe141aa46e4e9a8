"""Streams of events: how many are open, and how each follows what changes."""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, Protocol

from aiohttp import web

from . import problems
from .door import Limits, address
from .sending import put

BEAT_S: Final = 0.9
"""The least time between two heartbeats of a stream; they are sent with the refresh, once a second."""
SLICE: Final = 16_384
"""Bytes written at once: a stalled reader costs a socket's buffer, not a copy of everything."""
SOCKET_BYTES: Final = 65_536
"""What the kernel may buffer for a stream; by default it holds megabytes of values that nobody needs any more."""
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Type": "text/event-stream",
    "X-Accel-Buffering": "no",
}

Newer = Callable[[int], Awaitable[tuple[bytes, int]]]
"""Version that a client has → what is newer as an event, empty if nothing is, and the version that it leads to."""


class Feed(Protocol):
    """What streams follow.

    Attributes:
        closed: whether it has ended.
    """

    closed: bool

    def beat(self) -> bytes:
        """Return how fresh it is, as an event."""
        ...

    async def wait(self) -> None:
        """Wait until there may be something newer."""
        ...


class Streams:
    """All open streams.

    Attributes:
        open: how many there are.
    """

    def __init__(self, limits: Limits) -> None:
        """Set how many there may be, in all and of one address."""
        self.open = 0
        self._limits = limits
        self._of: Counter[str] = Counter()

    async def answer(self, request: web.Request, feed: Feed, newer: Newer) -> web.StreamResponse:
        """Answer with everything first, then what changes, as server-sent events.

        ``Last-Event-ID`` is accepted but not needed: a client that reconnects is sent everything.
        """
        who = address(request.transport)
        limits, mine = self._limits, self._of[who]
        if self.open >= limits.streams or mine >= limits.streams_of_one:
            whose = "" if self.open >= limits.streams else " for this address"
            detail = f"{mine if whose else self.open:,} streams are already open{whose}"
            full = problems.of_status(HTTPStatus.SERVICE_UNAVAILABLE, detail)
            return problems.response(full, {"Retry-After": "5"})
        response = web.StreamResponse(headers=_HEADERS)
        self.open += 1
        self._of[who] += 1
        try:
            await response.prepare(request)
            if request.method != "HEAD":
                await _follow(request, response, feed, newer)
        finally:
            self.open -= 1
            self._of[who] -= 1
            if not self._of[who]:
                del self._of[who]
        return response


async def _follow(request: web.Request, response: web.StreamResponse, feed: Feed, newer: Newer) -> None:
    if request.transport and (peer := request.transport.get_extra_info("socket")):
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
    version, beaten = 0, float("-inf")
    loop = asyncio.get_running_loop()
    while not feed.closed and request.transport:
        event, version = await newer(version)
        if not event and loop.time() - beaten >= BEAT_S:
            event, beaten = feed.beat(), loop.time()
        if not event:
            await feed.wait()
            continue
        try:
            for at in range(0, len(event), SLICE):
                await put(request, response, event[at : at + SLICE])
        except ConnectionError:
            return
