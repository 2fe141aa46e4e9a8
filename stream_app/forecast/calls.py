"""A list of contacts → interval rows to learn from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.errors import InputError
from stream_app.tables.calls import Call
from stream_app.tables.outcomes import BLOCKED

from .history import History, HistoryRow, ParsedHistory, SeriesKey

MINUTES: Final = 15
_MS: Final = MINUTES * 60_000
_STEP: Final = timedelta(minutes=MINUTES)
_MOST_DAYS: Final = 3660


class _Counted(Struct):
    offered: int = 0
    handled: int = 0
    handle_s: float = 0.0


def count(calls: Iterable[Call], name: str, zone: str) -> ParsedHistory:
    """Count contacts by 15 minutes, from the first contact's day to the last contact of the file.

    The list is complete: an interval in between without a contact of a queue had none. Blocked contacts and calls that the
    centre made are not offered. A contact with a handle time was handled.

    Args:
        calls: in any order.
        name: the file's name, for messages.
        zone: of the day.

    Raises:
        InputError: no contact was offered, or there are more than ten years between two.
    """
    counted: dict[SeriesKey, dict[datetime, _Counted]] = {}
    first = last = None
    for call in calls:
        if call.outbound or call.meaning in BLOCKED:
            continue
        start = datetime.fromtimestamp(call.queued // _MS * _MS / 1000, UTC)
        first, last = min(first or start, start), max(last or start, start)
        place = call.queue, call.channel
        interval = counted.setdefault(place, {}).setdefault(start, _Counted())
        interval.offered += 1
        if seconds := call.handle_s:
            interval.handled += 1
            interval.handle_s += seconds
    if first is None or last is None:
        raise InputError(f"{name}:1: no row is a contact that was offered")
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
