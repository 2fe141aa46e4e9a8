"""The life of an alert over time: pending, firing, over. As Prometheus evaluates it, each half minute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from stream_app.model.durations import MINUTE, SECOND
from stream_app.model.targets.hours import Calendar

from .judging import BEGINS, CONTINUES, SILENT
from .local_hours import LocalHours

EVALUATED: Final = 30 * SECOND
OpenSpan = tuple[int, int]
"""Milliseconds since the epoch: from, until."""
StatePiece = tuple[int, int, int]
"""From, until, and the state between."""


class Firing(Struct, frozen=True):
    """A span of time in which an alert fires, ms; ``over`` is false if it still does where the data ends."""

    start: int
    end: int
    over: bool = True

    @property
    def length(self) -> int:
        """How long, ms."""
        return self.end - self.start


def firings(pieces: Iterable[StatePiece], hold: int, keep: int) -> list[Firing]:
    """Return when an alert fires.

    Args:
        pieces: consecutive, in chronological order.
        hold: how long it must begin before it fires, ms.
        keep: how long it fires after it was last seen, ms.
    """
    hold, keep = (-(-length // EVALUATED) * EVALUATED for length in (hold, keep))
    found: list[Firing] = []
    pending = fired = lost = None
    end = 0
    for start, end, state in pieces:
        if fired is not None and lost is not None and lost + keep < start:  # between two pieces
            found.append(Firing(fired, lost + keep))
            fired = lost = None
        if state == BEGINS or (state == CONTINUES and fired is not None):
            lost = None
            if fired is None:
                pending = start if pending is None else pending
                fired = max(start, pending + hold) if pending + hold < end else None
            continue
        pending = None
        if fired is None:
            continue
        lost = start if lost is None else lost
        if lost + keep < end:
            found.append(Firing(fired, lost + keep))
            fired = lost = None
    if fired is not None:
        found.append(Firing(fired, end, over=False))
    return found


def pieces(
    states: Sequence[int | None], first_end: int, step: int, within: Iterable[OpenSpan] | None
) -> Iterator[StatePiece]:
    """Yield pieces of time in which the state is the same: what was known last holds until the next interval ends.

    Args:
        states: at the end of each interval; unknown ones are silent.
        first_end: where the first interval ends, ms.
        step: length of an interval, ms.
        within: spans in chronological order outside of which it is silent; ``None``: everywhere.
    """
    spans = None if within is None else iter(within)
    span = None if spans is None else next(spans, None)
    for n, found in enumerate(states[:-1]):
        at, end, state = first_end + n * step, first_end + (n + 1) * step, found or SILENT
        if spans is None:
            yield at, end, state
            continue
        while at < end:
            while span is not None and span[1] <= at:
                span = next(spans, None)
            inside = span is not None and span[0] <= at
            edge = end if span is None else min(end, span[1] if inside else span[0])
            yield at, edge, state if inside else SILENT
            at = edge


def spans(hours: Calendar | LocalHours, start: int, end: int) -> Iterator[OpenSpan]:
    """Yield when hours hold between two moments, ms."""
    if isinstance(hours, Calendar):
        for begin, until in hours.periods(start):
            if begin >= end:
                return
            yield begin, until
        return
    begun: int | None = None
    for at in range(start // MINUTE * MINUTE, end + MINUTE, MINUTE):
        holds = at < end and hours.holds(at)
        if holds and begun is None:
            begun = at
        elif not holds and begun is not None:
            yield begun, at
            begun = None
