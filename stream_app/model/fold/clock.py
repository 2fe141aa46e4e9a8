"""Partition time: the fold's only clock. Led by the stamps of several contacts' records, never by one contact alone.

``docs/semantics.md`` is the specification, ``docs/decisions/0013-time-that-contacts-agree-on.md`` explains the choice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from functools import lru_cache
from itertools import islice
from typing import Final
from zlib import crc32

from msgspec import Struct

from .matching import SKEW

WITNESSES: Final = 256
"""How many records' stamps are remembered."""
STEP: Final = 15_000
"""The least by which agreed time moves: it need not be determined with each record of a clock that is ahead."""
ENOUGH: Final = 3
"""With fewer contacts, a single one never leads."""

Witness = tuple[int, int]
"""Fingerprint of a contact, stamp in ms."""


@lru_cache(4 * WITNESSES)
def _fingerprint(who: str | int) -> int:
    return who if isinstance(who, int) else crc32(who.encode("utf-8", "surrogatepass"))


class Agreement(Struct, array_like=True, frozen=True):
    """What the clock remembers besides partition time.

    Attributes:
        time: agreed time.
        alone: all records so far came from one contact.
        older: witnesses heard before time was agreed, in order.
        newer: those heard since.
    """

    time: int = 0
    alone: bool = True
    older: list[Witness] = []
    newer: list[Witness] = []


class PartitionClock:
    """Derives partition time from the stamps of the records.

    Attributes:
        now: partition time; the fold moves it by itself where no agreement is needed, which is nearly always.
        limit: from this stamp on, ``lead`` must be called.
        heard: the witnesses since time was agreed, with their stamps: the fold adds each record, or replaces the last.
        alone: all records so far came from one contact: ``lead`` must be called for every stamp.
    """

    def __init__(self, now: int, known: Agreement | None) -> None:
        """Continue from what was remembered; ``None`` if only partition time was."""
        known = known or Agreement(now, alone=not now)
        self.now = now
        self.alone = known.alone
        self._agreed = known.time
        self._older = list(known.older)
        self._refused: tuple[object, int] = None, 0
        # One more than counts: the first one heard here may be of the same contact as the last one that was remembered.
        self.heard: deque[tuple[str | int, int]] = deque(known.newer, WITNESSES + 1)
        self._follow()

    @property
    def state(self) -> Agreement:
        """What to remember besides partition time."""
        newer = self._newer()
        return Agreement(self._agreed, self.alone, self._before(newer), newer)

    def trust(self) -> None:
        """Trust the broker's timestamps from here on."""
        self._agreed, self.alone, self._older = self.now, False, []
        self.heard.clear()
        self._follow()

    def lead(self, stamp: int) -> int:
        """Move on as far as agreed and return partition time; ``stamp`` is that of the latest record."""
        if self.alone and not self._second(stamp):
            self.now = self._agreed = max(self.now, stamp)
            return self.now
        while stamp >= self._agreed + SKEW and self._agree(stamp):
            pass
        self.now = max(self.now, min(stamp, self._agreed + SKEW))
        self._follow()
        return self.now

    def _follow(self) -> None:
        self.limit = 0 if self.alone else self._agreed + SKEW

    def _second(self, stamp: int) -> bool:
        """Return whether this is the second contact of all. If it is behind the first, time moves back: one alone led it."""
        *first, last = self._newer()
        if not first:
            return False
        self.alone, self._older = False, first
        self.heard.clear()
        self.heard.append(last)
        self._agreed = min(self._agreed, stamp)
        self.now = min(self.now, self._agreed + SKEW)
        return True

    def _agree(self, stamp: int) -> bool:
        """Move agreed time on, at most to ``stamp``, and return whether it moved."""
        mark, records = self._refused
        if any(heard is mark for heard in islice(reversed(self.heard), records)):
            return False  # this few records can't have changed it
        newer, agreed = self._newer(), self._agreed
        votes = dict(newer)
        stamps = sorted(votes.values())
        # Those before the least step are against any. Each record changes that by three: it may come from one of them, it is
        # for a step, and the oldest one is forgotten.
        refused = 2 * bisect_left(stamps, agreed + STEP) - len(stamps)
        if refused > 0:
            self._refused = self.heard[-1], refused // 3
            return False
        others = sorted(s for c, s in dict(self._before(newer)).items() if c not in votes)
        needed = 1 if len(stamps) + len(others) >= ENOUGH else 2
        # The later the stamp, the fewer are for it and the more against.
        at = min(bisect_right(stamps, stamp) - 1, len(stamps) // 2)
        for time in reversed(stamps[: at + 1]):
            if time < agreed + STEP:
                break
            behind = bisect_left(stamps, time)
            in_favour = len(stamps) - behind
            # With many records in half the time of the leap, more contacts would have confirmed it.
            since = agreed - (time - agreed) // 2
            against = behind + bisect_left(others, time) - bisect_right(others, since)
            if in_favour >= max(against, needed):
                place = next(n for n, (_, s) in enumerate(newer) if s == time) + 1
                self._older = [*self._before(newer), *newer[:place]]
                self.heard.clear()
                self.heard.extend(newer[place:])
                self._agreed = time
                return True
        return False

    def _newer(self) -> list[Witness]:
        """Return the witnesses since time was agreed; neighbours of one contact are one."""
        found: list[Witness] = []
        for who, stamp in self.heard:
            mark = _fingerprint(who)
            if found and found[-1][0] == mark:
                found[-1] = (mark, stamp)
            else:
                found.append((mark, stamp))
        return found[-WITNESSES:]

    def _before(self, newer: list[Witness]) -> list[Witness]:
        room = WITNESSES - len(newer)
        return self._older[-room:] if room else []
