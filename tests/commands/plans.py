"""A planner over rows that a test made, and the views that show it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import chain
from random import Random
from zoneinfo import ZoneInfo

import msgspec
from msgspec import structs

from stream_app.forecast.history import HistoryRow as Learned
from stream_app.model.intervals.columns import IntervalRow
from stream_app.model.targets import Targets
from stream_app.planning.planner import PlanningService
from stream_app.subprocess import Process
from stream_app.workforce.schedules import Shift
from tests.services.command import ForkedProcess
from tests.views.examples import busy_board
from tests.views.intervals.kept import Kept
from tests.views.serving import Served

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 1, 5)
SALES, CARE = ("sales", "voice"), ("care", "chat")
INTERVAL_MS = 900_000
SETTINGS = Targets.of({"defaults": {"zone": "Europe/Berlin"}})


def ms(day: date, hour: float = 0, zone: ZoneInfo = BERLIN) -> int:
    """A local time, in ms."""
    at = datetime.combine(day, time(int(hour), round(hour % 1 * 60)), zone)
    return round(at.timestamp()) * 1000


NOW = ms(MONDAY + timedelta(weeks=9, days=1), 11.1)  # a Tuesday, seven minutes past eleven
TODAY = date(2026, 3, 10)


def centre(
    place: tuple[str, str], *, begin: date = MONDAY, now: int = NOW, busy: float = 12.0, seed: int = 1
) -> list[IntervalRow]:
    """Rows of a queue that is open from eight to eight on weekdays, until ``now``; the last one is not final yet."""
    return [*_centre(place, begin, now, busy, seed)]


@cache
def _centre(place: tuple[str, str], begin: date, now: int, busy: float, seed: int) -> list[IntervalRow]:
    rows: list[IntervalRow] = []
    chance, at = Random(f"{seed} {place}"), ms(begin)
    while at + INTERVAL_MS <= now + INTERVAL_MS:
        local = datetime.fromtimestamp(at // 1000, BERLIN)
        is_open = 8 <= local.hour < 20 and local.weekday() < 5
        mean = busy * (1.4 if 9 <= local.hour < 12 else 0.8)
        offered = max(0, round(chance.gauss(mean, mean**0.5))) if is_open else 0
        final = at + INTERVAL_MS <= now
        rows.append(
            IntervalRow(
                start=at,
                minutes=15,
                queue=place[0],
                channel=place[1],
                offered=offered,
                answered=offered,
                handled=offered,
                talk_ms=offered * chance.randrange(150_000, 220_000),
                wrap_ms=offered * 20_000,
                final=final,
                revision=len(rows) + 1 if final else 0,
                version=int(final),
            )
        )
        at += INTERVAL_MS
    return rows


def mailbox(estimated: float) -> list[IntervalRow]:
    """Rows of a mailbox of whose handle time this share was estimated from replies."""
    return [
        structs.replace(row, estimated_ms=round(row.handle_ms * estimated), replies=row.handled)
        for row in centre(("post", "email"))
    ]


class Schedules:
    """The schedules that were imported, in memory."""

    def __init__(self) -> None:
        self.documents: list[bytes] = []

    def apply(self, *shifts: Shift) -> None:
        self.documents.append(msgspec.json.encode(shifts))

    async def version(self) -> int:
        return len(self.documents)

    async def current(self) -> tuple[int, bytes]:
        return len(self.documents), self.documents[-1] if self.documents else b"[]"


class SharedProcess(ForkedProcess):
    """One process for many worlds: it starts once, and computes once what the same rows and settings always give."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[str, bytes], bytes] = {}

    async def ask(self, function: Callable[[bytes], bytes], question: bytes) -> bytes:
        key = (function.__name__, question)
        if key not in self._known:
            self._known[key] = await super().ask(function, question)
        return self._known[key]

    async def close(self) -> None:
        """A world ends; the next one needs it."""

    async def end(self) -> None:
        """The last world has ended."""
        await super().close()


class World:
    """A planner, what it rests on, and the server that shows it. Tests turn its clock."""

    def __init__(self, *rows: Iterable[IntervalRow], process: Process | None = None) -> None:
        self.now = NOW
        self.rows, self.schedules = Kept(chain.from_iterable(rows)), Schedules()
        self.targets = SETTINGS
        self.places = sorted({(row.queue, row.channel) for row in self.rows.every()})
        self.extra: str | None = None
        self.planner = PlanningService(
            self.rows,
            self.schedules,
            lambda: self.places,
            lambda: self.targets,
            lambda: self.now,
            missing=lambda: self.extra,
        )
        self.planner.process = process or ForkedProcess()
        self.served = Served(busy_board(self.places), planner=self.planner)


def learned(rows: Iterable[IntervalRow], place: tuple[str, str], before: int) -> list[Learned]:
    """What a forecast may be made of, in the words of the forecast."""
    return [
        Learned(
            datetime.fromtimestamp(row.start / 1000, UTC),
            row.minutes,
            *place,
            row.offered,
            row.handled,
            row.handle_ms / 1000,
        )
        for row in rows
        if (row.queue, row.channel) == place and row.final and row.start < before
    ]


@asynccontextmanager
async def served(*rows: Iterable[IntervalRow], process: Process | None = None) -> AsyncIterator[World]:
    """A world, on a port; with a process of its own, unless it is given one."""
    world = World(*rows, process=process)
    await world.served.start()
    try:
        yield world
    finally:
        await world.served.runner.cleanup()
        await world.planner.close()
