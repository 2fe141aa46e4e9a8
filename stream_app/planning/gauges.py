"""What the metrics say of the plan: kept fresh in the background, queue by queue, so that a scrape computes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import structlog

from stream_app.model.intervals import QUARTER, quarter
from stream_app.views.plan.planner import (
    BusyError,
    Gauges,
    NoPlanError,
    NotInstalledError,
    Place,
    TooLittleHistoryError,
)

from .roster import people
from .rows import day_of, in_words, midnight

if TYPE_CHECKING:
    from .planner import Planner

MOST_QUEUES: Final = 500
"""So many queues and channels have these metrics, the first by name: a round must not take longer than a quarter of an hour."""
ROUND_S: Final = 30.0
EMPTY_S: Final = 1.0
"""Nobody is known yet: the store was not read."""
SOON: Final = 8
"""Quarters of an hour that a look ahead tells, so that a slow round leaves no gap."""

_log = structlog.get_logger(__name__)


class Fresh:
    """The running and the next quarters of an hour of every queue."""

    def __init__(self, planner: Planner, clock: Callable[[], int]) -> None:
        """``clock`` gives ms since the epoch."""
        self._planner, self._clock = planner, clock
        self._soon: dict[Place, dict[int, Gauges]] = {}
        self._rests_on: dict[Place, object] = {}

    def gauges(self) -> Mapping[Place, Gauges]:
        """Of the running quarter of an hour, as far as it was computed."""
        start = quarter(self._clock())
        return {place: soon[start] for place, soon in self._soon.items() if start in soon}

    async def run(self) -> None:
        """Round by round, until cancelled."""
        while True:
            places = self._planner.places()[:MOST_QUEUES]
            for place in places:
                try:
                    await self._refresh(place)
                except BusyError as error:
                    _log.warning("no_plan", queue=place[0], channel=place[1], error=str(error))
                    break
                except Exception:  # noqa: BLE001 - whatever is wrong with a plan, the live numbers go on
                    _log.exception("plan_failed", queue=place[0], channel=place[1])
            await asyncio.sleep(ROUND_S if places else EMPTY_S)

    async def _refresh(self, place: Place) -> None:
        """Look ahead again, if anything that it rests on has changed."""
        planner = self._planner
        zone, now = planner.zone(place), self._clock()
        with in_words():
            marks = await planner.marks(place, midnight(day_of(now, zone), zone), now)
            rests_on = (quarter(now), marks, planner.settings, await planner.roster.version())
        if self._rests_on.get(place) != rests_on:
            self._soon[place] = await self._look_ahead(place, zone, now)
            self._rests_on[place] = rests_on

    async def _look_ahead(self, place: Place, zone: ZoneInfo, now: int) -> dict[int, Gauges]:
        starts = [quarter(now) + n * QUARTER for n in range(SOON)]
        found: dict[int, Gauges] = {}
        try:
            with in_words():
                if not await self._planner.may_be_told(place, now):
                    return await self._rostered(place, zone, starts)
                for day in sorted({day_of(start, zone) for start in starts}):
                    parts, plan, _ = await self._planner.day(place, day, zone, now)
                    lines = {line.start: line for line in plan.lines}
                    for part in parts:
                        line = lines.get(part.start)
                        if line and part.start in starts:
                            found[part.start] = Gauges(part.expected, line.to_schedule, line.scheduled)
        except (TooLittleHistoryError, NotInstalledError, NoPlanError):
            with in_words():
                return await self._rostered(place, zone, starts)
        return found

    async def _rostered(self, place: Place, zone: ZoneInfo, starts: list[int]) -> dict[int, Gauges]:
        """Who is there, where nobody can tell who is needed."""
        found: dict[int, Gauges] = {}
        for start in starts:
            _, shifts = await self._planner.roster.shifts(place, start, start + QUARTER, zone)
            if shifts is not None:
                found[start] = Gauges(staffed=people(shifts, start, QUARTER))
        return found
