"""The writer of the ledger: all partitions that nobody else has, round by round."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import structlog

from stream_app.errors import BadSettingsError, StreamAppError
from stream_app.model.ports import Partition
from stream_app.store.outbox import Outboxes

from .partition_writer import PartitionWriter
from .telemetry import LedgerTelemetry

_log = structlog.get_logger(__name__)

LEASE_MS: Final = 15_000
SWEEP_MS: Final = 1_800_000
ROUND_S: Final = 1.0
"""Between rounds. A round of a partition that is not due costs Redis a few commands."""

AT_ONCE: Final = 4
"""Partitions that are written at a time: most of it is waiting for the storage."""
SLOW_MS: Final = 5_000
"""A topic that fails after so long is not asked for other partitions in the same round: filing would have to wait for each."""
STOP_S: Final = 10.0
"""How long a round may go on after SIGTERM."""


class NotSentError(StreamAppError):
    """Rows are filed, and the topic lacks them until it works again."""


MakePartitionWriter = Callable[[Partition], PartitionWriter]


class LedgerWriter:
    """Writes what it has the lease of. What goes wrong with one partition keeps no other from being written."""

    def __init__(
        self,
        outboxes: Outboxes,
        make: MakePartitionWriter,
        telemetry: LedgerTelemetry,
        clock: Callable[[], int],
    ) -> None:
        """Wire it up.

        Args:
            outboxes: those of all partitions.
            make: makes the writer of a partition.
            telemetry: where it shows how it is.
            clock: the wall clock, ms.
        """
        self._outboxes, self._make, self._telemetry, self._clock = outboxes, make, telemetry, clock
        self._token = uuid4().hex
        self._mine: dict[Partition, PartitionWriter] = {}
        self._swept: dict[Partition, int] = {}
        self._rounds, self._hung = 0, False
        self._problems: dict[Partition | None, str] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Write until told to stop; a step under way is finished.

        Raises:
            BadSettingsError: Redis is one that is not supported.
        """
        stopping = asyncio.ensure_future(stop.wait())
        while not stop.is_set():
            rounds = asyncio.ensure_future(self.round(stop))
            await asyncio.wait({rounds, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({rounds}, timeout=STOP_S if stop.is_set() else None)
            if rounds.done():
                rounds.result()
            else:  # whatever it has done by now, the next writer finds out
                rounds.cancel()
                await asyncio.wait({rounds}, timeout=1)
            await asyncio.wait({stopping}, timeout=ROUND_S)
        await self.release()

    async def round(self, stop: asyncio.Event | None = None) -> None:
        """Write what is due in each partition that is ours or free."""
        try:
            partitions = await self._outboxes.partitions()
        except BadSettingsError:
            raise
        except StreamAppError as error:
            self._failed(None, error)
            return
        self._problems.pop(None, None)
        first = self._rounds % (len(partitions) or 1)  # each has its turn to be the first
        self._rounds, self._hung = self._rounds + 1, False
        some = asyncio.Semaphore(AT_ONCE)

        async def write(partition: Partition) -> None:
            async with some:
                if stop is None or not stop.is_set():
                    await self._try(partition)

        async with asyncio.TaskGroup() as group:
            for partition in (*partitions[first:], *partitions[:first]):
                group.create_task(write(partition))

    async def _try(self, partition: Partition) -> None:
        try:
            await self._write(partition)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with its rows, the others must be written
            self._failed(partition, error)
        else:
            self._problems.pop(partition, None)

    async def release(self) -> None:
        """Let another writer take over at once; if Redis does not answer, the leases expire by themselves."""
        for partition, writer in self._mine.items():
            await writer.close()
            try:
                await self._outboxes.release(partition, self._token)
            except StreamAppError as error:
                self._failed(partition, error)
                return

    async def _write(self, partition: Partition) -> None:
        if not await self._outboxes.lease(partition, self._token, LEASE_MS):
            if (former := self._mine.pop(partition, None)) is not None:
                self._telemetry.forget(str(partition))
                await former.close()
            return
        writer = self._mine.get(partition) or self._mine.setdefault(partition, self._make(partition))
        since, sends = self._clock(), not self._hung
        try:
            self._telemetry.rows.inc(await writer.round(sends=sends))
        finally:
            self._telemetry.partition(str(partition), writer.standing, writer.held)
        now = self._clock()
        if sends and writer.unsent and now - since >= SLOW_MS:
            self._hung = True
        if not 0 <= now - self._swept.get(partition, 0) < SWEEP_MS:
            await writer.sweep()
            self._swept[partition] = now
        if writer.unsent:
            raise NotSentError(writer.unsent)

    def _failed(self, partition: Partition | None, error: Exception) -> None:
        """Count it, and say it once; with the whole trace where it is our own fault."""
        self._telemetry.failures.inc()
        if self._problems.get(partition) != str(error):
            trace = None if isinstance(error, StreamAppError) else error
            _log.warning(
                "ledger_not_sent" if isinstance(error, NotSentError) else "ledger_not_written",
                partition=str(partition or "all"),
                error=str(error),
                exc_info=trace,
            )
        self._problems[partition] = str(error)
