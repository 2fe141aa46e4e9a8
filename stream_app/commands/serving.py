"""What ``serve`` runs: a reader that mirrors the store, and views of the mirror."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Collection, Iterator
from typing import Final

import structlog
from aiohttp import web

from stream_app.errors import StreamAppError
from stream_app.model.kpis import HEADLINES
from stream_app.model.rows import By, Chosen, Group, Snapshot, everywhere
from stream_app.model.running import AtRisk, GaveUp
from stream_app.model.snapshot import Snapshots
from stream_app.model.trend import TrendRow, Trends
from stream_app.model.waits import Waits
from stream_app.model.windows import WINDOWS
from stream_app.settings import Settings
from stream_app.store.reader import Reader, wall_ms
from stream_app.store.rows.reader import IntervalReader
from stream_app.store.schedules import RedisSchedules
from stream_app.views.api import AccessLog, Views
from stream_app.views.status import Status

from .plans.planner import Planner

LOOK_S: Final = 0.05
"""A snapshot this young answers another request, so that many who ask don't cost more than one."""
RATE: Final = 4.0
"""Messages a second to those who watch, while things change all the time."""
BURST: Final = 2.0
"""So many may come at once: a change right behind a mere tick of the clock is not held back."""
SILENCE_S: Final = 1.0
"""Time itself changes the numbers: without a single event a queue turns red this soon after T."""
CLOSING_S: Final = 1.0

_log = structlog.get_logger(__name__)


def serve(settings: Settings, host: str, port: int, *, access_log: bool = False) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        StreamAppError: the address can't be listened on.
    """
    asyncio.run(_serve(settings, host, port, access_log=access_log))


async def _serve(settings: Settings, host: str, port: int, *, access_log: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    url = settings.redis_url.get_secret_value()
    reader, intervals, rosters = Reader(url), IntervalReader(url), RedisSchedules(url)
    mirror = Mirror(reader, settings.max_age_s)
    planner = Planner(intervals, rosters, mirror.places, lambda: reader.targets, wall_ms)
    views = Views(mirror, intervals, lambda: reader.targets, planner)
    views.live.publish(mirror.headlines(), mirror.status())
    runner = web.AppRunner(
        views.app(),
        access_log_class=AccessLog,
        access_log=_log if access_log else None,
        shutdown_timeout=CLOSING_S,
    )
    tasks: list[asyncio.Task[object]] = []
    try:
        await runner.setup()
        await _listen(runner, host, port)
        tasks = [
            asyncio.create_task(stop.wait()),
            asyncio.create_task(reader.run()),
            asyncio.create_task(
                refresh(reader, lambda: views.live.publish(mirror.headlines(), mirror.status()))
            ),
            asyncio.create_task(planner.run()),
        ]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # whoever can't go on says why, and takes us down
    finally:
        await runner.cleanup()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await planner.close()
        await rosters.close()
        await reader.close()
        await intervals.close()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError as error:
        raise StreamAppError(f"can't listen on {host}:{port}: {_reason(error)}") from None
    _log.info("serving", url=f"http://{runner.addresses[0][0]}:{runner.addresses[0][1]}/")


def _reason(error: OSError) -> str:
    """In the system's words: the event loop's repeat the address."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return os.strerror(error.errno)


class Mirror:
    """What is true now, as the views ask for it."""

    def __init__(self, reader: Reader, max_age_s: float) -> None:
        """``reader`` runs elsewhere; data older than ``max_age_s`` is stale."""
        self._reader = reader
        self._max_age_s = max_age_s
        self._snapshots = Snapshots(reader.board)
        self._headlines = Snapshots(reader.board, HEADLINES)
        self._trends = Trends(reader.board, self._headlines)
        self._taken_at = float("-inf")
        self._snapshot: Snapshot | None = None

    def now(self) -> int:
        """Let time pass; gives as of when the mirror is."""
        self._reader.board.advance(now := wall_ms())
        return now

    def snapshot(self, windows: Collection[str], chosen: Chosen) -> Snapshot:
        """What is true now of some rows or windows; of all of them, what was true a moment ago may do."""
        if chosen is not everywhere or len(windows) < len(WINDOWS):
            return self._take(self._snapshots, windows, chosen)
        if self._snapshot is None or time.monotonic() - self._taken_at >= LOOK_S:
            self._snapshot = self._take(self._snapshots)
            self._taken_at = time.monotonic()
        return self._snapshot

    def places(self) -> list[tuple[str, str]]:
        """Every queue and channel that there is."""
        return list(self._headlines.queues(self._reader.targets, everywhere))

    def headlines(self) -> Snapshot:
        """What is true now of the headline KPIs: all that the stream tells, many times a second."""
        return self._take(self._headlines)

    def _take(
        self, snapshots: Snapshots, windows: Collection[str] = WINDOWS, chosen: Chosen = everywhere
    ) -> Snapshot:
        self.now()
        return snapshots.take(self._reader.targets, windows, chosen)

    def groups(self, by: By, windows: Collection[str], chosen: Chosen) -> list[Group]:
        """The chosen rows rolled up over these windows, as of the latest snapshot."""
        return self._snapshots.groups(self._reader.targets, by, windows, chosen)

    def waits(self) -> list[Waits]:
        """How long the day's contacts waited, as of the latest snapshot."""
        return self._snapshots.waits(self._reader.targets)

    def at_risk(self, chosen: Chosen) -> list[AtRisk]:
        """Open contacts at risk, as of the latest snapshot."""
        return self._snapshots.at_risk(self._reader.targets, chosen)

    def gave_up(self, limit: int, chosen: Chosen) -> list[GaveUp]:
        """Contacts that gave up, as of the latest snapshot."""
        return self._snapshots.gave_up(self._reader.targets, limit, chosen)

    def trends(self, now: int, chosen: Chosen) -> Iterator[TrendRow]:
        """The chosen rows' trends; the settings are those in force when a row is made."""
        for queue in self._headlines.queues(self._reader.targets, chosen):
            yield self._trends.row(self._reader.targets, queue, now)

    def status(self) -> Status:
        """How far it can be trusted."""
        reader = self._reader
        healths = reader.health.values()
        results: dict[str, int] = {}
        for health in healths:
            for name, n in health.results.items():
                results[name] = results.get(name, 0) + n
        return Status(
            age_s=reader.age_s(),
            max_age_s=self._max_age_s,
            reasons=tuple(reader.reasons()),
            partitions=len(healths),
            unread=sum(max(0, health.end - health.position) for health in healths),
            rollbacks=sum(health.rollbacks for health in healths),
            results=results,
        )


async def refresh(reader: Reader, publish: Callable[[], None]) -> None:
    """Publish what changed, at ``RATE`` at most, and every ``SILENCE_S`` anyway; after a pause, at once."""
    credit, counted_at = BURST, time.monotonic()
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SILENCE_S):
                await reader.changed.wait()
        credit += (time.monotonic() - counted_at) * RATE
        if credit < 1:
            await asyncio.sleep((1 - credit) / RATE)
            credit = 1
        credit, counted_at = min(BURST, credit) - 1, time.monotonic()
        reader.changed.clear()
        publish()
