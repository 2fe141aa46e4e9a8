"""The planner of ``serve``: from interval rows, settings and a roster to what is shown of the future.

Computing is for another process (``plan_process``); here are the questions, one at a time, and the answers, kept for as long
as nothing that they rest on has changed.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import date, timedelta
from functools import cache
from importlib.util import find_spec
from typing import Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import structlog
from msgspec import structs

from stream_app.errors import QuarantinedError, StoreUnavailableError
from stream_app.model.interval_rows import IntervalRow
from stream_app.model.intervals import quarter
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
from stream_app.workforce.schedules import Shift, by_queue

from . import plan_answers, plan_work
from .plan_process import Process, ProcessError
from .plan_rows import DAY_MS, bounds, day_of, history, learned, midnight
from .plan_work import Found, Staff, StaffFound, Wanted

KEPT: Final = 400
"""Answers that are kept, each some 200 kB at the most."""
MOST_WAITING: Final = 64
"""Questions that wait for their turn; more are refused."""
MOST_QUEUES: Final = 500
"""So many queues and channels are kept fresh for the metrics."""
ROUND_S: Final = 30.0
SOON: Final = 8
"""Quarters of an hour that a round says something of, so that a slow one leaves no gap."""
PAST_DAYS: Final = 28
DAYS_AHEAD: Final = 7 * plan_work.WEEKS_AHEAD
QUARTER: Final = 900_000

_log = structlog.get_logger(__name__)

T = TypeVar("T")
Mark = tuple[int, int]
"""The last row and the newest revision of some rows: another one where they have changed."""
_Roster = Mapping[Place, list[Shift]]


class Rosters(Protocol):
    """Where the imported roster is read."""

    async def version(self) -> int:
        """The version in force; 0: none."""
        ...

    async def current(self) -> tuple[int, bytes]:
        """The version and its document: JSON, a list of stretches."""
        ...


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
        self._intervals, self._rosters = intervals, rosters
        self._places, self._current, self._clock = places, targets, clock
        self._assumptions = assumptions or Assumptions()
        self._missing = missing
        self._targets = targets()
        self._settings = 0
        self._schedules: tuple[int, _Roster] = (0, {})
        self._answers: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._one = asyncio.Lock()
        self._waiting = 0
        self._soon: dict[Place, dict[int, Gauges]] = {}
        self._rests_on: dict[Place, object] = {}

    # --- what is asked ---

    def queues(self) -> list[str]:
        """See the protocol."""
        return sorted({queue for queue, _ in self._places()})

    def channels(self, queue: str) -> list[str]:
        """See the protocol."""
        return sorted(channel for name, channel in self._places() if name == queue)

    def gauges(self) -> Mapping[Place, Gauges]:
        """See the protocol."""
        start = quarter(self._clock())
        return {place: soon[start] for place, soon in self._soon.items() if start in soon}

    async def forecast(self, place: Place, days: int, zone: ZoneInfo | None) -> wire.Forecast:
        """See the protocol."""
        own = self._zone(place)
        now, shown = self._clock(), zone or own
        with _in_words():
            found = await self._found(place, own, now, test=True)
            actual = await self._actual(place, midnight(day_of(now, shown), shown), now)
        return plan_answers.forecast(place, now, found, actual, days=days, zone=shown, own=own)

    async def staffing(self, place: Place, day: date | None, zone: ZoneInfo | None) -> wire.Staffing:
        """See the protocol."""
        own = self._zone(place)
        now, shown = self._clock(), zone or own
        today = day_of(now, shown)
        day = day or today
        first, last = today - timedelta(days=PAST_DAYS), today + timedelta(days=DAYS_AHEAD - 1)
        if not first <= day <= last:
            raise BadQuestionError("date", f"{day} is not from {first} to {last}")
        with _in_words():
            parts, found, version = await self._day(place, day, shown, now)
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

    # --- kept fresh ---

    async def run(self) -> None:
        """Keep what the metrics say fresh, until cancelled."""
        while True:
            for place in sorted(self._places())[:MOST_QUEUES]:
                try:
                    await self._refresh(place)
                except BusyError as error:
                    _log.warning("no_plan", queue=place[0], channel=place[1], error=str(error))
                    break
            await asyncio.sleep(ROUND_S)

    async def close(self) -> None:
        """End the process."""
        await self.process.close()

    async def _refresh(self, place: Place) -> None:
        """Look ahead again, if anything that it rests on has changed."""
        zone, now = self._zone(place), self._clock()
        with _in_words():
            marks = await self._marks(place, midnight(day_of(now, zone), zone), now)
            rests_on = (quarter(now), marks, self._settings, await self._rosters.version())
        if self._rests_on.get(place) != rests_on:
            self._soon[place] = await self._look_ahead(place, zone, now)
            self._rests_on[place] = rests_on

    async def _look_ahead(self, place: Place, zone: ZoneInfo, now: int) -> dict[int, Gauges]:
        starts = [quarter(now) + n * QUARTER for n in range(SOON)]
        try:
            with _in_words():
                parts, found, _ = await self._day(place, day_of(now, zone), zone, now)
        except (TooLittleHistoryError, NotInstalledError, NoPlanError):
            with _in_words():
                _, shifts = await self._shifts(place, starts[0], starts[0] + QUARTER, zone)
            if shifts is None:
                return {}
            return {starts[0]: Gauges(staffed=plan_answers.people(shifts, starts[0], 15))}
        expected = {part.start: part.expected for part in parts}
        lines = {line.start: line for line in found.lines}
        return {
            start: Gauges(expected.get(start), lines[start].to_schedule, lines[start].scheduled)
            for start in starts
            if start in lines
        }

    # --- how it is made ---

    def _zone(self, place: Place) -> ZoneInfo:
        """The queue's own. Settings that are no longer those of before make every answer anew."""
        if (current := self._current()) is not self._targets:
            self._targets = current
            self._settings += 1
        return ZoneInfo(self._targets.rule(*place).zone)

    async def _actual(self, place: Place, begin: int, end: int) -> dict[int, IntervalRow]:
        """What came in quarters that are over and complete, by their start."""
        rows = await self._intervals.rows(begin, end, {place[0]}, {place[1]})
        return {row.start: row for row in rows if row.final and not row.missing}

    async def _marks(self, place: Place, today: int, now: int) -> tuple[Mark, Mark]:
        """Of the rows that are learned from, before today and since. Older ones that change wait for midnight."""
        recent = await self._intervals.rows(today - DAY_MS, now, {place[0]}, {place[1]})
        known = [row for row in recent if learned(row, self._targets)]
        return _mark(r for r in known if r.start < today), _mark(r for r in known if r.start >= today)

    async def _found(self, place: Place, zone: ZoneInfo, now: int, *, test: bool = False) -> Found:
        """The forecasts of now: that of the morning, and that of the rest of today."""
        if missing := self._missing():
            raise NotInstalledError(f"forecasts need {missing}: pip install 'stream-app[forecast]'")
        today = midnight(day_of(now, zone), zone)
        before, after = await self._marks(place, today, now)
        of = (place, zone.key, today, before, self._settings)
        keys: dict[str, tuple[object, ...]] = {"morning": ("morning", *of)}
        if after[0]:
            keys["rest"] = ("rest", *of, after)
        if test:
            keys["test"] = ("test", *of)
        async with self._turn():
            if absent := {part for part, key in keys.items() if key not in self._answers}:
                rows = await history(self._intervals, place, now, self._targets)
                wanted = Wanted(
                    *place, zone.key, rows, today, "morning" in absent, "rest" in absent, "test" in absent
                )
                answer = await self._compute(plan_work.forecast, plan_work.encode(wanted))
                answers = msgspec.msgpack.decode(answer, type=plan_work.Parts)
                for part in absent:
                    self._keep(keys[part], answers[part])
            parts = {part: self._recall(key, Found) for part, key in keys.items()}
        found = parts["morning"]
        if refusal := found.refusal:
            raise TooLittleHistoryError(place, refusal.detail, refusal.days, refusal.more_days)
        rest, tested = parts.get("rest", Found()).rest, parts.get("test", Found()).tested
        return structs.replace(found, rest=rest, tested=tested)

    async def _day(
        self, place: Place, day: date, zone: ZoneInfo, now: int
    ) -> tuple[list[plan_answers.Piece], StaffFound, int | None]:
        """A day's intervals, its plan, and the version of the roster."""
        begin, end = bounds(day, 1, zone)
        # Work that waits may be done tomorrow: the end of what is known is where all of it must be done.
        horizon = bounds(day, 2, zone)[1] if place[1] in self._assumptions.deferred else end
        found = await self._found(place, self._zone(place), now) if horizon > now else None
        actual = await self._actual(place, begin, min(now, horizon))
        version, shifts = await self._shifts(place, begin, horizon, zone)
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
        key = ("staff", question)
        async with self._turn():
            if key not in self._answers:
                self._keep(key, await self._compute(plan_work.staff, question))
            plan = self._recall(key, StaffFound)
        if plan.refusal:
            raise NoPlanError(plan.refusal)
        return [part for part in parts if part.start < end], plan, version

    async def _shifts(
        self, place: Place, begin: int, end: int, zone: ZoneInfo
    ) -> tuple[int | None, list[Shift] | None]:
        """The roster's version, and its stretches within ``[begin, end)``; ``None``: it says nothing of them."""
        if await self._rosters.version() != self._schedules[0]:
            version, document = await self._rosters.current()
            self._schedules = version, by_queue(msgspec.json.decode(document, type=list[Shift]))
        version, roster = self._schedules
        return version or None, plan_answers.scheduled_for(roster.get(place, ()), begin, end, zone)

    async def _compute(self, function: Callable[[bytes], bytes], question: bytes) -> bytes:
        try:
            return await self.process.ask(function, question)
        except ProcessError as error:
            raise BusyError(str(error)) from None

    def _keep(self, key: tuple[object, ...], answer: bytes) -> None:
        self._answers[key] = answer
        while len(self._answers) > KEPT:
            self._answers.popitem(last=False)

    def _recall(self, key: tuple[object, ...], kind: type[T]) -> T:
        self._answers.move_to_end(key)
        return msgspec.msgpack.decode(self._answers[key], type=kind)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One at a time, and not too many in line."""
        if self._waiting >= MOST_WAITING:
            raise BusyError(f"{MOST_WAITING} questions wait already")
        self._waiting += 1
        try:
            async with self._one:
                yield
        finally:
            self._waiting -= 1


def _mark(rows: Iterable[IntervalRow]) -> Mark:
    start = revision = 0
    for row in rows:
        start, revision = max(start, row.start), max(revision, row.revision)
    return start, revision


@contextmanager
def _in_words() -> Iterator[None]:
    """A store that does not answer, as planners say it."""
    try:
        yield
    except (StoreUnavailableError, QuarantinedError) as error:
        raise BusyError(f"the store is away: {error}") from None
