"""Retiring of names, to free places in a full registry: queues and channels without any traffic for two days.

The publisher does it, because it knows of all partitions when anything was last counted. Nothing is lost: a retired name keeps
its number, and what is stored under that number keeps its name; when it returns, it takes a place again. Should it return at
the very moment in which it is retired, it is still counted under its own number.

Retired names are bounded, too: at most ``FACTOR`` per place. A registry that has that many stays full.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any, Final

import structlog

from stream_app.errors import FencedError
from stream_app.model.durations import DAY
from stream_app.model.fold.visit import REMEMBERED
from stream_app.model.ports import Partition
from stream_app.model.windows import KEPT
from stream_app.store import keys
from stream_app.store.client import faults, script
from stream_app.store.codec import unpack_visits
from stream_app.store.names import CAPS

from .state import PublisherState

_log = structlog.get_logger(__name__)

IDLE_MS: Final = 2 * DAY
"""As long as 15-minute buckets are kept: only the totals contain anything older."""
EVERY_MS: Final = 3_600_000
FACTOR: Final = 2
_KINDS: Final = ("queue", "channel")
_INTERVAL: Final = max(KEPT)
_PAGE: Final = 1_000


class Retiring:
    """Retires names, at most once an hour."""

    def __init__(self, client: Any, queue_cap: int = CAPS["queue"]) -> None:
        """Take a Redis client, and the most queue names that may be in use."""
        self._client = client
        self._caps = {"queue": queue_cap, "channel": CAPS["channel"]}
        self._script = script(client, "retire")
        self._looked_at = 0

    async def round(
        self, token: str, state: PublisherState, partitions: Collection[Partition], now: int
    ) -> int:
        """Retire idle names where a registry is full, and return how many were retired.

        Args:
            token: that of the publisher.
            state: that of the publisher: up to when everything was read, and when queues were last active.
            partitions: all of them.
            now: Redis's clock, ms.

        Raises:
            FencedError: another worker publishes by now.
            StoreUnavailableError: no answer; retry.
            QuarantinedError: a key has a foreign type.
        """
        if not state.final or 0 <= now - self._looked_at < EVERY_MS:
            return 0
        full = [kind for kind in _KINDS if await self._is_full(kind)]
        if not full:
            return 0
        self._looked_at = now
        since = min(now, state.final) - IDLE_MS
        live = [partition for partition in partitions if partition.is_live]
        numbers, names = await self._in_use(state, live, since)
        return sum([await self._retire(kind, token, numbers[kind], names[kind]) for kind in full])

    async def _is_full(self, kind: str) -> bool:
        async with faults():
            given = await self._client.hlen(keys.names(kind))
            retired = await self._client.scard(keys.retired(kind))
        return bool(given - retired >= self._caps[kind])

    async def _in_use(
        self, state: PublisherState, live: Collection[Partition], since: int
    ) -> tuple[dict[str, set[int]], dict[str, set[str]]]:
        """Return the numbers under which anything was counted since, and the names that open visits are in."""
        places = {place for place, (_, last) in state.seen.items() if last >= since}
        queues: set[str] = set()
        channels: set[str] = set()
        for partition in live:
            async for page in self._counted(partition, since):
                places |= page
            async for packed in self._visits(partition):
                for visit in unpack_visits(packed):
                    if visit.state < REMEMBERED:
                        queues.add(visit.queue)
                        channels.add(visit.channel)
        pairs = [place.split(b".") for place in places]
        numbers = {"queue": {int(pair[0]) for pair in pairs}, "channel": {int(pair[1]) for pair in pairs}}
        return numbers, {"queue": queues, "channel": channels}

    async def _counted(self, partition: Partition, since: int) -> AsyncIterator[set[bytes]]:
        """Yield the places in 15-minute buckets: interval rows do not contain surveys and outbound calls."""
        async with faults():
            starts = await self._client.zrangebyscore(keys.index(partition, _INTERVAL), since, "+inf")
        for start in starts:
            async with faults():
                yield set(await self._client.hkeys(keys.cells(partition, _INTERVAL, int(start))))

    async def _visits(self, partition: Partition) -> AsyncIterator[bytes]:
        cursor: int | None = None
        while cursor != 0:
            async with faults():
                cursor, page = await self._client.hscan(keys.visits(partition), cursor or 0, count=_PAGE)
            for packed in page.values():
                yield packed
            await asyncio.sleep(0)

    async def _retire(self, kind: str, token: str, numbers: set[int], names: set[str]) -> int:
        async with faults():
            registry = await self._client.hgetall(keys.names(kind))
            retired = await self._client.smembers(keys.retired(kind))
            idle = [
                name
                for name, number in registry.items()
                if name not in retired and int(number) not in numbers and name.decode() not in names
            ]
            done = 0
            for at in range(0, len(idle), _PAGE):
                n = await self._script(
                    keys=[keys.names(kind), keys.retired(kind), keys.published("meta")],
                    args=[token, FACTOR * self._caps[kind], *idle[at : at + _PAGE]],
                )
                if n < 0:
                    raise FencedError("names: another worker retires them now, or the store was rolled back")
                done += n
        _log.info("names_retired", kind=kind, names=done, idle=len(idle))
        return done
