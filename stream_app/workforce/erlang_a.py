"""Erlang A: M/M/n+M, a queue whose contacts give up after an exponentially distributed patience.

Source of the model: C. Palm (1957); Garnett, Mandelbaum and Reiman, "Designing a call center with impatient customers" (2002);
the offered wait has the density of Baccelli and Hebuterne (1981): l exp(l H(x) - n m x) / (E + l J), where
H(x) = (1 - exp(-x/p)) p, E = 1/B(n - 1), J the integral of the exponential over all x. With a = n p/h and b = A p/h (h handle
time, p patience) all of it follows from one sum, whose terms are all positive:

    g(a, x)  = sum of   x^k / (a (a + 1) … (a + k))    over k ≥ 0
    s(a, x)  = sum of k x^k / (a (a + 1) … (a + k))    = 1 + (x - a) g(a, x)

    D = E + b g(a, b)
    P(W > 0) = b g(a, b) / D                P(gives up) = s(a, b) / D = E(W) / p
    P(V > t) = e b g(a, b u) / D            with u = exp(-t/p), e = exp(l H(t) - n m t)
    P(gives up after t) = e s(a, b u) / D   P(answered after t) = e (a g(a, b u) - 1) / D

A contact that finds k before it is answered with probability a/(a + k + 1), and then has waited p (1/(a+1) + … + 1/(a+k+1)) on
average: that is the ASA. Where the load far exceeds the capacity, the sum has a closed form by the gamma function.
"""

from __future__ import annotations

from math import exp, expm1, inf, lgamma, log, pi, sqrt

from . import erlang
from .outcome import OutcomeShares, Performance, idle

_EPS = 1e-17
_SMALL = 1e-14
_FAR = 9.0
"""Beyond this many standard deviations above its mean, a gamma distribution holds less than 1e-17."""


def reach(
    agents: int,
    load: float,
    handle_s: float,
    within_s: float,
    *,
    patience_s: float = inf,
    short_s: float = 0.0,
    inverse: float | None = None,
) -> Performance:
    """Compute what n agents achieve where contacts abandon.

    Args:
        agents: n ≥ 0.
        load: A ≥ 0, in Erlang.
        handle_s: h > 0, mean handle time in seconds.
        within_s: T ≥ 0, in seconds; within is ≤ T.
        patience_s: p ≥ 0, mean patience in seconds; infinite is Erlang C, 0 is Erlang B.
        short_s: the short-abandon threshold; at most T.
        inverse: 1/B(n, A), if already known.

    Raises:
        ValueError: a number outside of its range.
    """
    if patience_s == inf:
        return erlang.reach(agents, load, handle_s, within_s, inverse=inverse)
    erlang.check(agents, load)
    if not (handle_s > 0 and within_s >= 0 and patience_s >= 0 and 0 <= short_s <= within_s):
        raise ValueError(
            "expected a handle time > 0, target and patience ≥ 0, and short from 0 to the target, "
            f"got handle time {handle_s} s, target {within_s} s, patience {patience_s} s, short {short_s} s"
        )
    if load == 0:
        return idle(agents)
    if agents == 0:
        return _nobody(load, within_s, patience_s, short_s)
    full = erlang.inverse_b(agents, load) if inverse is None else inverse
    if patience_s == 0:
        lost = 1 / full
        waits = OutcomeShares(1 - lost, 0.0, lost)
        return Performance(agents, load, lost, waits, lost, 0.0, 0.0, load * (1 - lost) / agents)
    queue = _Queue(agents, load, handle_s, patience_s, full)
    abandoned = queue.abandoned
    late, after_t = queue.after(within_s)
    after_short = after_t if short_s == within_s else queue.after(short_s)[1] if short_s else abandoned
    answered = max(0.0, 1 - abandoned)
    outcome = OutcomeShares(
        met=max(0.0, answered - late),
        late=late,
        short=max(0.0, abandoned - after_short),
        early=max(0.0, after_short - after_t),
        lost=after_t,
    )
    return Performance(
        agents,
        load,
        queue.waits,
        outcome,
        abandoned,
        queue.waited_s / answered if answered > 0 else None,
        abandoned * patience_s,
        load * answered / agents,
    )


def _nobody(load: float, within_s: float, patience_s: float, short_s: float) -> Performance:
    """Compute the outcome without agents: everybody abandons when their patience ends."""
    after_t, after_short = (exp(-t / patience_s) if patience_s else 0.0 for t in (within_s, short_s))
    outcome = OutcomeShares(0.0, 0.0, 1 - after_short, after_short - after_t, after_t)
    return Performance(0, load, 1.0, outcome, 1.0, None, patience_s, None)


class _Queue:
    """The sums of one queue, divided by exp(``scale``)."""

    def __init__(self, agents: int, load: float, handle_s: float, patience_s: float, full: float) -> None:
        self._arrive, self._serve = load / handle_s, agents / handle_s
        self._patience = patience_s
        self._a, self._b = self._serve * patience_s, self._arrive * patience_s
        self._scale, g, s = _sums(self._a, self._b)
        moment = _moment(self._a, self._b)
        # 1/B(n) = 1 + (n/A) / B(n - 1), so E = (1/B(n) - 1) A/n.
        empty = (full - 1) * load / agents
        self._whole = empty * exp(-self._scale) + self._b * g
        self.waits = min(1.0, self._b * g / self._whole)
        self.abandoned = min(1.0, s / self._whole)
        self.waited_s = patience_s * self._b * moment / self._whole

    def after(self, t: float) -> tuple[float, float]:
        """Return the shares that are answered, and that abandon, more than ``t`` seconds after arrival."""
        x = t / self._patience
        drift = self._arrive * self._patience * -expm1(-x) - self._serve * t
        scale, g, s = _sums(self._a, self._b * exp(-x))
        # Where both have their closed form, the drift is exactly the difference of their scales: nobody is answered at once.
        factor = exp(0.0 if scale else drift - self._scale) / self._whole
        return max(0.0, factor * (self._a * g - exp(-scale))), factor * s


def _far(a: float, x: float) -> bool:
    """Return whether x is so far above a that the sums have their closed form."""
    return x - a > _FAR * sqrt(x) + 30


def _sums(a: float, x: float) -> tuple[float, float, float]:
    """Return the logarithm of a scale and, divided by it, g(a, x) and s(a, x)."""
    if _far(a, x):
        return _log_g(a, x), 1.0, x - a
    g = term = 1 / a
    s = k = 0.0
    place = a
    while True:
        k += 1.0
        place += 1.0
        term *= x / place
        g += term
        s += k * term
        # The remainder is less than a geometric series, of which s has the heaviest terms. The first comparison is for speed.
        if term <= _SMALL * g and term * x * k <= _EPS * s * (place - x):
            return 0.0, g, s


def _moment(a: float, x: float) -> float:
    """Return the negative derivative of g(a + 1, x) by a, divided by the same scale."""
    if _far(a, x):
        return a / x * (log(x) - _digamma(a + 1))
    place = a + 1.0
    term = harmonic = 1 / place
    found = term * harmonic
    while True:
        place += 1.0
        step = 1 / place
        harmonic += step
        term *= x * step
        more = term * harmonic
        found += more
        if more <= _SMALL * found and more * x * (place - a) <= _EPS * found * (place - x):
            return found


def _log_g(a: float, x: float) -> float:
    """Return the logarithm of g where the upper tail of the gamma distribution vanishes: lgamma(a) + x - a log x.

    For large a by Stirling's series, so that large numbers are subtracted before they grow.
    """
    if a < 100:
        return lgamma(a) + x - a * log(x)
    excess = (x - a) / a
    series = 1 / (12 * a) - 1 / (360 * a**3)
    return a * (excess - log(x / a)) + log(2 * pi / a) / 2 + series


def _digamma(x: float) -> float:
    """Return the derivative of lgamma, for x ≥ 1: by recurrence to 10, then its asymptotic series (DLMF 5.11.2)."""
    shift = 0.0
    while x < 10:
        shift -= 1 / x
        x += 1
    y = 1 / (x * x)
    tail = y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y / 132))))
    return shift + log(x) - 1 / (2 * x) - tail
