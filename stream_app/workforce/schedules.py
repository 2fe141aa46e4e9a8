"""Schedules as CSV or JSON: who is at work, and when.

A row is one period of one activity: ``start``, ``end`` and ``activity``; ``who`` (one person) or ``group`` (with ``people``);
``queue`` and ``channel`` for the activity ``contacts``. Times carry an offset or are local times in ``tz``. What a person does
besides, within a stretch of contacts, cuts it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.errors import InputError
from stream_app.tables import reading
from stream_app.tables.mapping import ColumnMap
from stream_app.tables.row import TableRow

ACTIVITIES: Final = frozenset(
    {"contacts", "break", "meal", "training", "coaching", "meeting", "project", "leave", "sick", "other"}
)
"""Scheduled activities; only ``contacts`` counts as people for a queue."""
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


def read(name: str, content: bytes, zone: str | None = None, mapping: ColumnMap | None = None) -> list[Shift]:
    """Return the shifts on contacts.

    Args:
        name: the file's name, for messages.
        content: its bytes.
        zone: the zone of times without an offset, where the row has no ``tz``.
        mapping: where the file has the fields, if it names them differently.

    Raises:
        InputError: one line that names file, line and field; nothing is imported in that case.
    """
    shifts: list[tuple[Shift, _Person | None]] = []
    people_of: dict[str, _Person] = {}
    for row in reading.read(name, content, KNOWN, NEEDED, mapping=mapping):
        start, end = _stretch(row, zone)
        activity, people = _activity(row), _people(row)
        person = people_of.setdefault(row.text("who"), _Person([], [])) if row.said("who") else None
        if activity != "contacts":
            if person:
                person.away.append((start, end))
            continue
        shift = Shift(row.text("queue"), row.text("channel", "voice"), start, end, people)
        shifts.append((shift, person))
        if person:
            person.works.append((start, end, row))
    for who, person in people_of.items():
        _apart(who, person.works)
    return [part for shift, person in shifts for part in _without(shift, person.away if person else ())]


def _people(row: TableRow) -> float:
    if row.said("who") == row.said("group"):
        raise row.wrong("who", "expected either who or group")
    people = row.number("people", 1)
    if row.said("who") and people != 1:
        raise row.wrong("people", "expected 1 for a single person; use group for several")
    if people == 0:
        raise row.wrong("people", "expected more than 0 people in a group")
    return people


def _activity(row: TableRow) -> str:
    activity = row.text("activity")
    if activity not in ACTIVITIES:
        raise row.wrong("activity", f"unknown activity {activity!r}; {guess(activity, ACTIVITIES)}")
    return activity


class _Person(NamedTuple):
    """One person's stretches of work, and those away from it: a meal or a training within a shift cuts it."""

    works: list[tuple[float, float, TableRow]]
    away: list[tuple[float, float]]


def _without(shift: Shift, away: Sequence[tuple[float, float]]) -> list[Shift]:
    """Return what is left of a shift."""
    parts = [(shift.start, shift.end)]
    for begin, end in away:
        parts = [
            part
            for start, until in parts
            for part in ((start, min(until, begin)), (max(start, end), until))
            if part[0] < part[1]
        ]
    return [Shift(shift.queue, shift.channel, start, until, shift.people) for start, until in parts]


def check_zone(zone: str) -> None:
    """Refuse an unknown IANA time zone; raise ValueError."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"unknown time zone {zone!r}; use an IANA name like Europe/Berlin") from None


def guess(name: str, known: Collection[str]) -> str:
    """Return the end of a message that suggests the name that was perhaps meant, or lists all names."""
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(sorted(known))}"


def _stretch(row: TableRow, zone: str | None) -> tuple[float, float]:
    if row.said("tz"):
        zone = row.text("tz")
        try:
            check_zone(zone)
        except ValueError as error:
            raise row.wrong("tz", str(error)) from None
    start, end = (row.moment(field, zone).timestamp() for field in ("start", "end"))
    if end <= start:
        raise row.wrong("end", f"expected a time after start ({row.text('start')}), got {row.text('end')}")
    if end - start > LONGEST_H * 3600:
        raise row.wrong("end", f"expected at most {LONGEST_H} hours in a row, got {(end - start) / 3600:g}")
    return start, end


def _apart(who: str, stretches: list[tuple[float, float, TableRow]]) -> None:
    """Refuse one person at work in two places; groups add up instead."""
    stretches.sort(key=lambda s: (s[0], s[1]))
    for (_, end, first), (start, _, second) in pairwise(stretches):
        if start < end:
            later, other = (second, first) if second.line > first.line else (first, second)
            raise later.wrong("start", f"{who} is already scheduled at that time in line {other.line}")


def by_queue(shifts: Iterable[Shift]) -> dict[tuple[str, str], list[Shift]]:
    """Return the shifts of each queue and channel."""
    found: dict[tuple[str, str], list[Shift]] = {}
    for shift in shifts:
        found.setdefault((shift.queue, shift.channel), []).append(shift)
    return found


def coverage(shifts: Iterable[Shift], zone: tzinfo | None) -> dict[tuple[str, str], tuple[float, float]]:
    """Return from when until when a schedule covers each queue and channel: all local days from the first shift to the last.

    A day in between without shifts has nobody scheduled; of other days the schedule says nothing.
    """
    found = {}
    for place, theirs in by_queue(shifts).items():
        first = datetime.fromtimestamp(min(shift.start for shift in theirs), zone)
        last = datetime.fromtimestamp(max(shift.end for shift in theirs) - 1, zone)
        begin, end = (
            datetime.combine(day, time(), zone).timestamp() for day in (first, last + timedelta(days=1))
        )
        found[place] = begin, end
    return found


def pieces(shifts: Sequence[Shift], start: datetime, end: datetime) -> list[tuple[float, float]]:
    """Return the people present from ``start`` until ``end``: (share of the interval, people), for each change of the number.

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


__all__ = ["ACTIVITIES", "InputError", "Shift", "by_queue", "check_zone", "coverage", "pieces", "read"]
