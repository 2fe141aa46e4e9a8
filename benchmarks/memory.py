"""What it takes in Redis: bytes per open visit, per remembered event id, per cell; and how long claims of many of them take."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from typing import Any

from stream_app.ingest.batch import fold_records
from stream_app.ingest.dialects import Headers
from stream_app.ingest.dialects.canonical import decode
from stream_app.model.durations import DAY, HOUR
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.tally import Tally
from stream_app.model.ports import Claim, Partition
from stream_app.store.redis import RedisStore
from tests.services.kafka import Record
from tests.services.redis import RedisServer

from .figures import Figure
from .loads import lifecycle

VISITS = 100_000
EVENTS = 200_000
SAMPLE = 400
IDS = 500_000
NOW = 1_767_225_540_000


class _Line:
    def __init__(self, offset: int, record: Record) -> None:
        self.offset = offset
        self.timestamp = record.timestamp_ms or 0
        self.timestamp_type = 0
        self.value: bytes | None = record.value
        self.headers: Headers = ()


def measure() -> list[Figure]:
    """All figures of memory."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with RedisServer(aof=False) as server:
        store = RedisStore(server.url)
        try:
            visits, claim_s = await _visits(store)
            ids = await _ids(store)
            cells = await _cells(store)
        finally:
            await store.close()
    return [
        Figure("redis_bytes_per_open_visit", round(visits), "bytes", 250, round(visits / 250, 2)),
        Figure("claim_seconds_with_100000_open_visits", round(claim_s, 2), "s", 10, round(claim_s / 10, 3)),
        *ids,
        *(Figure(f"redis_bytes_per_cell_{name}", round(n), "bytes") for name, n in cells.items()),
    ]


async def _fold(claim: Claim, records: list[_Line]) -> None:
    fold = Fold(claim.targets, Tally(claim.numbers), claim.memory)
    for at in range(0, len(records), 4_000):
        await claim.apply(fold_records(fold, records[at : at + 4_000], claim.position, decode))


async def _visits(store: RedisStore) -> tuple[float, float]:
    claim = await store.claim(Partition("visits", 0), "first")
    waiting = [_Line(n, Record(b"", _queued(n), timestamp_ms=NOW + n)) for n in range(VISITS)]
    await _fold(claim, waiting)
    used = await store.client.memory_usage("kpi:{visits.0}:visits", samples=0)
    started = time.perf_counter()
    again = await store.claim(Partition("visits", 0), "second")
    seconds = time.perf_counter() - started
    if len(again.memory.open) != VISITS:
        raise AssertionError(f"{len(again.memory.open)} open visits came back, not {VISITS}")
    return used / VISITS, seconds


def _queued(n: int) -> bytes:
    return (
        f'{{"id":"{n:032x}","type":"contact.queued","at":{NOW + n},"contact_id":"0192f0c8-1111-7abc-8def-{n:012x}",'
        f'"queue":"queue-{n % 20:03d}","channel":"voice"}}'
    ).encode()


async def _ids(store: RedisStore) -> list[Figure]:
    """Measure what ids take that were seen in three days, as many as a partition with two contacts a second has."""
    claim = await store.claim(Partition("ids", 0), "first")
    await _fold(claim, [_Line(n, Record(b"", _refused(n), timestamp_ms=_spread(n))) for n in range(IDS)])
    used = 0
    async for key in store.client.scan_iter(match="kpi:{ids.0}:r:*", count=1000):
        if await store.client.type(key) == b"string":
            used += await store.client.memory_usage(key, samples=0)
    started = time.perf_counter()
    await store.claim(Partition("ids", 0), "second")
    seconds = time.perf_counter() - started
    tracemalloc.start()
    again = await store.claim(Partition("ids", 0), "third")
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    if len(again.memory.recent) != IDS:
        raise AssertionError(f"{len(again.memory.recent)} ids came back, not {IDS}")
    return [
        Figure("redis_bytes_per_id", round(used / IDS, 1), "bytes"),
        Figure("worker_bytes_per_id", round(held / IDS, 1), "bytes"),
        Figure("claim_seconds_with_500000_ids", round(seconds, 2), "s", 10, round(seconds / 10, 3)),
    ]


def _spread(n: int) -> int:
    return NOW // DAY * DAY + n * (3 * DAY - HOUR) // IDS


def _refused(n: int) -> bytes:
    return f'{{"id":"{n:032x}","type":"contact.refused","at":{_spread(n)},"contact_id":"c{n}","queue":"q"}}'.encode()


async def _cells(store: RedisStore) -> dict[str, float]:
    claim = await store.claim(Partition("cells", 0), "first")
    records = [_Line(n, r) for n, r in enumerate(lifecycle(EVENTS, 60, NOW))]
    await _fold(claim, records)
    out: dict[str, float] = {}
    for resolution, name in ((10_000, "10s"), (60_000, "60s"), (900_000, "15min")):
        keys = [
            k async for k in store.client.scan_iter(match=f"kpi:{{cells.0}}:c:{resolution}:*", count=1000)
        ]
        sampled: list[Any] = keys[:SAMPLE]
        used = sum([await store.client.memory_usage(k, samples=0) for k in sampled])
        cells = sum([await store.client.hlen(k) for k in sampled])
        out[name] = used / cells
    return out
