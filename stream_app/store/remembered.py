"""Cache of the values that a partition's owner last wrote, from which it makes new absolute values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Generic, TypeVar

from stream_app.model.fold.cells import Cell

P = TypeVar("P")
CACHED: Final = 5_000
"""Number of values remembered; up to twice that."""


class Remembered(Generic[P]):
    """Values by place; the latest of them need no read from the store.

    The fence makes it safe: an owner with stale values no longer holds the token, and can't write.
    """

    def __init__(
        self,
        read: Callable[[set[P]], Awaitable[dict[P, Cell]]],
        merge: Callable[[Cell, Cell], None],
    ) -> None:
        """Take ``read``, which reads values from the store (empty if there are none), and ``merge``, which adds to a value."""
        self._read = read
        self._merge = merge
        self._fresh: dict[P, Cell] = {}
        self._older: dict[P, Cell] = {}

    async def load(self, places: Iterable[P]) -> None:
        """Read the values of places that are not known yet.

        Raises:
            StoreUnavailableError: no answer.
        """
        fresh, older = self._fresh, self._older
        if unknown := {place for place in places if place not in fresh and place not in older}:
            older |= await self._read(unknown)

    def add(self, steps: Iterable[tuple[P, Cell]]) -> dict[P, Cell]:
        """Add amounts to places that are loaded, and return their new values."""
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
