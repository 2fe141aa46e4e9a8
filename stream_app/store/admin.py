"""Operators' changes to the store: starting a partition over."""

from __future__ import annotations

from typing import Any, Final

from redis.exceptions import WatchError

from stream_app.errors import StoreUnavailableError
from stream_app.model.durations import DAY
from stream_app.model.intervals.columns import FLOW, INTERVAL_MS, MINUTES
from stream_app.model.intervals.counting import (
    IN_QUEUE,
    SETTLED_AFTER,
    add_amounts,
    flow,
    interval_of_day,
    interval_start,
    settles_with,
)
from stream_app.model.ports import Partition
from stream_app.model.windows import TOTAL

from . import keys
from .client import faults
from .clock import time_ms
from .codec import pack_amounts, unpack_amounts, unpack_cell
from .names import written_places

_KEPT_META: Final = ("epoch", "seq", "rollbacks")
"""What survives a rebuild: readers and fences go on counting from here."""


async def last_beat(client: Any, partition: Partition) -> int:
    """Return the time of the owner's last heartbeat, ms by Redis's clock (a former version's: by its own); 0 if none."""
    async with faults():
        return int(await client.hget(keys.beat(partition), "at") or 0)


async def redis_now(client: Any) -> int:
    """Return Redis's time, ms since the epoch."""
    async with faults():
        return time_ms(await client.time())


async def start_over(client: Any, partition: Partition, begin: int, at: int) -> int:
    """Discard what was counted, go back to ``begin``, Kafka's oldest offset, and return the number of keys removed.

    Interval rows of the time before that are kept: nothing will count them again.

    Must not run while a worker owns the partition; should one appear, its commits are refused, because the token is removed.
    All or nothing: what is to be kept is computed from what was read, so Redis must not be rolled back in between.

    Args:
        client: a Redis client.
        partition: the partition to start over.
        begin: its new position.
        at: timestamp of the record there, ms; the current time where there is none.

    Raises:
        StoreUnavailableError: no answer, or the partition has changed meanwhile; nothing was done: retry.
    """
    meta, rows = keys.meta(partition), (keys.row_days(partition), keys.changed(partition))
    async with faults(), client.pipeline(transaction=True) as pipe:
        await pipe.watch(meta)
        kept = await client.hmget(meta, _KEPT_META)
        found = [
            key
            async for key in client.scan_iter(match=f"{_literal(keys.prefix(partition))}:*", count=1000)
            if key.decode() not in rows and not key.startswith(f"{rows[0]}:".encode())
        ]
        pipe.multi()
        await _cut_rows(client, pipe, partition, interval_start(at))
        pipe.unlink(*found, meta)
        values = {name: int(value or 0) for name, value in zip(_KEPT_META, kept, strict=True)}
        begun = {"position": begin, "begun": begin}
        pipe.hset(meta, mapping={**values, "epoch": values["epoch"] + 1, **begun})
        pipe.sadd(keys.PARTITIONS, str(partition))
        try:
            await pipe.execute()
        except WatchError:  # also where the connection broke, as it does when Redis is rolled back
            raise StoreUnavailableError(
                f"{partition} changed meanwhile, so nothing was done; run it again"
            ) from None
    return len(found)


async def _cut_rows(client: Any, pipe: Any, partition: Partition, begin: int) -> None:
    """Remove interval rows from ``begin`` on; visits waiting then will not be heard of again, so no depth counts them."""
    time = int(await client.hget(keys.meta(partition), "time") or 0)
    written = await written_places(client)
    # Settled days stay as they are: their contacts are not counted again, and will be heard of when they leave.
    waiting = {
        place: depth
        for place, depth in (await _remaining(client, partition)).items()
        if settles_with(begin // DAY, written=written(place)) > (time - SETTLED_AFTER) // DAY
    }
    for member in await client.zrange(keys.row_days(partition), 0, -1):
        day, _, place = member.partition(b":")
        key = keys.rows(partition, int(day), place)
        for number, packed in (await client.hgetall(key)).items():
            start = int(day) * DAY + int(number) * INTERVAL_MS
            if start >= begin:
                if place in waiting:
                    waiting[place] -= flow(unpack_amounts(packed))
                pipe.hdel(key, number)
                pipe.zadd(keys.changed(partition), {b"%d:%s" % (start, place): 0})
    last = begin - INTERVAL_MS
    for place, depth in waiting.items():
        if depth:
            key, number = keys.rows(partition, last // DAY, place), interval_of_day(last)
            packed = await client.hget(key, number)
            amounts = unpack_amounts(packed) if packed else {}
            add_amounts(amounts, {FLOW + MINUTES - 1: -depth})
            pipe.hset(key, number, pack_amounts(amounts))
            settles = settles_with(last // DAY, written=written(place))
            pipe.zadd(keys.row_days(partition), {b"%d:%s" % (last // DAY, place): settles})
            pipe.zadd(keys.changed(partition), {b"%d:%s" % (last, place): 0})


async def _remaining(client: Any, partition: Partition) -> dict[bytes, int]:
    """Return how many visits wait in each queue and channel, by a partition's totals."""
    numbers = {name.decode(): int(n) for name, n in (await client.hgetall(keys.names("counter"))).items()}
    out = {}
    for place, packed in (await client.hgetall(keys.cells(partition, TOTAL, 0))).items():
        cell = unpack_cell(packed)
        out[place] = sum(sign * cell.get(numbers.get(c.name, 0), 0) for sign, c in IN_QUEUE.terms)
    return out


def _literal(text: str) -> str:
    """Escape the characters that SCAN would take for a pattern."""
    return "".join(f"\\{c}" if c in "*?[]^\\" else c for c in text)
