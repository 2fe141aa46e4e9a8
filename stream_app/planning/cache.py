"""Answers that are kept, the latest used of them, and whose turn it is to compute another."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from stream_app.views.plan.planner import BusyError

from .work import unpack

KEPT_BYTES: Final = 64_000_000
"""Of answers. The forecast of a queue takes some 30 kB, so that a thousand fit."""
MOST_WAITING: Final = 64
"""Questions that wait for their turn; more are refused."""

T = TypeVar("T")
Key = tuple[object, ...]


class Answers:
    """Packed answers by all that they rest on."""

    def __init__(self) -> None:
        self._packed: OrderedDict[Key, bytes] = OrderedDict()
        self._bytes = 0
        self._one = asyncio.Lock()
        self._waiting = 0

    def __contains__(self, key: Key) -> bool:
        return key in self._packed

    def keep(self, key: Key, answer: bytes) -> None:
        """Remember an answer; the longest unused ones go."""
        self._bytes += len(answer) - len(self._packed.pop(key, b""))
        self._packed[key] = answer
        while self._bytes > KEPT_BYTES and len(self._packed) > 1:
            self._bytes -= len(self._packed.popitem(last=False)[1])

    def recall(self, key: Key, kind: type[T]) -> T:
        """An answer that is there."""
        self._packed.move_to_end(key)
        return unpack(self._packed[key], kind)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One at a time, and not too many in line.

        Raises:
            BusyError: too many are.
        """
        if self._waiting >= MOST_WAITING:
            raise BusyError(f"{MOST_WAITING} questions wait already")
        self._waiting += 1
        try:
            async with self._one:
                yield
        finally:
            self._waiting -= 1
