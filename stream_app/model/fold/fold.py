"""Events → deltas. The fold of one partition: pure, deterministic, and independent of how a stream is cut into batches.

Its only clock is partition time: the largest ``min(event.at, record timestamp)`` seen so far. ``docs/semantics.md`` is the
specification; an independent reference in the tests is written from the same page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from . import events as e
from .contacts import Contacts
from .deltas import APPLIED, Deltas, Memory, Result
from .matching import SKEW
from .seen import MINUTE
from .tally import Tally
from .targets import Targets
from .windows import KEPT

OLDEST: Final = max(KEPT.values())
"""A stamp further behind partition time than this is too late: none of its buckets is kept."""
LATE: Final = 120_000
"""Behind partition time by more than this, an event is counted where it belongs, and counted as late."""
_REASONED: Final = (Result.ILLEGAL, Result.DEAD_LETTER)
_BEST_FIRST: Final = (
    APPLIED, Result.DUPLICATE, Result.LATE, Result.ILLEGAL, Result.DEAD_LETTER, Result.IGNORED,
)  # fmt: skip
_NOTHING_TOLD: Final = (Result.IGNORED, "")


class Fold:
    """Folds the records of one partition, in offset order."""

    def __init__(self, targets: Targets, tally: Tally | None = None, memory: Memory | None = None) -> None:
        """Start from what a claim restored, or from nothing."""
        memory = memory or Memory()
        self._now = memory.time
        self._next_minute = (self._now // MINUTE + 1) * MINUTE
        self._tally = tally or Tally()
        self._contacts = Contacts(targets, self._tally, memory)
        self._routes = self._contacts.routes
        self._reset()

    @property
    def state(self) -> Memory:
        """What it remembers now."""
        return Memory(self._now, self._contacts.open, self._contacts.seen.known)

    def _reset(self) -> None:
        self._results: dict[str, int] = dict.fromkeys(Result, 0)
        self._reasons: dict[tuple[str, str], int] = {}
        self._late = 0
        self._applied = 0

    def take(self) -> Deltas:
        """Hand over what changed since the last call."""
        self._results[APPLIED] += self._applied
        contacts = self._contacts
        cells, rows = self._tally.take_all()
        deltas = Deltas(
            time=self._now,
            cells=cells,
            rows=rows,
            visits=contacts.touched,
            recent=contacts.seen.added,
            forgotten=contacts.seen.forgotten,
            results={result: n for result, n in self._results.items() if n},
            reasons=self._reasons,
            late=self._late,
        )
        contacts.reset()
        self._reset()
        return deltas

    def count(self, result: Result, n: int = 1, reason: str | None = None) -> Result:
        """Account for records that never became events: dead letters, unknown types, gaps."""
        self._results[result] += n
        if reason is not None:
            key = (result.value, reason)
            self._reasons[key] = self._reasons.get(key, 0) + n
        return result

    def record(self, event: e.Event, timestamp: int) -> Result:
        """Fold one event.

        Args:
            event: as a dialect gave it.
            timestamp: the record's Kafka timestamp in milliseconds; negative where it has none.
        """
        result = self._judge(event, timestamp)
        if result is not APPLIED:
            return self._book(result)
        self._applied += 1
        return result

    def _judge(self, event: e.Event, timestamp: int) -> Result:
        at = event.at
        now = at if timestamp < 0 or at < timestamp else timestamp
        if now > self._now:
            self._now = now
            if now >= self._next_minute:
                self._next_minute = (now // MINUTE + 1) * MINUTE
                self._contacts.run_time_outs(now, LATE)
        else:
            now = self._now
        if at > now + SKEW:
            self._contacts.reason = "future"
            return Result.DEAD_LETTER
        if at >= now - LATE:
            return self._routes[type(event)](event)
        if at < now - OLDEST:
            return Result.LATE
        self._contacts.late()
        result = self._routes[type(event)](event)
        self._late += result is APPLIED
        return result

    def several(self, events: Sequence[e.Event], timestamp: int) -> Result:
        """Fold the events of one record. It has one result, the best of theirs; ``ignored`` where there are none."""
        contacts = self._contacts
        results = [(self._judge(event, timestamp), contacts.reason) for event in events]
        best, contacts.reason = min(
            results, key=lambda found: _BEST_FIRST.index(found[0]), default=_NOTHING_TOLD
        )
        return self._book(best)

    def _book(self, result: Result) -> Result:
        """Count a record's result, under its reason where it has one."""
        return self.count(result, reason=self._contacts.reason if result in _REASONED else None)
