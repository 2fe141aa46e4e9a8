"""Interval rows of a file: CSV, a JSON array, or NDJSON. What is wrong names line and field, and nothing is imported half."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final, NoReturn, TypeVar

import msgspec
from msgspec import Struct

from stream_app.errors import StreamAppError

_T = TypeVar("_T")
Key = tuple[str, str]
"""Queue and channel."""
History = dict[Key, list["IntervalRow"]]
"""Rows by queue and channel, each list in the order of time, no interval twice."""

_HANDLING: Final = ("handled", "talk_s", "hold_s", "wrap_s")
_MINUTES: Final = (5, 10, 15, 30)
_MOST: Final = 10_000_000
"""Contacts or seconds in one interval: more is a slip of a column."""
_MOST_DAYS: Final = 3660
_PACKED: Final = {
    b"\x1f\x8b": ("gzip", "zcat"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstdcat"),
    b"PK": ("zip", "unzip -p"),
}


class HistoryError(StreamAppError):
    """The file can't be used: ``FILE:LINE: FIELD: what is wrong``."""


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
    """

    history: History
    unfinished: int = 0


def read(data: bytes, name: str) -> Volumes:
    """Read a whole file.

    Args:
        data: UTF-8: a JSON array, one JSON object a line, or CSV with a header (comma, semicolon or tab).
        name: of the file, for messages.

    Raises:
        HistoryError: the first thing that is wrong, with line and field.
    """
    for magic, (packed, tool) in _PACKED.items():
        if data.startswith(magic):
            raise HistoryError(
                f"{name}: is a {packed} file; unpack it first: {tool} FILE | stream-app forecast -"
            )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise HistoryError(f"{name}:{_line(data, error.start)}: is not UTF-8") from None
    head = text.lstrip()[:1]
    if not head:
        raise HistoryError(f"{name}: is empty")
    records = {"[": _array, "{": _lines}.get(head, _table)(text, name)
    history: History = {}
    seen: dict[tuple[datetime, str, str], int] = {}
    unfinished = 0
    for line, record in records:
        row, final = _Record(name, line, record).row()
        at = (row.start, row.queue, row.channel)
        if at in seen:
            raise HistoryError(
                f"{name}:{line}: start: {row.queue} {row.channel} {row.start:%Y-%m-%dT%H:%MZ} stands in line {seen[at]} already"
            )
        seen[at] = line
        if final:
            history.setdefault((row.queue, row.channel), []).append(row)
        else:
            unfinished += 1
    for key, rows in history.items():
        rows.sort(key=lambda row: row.start)
        _check_overlap(name, key, rows, seen)
    if not history:
        raise HistoryError(f"{name}: has no row that is final")
    return Volumes(dict(sorted(history.items())), unfinished)


def _check_overlap(
    name: str, key: Key, rows: list[IntervalRow], lines: Mapping[tuple[datetime, str, str], int]
) -> None:
    if (rows[-1].start - rows[0].start).days > _MOST_DAYS:
        line = lines[(rows[-1].start, *key)]
        raise HistoryError(
            f"{name}:{line}: start: is more than ten years after the first, {rows[0].start:%Y-%m-%d}"
        )
    for before, row in pairwise(rows):
        if (row.start - before.start).total_seconds() < before.minutes * 60:
            first, line = lines[(before.start, *key)], lines[(row.start, *key)]
            raise HistoryError(f"{name}:{line}: start: overlaps the {before.minutes} minutes of line {first}")


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def _array(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    data = text.encode()
    try:
        parts = msgspec.json.decode(data, type=list[msgspec.Raw])
    except msgspec.DecodeError as error:
        raise HistoryError(f"{name}:{_broken(data, error)}: is no JSON: {error}") from None
    at, line = 0, 1
    for part in parts:
        raw = bytes(part)
        begin = data.index(raw, at)
        line += data.count(b"\n", at, begin)
        yield line, _object(raw, name, line)
        at = begin + len(raw)
        line += raw.count(b"\n")


def _broken(data: bytes, error: Exception) -> int:
    """The line of a decoder's complaint; it names a byte, or the input ended."""
    place = str(error).rpartition("byte ")[2].rstrip(")")
    return _line(data, int(place) if place.isdigit() else len(data.rstrip()))


def _lines(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, part in enumerate(text.split("\n"), 1):
        if part.strip():
            yield line, _object(part.encode(), name, line)


def _object(raw: bytes, name: str, line: int) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise HistoryError(f"{name}:{line}: is no JSON object: {error}") from None


def _table(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [cell.strip() for cell in next(reader)]
        for need in ("start", "minutes", "queue", "channel", "offered"):
            if need not in header:
                raise HistoryError(
                    f"{name}:1: {need}: no column is called so; the header is {', '.join(header)[:120]}"
                )
        for twice in {cell for cell in header if header.count(cell) > 1}:
            raise HistoryError(f"{name}:1: {twice}: two columns are called so")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise HistoryError(
                    f"{name}:{reader.line_num}: has {len(cells)} cells, the header {len(header)}"
                )
            yield (
                reader.line_num,
                {key: cell.strip() or None for key, cell in zip(header, cells, strict=True)},
            )
    except csv.Error as error:
        raise HistoryError(f"{name}:{reader.line_num}: {error}") from None


class _Record:
    """One row as it was written: its fields are asked for one by one, so that each can be named."""

    def __init__(self, name: str, line: int, record: Mapping[str, Any]) -> None:
        self._place = f"{name}:{line}"
        self._record = record

    def row(self) -> tuple[IntervalRow, bool]:
        start = self._field("start", _moment)
        minutes = self._field("minutes", _whole)
        if minutes not in _MINUTES:
            self._wrong("minutes", f"{minutes} is none of {', '.join(map(str, _MINUTES))}")
        if start.second or start.microsecond or start.minute % min(minutes, 15):
            self._wrong(
                "start",
                f"{str(self._record['start'])!r} does not begin at a multiple of {min(minutes, 15)} minutes",
            )
        given = [name for name in _HANDLING if self._record.get(name) is not None]
        handled = handle_s = None
        if given:
            handled = self._field("handled", _whole)
            handle_s = sum(self._field(name, _seconds) for name in _HANDLING[1:])
        final = self._field("final", _truth) if self._record.get("final") is not None else True
        row = IntervalRow(
            start=start,
            minutes=minutes,
            queue=self._field("queue", _name),
            channel=self._field("channel", _name),
            offered=self._field("offered", _whole),
            handled=handled,
            handle_s=handle_s,
        )
        return row, final

    def _field(self, name: str, parse: Callable[[Any], _T]) -> _T:
        value = self._record.get(name)
        if value is None:
            self._wrong(name, "is missing")
        try:
            return parse(value)
        except ValueError as error:
            self._wrong(name, f"{str(value)[:40]!r} {error}")

    def _wrong(self, name: str, why: str) -> NoReturn:
        raise HistoryError(f"{self._place}: {name}: {why}")


def _moment(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ValueError("is no time with an offset; write 2026-01-05T08:00:00+01:00")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of range") from None


def _whole(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:20])
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("is no whole number")  # noqa: TRY004 - all of these become one error with line and field
    if not 0 <= value <= _MOST:
        raise ValueError("is negative" if value < 0 else f"is more than {_MOST:,}")
    return value


def _seconds(value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("is no number of seconds")
    if not 0 <= number <= _MOST:
        raise ValueError("is negative" if number < 0 else f"is more than {_MOST:,} s")
    return number


def _truth(value: Any) -> bool:
    truth = {True: True, False: False, "true": True, "false": False}.get(
        value if isinstance(value, str | bool) else None
    )
    if truth is None:
        raise ValueError("is neither true nor false")
    return truth


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("is no name")
    return value.strip()
