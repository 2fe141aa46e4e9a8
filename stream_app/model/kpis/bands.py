"""What is usual, good and world class, as handbooks for heads of service put it: to place a value, not to judge a queue by.

They are of all industries together. What a centre should aim at is in its targets, and what others of its industry aim at in
the presets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct


class Range(Struct, frozen=True):
    """From where to where, both included."""

    low: float
    high: float


class Bands(Struct, frozen=True, kw_only=True):
    """The bands of a KPI, in its unit.

    Attributes:
        average: where most are, from and to.
        good: from here on it is good; where less is better, down to here.
        world_class: likewise.
        by_centre: kind of centre → where most of them are; what they do decides more than how well they do it.
    """

    average: Range | None = None
    good: float | None = None
    world_class: float | None = None
    by_centre: dict[str, Range] = {}


BANDS: Final[Mapping[str, Bands]] = {
    "csat": Bands(average=Range(0.75, 0.84), good=0.80, world_class=0.90),
    "first_contact_resolution": Bands(average=Range(0.70, 0.79), good=0.80, world_class=0.85),
    "nps": Bands(good=50, world_class=70),
    "handle_time": Bands(
        average=Range(360, 360),
        by_centre={"simple e-commerce": Range(300, 480), "technical support": Range(600, 900)},
    ),
}
"""KPI → its bands."""
