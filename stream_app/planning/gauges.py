"""The plan's metrics: kept up to date in the background, queue by queue, so that a scrape computes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import structlog

from stream_app.model.events import QueueChannel
from stream_app.model.intervals.columns import INTERVAL_MS
from stream_app.model.intervals.counting import interval_start
from stream_app.store.client import end_if_cancelled
from stream_app.views.plan.planner import (
    BusyError,
    Gauges,
    NoPlanError,
    NotInstalledError,
    TooLittleHistoryError,
)

from .answers import Piece
from .history import day_of, in_words, midnight
from .jobs import StaffFound
from .schedule import CurrentSchedule, people

MOST_QUEUES: Final = 500
"""How many queues and channels have these metrics, the first by name: a round must be done within a 15-minute interval."""
ROUND_S: Final = 30.0
EMPTY_S: Final = 1.0
"""No queue is known yet: the store was not read."""
SOON: Final = 8
"""15-minute intervals that a look ahead covers, so that a slow round leaves no gap."""

_log = structlog.get_logger(__name__)


class LookAhead(Protocol):
    """The part of the planner that is used here; see there."""

    schedule: CurrentSchedule
    settings: int

    def places(self) -> list[QueueChannel]:
        """Return every known queue and channel, in order."""
        ...

    def zone(self, place: QueueChannel) -> ZoneInfo:
        """Return the zone of a queue."""
        ...

    async def marks(self, place: QueueChannel, today: int, now: int) -> object:
        """Return what a forecast depends on: a value that changes when rows change."""
        ...

    async def may_be_told(self, place: QueueChannel, now: int) -> bool:
        """Return whether there is enough history for a forecast."""
        ...

    async def day(
        self, place: QueueChannel, day: date, zone: ZoneInfo, now: int
    ) -> tuple[list[Piece], StaffFound, int | None]:
        """Return a day's intervals, its plan, and the version of the schedule."""
        ...


class Fresh:
    """The gauges of the current and the next 15-minute intervals of every queue."""

    def __init__(self, planner: LookAhead, clock: Callable[[], int]) -> None:
        """Take the planner; ``clock`` returns ms since the epoch."""
        self._planner, self._clock = planner, clock
        self._soon: dict[QueueChannel, dict[int, Gauges]] = {}
        self._rests_on: dict[QueueChannel, object] = {}

    def gauges(self) -> Mapping[QueueChannel, Gauges]:
        """Return the gauges of the current 15-minute interval, as far as computed."""
        start = interval_start(self._clock())
        return {place: soon[start] for place, soon in self._soon.items() if start in soon}

    async def run(self) -> None:
        """Refresh round by round, until cancelled."""
        while True:
            places = self._planner.places()[:MOST_QUEUES]
            for place in places:
                end_if_cancelled()
                try:
                    await self._refresh(place)
                except BusyError as error:
                    _log.warning("no_plan", queue=place[0], channel=place[1], error=str(error))
                    break
                except Exception:  # noqa: BLE001 - whatever is wrong with a plan, the live numbers continue
                    _log.exception("plan_failed", queue=place[0], channel=place[1])
            end_if_cancelled()
            await asyncio.sleep(ROUND_S if places else EMPTY_S)

    async def _refresh(self, place: QueueChannel) -> None:
        """Look ahead again, if anything that it depends on has changed."""
        planner = self._planner
        zone, now = planner.zone(place), self._clock()
        with in_words():
            marks = await planner.marks(place, midnight(day_of(now, zone), zone), now)
            rests_on = (interval_start(now), marks, planner.settings, await planner.schedule.version())
        if self._rests_on.get(place) != rests_on:
            self._soon[place] = await self._look_ahead(place, zone, now)
            self._rests_on[place] = rests_on

    async def _look_ahead(self, place: QueueChannel, zone: ZoneInfo, now: int) -> dict[int, Gauges]:
        starts = [interval_start(now) + n * INTERVAL_MS for n in range(SOON)]
        found: dict[int, Gauges] = {}
        try:
            with in_words():
                if not await self._planner.may_be_told(place, now):
                    return await self._scheduled(place, zone, starts)
                for day in sorted({day_of(start, zone) for start in starts}):
                    parts, plan, _ = await self._planner.day(place, day, zone, now)
                    lines = {line.start: line for line in plan.lines}
                    for part in parts:
                        line = lines.get(part.start)
                        if line and part.start in starts:
                            found[part.start] = Gauges(
                                part.expected, line.to_schedule, line.scheduled, line.required
                            )
        except (TooLittleHistoryError, NotInstalledError, NoPlanError):
            with in_words():
                return await self._scheduled(place, zone, starts)
        return found

    async def _scheduled(self, place: QueueChannel, zone: ZoneInfo, starts: list[int]) -> dict[int, Gauges]:
        """Return the people scheduled, where the people required can't be computed."""
        found: dict[int, Gauges] = {}
        for start in starts:
            _, shifts, _ = await self._planner.schedule.shifts(place, start, start + INTERVAL_MS, zone)
            if shifts is not None:
                found[start] = Gauges(staffed=people(shifts, start, INTERVAL_MS))
        return found
