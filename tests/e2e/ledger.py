"""What stands in Kafka, read back by a plain consumer: the ledger that the verifier works from."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition

from .verifier import Logged


async def read_ledger(bootstrap: str, topic: str, partitions: int) -> dict[int, list[Logged]]:
    """All records of a topic, by partition, in offset order."""
    places = [TopicPartition(topic, n) for n in range(partitions)]
    ledger: dict[int, list[Logged]] = {n: [] for n in range(partitions)}
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, isolation_level="read_committed"
    ) as consumer:
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            for place, records in (await consumer.getmany(timeout_ms=500, max_records=10_000)).items():
                ledger[place.partition] += [
                    Logged(r.offset, r.timestamp, r.value, r.timestamp_type) for r in records
                ]
    return ledger
