"""``stream-app rebuild``: count again from what the topic still has."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

import typer

RECORD_S = 10.0
ALIVE_MS = 10_000
"""An owner heard of this recently still works."""


def run(
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it. Without this, only say what would be done.")
    ] = False,
) -> None:
    """Forget the counters of the topic and count again from the oldest records that Kafka still has.

    For a store that was wiped, or a topic that was made anew. Stop the workers first; start them again afterwards.
    """
    from stream_app.settings import load  # noqa: PLC0415 - quick --help

    asyncio.run(_rebuild(load(), yes=yes))


async def _rebuild(settings: Any, *, yes: bool) -> None:
    from aiokafka import AIOKafkaConsumer, TopicPartition  # noqa: PLC0415 - quick --help

    from stream_app.errors import StreamAppError  # noqa: PLC0415 - same
    from stream_app.kafka import security  # noqa: PLC0415 - same
    from stream_app.model.ports import Partition  # noqa: PLC0415 - same
    from stream_app.store.admin import last_beat, start_over  # noqa: PLC0415 - same
    from stream_app.store.client import connect  # noqa: PLC0415 - same

    client = connect(settings.redis_url.get_secret_value())
    async with client, AIOKafkaConsumer(settings.topic, **security(settings)) as consumer:
        places = [
            TopicPartition(settings.topic, n)
            for n in sorted(consumer.partitions_for_topic(settings.topic) or ())
        ]
        if not places:
            raise StreamAppError(f"there is no topic {settings.topic}")
        begins = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        partitions = {place: Partition(place.topic, place.partition) for place in places}
        now = time.time_ns() // 1_000_000
        for partition in partitions.values():
            if now - await last_beat(client, partition) < ALIVE_MS:
                raise StreamAppError(f"{partition} still has an owner: stop the workers first")
        for place, partition in partitions.items():
            what = f"{partition}: from {begins[place]}, {ends[place] - begins[place]} records"
            if yes:
                at = await _stamp(consumer, place, begins[place], ends[place], now)
                removed = await start_over(client, partition, begins[place], at)
                typer.echo(f"{what}; {removed} keys removed")
            else:
                typer.echo(what)
    typer.echo("start the workers" if yes else "nothing was done; add --yes")


async def _stamp(consumer: Any, place: Any, begin: int, end: int, now: int) -> int:
    """The timestamp of the oldest record, ms; of now where there is none."""
    if begin == end:
        return now
    consumer.seek(place, begin)
    try:
        record = await asyncio.wait_for(consumer.getone(place), RECORD_S)
    except TimeoutError:  # nothing but markers of transactions
        return now
    return int(record.timestamp)
