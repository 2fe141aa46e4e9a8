"""The planner of ``serve``: from interval rows, settings and a roster to what is shown of the future.

Computing is for another process (``process``); here are the questions, one at a time, and the answers, kept for as long
as nothing that they rest on has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, timedelta
from functools import cache, partial
from hashlib import sha256
from importlib.util import find_spec
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import structs

from stream_app.model.interval_rows import IntervalRow
from stream_app.model.ports import Intervals
from stream_app.model.targets import Targets
from stream_app.views.plan import wire
from stream_app.views.plan.planner import (
    BadQuestionError,
    BusyError,
    Gauges,
    NoPlanError,
    NotInstalledError,
    Place,
    TooLittleHistoryError,
)
from stream_app.workforce.plan import Assumptions

from . import answers as plan_answers, work as plan_work
from .fresh import Fresh
from .keep import Answers
from .process import Process, ProcessError
from .roster import Roster, Rosters
from .rows import DAY_MS, bounds, day_of, history, in_words, learned, midnight, reaches_back
from .work import Found, Staff, StaffFound, Wanted

HOUR: Final = 3_600_000
PAST_DAYS: Final = 28
DAYS_AHEAD: Final = 7 * plan_work.WEEKS_AHEAD

Mark = tuple[int, int]
"""The last row and the newest revision of some rows: another one where they have changed."""


@cache
def missing_extra() -> str | None:
    """What the optional extra would install and is not here."""
    return next((name for name in ("numpy", "scipy", "statsforecast") if find_spec(name) is None), None)


class Planner:
    """See ``views.plan.planner.Planner``."""

    def __init__(
        self,
        intervals: Intervals,
        rosters: Rosters,
        places: Callable[[], Collection[Place]],
        targets: Callable[[], Targets],
        clock: Callable[[], int],
        *,
        assumptions: Assumptions | None = None,
        missing: Callable[[], str | None] = missing_extra,
    ) -> None:
        """``clock`` gives ms since the epoch; ``places`` and ``targets`` what holds now."""
        self.process = Process()
        self.roster = Roster(rosters)
        self._intervals = intervals
        self._places, self._current, self._clock = places, targets, clock
        self._assumptions = assumptions or Assumptions()
        self._missing = missing
        self._targets = targets()
        self.settings = 0
        self._answers = Answers()
        self._refused: dict[Place, str] = {}
        self._fresh = Fresh(self, clock)

    # --- what is asked ---

    def places(self) -> list[Place]:
        """Every queue and channel that is known, in order."""
        return sorted(self._places())

    def queues(self) -> list[str]:
        """See the protocol."""
        return sorted({queue for queue, _ in self._places()})

    def channels(self, queue: str) -> list[str]:
        """See the protocol."""
        return sorted(channel for name, channel in self._places() if name == queue)

    def gauges(self) -> Mapping[Place, Gauges]:
        """See the protocol."""
        return self._fresh.gauges()

    async def forecast(self, place: Place, days: int, zone: ZoneInfo | None) -> wire.Forecast:
        """See the protocol."""
        own = self.zone(place)
        now, shown = self._clock(), zone or own
        with in_words():
            found = await self._found(place, own, now, test=True)
            actual = await self._actual(place, midnight(day_of(now, shown), shown), now)
        # Thousands of rows in words: in a thread, so that the loop goes on in between.
        answer = partial(plan_answers.forecast, place, now, found, actual)
        return await asyncio.to_thread(answer, days=days, zone=shown, own=own)

    async def staffing(self, place: Place, day: date | None, zone: ZoneInfo | None) -> wire.Staffing:
        """See the protocol."""
        own = self.zone(place)
        now, shown = self._clock(), zone or own
        today = day_of(now, shown)
        day = day or today
        first, last = today - timedelta(days=PAST_DAYS), today + timedelta(days=DAYS_AHEAD - 1)
        if not first <= day <= last:
            raise BadQuestionError("date", f"{day} is not from {first} to {last}")
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

    async def run(self) -> None:
        """Keep what the metrics say fresh, until cancelled."""
        await self._fresh.run()

    async def close(self) -> None:
        """End the process."""
        await self.process.close()

    # --- how it is made ---

    def zone(self, place: Place) -> ZoneInfo:
        """The queue's own. Settings that are no longer those of before make every answer anew."""
        if (current := self._current()) is not self._targets:
            self._targets = current
            self.settings += 1
        return ZoneInfo(self._targets.rule(*place).zone)

    async def _actual(self, place: Place, begin: int, end: int) -> dict[int, IntervalRow]:
        """What came in quarters that are over and complete, by their start."""
        rows = await self._intervals.rows(begin, end, {place[0]}, {place[1]})
        return {row.start: row for row in rows if row.final and not row.missing}

    async def marks(self, place: Place, today: int, now: int) -> tuple[Mark, Mark]:
        """Of the rows that are learned from, before today and since; of today and the day before."""
        recent = await self._intervals.rows(today - DAY_MS, now, {place[0]}, {place[1]})
        known = [row for row in recent if learned(row, self._targets)]
        return _mark(r for r in known if r.start < today), _mark(r for r in known if r.start >= today)

    async def may_be_told(self, place: Place, now: int) -> bool:
        """Whether a forecast is worth asking for."""
        return await reaches_back(self._intervals, place, now)

    async def _found(self, place: Place, zone: ZoneInfo, now: int, *, test: bool = False) -> Found:
        """The forecasts of now: that of the morning, and that of the rest of today."""
        if missing := self._missing():
            raise NotInstalledError(f"forecasts need {missing}: pip install 'stream-app[forecast]'")
        today = midnight(day_of(now, zone), zone)
        before, after = await self.marks(place, today, now)
        # By the hour: a year may be loaded whose last day has been there for long.
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
                wanted = Wanted(
                    *place, zone.key, rows, today, "morning" in absent, "rest" in absent, "test" in absent
                )
                answer = await self._compute(plan_work.forecast, plan_work.encode(wanted))
                answers = msgspec.msgpack.decode(answer, type=plan_work.Parts)
                for part in absent:
                    self._answers.keep(keys[part], answers[part])
            parts = {part: self._answers.recall(key, Found) for part, key in keys.items()}
            found = parts["morning"]
            if absent and found.refusal:
                self._refused[place] = state
            elif absent:
                self._refused.pop(place, None)
        if refusal := found.refusal:
            raise TooLittleHistoryError(place, refusal.detail, refusal.days, refusal.more_days)
        rest, tested = parts.get("rest", Found()).rest, parts.get("test", Found()).tested
        return structs.replace(found, rest=rest, tested=tested)

    async def day(
        self, place: Place, day: date, zone: ZoneInfo, now: int
    ) -> tuple[list[plan_answers.Piece], StaffFound, int | None]:
        """A day's intervals, its plan, and the version of the roster."""
        begin, end = bounds(day, 1, zone)
        # Work that waits may be done tomorrow: the end of what is known is where all of it must be done.
        horizon = bounds(day, 2, zone)[1] if place[1] in self._assumptions.deferred else end
        found = await self._found(place, self.zone(place), now) if horizon > now else None
        actual = await self._actual(place, begin, min(now, horizon))
        version, shifts = await self.roster.shifts(place, begin, horizon, zone)
        parts = plan_answers.day_pieces(place, found, actual, begin, horizon)
        targets = self._targets
        own = {place[0]: targets.queues[place[0]]} if place[0] in targets.queues else {}
        question = plan_work.encode(
            Staff(
                [part.volume for part in parts if part.volume],
                structs.replace(targets, queues=own).to_json(),
                self._assumptions,
                shifts,
            )
        )
        key = ("staff", sha256(question).digest())
        async with self._answers.turn():
            if key not in self._answers:
                self._answers.keep(key, await self._compute(plan_work.staff, question))
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
