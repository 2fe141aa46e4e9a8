"""Someone who watches the live stream."""

import asyncio
import json
from typing import Any

import aiohttp

from tests.services.process import until


class Watcher:
    """Reads the stream and keeps its events."""

    def __init__(
        self, url: str, ours: str = "127.0.0.1", query: str = "", path: str = "/v1/stream", **headers: str
    ) -> None:
        self.events: list[tuple[str, Any]] = []
        self.comments: list[str] = []
        self.lines: list[str] = []
        self._task = asyncio.create_task(self._read(f"{url}{path}{query}", ours, headers))

    async def _read(self, url: str, ours: str, headers: dict[str, str]) -> None:
        kind = ""
        timeout = aiohttp.ClientTimeout(total=None)
        connector = aiohttp.TCPConnector(local_addr=(ours, 0), ssl=False)  # a proxy's certificate is nobody's
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=2**22) as session,
            session.get(url, headers=headers) as answer,
        ):
            assert answer.content_type == "text/event-stream"
            async for line in answer.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                self.lines.append(line.decode())
                if name == "event":
                    kind = value
                elif name == "data":
                    self.events.append((kind, json.loads(value)))
                elif not name and value:
                    self.comments.append(value)

    def rows(self) -> list[dict[str, Any]]:
        """Every row that has come."""
        return [row for _, data in self.events for row in data.get("rows", ())]

    async def of(self, kind: str, n: int = 1) -> Any:
        """The n-th event of a kind."""
        await until(lambda: len([e for e in self.events if e[0] == kind]) >= n)
        return [data for k, data in self.events if k == kind][n - 1]

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
