"""The content of a forecast: plain data."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct


class Point(Struct, frozen=True):
    """One future interval.

    Attributes:
        start: local, with offset.
        minutes: its length.
        queue: and ``channel``: the series.
        offered: expected contacts, a mean; ``None``: the day is left out. A time of week never observed has no point.
        low_80: with ``high_80``: whole contacts, both inclusive; four of five intervals end within.
        low_95: the same, 19 of 20.
        aht_s: expected average handle time; ``None``: nothing was handled, or no times were recorded.
        today: whether the day is under way, so that this is a reforecast from the contacts so far.
        aht_estimated: which share of handle times was estimated from replies; ``None``: not recorded.
    """

    start: datetime
    minutes: int
    queue: str
    channel: str
    offered: float | None
    low_80: int | None
    high_80: int | None
    low_95: int | None
    high_95: int | None
    aht_s: float | None
    today: bool = False
    aht_estimated: float | None = None


class ForecastDay(Struct, frozen=True):
    """One future local day, or the rest of today; fields as in ``Point``, ``busiest`` is the start of its busiest interval."""

    day: date
    queue: str
    channel: str
    offered: float | None
    low_80: int | None
    high_80: int | None
    busiest: datetime | None
    busiest_offered: float | None
    aht_s: float | None
    today: bool = False
