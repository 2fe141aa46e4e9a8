"""Calendars in the targets: opening hours as people write them, checked and put into one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct, json

from .hours import DAY_MINUTES, Calendar, Period, clock, joined

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Hours(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A calendar in its stored form: every weekday and date by itself, periods as ``09:00-17:30``.

    Attributes:
        zone: IANA name; without one it is the zone of the queue that uses it.
        hours: by weekday, ``mon`` to ``sun``.
        special: by date, instead of the weekday's.
        breaks: by date, closed within its hours.
        holidays: dates, closed all day.
    """

    zone: str | None = None
    hours: dict[str, tuple[str, ...]] = {}
    special: dict[str, tuple[str, ...]] = {}
    breaks: dict[str, tuple[str, ...]] = {}
    holidays: tuple[str, ...] = ()

    @classmethod
    def of(cls, place: str, document: Any) -> Hours:
        """Read hours as people write them: weekdays also as ``mon-fri``, periods also as pairs, TOML's own dates and times.

        Raises:
            ValueError: one line that begins with the place.
        """
        table = _table(place, document)
        for name in table.keys() - set(cls.__struct_fields__):
            raise ValueError(f"{place}.{name}: unknown key{guess(name, cls.__struct_fields__)}")
        zone = table.get("zone")
        if zone is not None:
            check_zone(f"{place}.zone", zone)
        hours: dict[str, tuple[str, ...]] = {}
        for days, periods in _table(f"{place}.hours", table.get("hours", {})).items():
            at = f"{place}.hours.{days}"
            for day in _weekdays(at, days):
                if day in hours:
                    raise ValueError(f"{at}: the hours of {day} are listed twice")
                hours[day] = _periods(at, periods)
        if not any(hours.values()):
            raise ValueError(f"{place}.hours: at least one weekday needs hours")
        dates = {
            name: {
                _date(f"{place}.{name}", day): _periods(f"{place}.{name}.{day}", periods)
                for day, periods in _table(f"{place}.{name}", table.get(name, {})).items()
            }
            for name in ("special", "breaks")
        }
        holidays = table.get("holidays", ())
        if not isinstance(holidays, list | tuple):
            raise ValueError(f"{place}.holidays: expected a list of dates")  # noqa: TRY004 - bad input, not a bug
        closed = sorted({_date(f"{place}.holidays", day) for day in holidays})
        if both := sorted(dates["special"].keys() & set(closed)):
            raise ValueError(f"{place}.special.{both[0]}: this date is also a holiday; remove one of the two")
        return cls(zone, hours, dates["special"], dates["breaks"], tuple(closed))

    def calendar(self, zone: str) -> Calendar:
        """Return the calendar in its own zone, or else in this one. Equal hours return the same object, days laid out."""
        return _calendar(json.encode(self, order="sorted"), self.zone or zone)


@lru_cache(maxsize=256)
def _calendar(document: bytes, zone: str) -> Calendar:
    hours = json.decode(document, type=Hours)

    def by_date(periods: Mapping[str, Sequence[str]]) -> dict[date, list[Period]]:
        return {date.fromisoformat(day): [_period("", p) for p in of_day] for day, of_day in periods.items()}

    return Calendar(
        zone,
        {WEEKDAYS.index(day): [_period("", p) for p in periods] for day, periods in hours.hours.items()},
        special=by_date(hours.special),
        breaks=by_date(hours.breaks),
        holidays=map(date.fromisoformat, hours.holidays),
    )


def check_zone(place: str, zone: object) -> None:
    """Refuse an unknown IANA time zone; raise ValueError with one line that begins with the place."""
    try:
        if isinstance(zone, str):
            ZoneInfo(zone)
            return
    except (KeyError, ValueError, OSError):
        pass
    raise ValueError(f"{place}: unknown time zone {zone!r}; use an IANA name like Europe/Berlin")


def guess(name: str, known: Iterable[str]) -> str:
    """Return the end of a message that suggests the name that was perhaps meant; empty if none is close."""
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _table(place: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{place}: expected a table, got {value!r}")  # noqa: TRY004 - bad input, not a bug
    return value


def _weekdays(place: str, text: str) -> list[str]:
    """Parse ``mon``, or ``mon-fri``; ``sat-mon`` continues into the next week."""
    first, _, last = text.partition("-")
    for day in (first, last or first):
        if day not in WEEKDAYS:
            raise ValueError(f"{place}: unknown weekday {day!r}; use {' '.join(WEEKDAYS)}")
    start = WEEKDAYS.index(first)
    length = (WEEKDAYS.index(last or first) - start) % 7 + 1
    return [WEEKDAYS[(start + n) % 7] for n in range(length)]


def _date(place: str, value: Any) -> str:
    try:
        if isinstance(value, str):
            return date.fromisoformat(value).isoformat()
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
    except ValueError:
        pass
    raise ValueError(f"{place}: expected a date like 2026-12-24, got {str(value)!r}")


def _periods(place: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f'{place}: expected a list of periods like ["09:00-17:00"]')  # noqa: TRY004 - bad input
    periods = sorted(_period(place, period) for period in value)
    try:
        joined(periods)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    return tuple(f"{clock(start)}-{clock(end)}" for start, end in periods)


def _period(place: str, value: Any) -> Period:
    parts = value.split("-") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or len(parts) != 2:
        raise ValueError(f"{place}: expected a period like 09:00-17:00, got {value!r}")
    start, end = (_minutes(place, part) for part in parts)
    return start, end or DAY_MINUTES  # TOML's own times can't express 24:00


def _minutes(place: str, value: Any) -> int:
    if isinstance(value, time):
        value = value.isoformat().removesuffix(":00")
    hour, _, minute = str(value).strip().partition(":")
    if not (hour.isdecimal() and minute.isdecimal() and len(minute) == 2 and len(hour) <= 2):
        raise ValueError(f"{place}: expected a time in whole minutes like 09:00, got {str(value)!r}")
    found = int(hour) * 60 + int(minute)
    if int(minute) > 59 or found > DAY_MINUTES:
        raise ValueError(f"{place}: {str(value)!r} is not a time of day; the latest is 24:00")
    return found
