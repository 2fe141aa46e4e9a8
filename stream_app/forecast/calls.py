"""A list of contacts, one row each → interval rows to learn from."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.errors import InputError
from stream_app.tables import reading
from stream_app.tables.mapping import ColumnMap

from .history import History, HistoryRow, ParsedHistory, SeriesKey, handling

MINUTES: Final = 15
KNOWN: Final = ("start", "queue", "channel", "aht_s", "talk_s", "hold_s", "wrap_s", "handled")
_NEEDED: Final = ("start", "queue")
_STEP: Final = timedelta(minutes=MINUTES)
_MOST_DAYS: Final = 3660


class _Counted(Struct):
    offered: int = 0
    handled: int = 0
    handle_s: float = 0.0


def read(data: bytes, name: str, zone: str, mapping: ColumnMap | None = None) -> ParsedHistory:
    """Count contacts by 15 minutes, from the first contact's day to the last contact of the file.

    The list is complete: an interval in between without a contact of a queue had none. A contact with a handle time was
    handled.

    Args:
        data: UTF-8: CSV or JSON; ``start`` is when the contact came, ``queue``, and perhaps ``channel`` and handle times.
        name: the file's name, for messages.
        zone: of the day, and of times without an offset.
        mapping: where the file has the fields, if it names them differently.

    Raises:
        InputError: the first mistake, with line and field.
    """
    counted: dict[SeriesKey, dict[datetime, _Counted]] = {}
    first = last = None
    for record in reading.read(name, data, KNOWN, _NEEDED, mapping=mapping):
        moment = record.moments("start", zone)[0].astimezone(UTC)
        start = moment - timedelta(
            minutes=moment.minute % MINUTES, seconds=moment.second, microseconds=moment.microsecond
        )
        first, last = min(first or start, start), max(last or start, start)
        place = record.text("queue"), record.text("channel", "voice")
        interval = counted.setdefault(place, {}).setdefault(start, _Counted())
        _, seconds = handling(record, 1)
        interval.offered += 1
        if seconds:
            interval.handled += 1
            interval.handle_s += seconds
    assert first is not None  # noqa: S101 - a file without rows was refused
    assert last is not None  # noqa: S101 - same
    if (last - first).days > _MOST_DAYS:
        raise InputError(f"{name}:1: start: more than ten years between {first:%Y-%m-%d} and {last:%Y-%m-%d}")
    begin = datetime.combine(first.astimezone(ZoneInfo(zone)), time(), ZoneInfo(zone)).astimezone(UTC)
    starts = [begin + n * _STEP for n in range((last - begin) // _STEP + 1)]
    history: History = {
        place: [_row(start, place, of.get(start, _Counted())) for start in starts]
        for place, of in sorted(counted.items())
    }
    return ParsedHistory(history)


def _row(start: datetime, place: SeriesKey, one: _Counted) -> HistoryRow:
    return HistoryRow(start, MINUTES, *place, one.offered, one.handled, one.handle_s)
