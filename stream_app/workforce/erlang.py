"""Erlang B and C: M/M/n without waiting, and with waiting for ever.

Sources: A. K. Erlang, "Solution of some problems in the theory of probabilities of significance in automatic telephone
exchanges" (1917); the recursion is B(n) = A B(n - 1) / (n + A B(n - 1)). It is used on 1/B, in which every term is positive, so
nothing cancels and nothing underflows early; no factorial or power of the load is computed.
"""

from __future__ import annotations

from math import exp, floor

from .outcome import OutcomeShares, Performance, idle

_EPS = 1e-18
"""Terms smaller than this share of their sum can't change a double."""


def inverse_b(agents: int, load: float) -> float:
    """Return 1/B(n, A), at least 1; infinite where the blocking is smaller than any double.

    It is the sum of n!/(n - k)!/A^k over k = 0…n, from the largest state down: about 9 sqrt(A) terms matter, so 10,000 Erlang
    cost a thousand steps and not ten thousand.

    Args:
        agents: n ≥ 0.
        load: A > 0, in Erlang.
    """
    total = term = 1.0
    for present in range(agents, 0, -1):
        term *= present / load
        total += term
        if term < _EPS * total and present < load:
            break
    return total


def erlang_b(agents: int, load: float) -> float:
    """Return the share of contacts that are blocked where nobody can wait.

    Args:
        agents: n ≥ 0.
        load: A ≥ 0, in Erlang.

    Raises:
        ValueError: a negative number.
    """
    check(agents, load)
    if load == 0:
        return 0.0 if agents else 1.0
    return 1 / inverse_b(agents, load)


def erlang_c(agents: int, load: float) -> float:
    """Return the share of contacts that wait where nobody abandons; 1 if the load exceeds the agents' capacity.

    C = 1 / (r + (1 - r)/B) with r = A/n, which is B / (1 - r (1 - B)) written without a difference of close numbers.

    Raises:
        ValueError: a negative number.
    """
    check(agents, load)
    if load >= agents:
        return 1.0
    return waiting(agents, load, inverse_b(agents, load)) if load else 0.0


def waiting(agents: int, load: float, inverse: float) -> float:
    """Return C from 1/B, for 0 < A < n."""
    used = load / agents
    return 1 / (used + (1 - used) * inverse)


def reach(
    agents: int, load: float, handle_s: float, within_s: float, *, inverse: float | None = None
) -> Performance:
    """Compute what n agents achieve where nobody abandons.

    P(W > t) = C exp(-(n - A) t / h), E(W) = C h / (n - A) (Erlang 1917; e.g. Gans, Koole and Mandelbaum 2003, section 4).

    Args:
        agents: n ≥ 0.
        load: A ≥ 0, in Erlang.
        handle_s: h > 0, mean handle time in seconds.
        within_s: T ≥ 0, in seconds; within is ≤ T.
        inverse: 1/B(n, A), if already known.

    Raises:
        ValueError: a number outside of its range.
    """
    check(agents, load)
    if not (handle_s > 0 and within_s >= 0):
        raise ValueError(
            f"expected a handle time > 0 and a target ≥ 0, got handle time {handle_s} s and target {within_s} s"
        )
    if load == 0:
        return idle(agents)
    if load >= agents:  # no steady state: in the end everybody waits for ever
        return Performance(
            agents, load, 1.0, OutcomeShares(0.0, 1.0), 0.0, None, None, 1.0 if agents else None
        )
    waits = waiting(agents, load, inverse_b(agents, load) if inverse is None else inverse)
    spare = agents - load
    late = waits * exp(-spare * within_s / handle_s)
    wait_s = waits * handle_s / spare
    return Performance(agents, load, waits, OutcomeShares(1 - late, late), 0.0, wait_s, wait_s, load / agents)


def fewest(load: float) -> int:
    """Return the fewest agents with which a queue without abandonment does not grow for ever: more than A."""
    return floor(load) + 1


def check(agents: int, load: float) -> None:
    """Refuse an invalid number of agents or load."""
    if agents < 0 or not 0 <= load < float("inf"):
        raise ValueError(
            f"expected non-negative, finite agents and load, got {agents} agents and {load} Erlang"
        )
