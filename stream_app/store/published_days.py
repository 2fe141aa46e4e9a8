"""Days of interval rows in the hands of the publisher: loaded as they are needed, and chained by the depth of their queues."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, ItemsView

from stream_app.model.published import DayRows

from .published import DayKey, Place, Published


class Days:
    """Days that are being changed."""

    def __init__(self, store: Published) -> None:
        self._store = store
        self._days: dict[DayKey, DayRows] = {}
        self._of: dict[Place, set[int]] = defaultdict(set)
        self._new: set[DayKey] = set()
        self._numbers: list[int] | None = None

    def items(self) -> ItemsView[DayKey, DayRows]:
        """All that were asked for."""
        return self._days.items()

    async def load(self, wanted: Collection[DayKey]) -> None:
        """Have these, as they are stored, or new."""
        unknown = [key for key in wanted if key not in self._days]
        found = await self._store.days(unknown) if unknown else {}
        for key in unknown:
            self._days[key] = DayRows(key[0], found.get(key))
            self._of[key[1]].add(key[0])
            if key not in found:
                self._new.add(key)

    async def of(self, number: int, place: Place) -> DayRows:
        """One of them."""
        if (number, place) not in self._days:
            await self.load([(number, place)])
        return self._days[number, place]

    def is_new(self, number: int, place: Place) -> bool:
        """Whether a loaded day was not stored yet."""
        return (number, place) in self._new

    async def before(self, number: int, place: Place) -> int | None:
        """The last day before this one that is stored or loaded."""
        stored = await self._store.first_with([n for n in reversed(await self._all()) if n < number], place)
        loaded = [n for n in self._of[place] if n < number]
        return max([*loaded, *([] if stored is None else [stored])], default=None)

    async def chain(self) -> None:
        """Carry the depth of each queue from day to day, as far as it changes anything."""
        for place, numbers in list(self._of.items()):
            await self._chain(place, sorted(numbers))
            await asyncio.sleep(0)

    async def _chain(self, place: Place, numbers: list[int]) -> None:
        number: int | None = numbers[0]
        opening = await self._opening(numbers[0], place)
        while number is not None:
            day = await self.of(number, place)
            closing = day.chain(opening)
            following = await self._after(number, place)
            if following is None:
                return
            if (following, place) not in self._days:
                await self.load([(following, place)])
            # A day that stands as it should, and was not asked for, ends it; the next that was asked for begins anew.
            if self._days[following, place].day.opening == closing and following not in numbers:
                rest = [n for n in numbers if n > following]
                if not rest:
                    return
                following = rest[0]
                closing = await self._opening(following, place)
            number, opening = following, closing

    async def _opening(self, number: int, place: Place) -> int:
        if (number, place) not in self._new:
            return self._days[number, place].day.opening
        before = await self.before(number, place)
        return 0 if before is None else (await self.of(before, place)).closing()

    async def _after(self, number: int, place: Place) -> int | None:
        later = [n for n in await self._all() if n > number]
        stored = await self._store.first_with(later, place) if later else None
        loaded = [n for n in self._of[place] if n > number]
        return min([*loaded, *([] if stored is None else [stored])], default=None)

    async def _all(self) -> list[int]:
        if self._numbers is None:
            self._numbers = await self._store.day_numbers()
        return self._numbers
