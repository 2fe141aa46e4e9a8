"""A ``stream-app serve`` of the tests' own: a real process, and what it says."""

from __future__ import annotations

import sys
from typing import Any, Self

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.services.process import HOST, ServerProcess, accepts, free_port

MAX_AGE_S = 3.0
STOPS_WITHIN_S = 2.0

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Serve(ServerProcess):
    """The command, on a free port."""

    name = "serve"
    stop_timeout_s = STOPS_WITHIN_S

    def __init__(self, redis_url: str, *options: str, **environment: str) -> None:
        super().__init__()
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._options = options
        self._environment = {
            "REDIS_URL": redis_url,
            "STREAM_APP_PORT": "1",  # the option wins over the setting
            "STREAM_APP_MAX_AGE_S": str(MAX_AGE_S),
            **environment,
        }

    @classmethod
    def as_installed(cls, redis_url: str) -> Self:
        """With the age from on which users are told that data is stale, not that of these tests."""
        serve = cls(redis_url)
        del serve._environment["STREAM_APP_MAX_AGE_S"]
        return serve

    def command(self) -> list[str]:
        """Run it."""
        environment = [f"{name}={value}" for name, value in self._environment.items()]
        serve = [sys.executable, "-m", "stream_app", "serve", "--port", str(self.port)]
        return ["env", *environment, *serve, *self._options]

    def ready(self) -> bool:
        """It listens."""
        return accepts(self.port)

    def ended(self) -> int:
        """Wait for its end, and give its exit code."""
        assert self._process
        return self._process.wait(STOPS_WITHIN_S)

    async def get(self, path: str) -> tuple[int, Any]:
        """The status, and the body: parsed where it is JSON."""
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as answer:
            return (
                answer.status,
                await answer.json() if "json" in answer.content_type else await answer.text(),
            )

    async def is_trusted(self) -> bool:
        """Whether it says that nothing stands against its numbers."""
        return (await self.get("/readyz"))[0] == 200

    async def is_doubted(self) -> bool:
        """Whether it says that something does."""
        return (await self.get("/readyz"))[0] == 503

    async def rows(self, *queues: str) -> dict[str, Any]:
        """The rows of ``/v1/now`` by queue, of all queues or some; one channel each."""
        _, now = await self.get("/v1/now?" + "&".join(f"queue={queue}" for queue in queues))
        return {row["queue"]: row for row in now["rows"]}

    async def metrics(self) -> Series:
        """What Prometheus would read: (name, labels) → value."""
        return parsed((await self.get("/metrics"))[1])


def parsed(text: str) -> Series:
    """A page of metrics, in the words of the client library's own parser."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
