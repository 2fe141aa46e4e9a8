"""Rows that stand in Redis as whoever publishes them leaves them."""

from __future__ import annotations

from collections.abc import Sequence

from stream_app.model.interval_rows import IntervalRow
from stream_app.model.intervals import DAY, FIELDS, QUARTERS, quarter_of_day
from stream_app.model.published import Day, Kept
from stream_app.store import keys
from stream_app.store.codec import pack_day
from stream_app.store.redis import RedisStore


async def publish(store: RedisStore, rows: Sequence[IntervalRow]) -> None:
    """Final rows become so by the first revision; the others stay open."""
    queues = await store.queues.learn({row.queue for row in rows})
    channels = await store.channels.learn({row.channel for row in rows})
    days: dict[tuple[int, bytes], Day] = {}
    for row in rows:
        place = b"%d.%d" % (queues[row.queue], channels[row.channel])
        day = days.setdefault((row.start // DAY, place), Day(rows=[None] * QUARTERS))
        counted = [getattr(row, name) for name in FIELDS]
        day.rows[quarter_of_day(row.start)] = Kept(counted, version=int(row.final), stamp=int(row.final))
    for (number, place), day in days.items():
        await store.client.hset(keys.published(f"day:{number}"), place, pack_day(day))
        await store.client.zadd(keys.published("days"), {str(number): number})
