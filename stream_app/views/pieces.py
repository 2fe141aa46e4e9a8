"""Long computations run in pieces, because everything shares the event loop."""

import asyncio
from typing import Final, TypeVar

from stream_app.model.pieces import Pieces

PIECE_S: Final = 0.002
"""The longest piece, about."""
TURNS: Final = 3
"""How often the loop turns for others after each piece: a short answer takes six turns, but waits for two pieces only."""

T = TypeVar("T")


class Rest:
    """Pauses that let other tasks run."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rested = self._loop.time()

    async def __call__(self) -> None:
        """Pause if a piece's time is over; call it often."""
        if self._loop.time() - self._rested >= PIECE_S:
            for _ in range(TURNS):
                await asyncio.sleep(0)
            self._rested = self._loop.time()


async def unhurried(pieces: Pieces[T]) -> T:
    """Run the pieces, let other tasks run in between, and return the result."""
    rest = Rest()
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            made: T = end.value
            return made
        await rest()
