"""The same queues without a formula: their states in exact fractions, and played event by event. Imports nothing of ours."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from heapq import heappop, heappush
from random import Random
from statistics import fmean, stdev


def states(agents: int, arrive: Fraction, serve: Fraction, give_up: Fraction, room: int) -> list[Fraction]:
    """Probabilities of 0…room contacts present, from the balance of each state with the next."""
    weights = [Fraction(1)]
    for present in range(1, room + 1):
        leave = min(present, agents) * serve + max(0, present - agents) * give_up
        weights.append(weights[-1] * arrive / leave)
    total = sum(weights)
    return [weight / total for weight in weights]


def survival(agents: int, serve: float, give_up: float, ahead: int, t: float, *, steps: int = 400) -> float:
    """Probability that a contact that finds all busy and ``ahead`` waiting is answered later than t, and has not given up.

    The wait ahead of it as a chain of deaths (an agent becomes free, or one of those ahead gives up), by Runge and Kutta.
    """
    p = [0.0] * (ahead + 1) + [0.0]
    p[ahead] = 1.0  # p[k]: k are still ahead; p[-1] is unused
    rates = [agents * serve + k * give_up for k in range(ahead + 1)]

    def slope(at: list[float]) -> list[float]:
        return [
            -(rates[k] + give_up) * at[k] + (rates[k + 1] * at[k + 1] if k < ahead else 0.0)
            for k in range(ahead + 1)
        ]

    y, h = p[: ahead + 1], t / steps
    for _ in range(steps):
        a = slope(y)
        b = slope([v + h / 2 * d for v, d in zip(y, a, strict=True)])
        c = slope([v + h / 2 * d for v, d in zip(y, b, strict=True)])
        d4 = slope([v + h * d for v, d in zip(y, c, strict=True)])
        y = [
            v + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4) for v, k1, k2, k3, k4 in zip(y, a, b, c, d4, strict=True)
        ]
    return sum(y)


def played(
    agents: int, per_s: float, handle_s: float, patience_s: float | None, within_s: float, *, seed: int
) -> dict[str, tuple[float, float]]:
    """Mean and standard error of what 40 stretches of 1,000 contacts show: ``waits``, ``met``, ``abandoned``, ``wait_s``."""
    chance = Random(seed)
    now, free = 0.0, agents
    busy: list[float] = []
    line: deque[tuple[float, float]] = deque()
    ends: list[tuple[float, float, bool]] = []  # came, waited, answered
    total = 42_000
    for _ in range(total):
        now += chance.expovariate(per_s)
        while busy and busy[0] <= now:
            at = heappop(busy)
            while line and line[0][1] < at:
                came, until = line.popleft()
                ends.append((came, until - came, False))
            if line:
                came, _ = line.popleft()
                ends.append((came, at - came, True))
                heappush(busy, at + chance.expovariate(1 / handle_s))
            else:
                free += 1
        patience = chance.expovariate(1 / patience_s) if patience_s else float("inf")
        if free:
            free -= 1
            ends.append((now, 0.0, True))
            heappush(busy, now + chance.expovariate(1 / handle_s))
        else:
            line.append((now, now + patience))
    seen = sorted(ends)[1_000:41_000]
    stretches = [seen[n : n + 1_000] for n in range(0, len(seen) - 999, 1_000)]

    def over(value: object) -> tuple[float, float]:
        assert callable(value)
        means = [fmean(value(*end) for end in stretch) for stretch in stretches]
        return fmean(means), stdev(means) / len(means) ** 0.5

    return {
        "waits": over(lambda _came, wait, answered: float(wait > 0 or not answered)),
        "met": over(lambda _came, wait, answered: float(answered and wait <= within_s)),
        "abandoned": over(lambda _came, _wait, answered: float(not answered)),
        "wait_s": over(lambda _came, wait, _answered: wait),
    }
