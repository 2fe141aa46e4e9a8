"""Business hours: the time within them, and when a promise falls due. Not the product's: weekly, in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .counters import DAY, MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WEEK = 7 * DAY
FIRST_MONDAY = 4 * DAY  # the epoch was a Thursday
WITHIN_MS = 366 * DAY


class Calendar(Protocol):
    """When a queue is open."""

    def within(self, a: int, b: int) -> int:
        """The open ms of [a, b); 0 where b is not after a."""

    def after(self, at: int, ms: int) -> int | None:
        """The first moment at which it was open for so long since `at`, for 0 the next one at which it is open.

        None where that is very far away.
        """


class Weekly:
    """Opens at the same times each week: `openings` are (from, to) in ms since Monday 0:00 UTC, in order."""

    def __init__(self, openings: Sequence[tuple[int, int]]) -> None:
        self._openings = openings

    def within(self, a: int, b: int) -> int:
        return sum(min(b, end) - max(a, start) for start, end in self._until(a, b))

    def after(self, at: int, ms: int) -> int | None:
        left = ms
        for start, end in self._until(at, at + WITHIN_MS + 2 * WEEK):
            begin = max(at, start)
            if left <= end - begin:
                return begin + left
            left -= end - begin
        return None

    def _until(self, a: int, b: int) -> Iterator[tuple[int, int]]:
        """The openings that have a part in [a, b)."""
        week = FIRST_MONDAY + (a - FIRST_MONDAY) // WEEK * WEEK
        while week < b:
            for start, end in self._openings:
                if week + start < b and a < week + end:
                    yield week + start, week + end
            week += WEEK


ALWAYS = Weekly([(0, WEEK)])


def office(days: int, start_h: float, end_h: float) -> Weekly:
    """Open on the first so many days of the week, between two hours of the day (UTC)."""
    hour = 60 * MINUTE
    return Weekly(
        [(day * DAY + round(start_h * hour), day * DAY + round(end_h * hour)) for day in range(days)]
    )


def open_ms(calendar: Calendar | None, a: int, b: int) -> int:
    """The part of [a, b) within business hours: all of it where there are none."""
    return max(0, b - a) if calendar is None else calendar.within(a, b)
