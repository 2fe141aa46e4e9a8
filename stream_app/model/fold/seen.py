"""Which event ids were seen in the last hour of partition time: what tells a repetition from a new event."""

from __future__ import annotations

from hashlib import blake2b
from itertools import takewhile
from typing import Final

from .deltas import Memory

MINUTE: Final = 60_000
RECENT: Final = 3_600_000
"""How long event ids are remembered, in partition time."""
RECENT_MAX: Final = 500_000
"""How many are remembered at most."""


def fingerprint(event_id: str) -> bytes:
    """Eight bytes that stand for an event id."""
    return blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()


class Seen:
    """The ids.

    Attributes:
        known: hash of an id → the minute in which it was added last; oldest first.
        minute: the minute of partition time; set by whoever tells the time.
        added: minute → hashes added since ``reset``.
        forgotten: this minute and all before were dropped since; -1 if none were.
    """

    def __init__(self, memory: Memory) -> None:
        """Start from what a claim restored."""
        self.known = memory.recent
        self.minute = memory.time // MINUTE
        self.reset()

    def reset(self) -> None:
        """What changed was handed over."""
        self.added: dict[int, list[bytes]] = {}
        self.forgotten = -1

    def add(self, mark: bytes) -> None:
        """An id was seen."""
        self.known[mark] = minute = self.minute
        added = self.added.get(minute)
        if added is None:
            added = self.added[minute] = []
        added.append(mark)

    def again(self, mark: bytes) -> None:
        """An id was seen that another event may have borne before: the younger use counts."""
        self.known.pop(mark, None)
        self.add(mark)

    def forget(self, now: int) -> None:
        """Drop whole minutes of hashes from the old end: those of more than an hour ago, and those over the limit."""
        known = self.known
        # Also where no hash is left of a minute: all of them may have been seen again, and stand in a later one.
        last = (now - RECENT - 1) // MINUTE
        while known:
            oldest = next(iter(known.values()))
            if oldest > last and len(known) <= RECENT_MAX:
                break
            for mark in list(takewhile(lambda m: known[m] == oldest, known)):  # noqa: B023 - used up at once
                del known[mark]
            last = max(last, oldest)
        for minute in [m for m in self.added if m <= last]:
            del self.added[minute]
        self.forgotten = max(self.forgotten, last)
