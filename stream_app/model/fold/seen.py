"""The event ids seen in the last hour of partition time, which distinguish a repetition from a new event."""

from __future__ import annotations

from hashlib import blake2b
from itertools import takewhile
from typing import Final

from stream_app.model.durations import MINUTE

from .deltas import Memory

RECENT: Final = 3_600_000
"""How long event ids are remembered, in partition time."""
RECENT_MAX: Final = 500_000
"""The most ids that are remembered."""


def fingerprint(event_id: str) -> bytes:
    """Return eight bytes that represent an event id."""
    return blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()


class SeenIds:
    """The event ids of the last hour.

    Attributes:
        known: hash of an id → the minute in which it was added last; oldest first.
        minute: the minute that is recorded for an id seen now.
        added: minute → hashes added since ``reset``.
        forgotten: this minute and all before were dropped since; -1 if none were.
    """

    def __init__(self, memory: Memory) -> None:
        """Start from what a claim restored."""
        self.known = memory.recent
        self.minute = memory.time // MINUTE
        self.added: dict[int, list[bytes]] = {}
        self.forgotten = -1

    def turn(self, minute: int, *, stands: bool, was: int | None = None) -> None:
        """Follow partition time to another minute.

        Ids seen while it stands are recorded under the next minute; once time moves on, maybe by hours, they are as old as the
        minute to which it moves, not as the one in which it stood.

        Args:
            minute: that of partition time.
            stands: records are further ahead than it may go without agreement.
            was: the minute of partition time before.
        """
        known = self.known
        newest = next(reversed(known.values()), minute)
        if was is not None and newest > was and minute > newest:
            for mark in list(takewhile(lambda m: known[m] > was, reversed(known)))[::-1]:
                del known[mark]
                self._note(mark, minute)
            newest = minute
        self.minute = max(minute + stands, newest)

    def step_back(self, minute: int) -> None:
        """Follow partition time back: ids recorded under a later minute are recorded under this one."""
        known = self.known
        newest = next(reversed(known.values()), minute)
        if newest > minute:
            self.forgotten = max(self.forgotten, newest)
            self.added = {}
            for mark, noted in list(known.items()):
                self._note(mark, min(noted, minute))

    def reset(self) -> None:
        """Clear the change set after it was handed over."""
        self.added = {}
        self.forgotten = -1

    def add(self, mark: bytes) -> None:
        """Record an id as seen now."""
        self._note(mark, self.minute)

    def _note(self, mark: bytes, minute: int) -> None:
        self.known[mark] = minute
        added = self.added.get(minute)
        if added is None:
            added = self.added[minute] = []
        added.append(mark)

    def again(self, mark: bytes) -> None:
        """Record an id again that another event may have had before: the younger use counts."""
        self.known.pop(mark, None)
        self._note(mark, self.minute)

    def forget(self, now: int) -> None:
        """Drop whole minutes of hashes from the old end: those older than an hour, and those over the limit."""
        known = self.known
        # Also where no hash of a minute is left: all of them may have been seen again, and moved to a later one.
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
