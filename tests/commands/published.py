"""Rows that stand in Redis as whoever publishes them leaves them."""

from __future__ import annotations

from collections.abc import Sequence

from stream_app.model.durations import DAY
from stream_app.model.intervals.columns import PLACES, IntervalRow
from stream_app.model.intervals.counting import INTERVALS_A_DAY, compact, interval_of_day
from stream_app.model.intervals.day import Kept, PublishedDay
from stream_app.store import keys
from stream_app.store.codec import pack_day
from stream_app.store.redis import RedisStore


async def publish(store: RedisStore, rows: Sequence[IntervalRow]) -> None:
    """Final rows become so by the first revision; the others stay open."""
    queues = await store.queues.learn({row.queue for row in rows})
    channels = await store.channels.learn({row.channel for row in rows})
    days: dict[tuple[int, bytes], PublishedDay] = {}
    for row in rows:
        place = b"%d.%d" % (queues[row.queue], channels[row.channel])
        day = days.setdefault((row.start // DAY, place), PublishedDay(rows=[None] * INTERVALS_A_DAY))
        counted = compact({number: getattr(row, name) for name, number in PLACES.items()})
        day.rows[interval_of_day(row.start)] = Kept(counted, version=int(row.final), stamp=int(row.final))
    for (number, place), day in days.items():
        await store.client.hset(keys.published(f"day:{number}"), place, pack_day(day))
        await store.client.zadd(keys.published("days"), {str(number): number})
