"""Admission of connections: how many, in all and per address, and for how long they may keep us waiting.

A connection waits while nothing is being made for it: it has not sent its request yet, is idle between two requests, or is
being sent a finished answer. Where there is no room the one that has waited longest is closed, so that clients that ask get in
however many there are that don't. A new connection is closed only if all others are being served at that moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from msgspec import Struct

from .problems import CONTENT_TYPE, HEADERS, of_status, response
from .wire import encode

PATIENCE_S: Final = 30.0
"""The limit for a request to be complete, the next to arrive, an answer to be read; shorter than proxies keep connections."""
LOOK_S: Final = 1.0
LONGEST_PATH: Final = 256
"""Finding the route of a path costs the square of its length."""
AT_ONCE: Final = 16
"""How many are admitted before others are served again."""
BACKLOG: Final = 1_024
"""How many may wait outside; clients that arrive when it is full try again after a second."""
SAID_EVERY_S: Final = 60.0
NAMELESS: Final = {**HEADERS, "Server": "stream-app"}
"""Headers of answers that no route makes: the library would name itself and its version."""

_log = structlog.get_logger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Limits(Struct, frozen=True, kw_only=True):
    """The most that ``serve`` holds; ``…_of_one`` is per address."""

    connections: int = 4_000
    connections_of_one: int = 1_000
    streams: int = 2_000
    streams_of_one: int = 200


_Waiting = dict["Connection", float]
"""Since when; those that have waited longest come first."""


class _Party(Struct):
    """The connections of one address."""

    inside: int = 0
    waiting: _Waiting = {}


def address(transport: asyncio.BaseTransport | None) -> str:
    """Return whose connection it is: an IPv4 address, or the network of an IPv6 one, as one party owns all of it."""
    peer = transport.get_extra_info("peername") if transport else None
    if not isinstance(peer, tuple):
        return ""
    try:
        found = ip_address(str(peer[0]).partition("%")[0])
    except ValueError:
        return str(peer[0])
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
    return str(found)


class Door:
    """The gate that admits connections."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._inside: dict[Connection, None] = {}
        self._waiting = _Waiting()
        self._of: dict[str, _Party] = {}
        self._said = float("-inf")
        self._listening: asyncio.Server | None = None
        self._watching: asyncio.Task[None] | None = None

    async def open(
        self,
        runner: web.AppRunner,
        host: str,
        port: int,
        access_log: tuple[type[AbstractAccessLogger], Any] | None = None,
    ) -> tuple[str, int]:
        """Listen, and return on which address and port. ``runner`` is already set up; callers that set it up clean it up.

        Raises:
            OSError: the address can't be listened on.
        """
        server = runner.server
        assert server is not None  # noqa: S101 - it is set up
        server.request_handler = self._handler(server.request_handler)
        loop = asyncio.get_running_loop()
        kind, log = access_log or (AbstractAccessLogger, None)
        options = {"loop": loop, "access_log_class": kind, "access_log": log}
        self._listening = await loop.create_server(
            lambda: Connection(server, self, **options), host, port, backlog=AT_ONCE
        )
        for listening in self._listening.sockets:
            with socket.socket(fileno=os.dup(listening.fileno())) as same:
                same.listen(BACKLOG)
        self._watching = asyncio.create_task(self._watch())
        found: tuple[str, int] = self._listening.sockets[0].getsockname()[:2]
        return found

    async def close(self) -> None:
        """Admit no more connections."""
        if self._listening and self._watching:
            self._listening.close()
            self._watching.cancel()
            await asyncio.wait([self._watching])

    async def _watch(self) -> None:
        """Close connections that keep us waiting."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(LOOK_S, PATIENCE_S / 2))
            while self._waiting:
                longest, since = next(iter(self._waiting.items()))
                if loop.time() - since < PATIENCE_S:
                    break
                self.leave(longest)

    def _handler(self, inner: Handler) -> Handler:
        """Wrap the handler: check a request's length before anything else looks at it."""

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            if len(request.path) > LONGEST_PATH:
                detail = f"a path may have at most {LONGEST_PATH} characters, got {len(request.path):,}"
                return response(of_status(HTTPStatus.BAD_REQUEST, detail), NAMELESS)
            connection = request.protocol
            if not isinstance(connection, Connection) or connection not in self._inside:
                raise ConnectionResetError("hung up on")
            self._is_served(connection)
            try:
                return await inner(request)
            finally:
                self._waits(connection)

        return handle

    def enter(self, connection: Connection) -> bool:
        """Admit a connection if there is room or can be made; return whether it was."""
        limits, mine = self._limits, self._of.get(connection.who)
        if mine and mine.inside >= limits.connections_of_one and not self._make_room(mine.waiting):
            return self._refuse(connection)
        if len(self._inside) >= limits.connections and not self._make_room(self._waiting):
            return self._refuse(connection)
        self._inside[connection] = None
        self._of.setdefault(connection.who, _Party()).inside += 1
        self._waits(connection)
        return True

    def leave(self, connection: Connection) -> None:
        """Close a connection and forget it."""
        connection.hang_up()
        if connection not in self._inside:
            return
        self._is_served(connection)
        del self._inside[connection]
        mine = self._of[connection.who]
        mine.inside -= 1
        if not mine.inside:
            del self._of[connection.who]

    def _make_room(self, waiting: _Waiting) -> bool:
        longest = next(iter(waiting), None)
        if longest is None:
            return False
        self.leave(longest)
        return True

    def _refuse(self, connection: Connection) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._said >= SAID_EVERY_S:
            self._said = now
            _log.warning("connections_full", address=connection.who, connections=len(self._inside))
        return False

    def _waits(self, connection: Connection) -> None:
        if connection in self._inside:
            now = asyncio.get_running_loop().time()
            self._waiting[connection] = self._of[connection.who].waiting[connection] = now

    def _is_served(self, connection: Connection) -> None:
        self._waiting.pop(connection, None)
        self._of[connection.who].waiting.pop(connection, None)


class Connection(web.RequestHandler):
    """A connection that the door admits; it answers malformed requests without quoting them.

    Attributes:
        who: the address of the other side.
    """

    def __init__(self, server: web.Server, door: Door, **options: Any) -> None:
        super().__init__(server, **options)
        self.who = ""
        self._door = door
        self._line: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask to be admitted, or close."""
        self._line, self.who = transport, address(transport)
        super().connection_made(transport)
        if not self._door.enter(self):
            self.hang_up()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Leave."""
        self._door.leave(self)
        super().connection_lost(exc)
        # asyncio's transport refers to itself by this: it and its socket would have to wait for the garbage collector.
        with contextlib.suppress(AttributeError):
            self._line._read_ready_cb = None  # type: ignore[union-attr]  # noqa: SLF001 - it has no public way

    def hang_up(self) -> None:
        """Close it, whatever is still to be sent."""
        if isinstance(self._line, asyncio.Transport):
            self._line.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the request
    ) -> web.StreamResponse:
        """Answer a malformed request, or one that failed outside all handlers, without a trace and without quoting it."""
        if isinstance(exc, ConnectionError):
            raise exc  # the client is gone: there is nobody to answer
        _log.warning("request_refused", address=self.who, status=status, why=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("part of another answer was already sent")
        detail = "expected an HTTP request" if status == HTTPStatus.BAD_REQUEST else ""
        body = encode(of_status(status, detail))
        refusal = web.Response(status=status, body=body, content_type=CONTENT_TYPE, headers=NAMELESS)
        refusal.force_close()
        return refusal


class AccessLog(AbstractAccessLogger):
    """One line per request, without the query string."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Log a finished request."""
        _log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status,
            ms=round(time * 1000, 1),
            remote=request.remote,
        )
