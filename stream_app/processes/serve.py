"""The ``serve`` process: a reader that mirrors the store, and views of the mirror."""

import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Final

import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from stream_app.errors import StreamAppError
from stream_app.ledger.opening import open_contacts, open_what_ifs, open_whys
from stream_app.model.kpis import CARRIED
from stream_app.model.live import lists
from stream_app.model.live.next_wait import InLine
from stream_app.model.live.people import People
from stream_app.model.live.rows import By, Chosen, QueueGroup, Snapshot, everywhere
from stream_app.model.live.running import AtRisk, GaveUp
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.live.trend import QueueTrend, Trends
from stream_app.model.live.wait_histograms import WaitHistogram
from stream_app.model.pieces import Pieces
from stream_app.model.ports import Partition
from stream_app.model.windows import WINDOWS
from stream_app.planning.planner import PlanningService
from stream_app.settings import Settings
from stream_app.store.callbacks import RedisCallbacks
from stream_app.store.intervals.reader import IntervalReader
from stream_app.store.names import OTHER
from stream_app.store.reader import Reader
from stream_app.store.schedules import RedisSchedules
from stream_app.views.agents.api import AgentSource
from stream_app.views.api import Views
from stream_app.views.contacts.api import ContactSource
from stream_app.views.door import AccessLog, Door, Limits
from stream_app.views.pieces import unhurried
from stream_app.views.screen import Screen
from stream_app.views.status import Skew, Status

from .ledger_numbers import LedgerNumbersService, known_to, open_numbers

LOOK_S: Final = 0.05
"""A snapshot younger than this, in seconds, answers further requests, so that many clients cost no more than one."""
RATE: Final = 4.0
"""Messages per second to stream clients while numbers change all the time."""
BURST: Final = 2.0
"""Messages that may be sent at once: a change right after a mere tick of the clock is not held back."""
SILENCE_S: Final = 1.0
"""Time itself changes the numbers: even without any event, a queue turns red this soon after T."""
CLOSING_S: Final = 0.5
"""How long to wait for open requests to finish, and again for the remaining ones to be cancelled."""
COLLECT: Final = (2_000, 2, 25_000)
"""Everybody waits for a pass over young objects, so passes are short: at 50,000 objects they took up to 86 ms among 3,000
clients. Rows and connections make no cycles, so a full one, which takes 0.15 s with 2,000 queues, is hardly ever needed."""
SPARE_DESCRIPTORS: Final = 100
"""File descriptors for everything but clients' connections."""

_log = structlog.get_logger(__name__)


def serve(settings: Settings, host: str, port: int, *, access_log: bool = False) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        StreamAppError: it can't listen on the address.
    """
    gc.set_threshold(*COLLECT)
    asyncio.run(_serve(settings, host, port, access_log=access_log))


async def _serve(settings: Settings, host: str, port: int, *, access_log: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    url = settings.redis_url.get_secret_value()
    reader, intervals, schedules = Reader(url), IntervalReader(url), RedisSchedules(url)
    mirror = Mirror(reader, settings.max_age_s)
    planner = PlanningService(intervals, schedules, mirror.places, lambda: reader.targets, reader.clock.now)
    callbacks = RedisCallbacks(url, takes=settings.take_callbacks)
    contacts = open_contacts(settings)
    numbers = open_numbers(settings, contacts, reader)
    screen = Screen(contact_url=settings.contact_url, frame_ancestors=tuple(settings.frame_ancestors.split()))
    views = Views(
        mirror,
        intervals,
        lambda: reader.targets,
        planner,
        limits(settings),
        screen=screen,
        callbacks=callbacks,
        contacts=ContactSource(
            contacts,
            settings.contacts,
            host,
            open_whys(contacts, lambda: known_to(reader)),
            open_what_ifs(contacts),
            numbers,
        ),
        agents=AgentSource(settings.agents, host),
    )

    async def publish() -> None:
        before = mirror.status()
        async with mirror.still:
            snapshot = await unhurried(mirror.headlines())
        # A snapshot begun before anything was read is empty, whatever was read meanwhile.
        status = mirror.status() if before.loaded else before
        await unhurried(views.live.published(snapshot, status))

    await publish()
    runner = web.AppRunner(views.app(), shutdown_timeout=CLOSING_S)
    tasks: list[asyncio.Task[object]] = []
    try:
        await runner.setup()
        gc.freeze()  # what was made until now stays
        await _listen(views.door, runner, host, port, (AccessLog, _log) if access_log else None)
        tasks = [
            asyncio.create_task(stop.wait()),
            asyncio.create_task(reader.run()),
            asyncio.create_task(refresh(reader, publish)),
            asyncio.create_task(planner.run()),
            asyncio.create_task(callbacks.run()),
            *([asyncio.create_task(numbers.run())] if isinstance(numbers, LedgerNumbersService) else []),
        ]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # a task that failed raises its error here, and ends the process
    finally:
        await runner.cleanup()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await planner.close()
        if isinstance(numbers, LedgerNumbersService):
            await numbers.close()
        await schedules.close()
        await callbacks.close()
        await reader.close()
        await intervals.close()
        if contacts:
            await contacts.close()


async def _listen(
    door: Door,
    runner: web.AppRunner,
    host: str,
    port: int,
    access_log: tuple[type[AbstractAccessLogger], object] | None,
) -> None:
    try:
        name, number = await door.open(runner, host, port, access_log)
    except OSError as error:
        raise StreamAppError(
            f"can't listen on {host}:{port}: {_reason(error)}; check --host and --port"
        ) from None
    _log.info("serving", url=f"http://{name}:{number}/")


def limits(settings: Settings) -> Limits:
    """Limit connections to the file descriptors available: without one, a connection can't even be refused."""
    wanted = settings.max_connections + SPARE_DESCRIPTORS
    given, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if given != resource.RLIM_INFINITY and given < wanted:
        given = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (given, most))
    connections = settings.max_connections
    if given != resource.RLIM_INFINITY and given < wanted:
        connections = max(1, given - SPARE_DESCRIPTORS)
        _log.warning("few_descriptors", descriptors=given, connections=connections)
    return Limits(
        connections=connections,
        connections_of_one=settings.max_connections_per_address,
        streams=settings.max_streams,
        streams_of_one=settings.max_streams_per_address,
    )


def _reason(error: OSError) -> str:
    """Return the system's own message: the event loop's message repeats the address."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return os.strerror(error.errno)


class Mirror:
    """The current numbers, in the form that the views read them."""

    def __init__(self, reader: Reader, max_age_s: float) -> None:
        """Take a reader, which runs elsewhere; data older than ``max_age_s`` is stale."""
        self._reader = reader
        self._max_age_s = max_age_s
        self._snapshots = Snapshots(reader.board)
        self._headlines = Snapshots(reader.board, CARRIED)
        self._trends = Trends(reader.board, self._headlines)
        self._taken_at = float("-inf")
        self._snapshot: Snapshot | None = None
        self.still = reader.still

    def now(self) -> int:
        """Advance the mirror to the current time, unless it is being read, and return the time as of which it is."""
        if not self.still.locked():
            self._reader.board.advance(self._reader.clock.now())
        return self._reader.board.now

    def snapshot(self, windows: Collection[str], chosen: Chosen) -> Pieces[Snapshot]:
        """Return a snapshot of some rows or windows; one of all of them may be a moment old."""
        if chosen is not everywhere or len(windows) < len(WINDOWS):
            return (yield from self._take(self._snapshots, windows, chosen))
        if self._snapshot is None or time.monotonic() - self._taken_at >= LOOK_S:
            begun = time.monotonic()
            self._snapshot = yield from self._take(self._snapshots)
            self._taken_at = begun
        return self._snapshot

    def places(self) -> list[tuple[str, str]]:
        """Return every queue and channel that exists."""
        return list(self._headlines.queues(self._reader.targets, everywhere))

    def headlines(self) -> Pieces[Snapshot]:
        """Return a snapshot of the KPIs that the stream carries, several times a second."""
        return self._take(self._headlines)

    def _take(
        self, snapshots: Snapshots, windows: Collection[str] = WINDOWS, chosen: Chosen = everywhere
    ) -> Pieces[Snapshot]:
        self._reader.board.advance(self._reader.clock.now())
        return snapshots.taken(self._reader.targets, windows, chosen)

    def groups(self, by: By, windows: Collection[str], chosen: Chosen) -> Pieces[list[QueueGroup]]:
        """Return the chosen rows rolled up over these windows, as of the latest snapshot."""
        return self._snapshots.grouped(self._reader.targets, by, windows, chosen)

    def people(self) -> People:
        """Return who is there now."""
        return self._reader.board.people

    def waits(self) -> Pieces[list[WaitHistogram]]:
        """Return how long the day's contacts waited, as of the latest snapshot."""
        return self._snapshots.waited(self._reader.targets)

    def waiting(self, chosen: Chosen) -> list[InLine]:
        """Return contacts that wait, as of now."""
        return lists.waiting(self._reader.board, self._snapshots, self._reader.targets, chosen)

    def at_risk(self, chosen: Chosen) -> list[AtRisk]:
        """Return open contacts at risk, as of the latest snapshot."""
        return self._snapshots.at_risk(self._reader.targets, chosen)

    def gave_up(self, limit: int, chosen: Chosen) -> list[GaveUp]:
        """Return contacts that abandoned, as of the latest snapshot."""
        queues = self._snapshots.queues(self._reader.targets, chosen)
        return lists.gave_up(self._reader.board, queues, limit)

    def trends(self, now: int, chosen: Chosen) -> Iterator[QueueTrend]:
        """Yield the chosen rows' trends, each by the targets in force when it is made."""
        for queue in self._headlines.queues(self._reader.targets, chosen):
            yield self._trends.row(self._reader.targets, queue, now)

    def seen(self, parameter: str) -> Collection[str] | None:
        """Return the names of queues, channels, sites or units in the store and the targets; ``None`` before any contact."""
        targets, queues = self._reader.targets, self._reader.queue_channels.names("queue")
        if not queues:
            return None
        match parameter:
            case "queue":
                return {*queues, OTHER, *targets.queues, *self._reader.board.people.queues()}
            case "channel":
                return {*self._reader.queue_channels.names("channel"), *targets.channels}
            case "site":
                return {own.site for own in targets.queues.values() if own.site}
            case _:
                return {own.unit for own in targets.queues.values() if own.unit}

    def status(self) -> Status:
        """Return how far the numbers can be trusted."""
        reader, memory = self._reader, self._reader.memory.last
        healths = reader.health.values()
        results: dict[str, int] = {}
        for health in healths:
            for name, n in health.results.items():
                results[name] = results.get(name, 0) + n
        return Status(
            age_s=reader.age_s(),
            max_age_s=self._max_age_s,
            reasons=tuple(reader.reasons()),
            partitions=sum(
                Partition.parse(name).is_live and not health.retired for name, health in reader.health.items()
            ),
            unread=sum(max(0, health.end - health.position) for health in healths),
            rollbacks=sum(health.rollbacks for health in healths),
            results=results,
            loaded=reader.loaded,
            skew_s=_seconds(reader.clock.ahead_ms()),
            skews=tuple(
                Skew(name, health.owner, health.ahead / 1000)
                for name, health in sorted(reader.health.items())
                if health.ahead is not None
            ),
            targets_version=max(0, reader.targets_version),
            store_bytes=memory.used if memory else None,
            store_limit_bytes=(memory.limit or None) if memory else None,
        )


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000


async def refresh(reader: Reader, publish: Callable[[], Awaitable[None]]) -> None:
    """Publish changes, at most at ``RATE`` and at least every ``SILENCE_S``; after a pause, at once.

    If publishing takes long, it is done less often, so that half of the time is left for requests.
    """
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
        begun = time.monotonic()
        await publish()
        if (took := time.monotonic() - begun) > 1 / RATE:
            await asyncio.sleep(took)
