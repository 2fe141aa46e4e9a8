"""Work that waits: e-mail, cases, promised callbacks. Nobody is on the line, but everything has a deadline.

Work comes evenly over its interval; people work on what is due first (earliest deadline first, which keeps every deadline that
can be kept: Liu and Layland 1973; Dertouzos 1974). All amounts are seconds of one person's work.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import floor

from msgspec import Struct

_SAME = 1e-9


class Work(Struct, frozen=True):
    """Work that comes in one interval.

    Attributes:
        interval: its index; work from before the first interval has 0 and is there at its beginning.
        amount: seconds of one person's work, ≥ 0.
        due: seconds after the beginning of the first interval; what is due before its interval ends is due at that end, for
            a plan by intervals knows no better.
    """

    interval: int
    amount: float
    due: float


class Done(Struct, frozen=True):
    """What became of the work of one interval.

    Attributes:
        amount: what came.
        in_time: of that, done by its deadline.
        late: done after it, within the plan.
        left: not done when the plan ends.
        wait_s: mean time from coming to being done, of what was done; ``None`` if nothing was.
    """

    amount: float
    in_time: float
    late: float
    left: float
    wait_s: float | None


def people(work: Iterable[Work], lengths: Sequence[float], slack: float = 0.25) -> list[int]:
    """How many people each interval needs, so that everything is done by its deadline.

    Each interval has as many as keep a steady pace that makes every deadline ahead, but no more than find work. That is rounded
    down where it makes nothing late and no later interval needs more than rounding up would have given this one: one person
    for an hour, and not a tenth of one all day.

    Args:
        work: what comes.
        lengths: of the intervals, in seconds, one behind the other.
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
) -> tuple[list[Done], list[float]]:
    """What becomes of the work if so many people work in each interval, on what is due first.

    Args:
        work: what comes.
        lengths: of the intervals, in seconds.
        counts: people in each interval.

    Returns:
        What became of each piece of work, in their order; and how many seconds were worked in each interval.
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
            # Of its own interval's work on average half has come when half is done.
            waited[n] += amount * max(0.0, (at + until) / 2 - (came if piece.interval < i else start))
            in_time[n] += good
            late[n] += amount - good
            left[n] = 0.0 if until < ends[i] else left[n] - amount
            at = until
        worked.append((at - start) * count)
    done = [
        Done(piece.amount, in_time[n], late[n], left[n], _mean(waited[n], in_time[n] + late[n]))
        for n, piece in enumerate(pieces)
    ]
    return done, worked


class _Item(Struct, order=True):
    """Work that is left: by the end of which interval it must be done, in which it comes, and how much it is."""

    by: int
    begin: int
    amount: float


def _checked(work: Iterable[Work], ends: Sequence[float]) -> list[Work]:
    pieces = list(work)
    for piece in pieces:
        if not 0 <= piece.interval < len(ends):
            raise ValueError(f"interval {piece.interval}: there are {len(ends)}")
        if not piece.amount >= 0:
            raise ValueError(f"interval {piece.interval}: {piece.amount} s of work")
    return pieces


def _by(work: Work, ends: Sequence[float], lengths: Sequence[float], slack: float) -> int:
    """The last interval that ends by the deadline less the slack; that in which the work comes, if there is none."""
    begin = ends[work.interval] - lengths[work.interval]
    due = begin + (work.due - begin) * (1 - slack)
    return min(max(work.interval, bisect_right(ends, due + _SAME) - 1), len(ends) - 1)


def _pace(left: Sequence[_Item], ends: Sequence[float], i: int) -> float:
    """How many people from interval ``i`` on make every deadline, if all of the work were there."""
    start = ends[i - 1] if i else 0.0
    pace = total = 0.0
    for n, item in enumerate(left):
        total += item.amount
        if n + 1 == len(left) or left[n + 1].by != item.by:
            pace = max(pace, total / (ends[max(item.by, i)] - start))
    return pace


def _after(left: Sequence[_Item], i: int, able: float) -> list[_Item]:
    """What is left after interval ``i``, in which so much can be done."""
    rest = []
    for item in left:
        done = min(able, item.amount) if item.begin <= i else 0.0
        able -= done
        if item.amount - done > _SAME:
            rest.append(_Item(item.by, item.begin, item.amount - done))
    return rest


def _mean(total: float, count: float) -> float | None:
    return total / count if count > 0 else None
