"""The ledger's writer: rows a second, bytes a visit on the disk, and memory while it catches up."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from subprocess import Popen
from typing import Any
from uuid import UUID

import redis

from stream_app.failpoints import Failpoints
from stream_app.ledger.columns import TABLES
from stream_app.ledger.exploding import Exploder
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.manifests import Manifests
from stream_app.ledger.partition_writer import PartitionWriter
from stream_app.model.durations import MINUTE
from stream_app.model.facts import Abandoned, Answered, Decided, Fact, Handled, Offered
from stream_app.model.fold.visit import CLOSED, QUEUED, Visit, VisitNotes
from stream_app.model.ledger import VisitRow, pack_row
from stream_app.model.ports import Partition
from stream_app.store import keys
from stream_app.store.outbox import Outboxes, stored_rows
from tests.services.process import wait_until
from tests.services.redis import RedisServer

from .figures import Figure

VISITS = 200_000
A_COMMIT = 250
NOW = 1_795_305_600_000
P = Partition("calls", 0)


def measure() -> list[Figure]:
    """All figures of the ledger."""
    with RedisServer(aof=False) as server, tempfile.TemporaryDirectory() as folder:
        outbox = _fill(server, VISITS)
        rows_s, size, size_in_minutes = asyncio.run(_write(server, Path(folder)))
        idle = _memory(server, Path(folder) / "idle", 0)
        few = _memory(server, Path(folder) / "few", VISITS // 10)
        busy = _memory(server, Path(folder) / "busy", VISITS)
    return [
        Figure("ledger_rows_per_second", round(rows_s), "rows/s"),
        Figure(
            "ledger_bytes_per_visit",
            round(size, 1),
            "bytes",
            round(size_in_minutes, 1),
            round(size / size_in_minutes, 2),
        ),
        Figure("ledger_outbox_bytes_per_visit", round(outbox, 1), "bytes"),
        Figure("ledger_writer_memory", busy, "bytes", few, round(busy / few, 2)),
        Figure("ledger_writer_memory_idle", idle, "bytes"),
    ]


def _visits(n: int, first: int, chance: random.Random) -> Iterable[VisitRow]:
    """Visits of a voice centre with 60 queues, a tenth of which were abandoned, with ids as platforms make them."""
    for offset in range(first, first + n):
        at = NOW + offset * 400 + chance.randrange(400)
        wait, talk = int(chance.expovariate(1 / 25_000)), int(chance.expovariate(1 / 240_000))
        end = at + wait + talk
        facts: list[Fact] = [Offered(at), Decided(at + min(wait, 20_000))]
        if chance.random() < 0.1:
            facts += [Abandoned(at + wait, at, wait, wait <= 20_000, wait < 5_000)]
        else:
            facts += [
                Answered(at + wait, at, wait, wait <= 20_000),
                Handled(end, talk, 0, 30_000, held=False, concluded=True),
            ]
        visit = Visit(
            f"queue-{int(chance.betavariate(1, 3) * 60):02}",
            "voice",
            CLOSED,
            at,
            end,
            20_000,
            5_000,
            chance.randbytes(8),
            QUEUED,
            agent=f"agent-{chance.randrange(400):03}",
            notes=VisitNotes(1, pack_row(facts)),
        )
        yield VisitRow(offset, 0, str(UUID(bytes=chance.randbytes(16))), visit)


def _fill(server: RedisServer, visits: int) -> float:
    """Fill the outbox, and return the bytes of Redis's memory a visit."""
    chance = random.Random(18)
    with server.client() as client:
        client.flushall()
        client.sadd(keys.PARTITIONS, str(P))
        for seq, first in enumerate(range(0, visits, A_COMMIT), 1):
            _commit(client, seq, first, _rows(first, chance))
        used: Any = client.memory_usage(keys.outbox(P), samples=0) or 0
    return float(used / max(1, visits))


def _rows(first: int, chance: random.Random) -> bytes:
    return stored_rows([pack_row(row) for row in _visits(A_COMMIT, first, chance)])


def _commit(client: redis.Redis, seq: int, first: int, rows: bytes) -> None:
    entry: dict[Any, Any] = {
        "topic": "t",
        "from": first,
        "to": first + A_COMMIT,
        "time": NOW + first * 400,
        "version": 1,
        "rows": rows,
    }
    client.xadd(keys.outbox(P), entry, id=f"{seq}-0")
    client.hincrby(keys.meta(P), "out_bytes", len(rows))


async def _write(server: RedisServer, folder: Path) -> tuple[float, float, float]:
    """Write all of it; return rows a second, bytes a visit, and the same where it was written minute by minute."""
    sizes = []
    outboxes = Outboxes(server.url)
    seconds = 0.0
    try:
        for name in ("at once", "minutes"):
            storage, chain = LocalFiles(folder / name), Manifests(LocalFiles(folder / name), P)
            clock = iter(range(NOW, 2 * NOW, MINUTE))
            one = PartitionWriter(
                P,
                outboxes,
                storage,
                TABLES,
                Exploder,
                clock=lambda clock=clock: next(clock),  # type: ignore[misc]
                failpoints=Failpoints(),
                days={"": 400},
            )
            written = 0
            if name == "at once":
                started = time.perf_counter()
                while written < VISITS:
                    written += await one.round()
                seconds = time.perf_counter() - started
            else:
                chance = random.Random(18)
                with server.client() as client:
                    client.flushall()
                    for seq, first in enumerate(range(0, VISITS // 4, A_COMMIT), 1):
                        _commit(client, seq, first, _rows(first, chance))
                        written += await one.round()
            held = await chain.newest()
            sizes.append(sum(file.size for file in held.files) / written)
    finally:
        await outboxes.close()
    return VISITS / seconds, sizes[0], sizes[1]


def _memory(server: RedisServer, folder: Path, visits: int) -> int:
    """Return the most memory that the process had, bytes, until the outbox was empty."""
    _fill(server, visits)
    env = {
        **os.environ,
        "REDIS_URL": server.url,
        "STREAM_APP_LEDGER": str(folder),
        "STREAM_APP_METRICS_PORT": "0",
    }
    with Popen([sys.executable, "-m", "stream_app", "ledger"], env=env) as process, server.client() as client:
        try:
            wait_until(lambda: client.exists(keys.writer(P)), 60)
            wait_until(lambda: not client.xlen(keys.outbox(P)), 300)
            status = Path(f"/proc/{process.pid}/status").read_text()
        finally:
            process.terminate()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
