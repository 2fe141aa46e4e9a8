"""``stream-app rebuild``: count again from what the topic still holds."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_app.errors import StreamAppError
from stream_app.kafka.connection import connected, security
from stream_app.model.ports import Partition
from stream_app.settings import load
from stream_app.store import keys
from stream_app.store.admin import last_beat, redis_now, start_over
from stream_app.store.client import connect
from stream_app.store.topics import count_anew

RECORD_S = 10.0
ALIVE_MS = 10_000
"""An owner whose last heartbeat is younger than this still works."""


def run(
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it. Without this, only show what would be done.")
    ] = False,
) -> None:
    """Discard the topic's counters and count again from the oldest records that Kafka still has.

    For a store that was wiped, or a topic that was deleted and created again. Stop the workers first; start them again
    afterwards.
    """
    asyncio.run(_rebuild(load(), yes=yes))


async def _rebuild(settings: Any, *, yes: bool) -> None:
    client = connect(settings.redis_url.get_secret_value())
    reading = connected(AIOKafkaConsumer(settings.topic, **security(settings)), settings)
    async with client, reading as consumer:
        places = [
            TopicPartition(settings.topic, n)
            for n in sorted(consumer.partitions_for_topic(settings.topic) or ())
        ]
        if not places:
            raise StreamAppError(f"topic {settings.topic} does not exist; create it, or set STREAM_APP_TOPIC")
        begins = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        partitions = {place: Partition(place.topic, place.partition) for place in places}
        now = await redis_now(client)
        for partition in partitions.values():
            ago = now - await last_beat(client, partition)
            if ago < -ALIVE_MS:
                raise StreamAppError(
                    f"{partition}: its last heartbeat is {-ago // 1000} s ahead of Redis's clock, so it is unknown whether a "
                    f"worker owns it. If none is running, delete the heartbeat: redis-cli DEL '{keys.beat(partition)}'"
                )
            if ago < ALIVE_MS:
                raise StreamAppError(f"{partition} is still owned by a worker; stop the workers first")
        for place, partition in partitions.items():
            what = f"{partition}: from offset {begins[place]}, {ends[place] - begins[place]} records"
            if yes:
                at = await first_stamp(consumer, place, begins[place], ends[place], now)
                removed = await start_over(client, partition, begins[place], at)
                typer.echo(f"{what}; {removed} keys removed")
            else:
                typer.echo(what)
        if yes:
            await count_anew(client, settings.topic, len(places))
    typer.echo("start the workers" if yes else "nothing was done; add --yes")


async def first_stamp(consumer: Any, place: Any, begin: int, end: int, now: int) -> int:
    """Return the timestamp of the oldest record, ms; ``now`` where there is none."""
    if begin == end:
        return now
    consumer.seek(place, begin)
    try:
        record = await asyncio.wait_for(consumer.getone(place), RECORD_S)
    except TimeoutError:  # nothing but transaction markers
        return now
    return int(record.timestamp)
