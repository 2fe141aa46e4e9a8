"""What the owner of a partition wrote last: new absolute values are made from it, or from what is read back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Generic, TypeVar

from stream_app.model.tally import Cell

P = TypeVar("P")
CACHED: Final = 5_000
"""So many values are remembered; twice that at the most."""


class Remembered(Generic[P]):
    """Values by place, the latest of them without asking the store.

    It can be trusted because of the fence: whoever remembers what is no longer so holds no token, and writes nothing.
    """

    def __init__(
        self,
        read: Callable[[set[P]], Awaitable[dict[P, Cell]]],
        merge: Callable[[Cell, Cell], None],
    ) -> None:
        """``read`` asks the store for values, empty where there are none; ``merge`` adds to a value."""
        self._read = read
        self._merge = merge
        self._fresh: dict[P, Cell] = {}
        self._older: dict[P, Cell] = {}

    async def load(self, places: Iterable[P]) -> None:
        """Know these; nothing is changed by it.

        Raises:
            StoreUnavailableError: no answer.
        """
        fresh, older = self._fresh, self._older
        if unknown := {place for place in places if place not in fresh and place not in older}:
            older |= await self._read(unknown)

    def add(self, steps: Iterable[tuple[P, Cell]]) -> dict[P, Cell]:
        """Add amounts to places that are loaded, and give what is there now."""
        fresh, older, merge = self._fresh, self._older, self._merge
        out: dict[P, Cell] = {}
        for place, amounts in steps:
            known = fresh.get(place)
            if known is None:
                known = fresh[place] = older.pop(place)
            merge(known, amounts)
            out[place] = known
        if len(fresh) > CACHED:
            self._older, self._fresh = fresh, {}
        return out
