"""Interval rows as they are read: a 15-minute interval, or several together. Plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Final

from stream_app.model.durations import MINUTE

from .columns import COLUMNS, FIELDS, FLOW, INTERVAL_MS, MINUTES, WIDTH, IntervalRow
from .counting import Amounts, compact, interval_start

EVER: Final = 1 << 62
ACTIVE: Final = 35 * 86_400_000
"""A queue has rows of zeros for so long after its last contact."""

_ZEROS: Final = (0,) * WIDTH
_by_number: Final = itemgetter(*(COLUMNS[name].number for name in FIELDS))


def row_of(key: tuple[int, str, str], counted: Sequence[int], **rest: int | None) -> IntervalRow:
    """Make the row of a 15-minute interval.

    Args:
        key: its start, queue and channel.
        counted: by place; zeros at the end may be missing.
        rest: fields of the row that are not counted.
    """
    counts = _by_number((*counted, *_ZEROS[len(counted) :]))
    return IntervalRow(key[0], INTERVAL_MS // MINUTE, key[1], key[2], *counts, **rest)  # type: ignore[arg-type] # by name


def together(rows: Sequence[IntervalRow], start: int, minutes: int, now: int = EVER) -> IntervalRow:
    """Rows of one queue and channel as one of a longer interval.

    Args:
        rows: at least one, in the order of time, each within the interval, no two of one time.
        start: of the interval.
        minutes: its length.
        now: ms; intervals that begin later are yet to come, and not missing.
    """
    first = rows[0]
    end = start + minutes * MINUTE
    begun = sum(row.minutes * MINUTE for row in rows if row.start < now)
    counted = {
        name: (max if column.largest else sum)(getattr(row, name) for row in rows)
        for name, column in COLUMNS.items()
    }
    deepest = [row.backlog_max for row in rows if row.backlog_max is not None]
    due = -(-(max(start, min(end, now)) - start) // INTERVAL_MS)
    missing = due - begun // INTERVAL_MS + sum(row.missing for row in rows)
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
    """Return for each minute of an interval the contacts that came less those that went."""
    return [amounts.get(FLOW + minute, 0) for minute in range(MINUTES)]


def active(busy: Iterable[int], last: int) -> Iterator[int]:
    """Yield the starts of intervals from the first busy one to the last, in order, each at most ``ACTIVE`` after a busy one."""
    following = 0
    for start in sorted(busy):
        following = max(following, start)
        while following <= min(start + ACTIVE, last):
            yield following
            following += INTERVAL_MS


def rows_of(
    place: tuple[str, str],
    counted: Mapping[int, Amounts],
    read_until: int,
    grace: int,
    starts: Sequence[int] | None = None,
) -> list[IntervalRow]:
    """Return the intervals of one queue and channel of which everything is known, from the first contact on.

    Args:
        place: queue and channel.
        counted: interval → what was counted in it, merged over partitions; not empty. All that there ever was: the backlog
            begins with nobody.
        read_until: partition time up to which the records were read, ms; intervals that begin later have a row only if
            something was counted in them.
        grace: a row is final so long after its end, ms.
        starts: the intervals with a row, as far as the place's own reach, these among them. Default: see ``active``.

    Returns:
        Rows in the order of time: of zeros where nobody came, as long as somebody came within ``ACTIVE``. Final ones have
        version 1 and revision 0: nobody numbers what is not kept.
    """
    queue, channel = place
    last = max(*counted, interval_start(read_until))
    rows, depth = [], 0
    for start in active(counted, last) if starts is None else starts:
        if start > last:
            break
        amounts = counted.get(start)
        deepest, end = depths(flows_of(amounts), depth) if amounts else (depth, depth)
        final = start + INTERVAL_MS + grace <= read_until
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
