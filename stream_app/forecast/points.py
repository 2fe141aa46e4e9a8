"""What a forecast says: plain data."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct


class Point(Struct, frozen=True):
    """One interval to come.

    Attributes:
        start: local, with offset.
        minutes: its length.
        queue: and ``channel``: whose.
        offered: contacts to expect, a mean; ``None``: the day is left out. A time of week never observed has no point.
        low_80: with ``high_80``: whole contacts, both within; four of five intervals end within.
        low_95: the same, 19 of 20.
        aht_s: average handle time to expect; ``None``: nothing was handled, or no times were given.
        today: whether the day is under way, so that this was forecast again from what came so far.
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


class Day(Struct, frozen=True):
    """One local day to come, or the rest of one; fields as of a ``Point``, ``busiest`` is the start of its busiest interval."""

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
