"""Who is there, and when: a roster as CSV or JSON.

A row is one stretch of one activity: ``start``, ``end`` and ``activity``; ``who`` (one person) or ``group`` (with ``people``);
``queue`` and ``channel`` for the activity ``contacts``. Times carry an offset or are those on the wall of ``tz``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from difflib import get_close_matches
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.errors import InputError
from stream_app.model import row_files
from stream_app.model.row_files import Row

ACTIVITIES: Final = frozenset(
    {"contacts", "break", "meal", "training", "coaching", "meeting", "project", "leave", "sick", "other"}
)
"""What people are scheduled for; only ``contacts`` counts as people for a queue."""
KNOWN: Final = ("who", "group", "people", "start", "end", "tz", "activity", "queue", "channel")
NEEDED: Final = ("start", "end", "activity")
LONGEST_H: Final = 48


class Shift(Struct, frozen=True):
    """People for a queue and channel, from ``start`` until before ``end`` (seconds since the epoch)."""

    queue: str
    channel: str
    start: float
    end: float
    people: float


def read(name: str, content: bytes, zone: str | None = None) -> list[Shift]:
    """The stretches on contacts.

    Args:
        name: of the file, for messages.
        content: its bytes.
        zone: of times without an offset, where the row has no ``tz``.

    Raises:
        InputError: one line that names file, line and field; nothing is imported then.
    """
    shifts = []
    busy: dict[str, list[tuple[float, float, Row]]] = {}
    for row in row_files.read(name, content, KNOWN, NEEDED):
        start, end = _stretch(row, zone)
        if row.said("who") == row.said("group"):
            raise row.wrong("who", "either who or group must be there, and not both")
        if row.said("who"):
            if row.said("people") and row.number("people") != 1:
                raise row.wrong("people", "who is one person; a group may have more")
            busy.setdefault(row.text("who"), []).append((start, end, row))
        elif row.number("people", 1) == 0:
            raise row.wrong("people", "a group of nobody")
        activity = row.text("activity")
        if activity not in ACTIVITIES:
            raise row.wrong("activity", f"{activity!r} is none that is known; {guess(activity, ACTIVITIES)}")
        if activity == "contacts":
            people = row.number("people", 1)
            shifts.append(Shift(row.text("queue"), row.text("channel", "voice"), start, end, people))
    for who, stretches in busy.items():
        _apart(who, stretches)
    return shifts


def check_zone(zone: str) -> None:
    """Refuse what is no IANA time zone; ValueError says so."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"no time zone is called {zone!r}") from None


def guess(name: str, known: Collection[str]) -> str:
    """The name that was perhaps meant, or all that there are, as the end of a message."""
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(known))}"


def _stretch(row: Row, zone: str | None) -> tuple[float, float]:
    if row.said("tz"):
        zone = row.text("tz")
        try:
            check_zone(zone)
        except ValueError as error:
            raise row.wrong("tz", str(error)) from None
    start, end = (row.moment(field, zone).timestamp() for field in ("start", "end"))
    if end <= start:
        raise row.wrong("end", f"{row.text('end')} is not later than start ({row.text('start')})")
    if end - start > LONGEST_H * 3600:
        raise row.wrong("end", f"{(end - start) / 3600:g} hours in a row; the most is {LONGEST_H}")
    return start, end


def _apart(who: str, stretches: list[tuple[float, float, Row]]) -> None:
    """Refuse one person in two places; groups add up instead."""
    stretches.sort(key=lambda s: (s[0], s[1]))
    for (_, end, first), (start, _, second) in pairwise(stretches):
        if start < end:
            later, other = (second, first) if second.line > first.line else (first, second)
            raise later.wrong("start", f"{who} is scheduled twice then, in line {other.line} too")


def by_queue(shifts: Iterable[Shift]) -> dict[tuple[str, str], list[Shift]]:
    """The shifts of each queue and channel."""
    found: dict[tuple[str, str], list[Shift]] = {}
    for shift in shifts:
        found.setdefault((shift.queue, shift.channel), []).append(shift)
    return found


def pieces(shifts: Sequence[Shift], start: datetime, end: datetime) -> list[tuple[float, float]]:
    """How many people are there from ``start`` until ``end``: (share of the interval, people), whenever the number changes.

    The shares add up to one.
    """
    begin, until = start.timestamp(), end.timestamp()
    here = [shift for shift in shifts if shift.start < until and shift.end > begin]
    changes = {begin, until}
    for shift in here:
        changes |= {max(shift.start, begin), min(shift.end, until)}
    moments = sorted(changes)
    return [
        ((b - a) / (until - begin), sum(shift.people for shift in here if shift.start <= a < shift.end))
        for a, b in pairwise(moments)
    ]


__all__ = ["ACTIVITIES", "InputError", "Shift", "by_queue", "check_zone", "pieces", "read"]
