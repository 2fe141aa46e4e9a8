"""A cache of answers, the most recently used, with a queue for computing the others."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from stream_app.views.plan.planner import BusyError

from .jobs import unpack

KEPT_BYTES: Final = 64_000_000
"""The size of all answers. The forecast of a queue takes some 30 kB, so that a thousand fit."""
MOST_WAITING: Final = 64
"""Requests that may wait for their turn; more are refused."""

T = TypeVar("T")
CacheKey = tuple[object, ...]


class Answers:
    """Packed answers by everything that they depend on."""

    def __init__(self) -> None:
        self._packed: OrderedDict[CacheKey, bytes] = OrderedDict()
        self._bytes = 0
        self._one = asyncio.Lock()
        self._waiting = 0

    def __contains__(self, key: CacheKey) -> bool:
        return key in self._packed

    def keep(self, key: CacheKey, answer: bytes) -> None:
        """Store an answer; the least recently used ones are dropped."""
        self._bytes += len(answer) - len(self._packed.pop(key, b""))
        self._packed[key] = answer
        while self._bytes > KEPT_BYTES and len(self._packed) > 1:
            self._bytes -= len(self._packed.popitem(last=False)[1])

    def recall(self, key: CacheKey, kind: type[T]) -> T:
        """Return an answer that is present."""
        self._packed.move_to_end(key)
        return unpack(self._packed[key], kind)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Take turns: one at a time, and not too many waiting.

        Raises:
            BusyError: too many are waiting.
        """
        if self._waiting >= MOST_WAITING:
            raise BusyError(f"{MOST_WAITING} requests are already waiting; try again later")
        self._waiting += 1
        try:
            async with self._one:
                yield
        finally:
            self._waiting -= 1
