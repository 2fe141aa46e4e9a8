"""Who calls whom back: the one thing that ``serve`` writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec
import structlog

from stream_app.errors import QuarantinedError, StoreUnavailableError
from stream_app.model.live.callbacks import Taken

from . import keys
from .client import connect, end_if_cancelled, faults

KEPT_MS: Final = 2 * 3_600_000
"""Twice as long as an abandoned contact is listed."""
READ_S: Final = 1.0
_REFUSED: Final = ("NoPermissionError", "ReadOnlyError")

_log = structlog.get_logger(__name__)
_decode: Final = msgspec.json.Decoder(Taken).decode


class RedisCallbacks:
    """The list in Redis, and a copy of it that is read every second.

    Attributes:
        takes: see ``Callbacks``; ends where this user may only read.
    """

    def __init__(self, url: str, *, takes: bool = True) -> None:
        """Set it up; it connects with the first command."""
        self.takes = takes
        self._client = connect(url)
        self._known: dict[str, Taken] = {}

    def taken(self, contact: str, abandoned_at: int) -> Taken | None:
        """See ``Callbacks.taken``."""
        return self._known.get(_field(contact, abandoned_at))

    async def take(self, contact: str, abandoned_at: int, taken: Taken) -> Taken:
        """See ``Callbacks.take``."""
        field = _field(contact, abandoned_at)
        async with self._writing():
            if not await self._client.hsetnx(keys.CALLBACKS, field, msgspec.json.encode(taken)):
                await self.read()
                return self._known.get(field, taken)
            await self._client.expire(keys.CALLBACKS, KEPT_MS // 1000)
            if old := [name for name, one in self._known.items() if one.at < taken.at - KEPT_MS]:
                await self._client.hdel(keys.CALLBACKS, *old)
        self._known = {**self._known, field: taken}
        return taken

    async def give_back(self, contact: str, abandoned_at: int, by: str) -> None:
        """See ``Callbacks.give_back``."""
        field = _field(contact, abandoned_at)
        async with self._writing():
            await self.read()
            if (one := self._known.get(field)) and one.by == by:
                await self._client.hdel(keys.CALLBACKS, field)
                self._known = {name: one for name, one in self._known.items() if name != field}

    async def read(self) -> None:
        """Read the list.

        Raises:
            StoreUnavailableError: no answer; what was known stays.
        """
        async with faults():
            found = await self._client.hgetall(keys.CALLBACKS)
        known: dict[str, Taken] = {}
        for name, text in found.items():
            try:
                known[name.decode()] = _decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError):  # somebody else's
                continue
        self._known = known

    async def run(self) -> None:
        """Read it every second until cancelled."""
        while True:
            end_if_cancelled()
            with suppress(
                StoreUnavailableError, QuarantinedError
            ):  # the reader of everything else reports them
                await self.read()
            await asyncio.sleep(READ_S)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        """Write to Redis; where that is not allowed, nobody is offered to do it again."""
        try:
            async with faults():
                yield
        except StoreUnavailableError as error:
            if str(error).startswith(_REFUSED):
                self.takes = False
                _log.warning("callbacks_read_only", error=str(error))
            raise


def _field(contact: str, abandoned_at: int) -> str:
    return f"{abandoned_at}:{contact}"
