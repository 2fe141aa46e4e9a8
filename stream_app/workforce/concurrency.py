"""Chats: an agent handles several at once, so the queue's servers are chat slots (places), not people.

Each of c simultaneous chats takes 1 + stretch (c - 1) times as long as a chat alone. Stretch 0: the customer is slow and the
agent always free for the next; stretch 1: the agent's work is only sliced, and nothing is gained.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Final

from msgspec import Struct

_SAME: Final = 1e-9


class Concurrency(Struct, frozen=True):
    """The number of contacts an agent handles at once.

    Attributes:
        at_once: at least 1; 2.5 means that every other agent takes a third chat.
        stretch: 0 to 1, see above. 0 also if the handle time was measured at this concurrency.
    """

    at_once: float = 1.0
    stretch: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values outside of their range; ValueError names the one."""
        if not 1 <= self.at_once <= 100:
            raise ValueError(f"concurrency: expected a number from 1 to 100, got {self.at_once}")
        if not 0 <= self.stretch <= 1:
            raise ValueError(f"stretch: expected a number from 0 to 1, got {self.stretch}")

    @property
    def factor(self) -> float:
        """By which factor a chat takes longer beside the others than alone."""
        return 1 + self.stretch * (self.at_once - 1)

    @property
    def efficiency(self) -> float:
        """The number of chats a fully occupied agent completes in the time of one."""
        return self.at_once / self.factor

    def handle_s(self, alone_s: float) -> float:
        """Return how long a chat takes, in seconds: the time that it occupies a place."""
        return alone_s * self.factor

    def places(self, agents: float) -> int:
        """Return how many contacts ``agents`` agents handle at once."""
        return floor(agents * self.at_once + _SAME)

    def agents(self, places: int) -> int:
        """Return how many agents provide ``places`` places."""
        return ceil(places / self.at_once - _SAME)


ONE: Final = Concurrency()
"""A call: one at a time."""
