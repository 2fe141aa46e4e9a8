"""``stream-app serve`` as a process, among clients that mean no good: it answers those who don't."""

import asyncio
import time
from http.client import HTTPConnection

import pytest

from tests.e2e.serve import Serve
from tests.hostile import CLIENTS, attacked
from tests.services.process import HOST, until
from tests.store.owner import filled

QUEUES = 2_000
PROBES = 40
SURELY_S = 5.0
"""No promise: twenty clients of long times alone held up everybody for longer than this, and one that freezes it for ever."""


class Attacked(Serve):
    stop_timeout_s = 20.0  # it is the end that counts here, and the machine is busy


def probe(port: int) -> float:
    """Seconds until a new connection is told that the process is alive."""
    begun = time.monotonic()
    connection = HTTPConnection(HOST, port, timeout=60)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()
    return time.monotonic() - begun


@pytest.mark.timeout(240)
async def test_it_answers_whatever_others_do_and_ends(redis_url: str) -> None:
    store = await filled(redis_url, QUEUES)
    with Attacked(redis_url, STREAM_APP_MAX_AGE_S="3600") as serve:
        await until(serve.is_trusted)
        alone = sorted([await asyncio.to_thread(probe, serve.port) for _ in range(PROBES)])
        with attacked(serve.url):
            among = sorted([await asyncio.to_thread(probe, serve.port) for _ in range(PROBES)])
            assert (await serve.get("/readyz"))[0] == 200
            assert len((await serve.get("/v1/now?window=5m&kpi=backlog"))[1]["rows"]) == QUEUES
        middle = PROBES // 2
        print(  # noqa: T201 - the figures of the run
            f"/healthz alone {alone[middle]:.4f} s (worst {alone[-1]:.4f} s), among {sum(CLIENTS.values())} hostile "
            f"clients {among[middle]:.4f} s (worst {among[-1]:.4f} s)"
        )
        assert among[middle] < SURELY_S
        assert "Traceback" not in serve.log_tail()
    await store.close()


@pytest.mark.timeout(120)
async def test_half_sent_requests_are_hung_up_on_and_streams_of_one_address_are_few(redis_url: str) -> None:
    few = {"STREAM_APP_MAX_CONNECTIONS_PER_ADDRESS": "50", "STREAM_APP_MAX_STREAMS_PER_ADDRESS": "3"}
    with Attacked(redis_url, **few) as serve:
        lines = [await asyncio.open_connection(HOST, serve.port) for _ in range(60)]
        for _, writer in lines:
            writer.write(b"GET / HTTP/1.1\r\n")
        ended = [asyncio.create_task(reader.read()) for reader, _ in lines]
        await until(lambda: sum(task.done() for task in ended) >= 10)
        streams = [await asyncio.open_connection(HOST, serve.port) for _ in range(5)]
        said = []
        for reader, writer in streams:
            writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
            said.append((await reader.readline()).split()[1])
        assert said == [b"200"] * 3 + [b"503"] * 2
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
        for _, writer in (*lines, *streams):
            writer.transport.abort()
