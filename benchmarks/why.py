"""Why a number is what it is, asked of 10 million visits in 64 partitions: a queue's half hour, and all queues'."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute
from msgspec import structs

from stream_app.ledger.columns import VISITS
from stream_app.ledger.contacts import LedgerContacts
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.manifest import Manifest, RowsFile, pack
from stream_app.ledger.parquet_files import FileKey, OpenFile, day_of
from stream_app.ledger.places import manifest as manifest_name
from stream_app.ledger.reading import LedgerReader
from stream_app.ledger.whys import LedgerWhys
from stream_app.model.contacts import ContactQuery
from stream_app.model.durations import DAY, MINUTE
from stream_app.model.kpis import BY_NAME
from stream_app.model.ports import Partition
from stream_app.model.targets import Targets
from stream_app.model.why import WhyQuery
from stream_app.store import keys
from stream_app.store.moments import Moments
from tests.services.redis import RedisServer

from .figures import Figure

PARTITIONS: Final = 64
DAYS: Final = 30
VISITS_A_DAY: Final = 10_000_000 // (PARTITIONS * DAYS)
BEGIN: Final = 1_795_305_600_000  # 2026-11-22
QUEUES: Final = 60
OPEN_HOURS: Final = (8, 20)
TIMES: Final = 7
AT_LEAST: Final = 50
"""Contacts that each question is about, at least."""


def measure() -> list[Figure]:
    """All figures of explanations."""
    with RedisServer(aof=False) as server, tempfile.TemporaryDirectory() as folder:
        _fill(server, Path(folder))
        return asyncio.run(_ask(server, Path(folder)))


def _fill(server: RedisServer, folder: Path) -> None:
    """Write the files of each partition's days, and what Redis says of each partition."""
    chance = random.Random(18)
    storage = LocalFiles(folder)
    rows = _day(chance)
    end = BEGIN + DAYS * DAY
    with server.client() as client:
        for number in range(PARTITIONS):
            partition = Partition("calls", number)
            files = [_file(folder, rows, partition, day) for day in range(DAYS)]
            position = DAYS * VISITS_A_DAY
            made = Manifest(
                1, "bench", end, end, end, "T", {"T": position}, files=tuple(files)
            )  # fmt: skip
            asyncio.run(storage.create(manifest_name(partition, 1), pack(made)))
            client.sadd(keys.PARTITIONS, str(partition))
            said = {
                "seq": 1,
                "position": position,
                "time": end,
                "topic": "T",
                "out": position,
                "noted": position,
            }
            client.hset(keys.meta(partition), mapping=said)


def _day(chance: random.Random) -> pa.Table:
    """Return a day of a partition's visits, which begin at 0: a tenth of them were abandoned."""
    first, last = (hour * 60 * MINUTE for hour in OPEN_HOURS)
    rows: list[dict[str, Any]] = []
    for at in sorted(chance.randrange(first, last) for _ in range(VISITS_A_DAY)):
        wait, talk = int(chance.expovariate(1 / 25_000)), int(chance.expovariate(1 / 240_000))
        end = at + wait + talk
        row: dict[str, Any] = {
            "topic_id": "T", "partition": 0, "offset": len(rows), "n": 0, "version": 1, "started_at": at,
            "contact_id": str(UUID(bytes=chance.randbytes(16))), "channel": "voice", "outbound": False,
            "queue": f"queue-{int(chance.betavariate(1, 3) * QUEUES):02}", "agent": f"agent-{chance.randrange(400):03}",
            "offered_at": at, "decided_at": at + min(wait, 20_000), "decided_abandoned_later": False,
        }  # fmt: skip
        if chance.random() < 0.1:
            row |= {
                "abandoned_at": at + wait, "abandoned_wait_ms": wait, "abandoned_wait_open_ms": wait,
                "abandoned_in_target": wait <= 20_000, "abandoned_short": wait < 5_000,
            }  # fmt: skip
        else:
            row |= {
                "answered_at": at + wait, "answered_wait_ms": wait, "answered_in_target": wait <= 20_000,
                "handled_at": end, "handled_talk_ms": talk, "handled_hold_ms": 0, "handled_wrap_ms": 30_000,
            }  # fmt: skip
        rows.append(row)
    return VISITS.batch(rows)


def _file(folder: Path, rows: pa.Table, partition: Partition, day: int) -> RowsFile:
    """Write a partition's day: the same visits, later, under offsets of their own."""
    later = BEGIN + day * DAY
    columns = []
    for field, column in zip(VISITS.schema, rows.columns, strict=True):
        if pa.types.is_timestamp(field.type):
            moved = pyarrow.compute.add(column.cast("int64"), later + partition.number * 7)
            columns.append(moved.cast(field.type))
        elif field.name == "offset":
            columns.append(pyarrow.compute.add(column, day * VISITS_A_DAY))
        elif field.name == "partition":
            columns.append(pa.array([partition.number] * len(rows), field.type))
        elif field.name == "contact_id":
            columns.append(pyarrow.compute.binary_join_element_wise(column, f"{partition.number}-{day}", "-"))
        else:
            columns.append(column)
    named = f"visits-{partition.number}-{day}.parquet"
    open_ = OpenFile(FileKey("visits", day_of(later), "T"), VISITS, folder)
    open_.write(pa.Table.from_arrays(columns, schema=VISITS.schema))
    done = open_.finish()
    assert done is not None
    done.path.rename(folder / named)
    return structs.replace(done.described, name=named)


async def _ask(server: RedisServer, folder: Path) -> list[Figure]:
    reader = LedgerReader(LocalFiles(folder), Moments(server.url), {"": 4_000})
    whys, contacts = LedgerWhys(reader), LedgerContacts(reader)
    start = BEGIN + (DAYS - 1) * DAY + 10 * 60 * MINUTE
    half_hour = (start, start + 30 * MINUTE)

    def asked(kpi: str, span: tuple[int, int], queue: str | None) -> Callable[[], Awaitable[int]]:
        query = WhyQuery(
            kpi=BY_NAME[kpi],
            now=BEGIN + DAYS * DAY,
            start=span[0],
            end=span[1],
            queue=queue,
            channel=None if queue is None else "voice",
        )

        async def ask() -> int:
            return (await whys.why(query, Targets())).total

        return ask

    async def page() -> int:
        queues = frozenset(["queue-05"])
        found = await contacts.find(ContactQuery(start=BEGIN, end=BEGIN + DAYS * DAY, queues=queues))
        return found.total

    try:
        return [
            *await _figures(asked("service_level", half_hour, "queue-05"), "why_half_an_hour_of_a_queue"),
            *await _figures(
                asked("handle_time", half_hour, "queue-05"), "why_half_an_hour_of_a_queue_handle_time"
            ),
            *await _figures(asked("service_level", half_hour, None), "why_half_an_hour_of_all_queues"),
            *await _figures(asked("service_level", (start - DAY, start), "queue-05"), "why_day_of_a_queue"),
            *await _figures(page, "contacts_month_of_a_queue"),
        ]
    finally:
        await reader.close()


async def _figures(ask: Callable[[], Awaitable[int]], name: str) -> list[Figure]:
    """Return the medians of some, and of their CPU time; the first is left out, which reads the manifests."""
    took, used = [], []
    for _ in range(TIMES + 1):
        begun, spent = time.perf_counter(), time.process_time()
        total = await ask()
        took.append(time.perf_counter() - begun)
        used.append(time.process_time() - spent)
        if total < AT_LEAST:
            raise RuntimeError(f"{name}: expected {AT_LEAST} contacts at least, got {total}")
    return [
        Figure(f"{name}_seconds", round(statistics.median(took[1:]), 3), "s"),
        Figure(f"{name}_cpu_seconds", round(statistics.median(used[1:]), 3), "s"),
    ]
