"""Interval rows to learn from: which of a file's are used. An error names line and field, and nothing is imported partially."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from msgspec import Struct

from stream_app.errors import InputError
from stream_app.model.intervals.columns import WRITTEN
from stream_app.tables import reading
from stream_app.tables.mapping import ColumnMap
from stream_app.tables.row import TableRow

SeriesKey = tuple[str, str]
"""Queue and channel."""
History = dict[SeriesKey, list["HistoryRow"]]
"""Rows by queue and channel, each list in chronological order, no interval twice."""

_HANDLING: Final = ("handled", "talk_s", "hold_s", "wrap_s")
_MEANS: Final = ("aht_s", "average_handle_time_s")
"""Fields that replace the sums: of a forecast, and of the API."""
KNOWN: Final = (*WRITTEN, "aht_s")
_MINUTES: Final = (5, 10, 15, 30, 60)
_MOST: Final = 10_000_000
"""Contacts or seconds in one interval: more is probably a wrong column."""
_MOST_DAYS: Final = 3660
_NEEDED: Final = ("start", "minutes", "queue", "channel", "offered")


class HistoryRow(Struct, frozen=True):
    """One interval of one queue and channel.

    Attributes:
        start: UTC.
        minutes: its length, 5, 10, 15, 30 or 60.
        offered: contacts.
        handled: contacts; ``None`` if it and all handle times were not recorded.
        handle_s: the sum of their talk, hold and wrap-up, seconds.
        estimated_s: the part of it that was estimated from replies; ``None``: not recorded.
    """

    start: datetime
    minutes: int
    queue: str
    channel: str
    offered: int
    handled: int | None = None
    handle_s: float | None = None
    estimated_s: float | None = None


class ParsedHistory(Struct, frozen=True):
    """The content of a file.

    Attributes:
        history: by queue and channel.
        unfinished: rows that were not ``final`` and are ignored.
        outages: rows of an outage, which are ignored too.
    """

    history: History
    unfinished: int = 0
    outages: int = 0


def read(data: bytes, name: str, zone: str | None = None, mapping: ColumnMap | None = None) -> ParsedHistory:
    """Read a whole file.

    Args:
        data: UTF-8: CSV, or JSON (see ``tables.reading``), as ``/v1/intervals`` and ``stream-app intervals`` write them.
        name: the file's name, for messages.
        zone: the zone of times without an offset. Of two rows at a time that the clock shows twice, the second is the later.
        mapping: where the file has the fields, if it names them differently.

    Raises:
        InputError: the first mistake, with line and field.
    """
    history: History = {}
    seen: dict[tuple[datetime, str, str], int] = {}
    unfinished = outages = 0
    for record in reading.read(name, data, KNOWN, _NEEDED, mapping=mapping):
        place = record.text("queue"), record.text("channel", "voice" if mapping else None)
        starts = [start.astimezone(UTC) for start in record.moments("start", zone)]
        start = next((one for one in starts if (one, *place) not in seen), starts[0])
        row = _row(record, start, place)
        at = (row.start, row.queue, row.channel)
        if at in seen:
            raise record.wrong(
                "start",
                f"duplicates line {seen[at]}: {row.queue} {row.channel} {row.start:%Y-%m-%dT%H:%MZ}",
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
        raise InputError(f"{name}:1: found no final row" + (" outside of outages" if outages else ""))
    return ParsedHistory(dict(sorted(history.items())), unfinished, outages)


def _check_overlap(
    name: str, key: SeriesKey, rows: list[HistoryRow], lines: Mapping[tuple[datetime, str, str], int]
) -> None:
    if (rows[-1].start - rows[0].start).days > _MOST_DAYS:
        line = lines[(rows[-1].start, *key)]
        raise InputError(
            f"{name}:{line}: start: more than ten years after the first row, {rows[0].start:%Y-%m-%d}"
        )
    for before, row in pairwise(rows):
        if (row.start - before.start).total_seconds() < before.minutes * 60:
            first, line = lines[(before.start, *key)], lines[(row.start, *key)]
            raise InputError(f"{name}:{line}: start: overlaps the {before.minutes} minutes of line {first}")


def _row(record: TableRow, start: datetime, place: SeriesKey) -> HistoryRow:
    minutes = record.whole("minutes", _MOST)
    if minutes not in _MINUTES:
        raise record.wrong("minutes", f"expected one of {', '.join(map(str, _MINUTES))}; got {minutes}")
    if start.second or start.microsecond or start.minute % min(minutes, 15):
        written = record.text("start")
        raise record.wrong("start", f"expected a multiple of {min(minutes, 15)} minutes, got {written!r}")
    offered = record.whole("offered", _MOST)
    to_bot, from_bot = (
        record.whole(name, _MOST) if record.said(name) else 0 for name in ("to_bot", "from_bot")
    )
    if to_bot > offered:
        raise record.wrong("to_bot", f"expected at most the {offered} contacts offered, got {to_bot}")
    offered += from_bot - to_bot  # people plan for what people do
    handled, handle_s = handling(record, offered)
    estimated_s = record.number("estimated_s", most=_MOST) if record.said("estimated_s") else None
    return HistoryRow(start, minutes, *place, offered, handled, handle_s, estimated_s)


def handling(record: TableRow, offered: int) -> tuple[int | None, float | None]:
    """Return the contacts handled and their seconds; ``None``: not recorded. A mean stands for the sums.

    Raises:
        InputError: a value is wrong, or only some of the sums are there.
    """
    sums = any(record.said(name) for name in _HANDLING[1:])
    mean = next((name for name in _MEANS if record.said(name)), None)
    if not sums and mean is not None:
        handled = record.whole("handled", _MOST) if record.said("handled") else offered
        return handled, handled * record.number(mean, most=_MOST)
    if sums or (record.said("handled") and not any(record.has(name) for name in _MEANS)):
        handled = record.whole("handled", _MOST)
        seconds = sum(record.number(name, most=_MOST) for name in _HANDLING[1:])
        return (handled, seconds) if seconds else (0, 0.0)  # contacts without any time measure no work
    return None, None
