"""Where the command's interval rows come from: files that are counted, Redis, or the topic of all rows ever published."""

from __future__ import annotations

import logging
import sys
from bisect import bisect_left
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import groupby
from typing import Any, Protocol

from stream_app.model.interval_rows import IntervalRow
from stream_app.model.ports import Intervals


class Folded:
    """Rows in memory. They never change, and have no revisions."""

    def __init__(self, rows: Iterable[IntervalRow], places: Collection[tuple[str, str]] = ()) -> None:
        """Keep rows.

        Args:
            rows: in the order of queue, channel and time.
            places: queues and channels that are known besides, whose rows are not here.
        """
        self._places = {
            place: list(of) for place, of in groupby(rows, key=lambda row: (row.queue, row.channel))
        }
        every = {*self._places, *places}
        self._names = {queue for queue, _ in every}, {channel for _, channel in every}

    async def names(self) -> tuple[Collection[str], Collection[str]]:
        """The queues and the channels that there are."""
        return self._names

    async def stretch(self) -> tuple[int, int]:
        """From the beginning of the first row to the end of the last, ms."""
        every = self._places.values()
        return min((rows[0].start for rows in every), default=0), max(
            (rows[-1].end for rows in every), default=0
        )

    async def rows(
        self,
        start: int,
        end: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        """As the port says."""
        found: list[IntervalRow] = []
        for (queue, channel), rows in self._places.items():
            if (queues is None or queue in queues) and (channels is None or channel in channels):
                first, last = (bisect_left(rows, at, key=lambda row: row.start) for at in (start, end))
                found += rows[first:last]
        return found

    async def since(
        self,
        revision: int,
        limit: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        """As the port says: nothing changes."""
        del revision, limit, queues, channels
        return []

    async def newest(self) -> int:
        """As the port says: there are no revisions."""
        return 0

    async def state(self) -> str:
        """As the port says."""
        return "folded"


class Source(Intervals, Protocol):
    """Rows, from when to when there are any, and of whom."""

    async def names(self) -> tuple[Collection[str], Collection[str]]:
        """The queues and the channels that there are."""

    async def stretch(self) -> tuple[int, int]:
        """From the beginning of the first row to the end of the last, ms."""


@asynccontextmanager
async def stored(settings: Any) -> AsyncIterator[tuple[Source, Any]]:
    """Rows in Redis, and the settings that are in force there.

    Raises:
        StreamAppError: no answer; the line says where it was asked for, without user and password.
    """
    from redis.asyncio.connection import parse_url  # noqa: PLC0415 - quick --help

    from stream_app.errors import StoreUnavailableError, StreamAppError  # noqa: PLC0415 - same
    from stream_app.model.targets import Targets  # noqa: PLC0415 - quick --help
    from stream_app.store.redis import RedisStore  # noqa: PLC0415 - same
    from stream_app.store.rows.reader import IntervalReader  # noqa: PLC0415 - same

    from .check_redis import place_of  # noqa: PLC0415 - same

    url = settings.redis_url.get_secret_value()
    store, reader = RedisStore(url), IntervalReader(url)
    try:
        _, document = await store.current_settings()
        yield reader, Targets.from_json(document)
    except StoreUnavailableError as error:
        place = place_of(parse_url(url))
        raise StreamAppError(f"Redis at {place}, which REDIS_URL names: {error}") from None
    finally:
        await reader.close()
        await store.close()


async def from_topic(settings: Any, queues: Collection[str], channels: Collection[str]) -> Folded:
    """Rows of the topic, of these queues and channels; all of them where none is named."""
    from stream_app.errors import BadSettingsError  # noqa: PLC0415 - quick --help
    from stream_app.interval_topic import read_table  # noqa: PLC0415 - same
    from stream_app.kafka import security  # noqa: PLC0415 - same

    if not settings.intervals_topic:
        raise BadSettingsError("--from-topic: STREAM_APP_INTERVALS_TOPIC is empty: no topic has rows")
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # what it says is in the error, once
    seen: set[tuple[str, str]] = set()

    def wanted(row: IntervalRow) -> bool:
        seen.add((row.queue, row.channel))
        return (not queues or row.queue in queues) and (not channels or row.channel in channels)

    with _bar(settings.intervals_topic) as told:
        return Folded(
            await read_table(security(settings), settings.intervals_topic, wanted, told),
            seen,
        )


@contextmanager
def _bar(name: str) -> Iterator[Any]:
    """A bar on stderr, if somebody can see it."""
    if not sys.stderr.isatty():
        yield lambda _read, _all: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where somebody looks
    from rich.progress import Progress  # noqa: PLC0415 - same

    with Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(name, total=None)
        yield lambda read, total: shown.update(task, completed=read, total=total)
