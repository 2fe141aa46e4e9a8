"""The worker's service that publishes interval rows; of all workers one does."""

from __future__ import annotations

import time
from typing import Any, Final, Protocol

import structlog
from mode import Service

from .errors import StreamAppError
from .interval_topic import IntervalTopic
from .telemetry import Telemetry

_log = structlog.get_logger(__name__)

ROUND_S: Final = 10.0
"""A round rewrites the day of every queue in which something happened: more often would cost Redis more than counting does."""


class Done(Protocol):
    """What a round did: whether it was ours to do, how many rows got a number, why nobody was told of them."""

    leading: bool
    rows: int
    untold: str


class Publisher(Protocol):
    """Who publishes, round by round."""

    async def round(self) -> Done:
        """Publish what has changed."""

    async def release(self) -> None:
        """Let somebody else do it."""


class Publishing(Service):
    """Goes on publishing; what fails is tried again.

    Attributes:
        rounds: how many there were, failed ones too.
    """

    def __init__(
        self, publisher: Publisher, topic: IntervalTopic | None, telemetry: Telemetry, **kwargs: Any
    ) -> None:
        """``topic`` is closed with it."""
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
                self._telemetry.published(done.rows, time.time() if done.leading else 0)
                if done.untold and done.untold != problem:
                    _log.warning("rows_not_told", error=done.untold)
                problem = done.untold
            except StreamAppError as error:
                if str(error) != problem:
                    _log.warning("not_published", error=str(error))
                problem = str(error)
            except Exception:  # noqa: BLE001 - whatever is wrong with rows, counting goes on
                _log.exception("not_published")
            self.rounds += 1
            await self.sleep(ROUND_S)

    async def on_stop(self) -> None:
        """Let somebody else go on."""
        await self._publisher.release()
        if self._topic is not None:
            await self._topic.close()
