"""The work of the process that keeps KPIs of the ledger fresh: bytes in, bytes out.

It reads the ledger with a reader of its own, which keeps what it knows of manifests and copies of files from one refresh to the
next one.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from stream_app.errors import StreamAppError
from stream_app.ledger.opening import open_ledger
from stream_app.ledger.querying import QueryLimits
from stream_app.ledger.reading import LedgerReader
from stream_app.model.ledger_numbers import LEDGER_WINDOWS, LedgerNumbers
from stream_app.model.targets import Targets
from stream_app.settings import Settings

from .asking import range_of
from .query import LedgerQuestion
from .windows import AskedNumbers

LIMITS: Final = QueryLimits(threads=1, memory="1GB")
"""One thread, so that a refresh takes no more than one core; with the pause after it, no more than half of one."""
_PASSED_ON: Final = (
    "ledger",
    "ledger_days",
    "ledger_cache_bytes",
    "redis_url",
    "aws_endpoint_url",
    "aws_region",
    "aws_access_key_id",
    "aws_secret_access_key",
)
encode: Final = msgspec.msgpack.Encoder().encode


class Refresh(Struct, frozen=True, array_like=True):
    """What is to be refreshed.

    Attributes:
        settings: where the ledger and the store are, with secrets: it never leaves the two processes.
        targets: in force, as JSON.
        now: the end of all windows, ms.
        known: see ``AskedNumbers``.
        copies: the folder for copies of files: whoever asks removes them, since this process may be killed.
    """

    settings: dict[str, Any]
    targets: bytes
    now: int
    known: int | None
    copies: str


class Refreshed(Struct, frozen=True, array_like=True):
    """What became of it.

    Attributes:
        numbers: ``None``: there are none.
        problem: why, for people.
    """

    numbers: LedgerNumbers | None
    problem: str = ""


def passed_on(settings: Settings) -> dict[str, Any]:
    """Return the settings that the process needs."""
    found = {name: getattr(settings, name) for name in _PASSED_ON}
    return {
        name: value.get_secret_value() if hasattr(value, "get_secret_value") else value
        for name, value in found.items()
    }


def refresh(question: bytes) -> bytes:
    """Compute ``Refresh`` → ``Refreshed``."""
    asked = msgspec.msgpack.decode(question, type=Refresh)
    try:
        numbers = _at_work.run(asked)
    except StreamAppError as error:
        return encode(Refreshed(None, str(error)))
    return encode(Refreshed(numbers))


class _AtWork:
    """What the process keeps between two refreshes."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None
        self._reader: LedgerReader | None = None
        self._settings: dict[str, Any] = {}

    def run(self, asked: Refresh) -> LedgerNumbers:
        """Refresh, in a loop of its own."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(self._refreshed(asked))

    async def _refreshed(self, asked: Refresh) -> LedgerNumbers:
        reader = self._reader
        if reader is None or self._settings != asked.settings:
            if reader is not None:
                await reader.close()
            reader = self._reader = open_ledger(Settings(**asked.settings), LIMITS, Path(asked.copies))
            self._settings = asked.settings
        wanted = range_of([LedgerQuestion(start=0, end=asked.now, known=asked.now)])
        async with reader.opened(lambda _: wanted) as ledger:
            numbers = AskedNumbers(ledger, Targets.from_json(asked.targets), asked.now, asked.known)
            await numbers.begin()
            return await numbers.numbers([*LEDGER_WINDOWS])


_at_work: Final = _AtWork()
