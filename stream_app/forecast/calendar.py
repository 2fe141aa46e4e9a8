"""Days as the queue's people live them: local dates, slots of the wall clock, and what was marked by hand.

A day has ``1440 / minutes`` slots. When clocks go forward some of them don't happen; when they go back some happen twice,
told apart by their offset from UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.errors import BadSettingsError

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLOSED: Final = 7
"""The kind of a day on which nobody can call; 0 … 6 are Monday … Sunday."""
LEFT_OUT: Final = -1
"""The kind of a day of which nothing is learned and nothing is said."""
DAY: Final = 1440


class Span(Struct, frozen=True):
    """A marked time: the begin is within, the end is not; UTC."""

    begin: datetime
    end: datetime


class Calendar(Struct, frozen=True):
    """What is known of days besides their weekday.

    Attributes:
        zone: in which a week of the queue is the same every week.
        kinds: local date → its kind, where it is not that of its weekday.
        spans: times of which nothing is learned: outages, campaigns.
    """

    zone: ZoneInfo = ZoneInfo("UTC")
    kinds: Mapping[date, int] = {}
    spans: tuple[Span, ...] = ()

    def kind(self, day: date) -> int:
        """0 … 6, or ``CLOSED``, or ``LEFT_OUT``."""
        return self.kinds.get(day, day.weekday())

    def place(self, start: datetime, minutes: int) -> tuple[date, int]:
        """The local date, and the slot of the wall clock, in which a moment is."""
        local = start.astimezone(self.zone)
        return local.date(), (local.hour * 60 + local.minute) // minutes

    def intervals(self, day: date, minutes: int) -> Iterator[tuple[datetime, int]]:
        """All intervals of a local day, as UTC start and slot: 96 quarters, or 92, or 100."""
        at, end = self._midnight(day), self._midnight(day + timedelta(days=1))
        while at < end:
            yield at, self.place(at, minutes)[1]
            at += timedelta(minutes=minutes)

    def is_left_out(self, start: datetime) -> bool:
        """Whether a marked time has this moment in it."""
        return any(span.begin <= start < span.end for span in self.spans)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


def parse_days(text: str, place: str) -> dict[date, int]:
    """Read dates that are not what their weekday says.

    Args:
        text: ``2026-12-25`` (left out), ``2026-12-25=sunday`` or ``=closed``; commas or lines between; # begins a remark.
        place: option or file, for messages.

    Raises:
        BadSettingsError: names place, line and what stands there.
    """
    kinds: dict[date, int] = {}
    for line, words in enumerate(text.split("\n"), 1):
        for word in words.partition("#")[0].split(","):
            if not (entry := word.strip()):
                continue
            written, _, kind = (part.strip() for part in entry.partition("="))
            day = _date(written)
            if day is None:
                raise BadSettingsError(
                    f"{place}:{line}: {entry!r} is no date; write 2026-12-25 or 2026-12-25=sunday"
                )
            if day in kinds:
                raise BadSettingsError(f"{place}:{line}: {written} is given twice")
            kinds[day] = _kind(entry, kind.lower(), f"{place}:{line}")
    return kinds


def _kind(entry: str, kind: str, place: str) -> int:
    if "=" not in entry:
        return LEFT_OUT
    if kind == "closed":
        return CLOSED
    if kind not in WEEKDAYS:
        raise BadSettingsError(f"{place}: {kind!r} is neither a weekday (monday, …) nor closed")
    return WEEKDAYS.index(kind)


def parse_spans(texts: Iterable[str], zone: ZoneInfo, option: str) -> tuple[Span, ...]:
    """Read ``FROM..TO``: two dates, both within, or two times with offsets, the second not within.

    Raises:
        BadSettingsError: names the option and what stands there.
    """
    return tuple(_span(text, zone, option) for text in texts)


def _span(text: str, zone: ZoneInfo, option: str) -> Span:
    begin, dots, end = (part.strip() for part in text.partition(".."))
    first, last = _moment(begin, zone, 0), _moment(end if dots else begin, zone, 1)
    if first is None or last is None:
        raise BadSettingsError(
            f"{option}: {text!r} is neither DATE..DATE nor TIME..TIME with offsets: 2026-03-02..2026-03-04"
        )
    if first >= last:
        raise BadSettingsError(f"{option}: {text!r} ends before it begins")
    return Span(first, last)


def _moment(text: str, zone: ZoneInfo, more: int) -> datetime | None:
    """A time with an offset, or a date's local midnight so many days later."""
    if day := _date(text):
        return datetime.combine(day + timedelta(days=more), time(), zone).astimezone(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None


def _date(text: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
