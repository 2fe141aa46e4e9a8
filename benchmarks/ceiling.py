"""The references, each a process of its own: ``python -m benchmarks.ceiling raw|plain|pipelined KAFKA TOPIC EVENTS [REDIS]``.

``raw`` is the ceiling of this stack: aiokafka's ``getmany``, a typed msgspec decode and one dictionary update per event (the
latest event of each contact: the least that anything must do that joins events of a contact).
``plain`` is what the tutorials show: a Faust agent over a topic of records that counts each event in Redis, in the three
resolutions that the windows need, a command at a time. ``pipelined`` sends the three in one round trip.
All print events per second.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Union

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_app.model.events import TYPES


async def raw(bootstrap: str, topic: str, events: int) -> float:
    """Events per second of reading, decoding and keeping the latest of each contact."""
    decode = msgspec.json.Decoder(Union[tuple(TYPES.values())]).decode  # noqa: UP007 - built at run time
    latest: dict[str, int] = {}
    seen, started = 0, 0.0
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, max_partition_fetch_bytes=4 * 1024 * 1024
    ) as consumer:
        places = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or range(4)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        while seen < events:
            found = await consumer.getmany(timeout_ms=200, max_records=4_000)
            started = started or time.perf_counter()
            for records in found.values():
                for record in records:
                    event = decode(record.value)
                    latest[event.contact_id] = event.at
                seen += len(records)
    return seen / (time.perf_counter() - started)


def faust_agent(bootstrap: str, topic: str, events: int, redis_url: str, *, pipelined: bool) -> None:
    """Run a plain Faust agent that writes each event to Redis, print its rate and end the process."""
    import os
    import tempfile

    import faust
    from redis.asyncio import Redis

    class Event(faust.Record, serializer="json"):
        id: str
        type: str
        at: int
        contact_id: str
        queue: str

    client = Redis.from_url(redis_url)
    app = faust.App(
        f"plain-{os.getpid()}",
        broker=f"kafka://{bootstrap}",
        web_enabled=False,
        datadir=tempfile.mkdtemp(),
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
    )
    seen, started = 0, 0.0

    @app.agent(app.topic(topic, value_type=Event))
    async def count(stream: faust.StreamT[Event]) -> None:
        nonlocal seen, started
        async for event in stream:
            started = started or time.perf_counter()
            keys = [f"plain:{size}:{event.at // size}:{event.queue}" for size in (10_000, 60_000, 900_000)]
            if pipelined:
                async with client.pipeline(transaction=False) as pipe:
                    for key in keys:
                        pipe.hincrby(key, event.type, 1)
                    await pipe.execute()
            else:
                for key in keys:
                    await client.hincrby(key, event.type, 1)
            seen += 1
            if seen == events:
                os.write(
                    1, f"{seen / (time.perf_counter() - started)}\n".encode()
                )  # print() goes to Faust's log
                os._exit(0)

    faust.Worker(app, loglevel="ERROR", quiet=True).execute_from_commandline()


if __name__ == "__main__":
    which, bootstrap, topic, events, *rest = sys.argv[1:]
    if which == "raw":
        print(asyncio.run(raw(bootstrap, topic, int(events))))
    else:
        faust_agent(bootstrap, topic, int(events), rest[0], pipelined=which == "pipelined")
