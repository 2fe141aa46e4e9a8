"""Work in flight: one job per partition, seen through to its end whatever that is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from stream_app.errors import StoreUnavailableError

from .partition import MUST_CLAIM_AGAIN, Owned

_log = structlog.get_logger(__name__)

DRAIN_S: Final = 4.0

Job = Callable[[], Awaitable[None]]
ClaimAgain = Callable[[TopicPartition, Owned, Exception | None], None]


class Flights:
    """Runs jobs on partitions.

    Attributes:
        landed: set whenever a partition is free again.
    """

    def __init__(
        self,
        claim_again: ClaimAgain,
        crash: Callable[[BaseException], Awaitable[None]],
        is_stopping: Callable[[], bool],
    ) -> None:
        """Wire it up.

        Args:
            claim_again: has a partition claimed and sought again.
            crash: ends the worker with an error.
            is_stopping: whether the worker is already ending.
        """
        self.landed = asyncio.Event()
        self._claim_again = claim_again
        self._crash = crash
        self._is_stopping = is_stopping
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, tp: TopicPartition, owned: Owned, work: Job, what: str) -> None:
        """Start a job, and keep the partition busy until it is done."""
        owned.idle.clear()
        task = asyncio.create_task(
            self.see_through(tp, owned, work), name=f"{what} {tp.topic}.{tp.partition}"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Wait for jobs in flight, for a limited time."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_S)

    async def see_through(self, tp: TopicPartition, owned: Owned, work: Job) -> None:
        """Run a job to its end; after an error, have the partition claimed again or end the worker."""
        try:
            await work()
        except MUST_CLAIM_AGAIN as error:
            _log.warning("claim_lost", partition=str(owned.partition), error=str(error))
            owned.claim = None
            owned.idle.set()
            self._claim_again(tp, owned, error)
        except StoreUnavailableError:
            # Only once the partition is gone: until then the commit is retried.
            _log.warning("batch_dropped", partition=str(owned.partition))
        except KafkaError as error:
            # The log could not be queried, and the consumer is past the place: go back, and try again.
            _log.warning("log_not_read", partition=str(owned.partition), error=str(error))
            owned.idle.set()
            self._claim_again(tp, owned, None)
        except asyncio.CancelledError:
            owned.claim = None  # its memory may be ahead of what was stored
            if self._is_stopping():
                raise
            _log.warning("batch_cancelled", partition=str(owned.partition))
            owned.idle.set()
            self._claim_again(tp, owned, None)
        except Exception as error:  # noqa: BLE001 - no error may vanish in a task
            # Its records were read but not counted: nothing may be read after them while the worker stops.
            owned.ready, owned.claim = False, None
            _log.error("stopping", partition=str(owned.partition), error=str(error))
            await self._crash(error)
        finally:
            owned.progressed()
            owned.idle.set()
            self.landed.set()
