"""What is heard of queues; and where nobody came, and that is known: the quarters of which a row of zeros is written."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from stream_app.model.interval_rows import ACTIVE
from stream_app.model.intervals import QUARTER
from stream_app.model.ports import Partition

from .published import Change, Place, State

Seen = Mapping[Place, tuple[int, int]]
"""Place → the first and the last quarter in which anything was counted."""


class Heard:
    """What a round hears of queues.

    Attributes:
        before: what was known as it began.
        starts: place → quarters that changed in it.
    """

    def __init__(self, state: State, number: Callable[[Partition], int]) -> None:
        """``number`` gives that of a partition; ``state`` takes notice of what is heard."""
        self._state, self._number = state, number
        self.before: Seen = dict(state.seen)
        self.starts: dict[Place, list[int]] = defaultdict(list)

    def known_before(self, changes: Iterable[Change]) -> tuple[Seen, Mapping[Place, Iterable[int]]]:
        """Of the places of some changes, what is known without these, and which quarters they are."""
        starts: dict[Place, list[int]] = defaultdict(list)
        for change in changes:
            starts[change.place].append(change.start)
        seen = self._state.seen
        return {place: seen[place] for place in starts if place in seen}, starts

    def take(self, changes: Iterable[Change]) -> set[tuple[int, Place]]:
        """Note from when to when queues were heard of, and partitions read; gives what recordings tell of."""
        state = self._state
        recorded: set[tuple[int, Place]] = set()
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
            state.spans[name] = (min(begin, start), max(end, start + QUARTER, state.final if live else 0))
            if not live:
                key = (self._number(change.partition), place)
                state.over[key] = max(start, state.over.get(key, 0))
                recorded.add(key)
        return recorded


class Quiet:
    """What was known of queues before some changes, and with them.

    Attributes:
        unheard: places of which nothing was known.
    """

    def __init__(self, state: State, before: Seen, changed: Mapping[Place, Iterable[int]]) -> None:
        """Say what was known.

        Args:
            state: with the changes.
            before: ``state.seen`` without them; other places need not be in it.
            changed: place → the quarters that changed.
        """
        self._state = state
        self._starts = {place: sorted(starts) for place, starts in changed.items()}
        self._before = before
        self.unheard = {place for place in self._starts if place not in before}

    def changes(self, place: Place) -> tuple[int, int]:
        """The first and the last quarter that changed."""
        starts = self._starts[place]
        return starts[0], starts[-1]

    def heard_of(self, begin: int, end: int) -> list[Place]:
        """Places that may have rows of zeros in a stretch of time."""
        seen = self._state.seen.items()
        return sorted(place for place, (first, last) in seen if first < end and last > begin - ACTIVE)

    def starts(self, place: Place, begin: int, end: int) -> Iterator[int]:
        """Quarters in ``[begin, end)`` that were read, after the first contact of the place, and not too long after any."""
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
        """Quarters of which somebody has read all that there is; partitions and recordings may follow each other."""
        at = begin
        for first, last in sorted(self._state.spans.values()):
            at = max(at, first)
            while at < min(last, end):
                yield at
                at += QUARTER
