"""Whether ``serve`` answers while clients mean no good: ``/healthz`` alone, and among all of them, in one run."""

from __future__ import annotations

import asyncio
import time
from http.client import HTTPConnection
from typing import Final

from tests.e2e.serve import Serve
from tests.hostile import CLIENTS, attacked
from tests.services.process import HOST
from tests.services.redis import RedisServer
from tests.store.owner import filled

from .figures import Figure

QUEUES: Final = 2_000
PROBES: Final = 200
EVERY_S: Final = 0.05
PROMISED_S: Final = 0.1


def measure() -> list[Figure]:
    """99th percentiles and the worst of ``/healthz``, each on a connection of its own, with 2,000 queues on the board."""
    with RedisServer() as server, Serve(server.url, STREAM_APP_MAX_AGE_S="3600") as serve:
        asyncio.run(_fill(server.url))
        while not asyncio.run(serve.is_trusted()):
            time.sleep(0.1)
        alone = _probe(serve.port)
        figures = []
        for name, clients in (("times", {"times": 20}), ("half", {"half": 1_000}), ("all", CLIENTS)):
            with attacked(serve.url, **clients):
                among = _probe(serve.port)
            p99, beside = _p99(among), _p99(alone)
            figures += [
                Figure(f"healthz_p99_seconds_hostile_{name}", p99, "s", beside, round(p99 / beside, 1)),
                Figure(f"healthz_worst_seconds_hostile_{name}", round(among[-1], 4), "s", PROMISED_S),
            ]
        return figures


async def _fill(url: str) -> None:
    await (await filled(url, QUEUES)).close()


def _probe(port: int) -> list[float]:
    took = []
    for _ in range(PROBES):
        begun = time.perf_counter()
        connection = HTTPConnection(HOST, port, timeout=60)
        try:
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
        finally:
            connection.close()
        took.append(time.perf_counter() - begun)
        time.sleep(EVERY_S)
    return sorted(took)


def _p99(sorted_: list[float]) -> float:
    return round(sorted_[int(len(sorted_) * 0.99)], 4)
