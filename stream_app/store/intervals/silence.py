"""When queues were active, and the intervals in which it is known that nobody came: those get zero rows."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from stream_app.model.intervals.columns import INTERVAL_MS
from stream_app.model.intervals.row import ACTIVE
from stream_app.model.ports import Partition

from .state import CellField, Change, PublisherState

LastSeen = Mapping[CellField, tuple[int, int]]
"""Place → the first and the last interval in which anything was counted."""


class SeenQueues:
    """When queues were active, as a round learns it.

    Attributes:
        before: what was known when the round began.
        starts: place → intervals that changed in the round.
    """

    def __init__(self, state: PublisherState, number: Callable[[Partition], int]) -> None:
        """Take a function that returns a partition's number; ``state`` is updated with what is learned."""
        self._state, self._number = state, number
        self.before: LastSeen = dict(state.seen)
        self.starts: dict[CellField, list[int]] = defaultdict(list)

    def known_before(self, changes: Iterable[Change]) -> tuple[LastSeen, Mapping[CellField, Iterable[int]]]:
        """Return what is known of the changed places without these changes, and the intervals that changed."""
        starts: dict[CellField, list[int]] = defaultdict(list)
        for change in changes:
            starts[change.place].append(change.start)
        seen = self._state.seen
        return {place: seen[place] for place in starts if place in seen}, starts

    def take(self, changes: Iterable[Change]) -> set[tuple[int, CellField]]:
        """Note when queues were active and partitions read; return the recordings' partitions and places."""
        state = self._state
        recorded: set[tuple[int, CellField]] = set()
        for change in changes:
            start, place, name, live = (
                change.start,
                change.place,
                str(change.partition),
                change.partition.is_live,
            )
            self.starts[place].append(start)
            first, last = state.seen.get(place, (start, start))
            state.seen[place] = (min(first, start), max(last, start))
            begin, end = state.spans.get(name, (start, start))
            state.spans[name] = (min(begin, start), max(end, start + INTERVAL_MS, state.final if live else 0))
            if not live:
                key = (self._number(change.partition), place)
                state.over[key] = max(start, state.over.get(key, 0))
                recorded.add(key)
        return recorded


class ZeroRows:
    """The intervals that get zero rows, from what was known of queues before some changes and with them.

    Attributes:
        unheard: places of which nothing was known before.
    """

    def __init__(
        self, state: PublisherState, before: LastSeen, changed: Mapping[CellField, Iterable[int]]
    ) -> None:
        """Set what was known.

        Args:
            state: the state with the changes.
            before: ``state.seen`` without them; it needs only the changed places.
            changed: place → the intervals that changed.
        """
        self._state = state
        self._starts = {place: sorted(starts) for place, starts in changed.items()}
        self._before = before
        self.unheard = {place for place in self._starts if place not in before}

    def changes(self, place: CellField) -> tuple[int, int]:
        """Return the first and the last interval that changed."""
        starts = self._starts[place]
        return starts[0], starts[-1]

    def heard_of(self, begin: int, end: int) -> list[CellField]:
        """Return the places that may have zero rows in a time range."""
        seen = self._state.seen.items()
        return sorted(place for place, (first, last) in seen if first < end and last > begin - ACTIVE)

    def starts(self, place: CellField, begin: int, end: int) -> Iterator[int]:
        """Yield intervals in ``[begin, end)`` that were read, from the place's first contact on, and not too long after one."""
        first, _ = self._state.seen[place]
        heard = self._starts.get(place, [])
        known = self._before.get(place)
        for start in self._read(max(begin, first), end):
            n = bisect_right(heard, start)
            latest = heard[n - 1] if n else -ACTIVE
            if known and known[0] <= start:
                latest = max(latest, min(known[1], start))
            if start - latest <= ACTIVE:
                yield start

    def _read(self, begin: int, end: int) -> Iterator[int]:
        """Yield intervals that were read completely; partitions and recordings may follow each other."""
        at = begin
        for first, last in sorted(self._state.spans.values()):
            at = max(at, first)
            while at < min(last, end):
                yield at
                at += INTERVAL_MS
