"""Days by the queue's local calendar: local dates, slots of the local clock, and special days.

A day has ``1440 / minutes`` slots. When clocks go forward, some of them don't happen; when they go back, some happen twice,
distinguished by their offset from UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.errors import BadSettingsError
from stream_app.model.targets.hours import Calendar

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLOSED: Final = 7
"""The kind of a day on which the queue is closed; 0 … 6 are Monday … Sunday."""
LEFT_OUT: Final = -1
"""The kind of a day that is neither learned from nor forecast."""
DAY: Final = 1440


class MarkedSpan(Struct, frozen=True):
    """A marked time span: begin inclusive, end exclusive; UTC."""

    begin: datetime
    end: datetime


class SpecialDays(Struct, frozen=True):
    """Known facts about days besides their weekday.

    Attributes:
        zone: the zone in which the queue's weeks resemble each other.
        kinds: local date → its kind, where it differs from its weekday.
        spans: time spans that are not learned from: outages, campaigns.
    """

    zone: ZoneInfo = ZoneInfo("UTC")
    kinds: Mapping[date, int] = {}
    spans: tuple[MarkedSpan, ...] = ()

    def kind(self, day: date) -> int:
        """Return 0 … 6, or ``CLOSED``, or ``LEFT_OUT``."""
        return self.kinds.get(day, day.weekday())

    def place(self, start: datetime, minutes: int) -> tuple[date, int]:
        """Return the local date and the slot of the local clock that contain a moment."""
        local = start.astimezone(self.zone)
        return local.date(), (local.hour * 60 + local.minute) // minutes

    def intervals(self, day: date, minutes: int) -> Iterator[tuple[datetime, int]]:
        """Yield all intervals of a local day, as UTC start and slot: 96 of 15 minutes, or 92, or 100."""
        at, end = self._midnight(day), self._midnight(day + timedelta(days=1))
        while at < end:
            yield at, self.place(at, minutes)[1]
            at += timedelta(minutes=minutes)

    def is_left_out(self, start: datetime) -> bool:
        """Return whether a marked time span contains this moment."""
        return any(span.begin <= start < span.end for span in self.spans)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


def of_business_hours(hours: Calendar, today: date, *, arrives_closed: bool) -> dict[date, int]:
    """Return what a queue's business hours say of days: holidays are closed, days with other hours are not learned from.

    A day with other hours is forecast like its weekday, which is left to the reader to cut to its hours; if that weekday is
    closed, there is nothing to forecast it from.

    Args:
        hours: of the queue.
        today: the first day that is forecast.
        arrives_closed: whether contacts arrive while the queue is closed, like e-mail: a holiday then is not without contacts.
    """
    kinds = {}
    for day in hours.exceptions():
        if not hours.hours_of(day) and not arrives_closed:
            kinds[day] = CLOSED
        elif day < today or (hours.hours_of(day) and not hours.usual(day.weekday())):
            kinds[day] = LEFT_OUT
    return kinds


def parse_days(text: str, place: str) -> dict[date, int]:
    """Read dates that differ from their weekday.

    Args:
        text: ``2026-12-25`` (left out), ``2026-12-25=sunday`` or ``=closed``; commas or lines between; # begins a comment.
        place: option or file, for messages.

    Raises:
        BadSettingsError: names place, line and the text found.
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
                    f"{place}:{line}: expected a date like 2026-12-25 or 2026-12-25=sunday, got {entry!r}"
                )
            if day in kinds:
                raise BadSettingsError(f"{place}:{line}: {written} is listed twice")
            kinds[day] = _kind(entry, kind.lower(), f"{place}:{line}")
    return kinds


def _kind(entry: str, kind: str, place: str) -> int:
    if "=" not in entry:
        return LEFT_OUT
    if kind == "closed":
        return CLOSED
    if kind not in WEEKDAYS:
        raise BadSettingsError(f"{place}: expected a weekday (monday, …) or closed, got {kind!r}")
    return WEEKDAYS.index(kind)


def parse_spans(texts: Iterable[str], zone: ZoneInfo, option: str) -> tuple[MarkedSpan, ...]:
    """Read ``FROM..TO``: two dates, both inclusive, or two times with offsets, the second exclusive.

    Raises:
        BadSettingsError: names the option and the text found.
    """
    return tuple(_span(text, zone, option) for text in texts)


def _span(text: str, zone: ZoneInfo, option: str) -> MarkedSpan:
    begin, dots, end = (part.strip() for part in text.partition(".."))
    first, last = _moment(begin, zone, 0), _moment(end if dots else begin, zone, 1)
    if first is None or last is None:
        raise BadSettingsError(
            f"{option}: expected DATE..DATE like 2026-03-02..2026-03-04, or TIME..TIME with offsets, got {text!r}"
        )
    if first >= last:
        raise BadSettingsError(f"{option}: {text!r} must end after it begins")
    return MarkedSpan(first, last)


def _moment(text: str, zone: ZoneInfo, more: int) -> datetime | None:
    """Parse a time with an offset, or a date as its local midnight ``more`` days later."""
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
