"""Days of interval rows that the publisher works on: loaded as needed, and chained by the depth of their queues."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, ItemsView, Mapping

from stream_app.model.durations import DAY
from stream_app.model.intervals.day import DayRows

from .commands import IntervalStore
from .state import CellField, DayKey


class DayEdits:
    """Days that are being changed.

    Attributes:
        unheard: places without anything stored, which need no search.
    """

    def __init__(self, store: IntervalStore, over: Mapping[tuple[int, CellField], int]) -> None:
        """Take ``over``: (a recording's partition, place) → the start of its last interval with that queue."""
        self._store = store
        self._over = over
        self._days: dict[DayKey, DayRows] = {}
        self._of: dict[CellField, set[int]] = defaultdict(set)
        self._new: set[DayKey] = set()
        self._numbers: list[int] | None = None
        self.unheard: set[CellField] = set()

    def items(self) -> ItemsView[DayKey, DayRows]:
        """Return all days that were loaded."""
        return self._days.items()

    async def load(self, wanted: Collection[DayKey]) -> None:
        """Load days as they are stored; new ones where they are not."""
        unknown = [key for key in wanted if key not in self._days]
        found = await self._store.days(unknown) if unknown else {}
        for key in unknown:
            self._days[key] = DayRows(key[0], found.get(key))
            self._of[key[1]].add(key[0])
            if key not in found:
                self._new.add(key)

    async def of(self, number: int, place: CellField) -> DayRows:
        """Return a day, loading it if needed."""
        if (number, place) not in self._days:
            await self.load([(number, place)])
        return self._days[number, place]

    def is_new(self, number: int, place: CellField) -> bool:
        """Return whether a loaded day is not yet stored."""
        return (number, place) in self._new

    async def before(self, number: int, place: CellField) -> int | None:
        """Return the last day before this one that is stored or loaded."""
        if place in self.unheard:
            return max([n for n in self._of[place] if n < number], default=None)
        stored = await self._store.first_with([n for n in reversed(await self._all()) if n < number], place)
        loaded = [n for n in self._of[place] if n < number]
        return max([*loaded, *([] if stored is None else [stored])], default=None)

    async def chain(self) -> None:
        """Carry the depth of each queue over from day to day, as far as that changes anything."""
        for place, numbers in list(self._of.items()):
            await self._chain(place, sorted(numbers))
            await asyncio.sleep(0)

    async def _chain(self, place: CellField, numbers: list[int]) -> None:
        def last(recording: int) -> int:
            return self._over.get((recording, place), 0)

        number: int | None = numbers[0]
        opening, carried = await self._opening(numbers[0], place)
        while number is not None:
            closing = (await self.of(number, place)).chain(opening, carried, last)
            await asyncio.sleep(0)
            following = await self.after(number, place)
            if following is None:
                return
            await self.load([(following, place)])
            # A day that is already right, and was not loaded before, ends the chain; the next loaded one begins another.
            day = self._days[following, place].day
            still = {n: waiting for n, waiting in closing[1].items() if last(n) >= following * DAY}
            if (day.opening, day.carried) == (closing[0], still) and following not in numbers:
                rest = [n for n in numbers if n > following]
                if not rest:
                    return
                following = rest[0]
                closing = await self._opening(following, place)
            number, (opening, carried) = following, closing

    async def _opening(self, number: int, place: CellField) -> tuple[int, dict[int, int]]:
        """Return how many wait as a day begins: in all live partitions, and in each recording."""
        day = self._days[number, place].day
        if (number, place) not in self._new:
            return day.opening, day.carried
        before = await self.before(number, place)
        if before is None:
            return 0, {}
        earlier = await self.of(before, place)
        return earlier.chain(
            earlier.day.opening, earlier.day.carried, lambda n: self._over.get((n, place), 0)
        )

    async def after(self, number: int, place: CellField) -> int | None:
        """Return the first day after this one that is stored or loaded."""
        later = [] if place in self.unheard else [n for n in await self._all() if n > number]
        stored = await self._store.first_with(later, place) if later else None
        loaded = [n for n in self._of[place] if n > number]
        return min([*loaded, *([] if stored is None else [stored])], default=None)

    async def _all(self) -> list[int]:
        if self._numbers is None:
            self._numbers = await self._store.day_numbers()
        return self._numbers
