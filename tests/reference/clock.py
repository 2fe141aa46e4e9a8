"""Partition time: what the senders of a partition agree on."""

from __future__ import annotations

import zlib

from .counters import MINUTE

WITNESSES = 256
SKEW_MS = MINUTE
STEP_MS = 15_000


class Clock:
    """`now` is partition time, `agreed` what it rests on, in ms."""

    def __init__(self) -> None:
        self.now = 0
        self.agreed = 0
        self._one_sender = True
        self._old: list[tuple[int, int]] = []  # sender, stamp
        self._new: list[tuple[int, int]] = []

    def trust(self, stamp: int) -> None:
        """The broker says so."""
        self.now = self.agreed = max(self.now, stamp)
        self._one_sender = False
        self._old, self._new = [], []

    def hear(self, sender: str, stamp: int) -> None:
        witness = zlib.crc32(sender.encode()), stamp
        if self._new and self._new[-1][0] == witness[0]:
            self._new.pop()
        self._new.append(witness)
        if len(self._old) + len(self._new) > WITNESSES:
            (self._old or self._new).pop(0)
        if self._one_sender:
            if len(self._new) == 1:
                self.now = self.agreed = max(self.now, stamp)
                return
            self._one_sender = False
            self._old, self._new = self._new[:-1], self._new[-1:]
            self.agreed = min(self.agreed, stamp)
            self.now = min(self.now, self.agreed + SKEW_MS)
        if stamp < self.agreed + SKEW_MS:
            self.now = max(self.now, stamp)
            return
        while stamp >= self.agreed + SKEW_MS:
            found = [x for x in set(dict(self._new).values()) if self._agreed_on(x, stamp)]
            if not found:
                break
            self.agreed = max(found)
            place = [x for _, x in self._new].index(self.agreed) + 1
            self._old, self._new = self._old + self._new[:place], self._new[place:]
        self.now = max(self.now, min(stamp, self.agreed + SKEW_MS))

    def _agreed_on(self, time: int, stamp: int) -> bool:
        if not self.agreed + STEP_MS <= time <= stamp:
            return False
        votes = dict(self._new)
        others = {sender: x for sender, x in self._old if sender not in votes}
        since = self.agreed - (time - self.agreed) // 2
        in_favour = sum(x >= time for x in votes.values())
        against = sum(x < time for x in votes.values()) + sum(since < x < time for x in others.values())
        return in_favour >= against and in_favour >= (2 if len(votes) + len(others) < 3 else 1)
