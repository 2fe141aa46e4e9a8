"""How long the next caller of a queue will wait: from who waits, who is there, and how long work takes.

With all *s* agents of the queue busy, somebody is done every ``handle / s``; of the *k* contacts ahead one gives up every
``patience / k``. A contact is taken after as many of these departures as there are contacts ahead, and one more. Their times
add up to a mean and a variance (those of Erlang A), and the gamma distribution with these is the band.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import Final

from msgspec import Struct

SHARE: Final = 0.8
"""Of all waits, how many the band is meant to hold."""
_Z: Final = 1.2815515655446004
"""The standard normal distribution's 90th percentile: a tenth is below the band, and a tenth is above it."""
_VARIES: Final = 0.75
"""The standard deviation of handle times by their mean. Erlang has 1; it matters once agents take several meanwhile."""


class ExpectedWait(Struct, frozen=True):
    """A wait in seconds, with the band that holds 80 % of such waits."""

    mean: float
    low: float
    high: float


NO_WAIT: Final = ExpectedWait(0.0, 0.0, 0.0)


class StaffThere(Struct, frozen=True):
    """Who works a queue, and how.

    Attributes:
        agents: who serve it and are available, on contact or in wrap-up; of somebody who serves several queues a part.
        available: those of them who are available.
        handle_s: mean time from an answer to the end of its wrap-up, in seconds.
        patience_s: mean time after which a caller gives up, in seconds; infinite: nobody does.
    """

    agents: float
    available: float
    handle_s: float
    patience_s: float = float("inf")


def expected_wait(ahead: int, staff: StaffThere) -> ExpectedWait | None:
    """Return how long a contact has yet to wait that has so many ahead; ``None``: nobody is there to take it."""
    if staff.agents <= 0 or staff.handle_s <= 0:
        return None
    ahead -= ceil(staff.available)  # these are taken at once
    if ahead < 0:
        return NO_WAIT
    rate = staff.agents / staff.handle_s
    steps = [1.0 / (rate + k / staff.patience_s) for k in range(ahead + 1)]
    mean = sum(steps)
    variance = sum(step * step for step in steps)
    rounds = ahead / staff.agents
    variance *= (1 + rounds * _VARIES**2) / (1 + rounds)
    return ExpectedWait(mean, _gamma(mean, variance, -_Z), _gamma(mean, variance, _Z))


def _gamma(mean: float, variance: float, z: float) -> float:
    """Return a quantile of a gamma distribution (Wilson and Hilferty 1931)."""
    ninth = variance / (9 * mean * mean)
    return mean * max(0.0, 1 - ninth + z * sqrt(ninth)) ** 3
