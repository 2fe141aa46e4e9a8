"""Deferred work: e-mail, cases, promised callbacks. Nobody is on the line, but everything has a deadline.

Work arrives evenly over its interval; people work on what is due first (earliest deadline first, which meets every deadline
that can be met: Liu and Layland 1973; Dertouzos 1974). All amounts are seconds of one person's work.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import floor

from msgspec import Struct

_SAME = 1e-9


class Work(Struct, frozen=True):
    """Work that arrives in one interval.

    Attributes:
        interval: its index; work from before the first interval has 0 and is available from its beginning.
        amount: seconds of one person's work, ≥ 0.
        due: seconds after the beginning of the first interval; work due before its interval ends is due at that end, because
            a plan has no finer resolution than its intervals.
    """

    interval: int
    amount: float
    due: float


class DeferredOutcome(Struct, frozen=True):
    """The outcome of the work of one interval.

    Attributes:
        amount: the work that arrived.
        in_time: the part done by its deadline.
        late: the part done after it, within the plan.
        left: the part not done when the plan ends.
        wait_s: mean time from arrival to completion, of what was done; ``None`` if nothing was.
    """

    amount: float
    in_time: float
    late: float
    left: float
    wait_s: float | None


def people(work: Iterable[Work], lengths: Sequence[float], slack: float = 0.25) -> list[int]:
    """Return the people each interval needs, so that everything is done by its deadline.

    Each interval has as many as a steady pace needs to meet every deadline ahead, but no more than there is work for. That is
    rounded down where this makes nothing late and no later interval needs more than rounding up would have added here: one
    person for an hour, instead of a tenth of one all day.

    Args:
        work: the work that arrives.
        lengths: of the consecutive intervals, in seconds.
        slack: the share of each deadline that is kept free, because forecasts are wrong.

    Raises:
        ValueError: work outside of the intervals, or a negative amount.
    """
    ends = list(accumulate(lengths))
    left = sorted(_Item(_by(w, ends, lengths, slack), w.interval, w.amount) for w in _checked(work, ends))
    counts = []
    for i, length in enumerate(lengths):
        waiting = sum(item.amount for item in left if item.begin <= i)
        exact = min(_pace(left, ends, i), waiting / length)
        few = floor(exact + _SAME)
        rest = _after(left, i, few * length)
        if few < exact - _SAME and (
            any(item.by <= i and item.amount > _SAME for item in rest)
            or (i + 1 < len(ends) and _pace(rest, ends, i + 1) > few + 1)
        ):
            few += 1
            rest = _after(left, i, few * length)
        counts.append(few)
        left = rest
    return counts


def worked_off(
    work: Iterable[Work], lengths: Sequence[float], counts: Sequence[float]
) -> tuple[list[DeferredOutcome], list[float]]:
    """Simulate the given people in each interval, who work on what is due first.

    Args:
        work: the work that arrives.
        lengths: of the intervals, in seconds.
        counts: people in each interval.

    Returns:
        The outcome of each piece of work, in their order; and the seconds worked in each interval.
    """
    ends = list(accumulate(lengths))
    pieces = _checked(work, ends)
    order = sorted(range(len(pieces)), key=lambda n: (pieces[n].due, pieces[n].interval))
    left = [piece.amount for piece in pieces]
    in_time, late, waited = ([0.0] * len(pieces) for _ in range(3))
    worked = []
    for i, (length, count) in enumerate(zip(lengths, counts, strict=True)):
        start = at = ends[i] - length
        for n in order:
            piece = pieces[n]
            if at >= ends[i] or count <= 0:
                break
            if piece.interval > i or left[n] <= 0:
                continue
            amount = min(left[n], (ends[i] - at) * count)
            until = at + amount / count
            due = max(piece.due, ends[piece.interval])
            good = amount if until <= due + _SAME else max(0.0, min(amount, (due - at) * count))
            came = ends[piece.interval] - lengths[piece.interval] / 2
            # On average, half of an interval's own work has arrived when half of it is done.
            waited[n] += amount * max(0.0, (at + until) / 2 - (came if piece.interval < i else start))
            in_time[n] += good
            late[n] += amount - good
            left[n] = 0.0 if until < ends[i] else left[n] - amount
            at = until
        worked.append((at - start) * count)
    done = [
        DeferredOutcome(piece.amount, in_time[n], late[n], left[n], _mean(waited[n], in_time[n] + late[n]))
        for n, piece in enumerate(pieces)
    ]
    return done, worked


class _Item(Struct, order=True):
    """Remaining work: the interval by whose end it must be done, the one in which it arrives, and the amount."""

    by: int
    begin: int
    amount: float


def _checked(work: Iterable[Work], ends: Sequence[float]) -> list[Work]:
    pieces = list(work)
    for piece in pieces:
        if not 0 <= piece.interval < len(ends):
            raise ValueError(f"expected an interval from 0 to {len(ends) - 1}, got {piece.interval}")
        if not piece.amount >= 0:
            raise ValueError(
                f"interval {piece.interval}: expected a non-negative amount of work, got {piece.amount} s"
            )
    return pieces


def _by(work: Work, ends: Sequence[float], lengths: Sequence[float], slack: float) -> int:
    """Return the last interval that ends by the deadline less the slack; if there is none, that in which the work arrives."""
    begin = ends[work.interval] - lengths[work.interval]
    due = begin + (work.due - begin) * (1 - slack)
    return min(max(work.interval, bisect_right(ends, due + _SAME) - 1), len(ends) - 1)


def _pace(left: Sequence[_Item], ends: Sequence[float], i: int) -> float:
    """Return the people from interval ``i`` on that meet every deadline, if all of the work were available."""
    start = ends[i - 1] if i else 0.0
    pace = total = 0.0
    for n, item in enumerate(left):
        total += item.amount
        if n + 1 == len(left) or left[n + 1].by != item.by:
            pace = max(pace, total / (ends[max(item.by, i)] - start))
    return pace


def _after(left: Sequence[_Item], i: int, able: float) -> list[_Item]:
    """Return the work left after interval ``i``, in which ``able`` seconds of it can be done."""
    rest = []
    for item in left:
        done = min(able, item.amount) if item.begin <= i else 0.0
        able -= done
        if item.amount - done > _SAME:
            rest.append(_Item(item.by, item.begin, item.amount - done))
    return rest


def _mean(total: float, count: float) -> float | None:
    return total / count if count > 0 else None
