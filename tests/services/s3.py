"""An S3-compatible server (moto) in a process of its own, and a proxy that answers for it when it should not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp import web
from yarl import URL

from tests.services.process import HOST, ServerProcess, free_port

PYTHON = Path(__file__).parents[2] / ".cache/s3/bin/python"
"""Of the environment that scripts/setup makes for it."""
BUCKET = "ledger"
KEYS = {"access_key_id": "tester", "secret_access_key": "not-to-be-shown"}


class S3Server(ServerProcess):
    """Moto's S3 on 127.0.0.1, with one bucket, which is empty after each start."""

    name = "s3"

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()

    def command(self) -> list[str]:
        """Run the server in the foreground."""
        return [str(PYTHON), "-m", "moto.server", "-H", HOST, "-p", str(self.port)]

    def ready(self) -> bool:
        """It has made the bucket."""
        connection = HTTPConnection(HOST, self.port, timeout=10)
        try:
            connection.request("PUT", f"/{BUCKET}")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


def options(port: int) -> Mapping[str, str]:
    """What a client of a port needs to know."""
    return {"endpoint": f"http://{HOST}:{port}", "region": "us-east-1", **KEYS}


class Fault(StrEnum):
    """What becomes of a request."""

    BUSY = "503"
    BUSY_AFTER = "503, though it was done"
    LOST = "no reply, though it was done"
    CUT = "no reply, and not done"


class S3Proxy:
    """Stands between clients and a server, in the event loop of its `async with`; speaks HTTP.

    `counts` says what was done: requests, and each fault.
    """

    def __init__(self, upstream: int) -> None:
        self.port = 0
        self.counts: Counter[str] = Counter()
        self._upstream = f"http://{HOST}:{upstream}"
        self._faults: list[tuple[Fault, str, str]] = []
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app)
        self._client: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._client = aiohttp.ClientSession(
            auto_decompress=False, skip_auto_headers=("User-Agent", "Accept", "Content-Type")
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        assert self._client is not None
        await self._client.close()
        await asyncio.sleep(0)  # its connections are closed by the loop

    def fail(self, fault: Fault, times: int = 1, *, method: str = "PUT", path: str = "") -> None:
        """Let the next requests of a method, whose paths contain a text, fail."""
        self._faults += [(fault, method, path)] * times

    def heal(self) -> None:
        """End every fault."""
        self._faults.clear()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.counts["requests"] += 1
        found = next(
            (one for one in self._faults if one[1] == request.method and one[2] in request.raw_path), None
        )
        fault = found and found[0]
        if found and fault:
            self._faults.remove(found)
            self.counts[fault] += 1
        if fault == Fault.BUSY:
            return web.Response(status=503, text="slow down")
        if fault == Fault.CUT:
            return _no_reply(request)
        assert self._client is not None
        async with self._client.request(
            request.method,
            URL(self._upstream + request.raw_path, encoded=True),
            headers=request.headers,
            data=await request.read(),
            allow_redirects=False,
        ) as reply:
            content = await reply.read()
        if fault == Fault.BUSY_AFTER:
            return web.Response(status=503, text="slow down")
        if fault == Fault.LOST:
            return _no_reply(request)
        headers = {
            k: v for k, v in reply.headers.items() if k.lower() not in {"transfer-encoding", "connection"}
        }
        return web.Response(status=reply.status, body=content, headers=headers)


def _no_reply(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
