"""A TCP proxy that breaks connections in the ways that networks do, on purpose and counted."""

import asyncio
import socket
import struct
import threading
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from tests.background import background_errors
from tests.services.process import HOST, free_port

CHUNK = 64 * 1024
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds


class Way(StrEnum):
    """The direction of bytes: `UP` to the server, requests; `DOWN` to the client, replies."""

    UP = "up"
    DOWN = "down"


@dataclass(slots=True)
class _Link:
    client: StreamWriter
    server: StreamWriter
    swallow: bool = False  # the next reply

    def reset(self) -> None:
        for writer in (self.client, self.server):
            if not writer.transport.is_closing():
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE
                )
            writer.transport.abort()


@dataclass(slots=True)
class FaultProxy:
    """Stands between clients and `upstream`, a port of 127.0.0.1, in an event loop and a thread of its own.

    So whatever a test computes or waits for in its loop, the road stays open for the programs that use it.

    `latency_s` delays every chunk in both directions, and may be set at any time. `counts` says what was
    done: connections, unreachable (the server was), bytes_up, bytes_down, replies_dropped, cuts, resets.
    """

    upstream: int
    port: int = field(default_factory=free_port)
    latency_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    _drops: int = 0
    _matching: bytes = b""
    _budget: dict[Way, int] = field(default_factory=dict)
    _open: dict[Way, asyncio.Event] = field(default_factory=lambda: {way: asyncio.Event() for way in Way})
    _server: asyncio.Server | None = None
    _links: list[_Link] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread = field(init=False)
    _errors: list[str] = field(init=False)

    async def __aenter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="fault proxy", daemon=True)
        self._thread.start()
        await self.heal()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.wrap_future(self._submit(self._end()))
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        assert not self._errors

    def _run(self) -> None:
        with background_errors(self._loop) as self._errors:
            self._loop.run_forever()
        self._loop.close()

    def _submit(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def heal(self) -> None:
        """End every fault: what was held back goes on, and connections are accepted."""
        await asyncio.wrap_future(self._submit(self._heal()))

    async def _heal(self) -> None:
        self.latency_s, self._drops = 0.0, 0
        self._budget.clear()
        for way in Way:
            self._open[way].set()
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, HOST, self.port, limit=CHUNK)

    async def _end(self) -> None:
        await self._refuse()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks)

    def refuse(self) -> None:
        """Refuse connections until `heal` and reset those that there are, like a server that is down."""
        self._submit(self._refuse()).result()

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._reset()

    def reset(self) -> None:
        """Reset every connection; new ones are welcome."""
        self._submit(self._reset()).result()

    async def _reset(self) -> None:
        for link in self._links:
            self.counts["resets"] += 1
            link.reset()

    def blackhole(self, *ways: Way) -> None:
        """Hold all bytes in these directions (both if none is named) until `heal`; connections stay open."""
        self._submit(self._hold(ways or tuple(Way))).result()

    async def _hold(self, ways: Iterable[Way]) -> None:
        for way in ways:
            self._open[way].clear()

    def drop_replies(self, times: int = 1, *, matching: bytes = b"") -> None:
        """Swallow the replies to the next `times` requests that hold `matching`, and reset those connections.

        The server has done what was asked, and its client will never know. Counted when it has happened.
        """
        self._matching, self._drops = matching, times

    def cut_after(self, size: int, way: Way = Way.DOWN) -> None:
        """Let `size` more bytes through, over all connections, then reset the one that reaches it."""
        self._budget[way] = size

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            up_reader, up_writer = await asyncio.open_connection(HOST, self.upstream, limit=CHUNK)
            link = _Link(writer, up_writer)
            self._links.append(link)
            self.counts["connections"] += 1
            try:
                pumps = [self._pump(link, reader, Way.UP), self._pump(link, up_reader, Way.DOWN)]
                await _first_of(*map(asyncio.create_task, pumps))
            finally:
                self._links.remove(link)
                up_writer.close()
        except OSError:
            self.counts["unreachable"] += 1
        except asyncio.CancelledError:  # by __aexit__; asyncio.Server would log a cancelled callback
            writer.transport.abort()
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _pump(self, link: _Link, reader: StreamReader, way: Way) -> None:
        writer = link.server if way is Way.UP else link.client
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.latency_s:
                    await asyncio.sleep(self.latency_s)
                await self._open[way].wait()
                if way is Way.DOWN and link.swallow:
                    self.counts["replies_dropped"] += 1
                    return link.reset()
                if way is Way.UP and self._drops and not link.swallow and self._matching in data:
                    self._drops -= 1
                    link.swallow = True
                left = self._budget.get(way, len(data) + 1) - len(data)
                passing = data if left > 0 else data[: len(data) + left]
                self.counts[f"bytes_{way}"] += len(passing)
                writer.write(passing)
                if way in self._budget:
                    self._budget[way] = left
                await writer.drain()
                if left <= 0:
                    del self._budget[way]
                    self.counts["cuts"] += 1
                    return link.reset()
        return None


async def _first_of(*tasks: asyncio.Task[None]) -> None:
    """Wait until one task is done and cancel the others."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
