"""The arrivals of contacts: a Poisson process whose rate follows the time of day, chance, and spikes."""

import math
from collections.abc import Sequence
from random import Random
from typing import Final

from stream_app.model.durations import DAY

from .incidents import Incident
from .settings import QueueSettings

INTERVAL_MS: Final = 900_000
"""The rate is constant within a 15-minute interval, unless a spike begins or ends in it."""
_MEMORY: Final = 0.8
"""How much of one interval's random factor persists in the next."""


class Arrivals:
    """The arrivals of one queue, in order.

    Exact for a piecewise constant rate: an exponentially distributed number of expected arrivals is used up piece by piece.
    """

    def __init__(
        self,
        queue: QueueSettings,
        spikes: Sequence[Incident],
        start: int,
        *,
        offset: int,
        rng: Random,
        holidays: frozenset[int] = frozenset(),
    ) -> None:
        """Begin at ``start``; ``offset`` is the centre's clock minus UTC in milliseconds."""
        self._queue = queue
        self._spikes = [s for s in spikes if s.queue in (None, queue.name)]
        self._offset = offset
        self._holidays = holidays
        self._rng = rng
        self._now = float(start)
        self._interval = -1
        self._drift = rng.gauss(0, 1)
        self._rate, self._until = 0.0, start
        self._enter(start)

    def next(self) -> int | None:
        """Return the next arrival, in milliseconds since the epoch; ``None`` if there are no more."""
        needed = -math.log(1 - self._rng.random())
        until_latest = self._now + 8 * DAY
        while True:
            room = (self._until - self._now) * self._rate
            if needed <= room:
                self._now += needed / self._rate if self._rate else 0
                return int(self._now)
            needed -= room
            self._now = float(self._until)
            if self._now > until_latest:
                return None
            self._enter(self._until)

    def _enter(self, at: int) -> None:
        """Enter a new piece: set its rate in contacts per millisecond, and its end."""
        interval = at // INTERVAL_MS
        if interval != self._interval:
            self._interval = interval
            self._drift = _MEMORY * self._drift + math.sqrt(1 - _MEMORY**2) * self._rng.gauss(0, 1)
        middle = interval * INTERVAL_MS + INTERVAL_MS // 2 + self._offset
        noise = self._queue.noise
        factor = math.exp(noise * self._drift - noise**2 / 2)
        day = middle // DAY
        factor *= self._queue.of_day(day, holiday=day in self._holidays)
        until = (interval + 1) * INTERVAL_MS
        for spike in self._spikes:
            if spike.begin <= at < spike.end:
                factor *= spike.times
            until = min([until, *(edge for edge in (spike.begin, spike.end) if edge > at)])
        self._rate = self._queue.per_hour * self._queue.weight(middle) * factor / 3_600_000
        self._until = until
