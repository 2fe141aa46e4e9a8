"""Clients that mean no good, in a process of their own: ``python -m tests.hostile <url> [<kind>=<how many> …]``, until ended.

It says ``ready`` when all of them are at work.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from typing import Final
from urllib.parse import urlsplit

LONG: Final = 7_900
"""Characters, which a request line has room for."""
CLIENTS: Final = {
    "times": 20,
    "zones": 5,
    "slashes": 5,
    "names": 5,
    "everything": 5,
    "groups": 2,
    "metrics": 2,
    "malformed": 2,
    "half": 1_000,
    "streams": 2_000,
}


def _asking(path: Callable[[int], str]) -> Callable[[str, int], Awaitable[None]]:
    """Ask, take the answer, ask again."""

    async def client(host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            for n in count():
                writer.write(f"GET {path(n)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                length = 0
                while (line := await reader.readline()).strip():
                    name, _, value = line.decode().partition(":")
                    length = int(value) if name.lower() == "content-length" else length
                if not line:
                    return
                while length:
                    got = await reader.read(min(length, 1 << 20))
                    if not got:
                        return
                    length -= len(got)
        finally:
            writer.transport.abort()

    return client


async def _malformed(host: str, port: int) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
    await reader.read()
    writer.transport.abort()


async def _half(host: str, port: int) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    await reader.read()
    writer.transport.abort()


async def _stream(host: str, port: int) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
    if b" 200 " in await reader.readline():
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # that of a socket can
    await asyncio.sleep(random.uniform(1, 9))  # and takes nothing
    writer.transport.abort()


_KINDS: Final[dict[str, Callable[[str, int], Awaitable[None]]]] = {
    "times": _asking(lambda _: "/v1/intervals?from=" + "T" * LONG),
    "zones": _asking(lambda n: f"/v1/intervals?tz=America/Argentina/Buenas{n}"),
    "slashes": _asking(lambda _: "/" * LONG),
    "names": _asking(lambda n: "/v1/now?" + "&".join(f"queue=queue-{q}" for q in range(n % 2, 101 + n % 2))),
    "everything": _asking(
        lambda n: f"/v1/now?kpi=service_level&kpi=handle_time&window={('5m', '1h')[n % 2]}"
    ),
    "groups": _asking(lambda n: f"/v1/now?group={('channel', 'site')[n % 2]}"),
    "metrics": _asking(lambda _: "/metrics"),
    "malformed": _malformed,
    "half": _half,
    "streams": _stream,
}


async def _again(kind: str, host: str, port: int) -> None:
    """Whoever is hung up on comes back."""
    while True:
        with contextlib.suppress(OSError, ValueError):
            await _KINDS[kind](host, port)
        await asyncio.sleep(random.uniform(1, 5))


async def _attack(url: str, clients: dict[str, int]) -> None:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 0
    tasks = [asyncio.create_task(_again(kind, host, port)) for kind, n in clients.items() for _ in range(n)]
    await asyncio.sleep(1)
    print("ready", flush=True)  # noqa: T201 - for whoever started us
    await asyncio.gather(*tasks)


@contextlib.contextmanager
def attacked(url: str, **clients: int) -> Iterator[None]:
    """While these clients are at it; without any, all of ``CLIENTS``."""
    command = [sys.executable, "-m", "tests.hostile", url, *(f"{kind}={n}" for kind, n in clients.items())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.kill()


def main() -> None:
    """Go on until killed."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    url, *given = sys.argv[1:]
    clients = {kind: int(n) for kind, _, n in (each.partition("=") for each in given)}
    asyncio.run(_attack(url, clients or CLIENTS))


if __name__ == "__main__":
    main()
