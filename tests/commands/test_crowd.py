"""Five hundred wallboards on one ``serve``, most of which don't read: the others see what happens as soon as before."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from statistics import median

import psutil
import pytest

from stream_app.store.redis import RedisStore
from tests.e2e.serve import Serve
from tests.services.process import HOST, until
from tests.store.owner import Owner, queued
from tests.views.watcher import Watcher

STALLED, SLOW, QUICK = 350, 130, 20
QUEUES = 40  # so many change at once, and make more than the buffers of a connection hold
ROUNDS = 6
EACH_BYTES = 256 * 1024
"""What a stream may cost the server: a few pieces, what the transport holds before it waits, and its own state."""
SLOWER_AT_MOST = 5


@asynccontextmanager
async def stream(serve: Serve, bytes_s: float | None) -> AsyncIterator[None]:
    """Ask for the stream, and read it at some pace; with 0 not at all, with ``None`` as it comes."""
    ours = socket.socket()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)  # or the kernel reads for us
    ours.setblocking(False)
    await asyncio.get_running_loop().sock_connect(ours, (HOST, serve.port))
    reader, writer = await asyncio.open_connection(sock=ours, limit=16_384)
    if bytes_s == 0:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # that of a socket can
    writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")

    async def read() -> None:
        while await reader.read(1_024 if bytes_s else 65_536):
            if bytes_s:
                await asyncio.sleep(1_024 / bytes_s)

    task = None if bytes_s == 0 else asyncio.create_task(read())
    yield
    if task:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    writer.transport.abort()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def delays(owner: Owner, watcher: Watcher, name: str) -> list[float]:
    """Let something happen in every queue, again and again; gives how long the watcher waits for all of it."""
    took = []
    for n in range(ROUNDS):
        watcher.events.clear()
        started = time.monotonic()
        await owner.commit(*(queued(f"{name}-{n}-{q}", f"q{q}") for q in range(QUEUES)))
        await owner.beat()
        await until(lambda: len({row["queue"] for row in watcher.rows()}) == QUEUES)
        took.append(time.monotonic() - started)
        await watcher.of("beat")  # a pause, so that the next one is not held back to be sent with others
    return took


@pytest.mark.timeout(120)
async def test_five_hundred_who_hardly_read_slow_nobody_down_and_cost_little(redis_url: str) -> None:
    store = RedisStore(redis_url)
    with Serve(redis_url, STREAM_APP_MAX_AGE_S="600", STREAM_APP_MAX_STREAMS_PER_ADDRESS="600") as serve:
        owner = await Owner.of(store)
        await until(serve.is_trusted)
        watcher = Watcher(serve.url)
        await watcher.of("snapshot")
        alone = await delays(owner, watcher, "alone")
        process = psutil.Process(serve.pid)
        before = process.memory_info().rss
        async with AsyncExitStack() as crowd:
            for bytes_s, count in ((0, STALLED), (4_096, SLOW), (None, QUICK)):
                for _ in range(count):
                    await crowd.enter_async_context(stream(serve, bytes_s))
            among = await delays(owner, watcher, "among")
            first = process.memory_info().rss
            among += await delays(owner, watcher, "again")
            second = process.memory_info().rss
        assert (await serve.get("/readyz"))[0] == 200
        await watcher.stop()
    await store.close()
    grown = (first - before) / (STALLED + SLOW + QUICK)
    print(  # noqa: T201 - the figures of the run
        f"alone {median(alone):.3f} s, among 500 {median(among):.3f} s (worst {max(among):.3f} s); "
        f"{grown / 1024:.0f} kB a stream, {(second - first) / 2**20:.1f} MB more after {ROUNDS} rounds more"
    )
    assert median(among) < SLOWER_AT_MOST * max(median(alone), 0.05)
    assert grown < EACH_BYTES
    assert second - first < 500 * 32 * 1024, "what nobody reads piles up"
