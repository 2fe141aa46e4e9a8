"""Sources of the command's interval rows: recorded files, Redis, or the topic of all rows ever published."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, Protocol

from redis.asyncio.connection import parse_url

from stream_app.commands.check.redis import address_of
from stream_app.commands.terminal import bar
from stream_app.errors import BadSettingsError, StoreUnavailableError, StreamAppError
from stream_app.kafka.connection import security
from stream_app.kafka.interval_topic import read_table
from stream_app.model.intervals.columns import IntervalRow
from stream_app.model.ports import Intervals
from stream_app.model.targets import Targets
from stream_app.store.intervals.memory import MemoryIntervals
from stream_app.store.intervals.reader import IntervalReader
from stream_app.store.redis import RedisStore


class RowSource(Intervals, Protocol):
    """Rows, their range of time, and their queues and channels."""

    async def names(self) -> tuple[Collection[str], Collection[str]]:
        """Return the queues and the channels that exist."""

    async def stretch(self) -> tuple[int, int]:
        """Return the start of the first row and the end of the last, ms."""


@asynccontextmanager
async def stored(settings: Any) -> AsyncIterator[tuple[RowSource, Any]]:
    """Open the rows in Redis, with the targets that are in force there.

    Raises:
        StreamAppError: no answer; the line names the address, without user and password.
    """
    url = settings.redis_url.get_secret_value()
    store, reader = RedisStore(url), IntervalReader(url)
    try:
        _, document = await store.current_targets()
        yield reader, Targets.from_json(document)
    except StoreUnavailableError as error:
        place = address_of(parse_url(url))
        raise StreamAppError(f"Redis at {place} (REDIS_URL): {error}") from None
    finally:
        await reader.close()
        await store.close()


async def from_topic(settings: Any, queues: Collection[str], channels: Collection[str]) -> MemoryIntervals:
    """Read the topic's rows of these queues and channels; of all where none is given."""
    if not settings.intervals_topic:
        raise BadSettingsError(
            "--from-topic: no topic has rows, because STREAM_APP_INTERVALS_TOPIC is empty; set it"
        )
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # its messages are in the error, once
    seen: set[tuple[str, str]] = set()

    def wanted(row: IntervalRow) -> bool:
        seen.add((row.queue, row.channel))
        return (not queues or row.queue in queues) and (not channels or row.channel in channels)

    with bar(settings.intervals_topic) as move_on:

        def told(read: int, total: int) -> None:
            move_on(completed=read, total=total)

        return MemoryIntervals(
            await read_table(security(settings), settings.intervals_topic, wanted, told),
            seen,
        )
