"""What operators do to the store: start a partition over."""

from __future__ import annotations

from typing import Any, Final

from stream_app.model.intervals import (
    DAY,
    FLOW,
    GONE,
    MINUTES,
    QUARTER,
    SETTLED_AFTER,
    add_amounts,
    flow,
    quarter,
    quarter_of_day,
)
from stream_app.model.kpis.counters import offered
from stream_app.model.ports import Partition
from stream_app.model.windows import TOTAL

from . import keys
from .client import faults
from .codec import pack_amounts, unpack_amounts, unpack_cell

_KEPT_META: Final = ("epoch", "seq", "rollbacks")
"""What outlives a rebuild: readers and fences go on counting from here."""


async def last_beat(client: Any, partition: Partition) -> int:
    """When the partition's owner was heard of last, ms; 0 if never."""
    async with faults():
        return int(await client.hget(keys.beat(partition), "at") or 0)


async def start_over(client: Any, partition: Partition, begin: int, at: int) -> int:
    """Forget what was counted and stand at ``begin``, the oldest offset that Kafka still has. Gives the keys removed.

    Interval rows of the time before that are kept: nothing will count them again.

    Must not run beside a worker that owns the partition; should one appear, its commits are refused, because the token goes.

    Args:
        client: of Redis.
        partition: which.
        begin: its position from now on.
        at: timestamp of the record there, ms; of now where there is none.
    """
    meta, rows = keys.meta(partition), (keys.row_days(partition), keys.changed(partition))
    async with faults():
        kept = await client.hmget(meta, _KEPT_META)
        found = [
            key
            async for key in client.scan_iter(match=f"{_literal(keys.prefix(partition))}:*", count=1000)
            if key.decode() not in rows and not key.startswith(f"{rows[0]}:".encode())
        ]
        pipe = client.pipeline(transaction=True)
        await _cut_rows(client, pipe, partition, quarter(at))
        pipe.unlink(*found, meta)
        values = {name: int(value or 0) for name, value in zip(_KEPT_META, kept, strict=True)}
        pipe.hset(meta, mapping={**values, "epoch": values["epoch"] + 1, "position": begin})
        pipe.sadd(keys.PARTITIONS, str(partition))
        await pipe.execute()
    return len(found)


async def _cut_rows(client: Any, pipe: Any, partition: Partition, begin: int) -> None:
    """Take out the interval rows from a quarter on; who waits at its start is not heard of any more, and so in no depth."""
    time = int(await client.hget(keys.meta(partition), "time") or 0)
    # Days that are settled stay as they are: whoever came in them is not counted again, and is heard of when leaving.
    waiting = await _remaining(client, partition) if begin > time - SETTLED_AFTER + DAY else {}
    for member in await client.zrange(keys.row_days(partition), 0, -1):
        day, _, place = member.partition(b":")
        key = keys.rows(partition, int(day), place)
        for number, packed in (await client.hgetall(key)).items():
            start = int(day) * DAY + int(number) * QUARTER
            if start >= begin:
                if place in waiting:
                    waiting[place] -= flow(unpack_amounts(packed))
                pipe.hdel(key, number)
                pipe.zadd(keys.changed(partition), {b"%d:%s" % (start, place): 0})
    last = begin - QUARTER
    for place, depth in waiting.items():
        if depth:
            key, number = keys.rows(partition, last // DAY, place), quarter_of_day(last)
            packed = await client.hget(key, number)
            amounts = unpack_amounts(packed) if packed else {}
            add_amounts(amounts, {FLOW + MINUTES - 1: -depth})
            pipe.hset(key, number, pack_amounts(amounts))
            pipe.zadd(keys.row_days(partition), {b"%d:%s" % (last // DAY, place): last // DAY})
            pipe.zadd(keys.changed(partition), {b"%d:%s" % (last, place): 0})


async def _remaining(client: Any, partition: Partition) -> dict[bytes, int]:
    """How many wait in each queue and channel, by what a partition tells."""
    numbers = {name.decode(): int(n) for name, n in (await client.hgetall(keys.names("counter"))).items()}
    out = {}
    for place, packed in (await client.hgetall(keys.cells(partition, TOTAL, 0))).items():
        cell = unpack_cell(packed)
        came, *gone = (cell.get(numbers[counter.name], 0) for counter in (offered, *GONE))
        out[place] = came - sum(gone)
    return out


def _literal(text: str) -> str:
    """Escape what SCAN would take for a pattern."""
    return "".join(f"\\{c}" if c in "*?[]^\\" else c for c in text)
