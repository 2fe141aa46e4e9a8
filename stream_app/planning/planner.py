"""The planner of ``serve``: from interval rows, targets and a schedule to what is shown of the future.

A process of its own computes (``stream_app.subprocess``); here are the requests, one at a time, and the answers, cached until
something that they depend on changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from hashlib import sha256
from importlib import invalidate_caches
from importlib.util import find_spec
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import structs

from stream_app.errors import how_to_install
from stream_app.forecast.calendar import of_business_hours
from stream_app.model.durations import DAY, HOUR
from stream_app.model.events import QueueChannel
from stream_app.model.intervals.columns import IntervalRow
from stream_app.model.ports import Intervals
from stream_app.model.targets import Targets
from stream_app.subprocess import Process, ProcessError
from stream_app.views.plan import wire
from stream_app.views.plan.planner import (
    BadQuestionError,
    BusyError,
    Gauges,
    NoPlanError,
    NotInstalledError,
    TooLittleHistoryError,
)
from stream_app.workforce.assumptions import Assumptions

from . import answers as plan_answers, jobs, outlooks
from .cache import Answers
from .gauges import Fresh
from .history import bounds, day_of, history, in_words, learned, midnight, reaches_back
from .jobs import Forecasts, Staff, StaffFound, Wanted
from .schedule import CurrentSchedule, Schedules

_EXTRA: Final = ("numpy", "scipy", "statsforecast")
PAST_DAYS: Final = 28
MOST_OUTLOOK: Final = 50
"""Queues and channels of one outlook: each takes a forecast, and others wait meanwhile."""
DAYS_AHEAD: Final = 7 * jobs.WEEKS_AHEAD

Mark = tuple[int, int]
"""The last row and the newest revision of some rows: it changes whenever they change."""


def missing_extra() -> str | None:
    """Return a package of the optional extra that is not installed; ``None`` if all are. It may be installed meanwhile."""
    missing = next((name for name in _EXTRA if find_spec(name) is None), None)
    if missing:
        invalidate_caches()
    return missing


class PlanningService:
    """See ``views.plan.planner.Planner``."""

    def __init__(
        self,
        intervals: Intervals,
        schedules: Schedules,
        places: Callable[[], Collection[QueueChannel]],
        targets: Callable[[], Targets],
        clock: Callable[[], int],
        *,
        assumptions: Assumptions | None = None,
        missing: Callable[[], str | None] = missing_extra,
    ) -> None:
        """Take the sources; ``clock`` returns ms since the epoch, ``places`` and ``targets`` what is in force now."""
        self.process = Process()
        self.schedule = CurrentSchedule(schedules)
        self._intervals = intervals
        self._places, self._current, self._clock = places, targets, clock
        self._assumptions = assumptions or Assumptions()
        self._missing = missing
        self._targets = targets()
        self.settings = 0
        self._answers = Answers()
        self._refused: dict[QueueChannel, str] = {}
        self._fresh = Fresh(self, clock)

    # --- requests ---

    def places(self) -> list[QueueChannel]:
        """Return every known queue and channel, in order."""
        return sorted(self._places())

    def queues(self) -> list[str]:
        """See the protocol."""
        return sorted({queue for queue, _ in self._places()})

    def channels(self, queue: str) -> list[str]:
        """See the protocol."""
        return sorted(channel for name, channel in self._places() if name == queue)

    def gauges(self) -> Mapping[QueueChannel, Gauges]:
        """See the protocol."""
        return self._fresh.gauges()

    async def forecast(self, place: QueueChannel, days: int, zone: ZoneInfo | None) -> wire.Forecast:
        """See the protocol."""
        own = self.zone(place)
        now, shown = self._clock(), zone or own
        with in_words():
            found = await self._found(place, own, now, test=True)
            actual = await self._actual(place, midnight(day_of(now, shown), shown), now)
        # Thousands of rows to format: in a thread, so that the event loop continues in between.
        answer = partial(plan_answers.forecast, place, now, found, actual)
        cap_s = self._targets.rule(*place).reply_work_cap / 1000
        return await asyncio.to_thread(answer, days=days, zone=shown, own=own, cap_s=cap_s)

    async def staffing(self, place: QueueChannel, day: date | None, zone: ZoneInfo | None) -> wire.Staffing:
        """See the protocol."""
        own = self.zone(place)
        now, shown = self._clock(), zone or own
        today = day_of(now, shown)
        day = day or today
        first, last = today - timedelta(days=PAST_DAYS), today + timedelta(days=DAYS_AHEAD - 1)
        if not first <= day <= last:
            raise BadQuestionError("date", f"expected a date from {first} to {last}, got {day}")
        with in_words():
            parts, found, version = await self.day(place, day, shown, now)
        rule = self._targets.rule(*place)
        return plan_answers.staffing(
            place,
            now,
            parts,
            found,
            day=day,
            zone=shown,
            rule=rule,
            assumptions=self._assumptions,
            version=version,
        )

    async def outlook(self, places: Sequence[QueueChannel], days: int, zone: ZoneInfo | None) -> wire.Outlook:
        """See the protocol."""
        now, found = self._clock(), []
        for place in places[:MOST_OUTLOOK]:
            shown = zone or self.zone(place)
            try:
                with in_words():
                    parts, plan, version = await self.day(place, day_of(now, shown), shown, now, days)
            except (TooLittleHistoryError, NoPlanError) as error:
                found.append(outlooks.refused(place, shown, str(error)))
                continue
            rule = self._targets.rule(*place)
            answer = partial(outlooks.of_queue, place, parts, plan, rule, zone=shown, version=version)
            found.append(await asyncio.to_thread(answer))
        shown = zone or (self.zone(places[0]) if places else ZoneInfo("UTC"))
        at = plan_answers.stamp(now, shown)
        return wire.Outlook(at, days, found, max(0, len(places) - MOST_OUTLOOK))

    async def run(self) -> None:
        """Keep the metrics up to date, until cancelled."""
        await self._fresh.run()

    async def close(self) -> None:
        """End the process."""
        await self.process.close()

    # --- computation ---

    def zone(self, place: QueueChannel) -> ZoneInfo:
        """Return the queue's zone. Changed targets invalidate every answer."""
        if (current := self._current()) is not self._targets:
            self._targets = current
            self.settings += 1
        return ZoneInfo(self._targets.rule(*place).zone)

    async def _actual(self, place: QueueChannel, begin: int, end: int) -> dict[int, IntervalRow]:
        """Return the rows of completed intervals, by their start."""
        rows = await self._intervals.rows(begin, end, {place[0]}, {place[1]})
        return {row.start: row for row in rows if row.final and not row.missing}

    async def marks(self, place: QueueChannel, today: int, now: int) -> tuple[Mark, Mark]:
        """Return the marks of the rows that are learned from: before today, and since."""
        recent = await self._intervals.rows(today - DAY, now, {place[0]}, {place[1]})
        known = [row for row in recent if learned(row, self._targets)]
        return _mark(r for r in known if r.start < today), _mark(r for r in known if r.start >= today)

    async def may_be_told(self, place: QueueChannel, now: int) -> bool:
        """Return whether a forecast is worth requesting."""
        return await reaches_back(self._intervals, place, now)

    async def _found(self, place: QueueChannel, zone: ZoneInfo, now: int, *, test: bool = False) -> Forecasts:
        """Return the forecasts as of now: the morning's, and the one of the rest of today."""
        if missing := self._missing():
            raise NotInstalledError(f"forecasts need {missing}: {how_to_install('forecast')}")
        today = midnight(day_of(now, zone), zone)
        before, after = await self.marks(place, today, now)
        # By the hour: a history may be loaded whose last day is long past.
        of = (place, zone.key, today, before, self.settings, now // HOUR)
        keys: dict[str, tuple[object, ...]] = {"morning": ("morning", *of)}
        if after[0]:
            keys["rest"] = ("rest", *of, after)
        if test:
            keys["test"] = ("test", *of)
        async with self._answers.turn():
            absent = {part for part, key in keys.items() if key not in self._answers}
            if place in self._refused and self._refused[place] != await self._intervals.state():
                absent = set(keys)  # more history may be there now
            if absent:
                state = await self._intervals.state()
                rows = await history(self._intervals, place, now, self._targets)
                parts_wanted = ("morning" in absent, "rest" in absent, "test" in absent)
                kinds = self._kinds(place, day_of(now, zone))
                wanted = Wanted(*place, zone.key, rows, today, *parts_wanted, kinds)
                answer = await self._compute(jobs.forecast, jobs.encode(wanted))
                answers = msgspec.msgpack.decode(answer, type=jobs.ForecastParts)
                for part in absent:
                    self._answers.keep(keys[part], answers[part])
            parts = {part: self._answers.recall(key, Forecasts) for part, key in keys.items()}
            found = parts["morning"]
            if absent and found.refusal:
                self._refused[place] = state
            elif absent:
                self._refused.pop(place, None)
        if refusal := found.refusal:
            raise TooLittleHistoryError(place, refusal.detail, refusal.days, refusal.more_days)
        rest, tested = parts.get("rest", Forecasts()).rest, parts.get("test", Forecasts()).tested
        return structs.replace(found, rest=rest, tested=tested)

    def _kinds(self, place: QueueChannel, today: date) -> dict[int, int]:
        """Return what the queue's calendar says of days, by their ordinal."""
        hours = self._targets.rule(*place).calendar
        waits = place[1] in self._assumptions.deferred
        found = of_business_hours(hours, today, arrives_closed=waits) if hours else {}
        return {day.toordinal(): kind for day, kind in found.items()}

    async def day(
        self, place: QueueChannel, day: date, zone: ZoneInfo, now: int, days: int = 1
    ) -> tuple[list[plan_answers.Piece], StaffFound, int | None]:
        """Return the intervals of days, their plan, and the version of the schedule."""
        begin, end = bounds(day, days, zone)
        # Deferred work may be done tomorrow: all of it must be done by the end of the horizon.
        horizon = bounds(day, days + 1, zone)[1] if place[1] in self._assumptions.deferred else end
        found = await self._found(place, self.zone(place), now) if horizon > now else None
        actual = await self._actual(place, begin, min(now, horizon))
        version, shifts, covers = await self.schedule.shifts(place, begin, horizon, zone)
        parts = plan_answers.day_pieces(place, found, actual, begin, horizon)
        targets = self._targets
        own = {place[0]: targets.queues[place[0]]} if place[0] in targets.queues else {}
        question = jobs.encode(
            Staff(
                [part.volume for part in parts if part.volume],
                structs.replace(targets, queues=own).to_json(),
                self._assumptions,
                shifts,
                covers,
            )
        )
        key = ("staff", sha256(question).digest())
        async with self._answers.turn():
            if key not in self._answers:
                self._answers.keep(key, await self._compute(jobs.staff, question))
            plan = self._answers.recall(key, StaffFound)
        if plan.refusal:
            raise NoPlanError(plan.refusal)
        return [part for part in parts if part.start < end], plan, version

    async def _compute(self, function: Callable[[bytes], bytes], question: bytes) -> bytes:
        try:
            return await self.process.ask(function, question)
        except ProcessError as error:
            raise BusyError(str(error)) from None


def _mark(rows: Iterable[IntervalRow]) -> Mark:
    start = revision = 0
    for row in rows:
        start, revision = max(start, row.start), max(revision, row.revision)
    return start, revision
