"""Sending dead letters again: their records as the topic still has them, if they can be read by now.

A letter has no more than the first bytes of its record, so the topic is read again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any, Final

import typer
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from stream_app.commands.terminal import bar
from stream_app.errors import StoreUnavailableError, StreamAppError, UnknownTypeError, UnreadableError
from stream_app.ingest import dialects
from stream_app.ingest.dialects import Decode
from stream_app.kafka.connection import connected, security
from stream_app.settings import Settings
from stream_app.store.client import connect
from stream_app.store.dead_letters import StoredLetter, check_may_remove, remove

TOGETHER: Final = 200
"""Records that are confirmed by the brokers, and then removed from the letters, in one go."""
NEAR: Final = 500
"""Offsets that are read over rather than sought."""
ANSWER_S: Final = 10.0

SENT, GONE, UNREADABLE = "sent", "gone", "unreadable"


async def send_again(settings: Settings, letters: Sequence[StoredLetter], *, yes: bool) -> None:
    """Send records again, or say what would be sent.

    Raises:
        StreamAppError: no broker answers, or one refuses a record; what was sent until then is removed from the letters.
    """
    counts: Counter[str] = Counter()
    decode = dialects.load(settings.dialect, settings.source_zone)
    kafka = security(settings)
    async with (
        connect(settings.redis_url.get_secret_value()) as client,
        connected(AIOKafkaConsumer(**kafka, enable_auto_commit=False), settings) as consumer,
        connected(AIOKafkaProducer(**kafka, acks="all", enable_idempotence=True), settings) as producer,
    ):
        if yes and letters:
            await _refuse_without_right(client, letters[0])
        # A record is sent once, even if a partition that was counted anew has two letters of it.
        once = {(letter.partition.number, letter.letter.offset): letter for letter in letters}
        in_order = [once[place] for place in sorted(once)]
        with bar("reading", total=len(in_order)) as move:
            for _, theirs in groupby(in_order, key=lambda letter: letter.partition):
                for some in _in_batches(theirs):
                    readable = []
                    async for letter, record in _records(consumer, some):
                        outcome = _outcome(record, decode, settings.max_event_bytes)
                        counts[outcome] += 1
                        if outcome == SENT:
                            readable.append((letter, record))
                    if yes:
                        await _send(producer, [record for _, record in readable])
                        done = {letter.letter.offset for letter, _ in readable}
                        partition = some[0].partition
                        await remove(
                            client,
                            [
                                each
                                for each in letters
                                if each.partition == partition and each.letter.offset in done
                            ],
                        )
                    move(advance=len(some))
    typer.echo(
        f"{counts[SENT]:,} {'were sent again' if yes else 'can be read by now and would be sent again'}"
    )
    if counts[UNREADABLE]:
        typer.echo(
            f"{counts[UNREADABLE]:,} still can't be read with the dialect {settings.dialect!r}: they stay where they are"
        )
    if counts[GONE]:
        typer.echo(f"{counts[GONE]:,} are no longer in the topic: their producer has to send them")
    if not yes and counts[SENT]:
        typer.echo("nothing was sent; add --yes")


async def _refuse_without_right(client: Any, letter: StoredLetter) -> None:
    try:
        await check_may_remove(client, letter.partition)
    except StoreUnavailableError as error:
        raise StreamAppError(
            f"nothing was sent, because letters can't be removed afterwards: {error}; see docs/operations.md, Rights in Redis"
        ) from None


def _in_batches(letters: Iterable[StoredLetter]) -> Iterator[list[StoredLetter]]:
    rest = iter(letters)
    while some := list(islice(rest, TOGETHER)):
        yield some


async def _records(
    consumer: Any, letters: Sequence[StoredLetter]
) -> AsyncIterator[tuple[StoredLetter, Any | None]]:
    """Yield letters of one partition with their records; ``None`` where the topic no longer has it."""
    partition = letters[0].partition
    place = TopicPartition(partition.topic, partition.number)
    consumer.assign([place])
    begin = (await consumer.beginning_offsets([place]))[place]
    end = (await consumer.end_offsets([place]))[place]
    at = -NEAR - 1  # nowhere near
    for letter in letters:
        wanted, record = letter.letter.offset, None
        if not begin <= wanted < end:
            yield letter, None
            continue
        if not at <= wanted <= at + NEAR:
            consumer.seek(place, wanted)
        while record is None or record.offset < wanted:
            try:
                record = await asyncio.wait_for(consumer.getone(place), ANSWER_S)
            except TimeoutError:
                raise StreamAppError(f"{partition}: no answer for the record at offset {wanted}") from None
        at = record.offset + 1
        yield letter, record if record.offset == wanted else None


def _outcome(record: Any | None, decode: Decode, max_bytes: int) -> str:
    if record is None:
        return GONE
    if record.value is None or len(record.value) > max_bytes:
        return UNREADABLE
    try:
        decode(record.value, record.headers)
    except UnreadableError:
        return UNREADABLE
    except UnknownTypeError:
        pass  # readable, and skipped: no letter comes of it
    return SENT


async def _send(producer: Any, records: Sequence[Any]) -> None:
    """Write records to the partitions that they came from, whatever partitioner their producer has."""
    try:
        waiting = [
            await producer.send(
                record.topic,
                record.value,
                key=record.key,
                partition=record.partition,
                headers=[*record.headers],
            )
            for record in records
        ]
        await asyncio.gather(*waiting)
    except KafkaError as error:
        raise StreamAppError(f"Kafka, topic {records[0].topic}: {error}") from None
