"""Chats: an agent handles several at once, so that the queue's servers are places, not people.

Each of c chats at once takes 1 + stretch (c - 1) times as long as a chat alone. Stretch 0: the customer is slow and the agent
always free for the next; stretch 1: an agent's work is only cut into slices, and nothing is won.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Final

from msgspec import Struct

_SAME: Final = 1e-9


class Concurrency(Struct, frozen=True):
    """How many contacts an agent handles at once.

    Attributes:
        at_once: at least 1; 2.5 means that every other agent takes a third chat.
        stretch: 0 to 1, see above. 0 also where the handle time was measured while so many were handled at once.
    """

    at_once: float = 1.0
    stretch: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what has no meaning; ValueError names it."""
        if not 1 <= self.at_once <= 100:
            raise ValueError(f"concurrency: {self.at_once} must be 1 to 100")
        if not 0 <= self.stretch <= 1:
            raise ValueError(f"stretch: {self.stretch} must be 0 to 1")

    @property
    def factor(self) -> float:
        """How much longer a chat takes beside the others than alone."""
        return 1 + self.stretch * (self.at_once - 1)

    @property
    def efficiency(self) -> float:
        """How many chats are done in the time of one, by an agent who is always full."""
        return self.at_once / self.factor

    def handle_s(self, alone_s: float) -> float:
        """How long the customer is being helped, in seconds: what occupies a place."""
        return alone_s * self.factor

    def own_s(self, alone_s: float) -> float:
        """How much of an agent a chat takes, in seconds: the effective handle time."""
        return alone_s / self.efficiency

    def places(self, agents: float) -> int:
        """How many contacts so many agents handle at once."""
        return floor(agents * self.at_once + _SAME)

    def agents(self, places: int) -> int:
        """How many agents have so many places."""
        return ceil(places / self.at_once - _SAME)


ONE: Final = Concurrency()
"""A call: one at a time."""
