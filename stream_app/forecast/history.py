"""Interval rows to learn from: which of a file's are used. What is wrong names line and field, and nothing is imported half."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from msgspec import Struct

from stream_app.errors import InputError
from stream_app.model import row_files
from stream_app.model.row_files import INTERVAL_FIELDS, Row

Key = tuple[str, str]
"""Queue and channel."""
History = dict[Key, list["IntervalRow"]]
"""Rows by queue and channel, each list in the order of time, no interval twice."""

_HANDLING: Final = ("handled", "talk_s", "hold_s", "wrap_s")
_MINUTES: Final = (5, 10, 15, 30)
_MOST: Final = 10_000_000
"""Contacts or seconds in one interval: more is a slip of a column."""
_MOST_DAYS: Final = 3660
_NEEDED: Final = ("start", "minutes", "queue", "channel", "offered")


class IntervalRow(Struct, frozen=True):
    """One interval of one queue and channel.

    Attributes:
        start: UTC.
        minutes: its length, 5, 10, 15 or 30.
        offered: contacts.
        handled: contacts; ``None`` with all times of handling: not recorded.
        handle_s: talk, hold and wrap-up of those, seconds, their sum.
    """

    start: datetime
    minutes: int
    queue: str
    channel: str
    offered: int
    handled: int | None = None
    handle_s: float | None = None


class Volumes(Struct, frozen=True):
    """What was read.

    Attributes:
        history: by queue and channel.
        unfinished: rows that were not ``final`` and are not used.
        outages: rows of an outage, which are not used either.
    """

    history: History
    unfinished: int = 0
    outages: int = 0


def read(data: bytes, name: str) -> Volumes:
    """Read a whole file.

    Args:
        data: UTF-8: CSV, or JSON (see ``row_files``), as ``/v1/intervals`` and ``stream-app intervals`` write them.
        name: of the file, for messages.

    Raises:
        InputError: the first thing that is wrong, with line and field.
    """
    history: History = {}
    seen: dict[tuple[datetime, str, str], int] = {}
    unfinished = outages = 0
    for record in row_files.read(name, data, INTERVAL_FIELDS, _NEEDED):
        row = _row(record)
        at = (row.start, row.queue, row.channel)
        if at in seen:
            raise record.wrong(
                "start",
                f"{row.queue} {row.channel} {row.start:%Y-%m-%dT%H:%MZ} stands in line {seen[at]} already",
            )
        seen[at] = record.line
        if not record.truth("final", default=True):
            unfinished += 1
        elif record.said("outage"):
            outages += 1
        else:
            history.setdefault((row.queue, row.channel), []).append(row)
    for key, rows in history.items():
        rows.sort(key=lambda row: row.start)
        _check_overlap(name, key, rows, seen)
    if not history:
        raise InputError(f"{name}:1: has no row that is final" + (" and of no outage" if outages else ""))
    return Volumes(dict(sorted(history.items())), unfinished, outages)


def _check_overlap(
    name: str, key: Key, rows: list[IntervalRow], lines: Mapping[tuple[datetime, str, str], int]
) -> None:
    if (rows[-1].start - rows[0].start).days > _MOST_DAYS:
        line = lines[(rows[-1].start, *key)]
        raise InputError(
            f"{name}:{line}: start: is more than ten years after the first, {rows[0].start:%Y-%m-%d}"
        )
    for before, row in pairwise(rows):
        if (row.start - before.start).total_seconds() < before.minutes * 60:
            first, line = lines[(before.start, *key)], lines[(row.start, *key)]
            raise InputError(f"{name}:{line}: start: overlaps the {before.minutes} minutes of line {first}")


def _row(record: Row) -> IntervalRow:
    start = record.moment("start").astimezone(UTC)
    minutes = record.whole("minutes", _MOST)
    if minutes not in _MINUTES:
        raise record.wrong("minutes", f"{minutes} is none of {', '.join(map(str, _MINUTES))}")
    if start.second or start.microsecond or start.minute % min(minutes, 15):
        written = record.text("start")
        raise record.wrong("start", f"{written!r} does not begin at a multiple of {min(minutes, 15)} minutes")
    handled = handle_s = None
    if any(record.said(name) for name in _HANDLING):
        handled = record.whole("handled", _MOST)
        handle_s = sum(record.number(name, most=_MOST) for name in _HANDLING[1:])
    return IntervalRow(
        start=start,
        minutes=minutes,
        queue=record.text("queue"),
        channel=record.text("channel"),
        offered=record.whole("offered", _MOST),
        handled=handled,
        handle_s=handle_s,
    )
