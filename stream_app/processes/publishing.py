"""The worker's service that publishes interval rows; only one of the workers does."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

import structlog
from mode import Service

from stream_app.errors import StreamAppError
from stream_app.kafka.interval_topic import IntervalTopic
from stream_app.telemetry import Telemetry

_log = structlog.get_logger(__name__)

RELEASE_S: Final = 1.0
ROUND_S: Final = 10.0
"""A round rewrites the day of every queue with activity: more rounds would cost Redis more than counting does."""


class Round(Protocol):
    """Outcome of a round: whether this worker publishes, how many rows got revisions, why none were sent, and when (ms)."""

    leading: bool
    rows: int
    untold: str
    at: int


class RoundPublisher(Protocol):
    """A publisher, called round by round."""

    async def round(self) -> Round:
        """Publish what has changed."""

    async def release(self) -> None:
        """Let another worker publish."""


class Publishing(Service):
    """Publishes continuously; failures are retried.

    Attributes:
        rounds: number of rounds so far, failed ones included.
    """

    def __init__(
        self, publisher: RoundPublisher, topic: IntervalTopic | None, telemetry: Telemetry, **kwargs: Any
    ) -> None:
        """Wire it up; ``topic`` is closed when the service stops."""
        super().__init__(**kwargs)
        self._publisher = publisher
        self._topic = topic
        self._telemetry = telemetry
        self.rounds = 0

    @Service.task
    async def _publish(self) -> None:
        problem = ""
        while not self.should_stop:
            try:
                done = await self._publisher.round()
                at = done.at / 1000 if done.leading else 0
                self._telemetry.published(done.rows, at, untold=bool(done.untold))
                if done.untold and done.untold != problem:
                    _log.warning("rows_not_told", error=done.untold)
                problem = done.untold
            except StreamAppError as error:
                if str(error) != problem:
                    _log.warning("not_published", error=str(error))
                problem = str(error)
            except Exception:  # noqa: BLE001 - whatever is wrong with rows, counting must go on
                _log.exception("not_published")
            self.rounds += 1
            await self.sleep(ROUND_S)

    async def on_stop(self) -> None:
        """Let another worker go on publishing."""
        # If the store hangs, the lease expires by itself; the client may swallow a cancellation.
        await asyncio.wait([asyncio.ensure_future(self._publisher.release())], timeout=RELEASE_S)
        if self._topic is not None:
            await self._topic.close()
