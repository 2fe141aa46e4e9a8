"""Interval rows as they are read: a quarter of an hour, or several together. Plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from .intervals import FIELDS, FLOW, LONGEST, MINUTE, MINUTES, QUARTER, Amounts, compact, quarter

EVER: Final = 1 << 62
ACTIVE: Final = 35 * 86_400_000
"""A queue has rows of zeros for so long after its last contact."""

_ZEROS: Final = (0,) * len(FIELDS)


class IntervalRow(Struct, frozen=True, gc=False):
    """One interval of one queue and channel. Sums add up over rows; waits are those of the contacts queued in it.

    Attributes:
        start: milliseconds since the epoch.
        minutes: its true length: 1,380 and 1,500 too, for days on which clocks change.
        offered: contacts queued in it. Each of these is one of the next five.
        answered, abandoned, left, lost: how their waits ended, whenever that was; ``waiting``: those still in the queue.
        answered_in_target, abandoned_in_target, left_in_target: of these, within the answer target T.
        abandoned_short: gave up within the short-abandon threshold.
        refused: contacts that never got in.
        handled: contacts whose work was completed in it; ``talk_ms``, ``hold_ms``, ``wrap_ms`` are theirs.
        wait_ms: waits of those answered; ``abandon_wait_ms``: of those who gave up.
        longest_wait_ms: of the contacts queued in it, the longest wait that is over.
        backlog_start: contacts in the queue when it began; ``None`` where that is not known.
        backlog_max: most contacts in the queue, of its start and the end of each of its minutes.
        final: it is complete, but for what comes late.
        revision: numbers every change of every final row, ever larger: microseconds since the epoch, or a little more; 0 while
            the row is open.
        version: 1 when it became final, one more at each change since; 0 while it is open.
        missing: quarters of an hour in it that have begun and of which nothing is known. A quarter without contacts is a row
            of zeros, and what is yet to come is not missing.
    """

    start: int
    minutes: int
    queue: str
    channel: str
    offered: int = 0
    answered: int = 0
    answered_in_target: int = 0
    abandoned: int = 0
    abandoned_in_target: int = 0
    abandoned_short: int = 0
    left: int = 0
    left_in_target: int = 0
    lost: int = 0
    refused: int = 0
    handled: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_ms: int = 0
    wait_ms: int = 0
    abandon_wait_ms: int = 0
    longest_wait_ms: int = 0
    backlog_start: int | None = None
    backlog_max: int | None = None
    final: bool = False
    revision: int = 0
    version: int = 0
    missing: int = 0

    @property
    def waiting(self) -> int:
        """Of those offered, who is still in the queue."""
        return self.offered - self.answered - self.abandoned - self.left - self.lost

    @property
    def end(self) -> int:
        """Its end, exclusive."""
        return self.start + self.minutes * MINUTE

    @property
    def handle_ms(self) -> int:
        """Talk, hold and wrap-up of those handled."""
        return self.talk_ms + self.hold_ms + self.wrap_ms


def row_of(key: tuple[int, str, str], counted: Sequence[int], **rest: int | None) -> IntervalRow:
    """A quarter's row.

    Args:
        key: its start, queue and channel.
        counted: by place; zeros at the end may be missing.
        rest: fields of the row that are not counted.
    """
    counts = [*counted[: len(FIELDS)], *_ZEROS[len(counted) :]]
    return IntervalRow(key[0], QUARTER // MINUTE, key[1], key[2], *counts, **rest)  # type: ignore[arg-type] # by name


def together(rows: Sequence[IntervalRow], start: int, minutes: int, now: int = EVER) -> IntervalRow:
    """Rows of one queue and channel as one of a longer interval.

    Args:
        rows: at least one, in the order of time, each within the interval, no two of one time.
        start: of the interval.
        minutes: its length.
        now: ms; quarters that begin later are yet to come, and not missing.
    """
    first = rows[0]
    end = start + minutes * MINUTE
    begun = sum(row.minutes * MINUTE for row in rows if row.start < now)
    counted = {name: sum(getattr(row, name) for row in rows) for name in FIELDS}
    counted[FIELDS[LONGEST]] = max(row.longest_wait_ms for row in rows)
    deepest = [row.backlog_max for row in rows if row.backlog_max is not None]
    due = -(-(max(start, min(end, now)) - start) // QUARTER)
    missing = due - begun // QUARTER + sum(row.missing for row in rows)
    whole = sum(row.minutes for row in rows) == minutes
    return IntervalRow(
        start=start,
        minutes=minutes,
        queue=first.queue,
        channel=first.channel,
        **counted,
        backlog_start=first.backlog_start if first.start == start else None,
        backlog_max=max(deepest, default=None),
        final=whole and not missing and all(row.final for row in rows),
        revision=max(row.revision for row in rows),
        version=max(row.version for row in rows),
        missing=missing,
    )


# --- from what was counted to rows ---


def depths(flows: Sequence[int], start: int) -> tuple[int, int]:
    """How deep a queue was over some minutes.

    Args:
        flows: of each minute, who came less who went.
        start: contacts in the queue before them.

    Returns:
        The most contacts in it, of the start and the end of each minute; and how many there were in the end.
    """
    deepest = depth = start
    for change in flows:
        depth += change
        deepest = max(deepest, depth)
    return deepest, depth


def flows_of(amounts: Mapping[int, int]) -> list[int]:
    """Of each minute of a quarter, who came less who went."""
    return [amounts.get(FLOW + minute, 0) for minute in range(MINUTES)]


def rows_of(
    place: tuple[str, str], counted: Mapping[int, Amounts], read_until: int, grace: int
) -> list[IntervalRow]:
    """The quarters of one queue and channel of which all is known, from the first contact on.

    Args:
        place: queue and channel.
        counted: quarter → what was counted in it, merged over partitions; not empty. All that there ever was: the backlog
            begins with nobody.
        read_until: partition time up to which the records were read, ms; quarters that begin later have a row only if
            something was counted in them.
        grace: a row is final so long after its end, ms.

    Returns:
        Rows in the order of time: of zeros where nobody came, as long as somebody came within ``ACTIVE``. Final ones have
        version 1 and revision 0: nobody numbers what is not kept.
    """
    queue, channel = place
    first, last = min(counted), max(*counted, quarter(read_until))
    rows, depth, active_until = [], 0, first
    for start in range(first, last + 1, QUARTER):
        amounts = counted.get(start)
        if amounts is not None:
            active_until = start + ACTIVE
        elif start > active_until:
            continue
        deepest, end = depths(flows_of(amounts), depth) if amounts else (depth, depth)
        final = start + QUARTER + grace <= read_until
        rows.append(
            row_of(
                (start, queue, channel),
                compact(amounts or {}),
                backlog_start=depth,
                backlog_max=deepest,
                final=final,
                version=int(final),
            )
        )
        depth = end
    return rows
