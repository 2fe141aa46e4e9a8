"""Interval rows from a file, as ``stream-app intervals`` exports them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from stream_app.commands.terminal import STDIN
from stream_app.errors import InputError
from stream_app.model.durations import MINUTE
from stream_app.model.intervals.columns import COLUMNS, INTERVAL_MS, WRITTEN, IntervalRow, written
from stream_app.tables import reading
from stream_app.tables.row import TableRow
from stream_app.views.intervals.spans import milliseconds

_MOST: Final = 10_000_000
_MOST_DAYS: Final = 1_500
_NEEDED: Final = ("start", "minutes", "queue", "channel", *map(written, COLUMNS))


def read_rows(path: Path) -> list[IntervalRow]:
    """Read a whole file.

    Raises:
        InputError: one line that names file, line and field.
    """
    try:
        content = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}:1: {error.strerror}") from None
    seen: dict[tuple[int, str, str], int] = {}
    found = []
    for record in reading.read(str(path), content, WRITTEN, _NEEDED):
        row = _row(record)
        at = (row.start, row.queue, row.channel)
        if at in seen:
            raise record.wrong("start", f"repeats line {seen[at]}: the same queue, channel and start")
        seen[at] = record.line
        found.append(row)
    starts = [row.start for row in found]
    if (max(starts) - min(starts)) // (96 * INTERVAL_MS) > _MOST_DAYS:
        raise InputError(
            f"{path}:1: start: expected at most {_MOST_DAYS} days between the first row and the last"
        )
    return found


def _row(record: TableRow) -> IntervalRow:
    start = milliseconds(record.moment("start"))
    minutes = record.number("minutes")
    if minutes * MINUTE != INTERVAL_MS:
        why = f"expected rows of {INTERVAL_MS // MINUTE} minutes (stream-app intervals --interval 15m), got {minutes:g}"
        raise record.wrong("minutes", why)
    if start % INTERVAL_MS:
        raise record.wrong("start", f"expected a multiple of 15 minutes, got {record.text('start')!r}")
    counts: dict[str, int] = {}
    for name, column in COLUMNS.items():
        field = written(name)
        if column.unit == "ms":
            counts[name] = round(record.number(field, most=_MOST) * 1000)
        else:
            counts[name] = record.whole(field, _MOST)
    depth = record.whole("backlog_start", _MOST) if record.said("backlog_start") else None
    return IntervalRow(
        start=start,
        minutes=INTERVAL_MS // MINUTE,
        queue=record.text("queue"),
        channel=record.text("channel"),
        **counts,
        backlog_start=depth,
        final=record.truth("final", default=True),
    )
