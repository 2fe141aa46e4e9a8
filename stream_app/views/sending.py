"""Large answers: one at a time per address, made once for all who wait for the same one, and sent as they are read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from .door import address
from .wire import encode

SLICE: Final = 65_536
"""Bytes written at once: a stalled reader costs a socket's buffer, not a copy of everything."""
STALLED_S: Final = 30.0
"""A client that has not read a piece for this long is disconnected; browsers reconnect by themselves."""

BodyParts = Sequence[bytes]


class Heavy:
    """The line for requests whose answers take long to make."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[asyncio.Lock, int]] = {}
        self._all = asyncio.Lock()
        self._made: dict[str, tuple[str, float, BodyParts]] = {}

    @asynccontextmanager
    async def line(self, request: web.Request) -> AsyncIterator[None]:
        """Admit one request at a time of each address, so that nobody has to wait for everything that another one asked for.

        Raises:
            ConnectionError: the client disconnected meanwhile.
        """
        who = address(request.transport)
        lock, waiting = self._lines.get(who) or (asyncio.Lock(), 0)
        self._lines[who] = (lock, waiting + 1)
        try:
            async with lock:
                _check_there(request)
                yield
        finally:
            lock, waiting = self._lines.pop(who)
            if waiting > 1:
                self._lines[who] = (lock, waiting - 1)

    async def answer(
        self, request: web.Request, make: Callable[[], Awaitable[BodyParts]], headers: dict[str, str]
    ) -> web.StreamResponse:
        """Make an answer and send it. Only one is made at a time; ``make`` must not wait for other servers.

        An answer that was begun after another client asked for the same serves that client too.
        """
        loop = asyncio.get_running_loop()
        asked = loop.time()
        async with self.line(request), self._all:
            _check_there(request)
            query, begun, parts = self._made.get(request.path, ("", 0.0, ()))
            if query != request.query_string or begun < asked:
                begun, parts = loop.time(), await make()
                self._made[request.path] = (request.query_string, begun, parts)
        return await send(request, parts, headers)


def around(answer: object, field: str, rows: Iterable[bytes]) -> list[bytes]:
    """Put rows that were written one by one into an answer, or the rest of one, whose own list of them is empty."""
    text = answer if isinstance(answer, bytes) else encode(answer)
    head, empty, tail = text.partition(f'"{field}":['.encode())
    parts = [head + empty]
    for row in rows:
        parts += (row, b",")
    if len(parts) > 1:
        parts.pop()
    return [*parts, tail]


async def send(request: web.Request, parts: BodyParts, headers: dict[str, str]) -> web.StreamResponse:
    """Send an answer in pieces: copying all of it at once would hold up everybody else.

    Raises:
        ConnectionError: the client disconnected, or read nothing for long and was disconnected.
    """
    response = web.StreamResponse(headers=headers)
    response.content_length = sum(map(len, parts))
    await response.prepare(request)
    if request.method != "HEAD":
        some: list[bytes] = []
        size = 0
        for part in parts:
            some.append(part)
            size += len(part)
            if size >= SLICE:
                await put(request, response, b"".join(some))
                some, size = [], 0
        await put(request, response, b"".join(some))
    return response


async def put(request: web.Request, response: web.StreamResponse, piece: bytes) -> None:
    """Send a piece.

    Raises:
        ConnectionError: the client disconnected, or did not read it and was disconnected.
    """
    try:
        async with asyncio.timeout(STALLED_S):
            await response.write(piece)
    except TimeoutError:
        if request.transport:
            request.transport.abort()
        raise ConnectionResetError("read nothing for too long") from None


def _check_there(request: web.Request) -> None:
    if request.transport is None:
        raise ConnectionResetError("disconnected while waiting")
