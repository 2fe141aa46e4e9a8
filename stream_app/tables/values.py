"""Cells as other programs write them: times, durations, numbers, yes and no. One reader for every table that has a map.

A time is read into a wall clock's reading, with an offset if the cell has one; which zone it is in, and whether days or months
come first, is known only to the whole table.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from functools import lru_cache
from typing import Final, Literal

DateOrder = Literal["day-first", "month-first"]
DATE_ORDERS: Final[tuple[DateOrder, ...]] = ("day-first", "month-first")

_CLOCK_TIME: Final = (
    r"(?P<h>\d{1,2})[:.](?P<m>\d{2})(?:[:.](?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?\s*"
    r"(?P<half>[AaPp]\.?[Mm]?\.?)?\s*(?:Uhr)?"
)
_OFFSET: Final = r"\s*(?P<offset>Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{2}:?\d{2})?"
_DATED: Final = re.compile(
    rf"(?P<a>\d{{1,2}})(?P<by>[./-])(?P<b>\d{{1,2}})(?P=by)(?P<year>\d{{4}}|\d{{2}}),?[ T]+{_CLOCK_TIME}{_OFFSET}"
)
_YEAR_FIRST: Final = re.compile(
    rf"(?P<year>\d{{4}})(?P<by>[./-]?)(?P<b>\d{{1,2}})(?P=by)(?P<a>\d{{1,2}}),?[ T]+{_CLOCK_TIME}{_OFFSET}"
)
_NAMED: Final = re.compile(
    r"(?:(?P<month>[^\W\d]{3,9})\.? (?P<day>\d{1,2})|(?P<day2>\d{1,2})[. -]+(?P<month2>[^\W\d]{3,9}))[., -]+"
    rf"(?P<year>\d{{4}}|\d{{2}}),?[ T]+(?:at |um )?{_CLOCK_TIME}{_OFFSET}"
)
_WEEKDAY: Final = re.compile(
    r"^(?:mon?|tue?s?|wed?(?:nes)?|thu?r?s?|fri?|sat?(?:ur)?|sun?|die?ns|di|mi|mittwoch|do|donners|freitag|sams|so|sonn)"
    r"(?:day|tag)?\.?,? +(?=\w)",
    re.IGNORECASE,
)
_COMPACT: Final = re.compile(r"(\d{8})[ T]?(\d{2})(\d{2})(\d{2})")
_EPOCH: Final = re.compile(r"(\d{10})(?:\.\d+)?|(\d{13})")
_EPOCHS: Final = 4_102_444_800
"""2100 as seconds since the epoch: a larger number is something else."""
_TIME_OF_DAY: Final = re.compile(_CLOCK_TIME)
_SIX: Final = re.compile(r"[0-2][0-9][0-5][0-9][0-5][0-9]")
_EIGHT: Final = re.compile(r"20[0-9]{2}[01][0-9][0-3][0-9]")
_MIDNIGHT: Final = re.compile(r"(?<=\d)[ T]0{1,2}:00(?::00(?:\.0+)?)?(?= +\d)")
"""What a spreadsheet adds to a column of dates, before the time from another column."""
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar jän jänner",
            "feb february februar",
            "mar march märz mär mrz",
            "apr april",
            "may mai",
            "jun june juni",
            "jul july juli",
            "aug august",
            "sep sept september",
            "oct october okt oktober",
            "nov november",
            "dec december dez dezember",
        ),
        1,
    )
    for name in names.split()
}

_DATE: Final = len("2026-01-05")
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_WHOLE: Final = re.compile(r"(\d+)[.,]0+")
_COMMA: Final = re.compile(r"\d+,\d+")
_CLOCK: Final = re.compile(r"(?:(?:(?P<d>\d+)(?:\.|d\.?| days?,?) ?)?(\d+):)?(\d{1,3}):(\d{2}(?:[.,]\d+)?)")
_UNITS: Final = re.compile(
    r"(?:PT)?(?:(\d+) ?h(?:ours?|rs?)?\.?,? ?)?(?:(\d+) ?m(?:in(?:ute)?s?)?\.?,? ?)?"
    r"(?:(\d+(?:[.,]\d+)?) ?s(?:ec(?:ond)?s?|ek)?\.?)?",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"\d{1,12}(?:\.\d{1,12})?")
NOTHING: Final = frozenset({"", "-", "--", "\u2013", "n/a", "na", "null", "\\n", "none"})
"""How a cell says, in lower case, that there is no value."""
_LONGEST_NOTHING: Final = 1 + max(map(len, NOTHING))
_TRUTHS: Final = {
    **dict.fromkeys(("true", "yes", "y", "1", "ja", "j", "x", "wahr", "oui", "si", "sí"), True),
    **dict.fromkeys(("false", "no", "n", "0", "nein", "falsch", "non"), False),
}


def is_nothing(text: str) -> bool:
    """Return whether a cell says that there is no value."""
    return len(text) < _LONGEST_NOTHING and text.casefold() in NOTHING


def truth(text: str) -> bool | None:
    """Return what yes or no means; ``None`` for anything else."""
    return _TRUTHS.get(text.casefold())


def number(text: str) -> str:
    """Return a number without separators of thousands, and with a decimal point; anything else as it is."""
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    if whole := _WHOLE.fullmatch(text):
        return whole[1]
    return text.replace(",", ".") if _COMMA.fullmatch(text) else text


@lru_cache(maxsize=16_384)
def seconds(text: str) -> float | None:
    """Return a duration: ``205``, ``3:25``, ``0:03:25``, ``1.02:03:04``, ``3m 25s`` or ``PT3M25S``; else ``None``."""
    if not text.isascii():
        return None
    if clock := _CLOCK.fullmatch(text):
        days, hours, minutes, rest = clock.groups()
        return (
            int(days or 0) * 86_400
            + int(hours or 0) * 3600
            + int(minutes) * 60
            + float(rest.replace(",", "."))
        )
    plain = number(text)
    if _NUMBER.fullmatch(plain):
        return float(plain)
    units = _UNITS.fullmatch(text)
    if units and any(units.groups()):
        hours, minutes, rest = (part or "0" for part in units.groups())
        return int(hours) * 3600 + int(minutes) * 60 + float(rest.replace(",", "."))
    return None


def date_order(text: str) -> DateOrder | Literal["either"] | None:
    """Return which of the two a time can only be; ``None`` where its form leaves no doubt, or is not that of a time."""
    match = _DATED.fullmatch(_prepared(text))
    if match is None or match["by"] == ".":
        return None
    if int(match["a"]) > 12:
        return "day-first"
    return "month-first" if int(match["b"]) > 12 else "either"


@lru_cache(maxsize=16_384)
def wall_time(text: str, order: DateOrder = "day-first") -> datetime | None:
    """Return the time in a cell, with its offset if it has one; ``None`` if it is not a date and a time of day."""
    if len(text) > _DATE and text[4:5] == "-" and (found := _iso(text)) is not None:
        return found
    text = _prepared(text)
    for pattern in (_YEAR_FIRST, _DATED, _NAMED):
        if match := pattern.fullmatch(text):
            return _of_match(match, order)
    if compact := _COMPACT.fullmatch(text):
        day, hour, minute, second = compact.groups()
        return _iso(f"{day[:4]}-{day[4:6]}-{day[6:]}T{hour}:{minute}:{second}")
    if epoch := _EPOCH.fullmatch(text):
        at = float(text) if epoch[1] else int(text) / 1000
        return datetime.fromtimestamp(at, UTC) if at < _EPOCHS else None
    return None


@lru_cache(maxsize=16_384)
def time_of_day(text: str) -> time | None:
    """Return a time of day without a date; ``None`` for anything else."""
    if _SIX.fullmatch(text):
        text = f"{text[:2]}:{text[2:4]}:{text[4:]}"
    match = _TIME_OF_DAY.fullmatch(text)
    if match is None:
        return None
    try:
        return time(*_clock(match))
    except ValueError:
        return None


def is_date(text: str) -> bool:
    """Return whether a cell is a date without a time of day."""
    if text.isdigit() and not _EIGHT.fullmatch(text):
        return False
    return wall_time(text) is None and any(
        wall_time(f"{text} 00:00:00", order) is not None for order in DATE_ORDERS
    )


def _prepared(text: str) -> str:
    text = _MIDNIGHT.sub("", text, count=1)
    return text if text[:1].isdigit() else _WEEKDAY.sub("", text, count=1)


def _of_match(match: re.Match[str], order: DateOrder) -> datetime | None:
    parts = match.groupdict()
    year = int(parts["year"]) + (2000 if len(parts["year"]) == 2 else 0)
    if "b" in parts:
        day, month = int(parts["a"]), int(parts["b"])
        if order == "month-first" and parts["by"] != "." and match.re is _DATED:
            day, month = month, day
    else:
        day = int(parts["day"] or parts["day2"])
        month = _MONTHS.get((parts["month"] or parts["month2"]).casefold(), 0)
    try:
        found = datetime(year, month, day, *_clock(match))  # noqa: DTZ001 - a wall clock's reading
        offset = parts["offset"]
        if not offset:
            return found
        sign = offset.removeprefix("UTC").removeprefix("GMT")
        if sign in {"", "Z"}:
            return found.replace(tzinfo=UTC)
        return datetime.strptime(f"{found:%Y-%m-%dT%H:%M:%S.%f}{sign}", "%Y-%m-%dT%H:%M:%S.%f%z")
    except ValueError:
        return None


def _clock(match: re.Match[str]) -> tuple[int, int, int, int]:
    hour = int(match["h"])
    if half := match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half[0] in "Pp" else 0)
    fraction = (match["f"] or "").ljust(6, "0")[:6]
    return hour, int(match["m"]), int(match["s"] or 0), int(fraction)


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
