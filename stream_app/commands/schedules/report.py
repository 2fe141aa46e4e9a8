"""Report on an imported schedule: how many are scheduled from when to when, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from difflib import get_close_matches
from typing import Final

from stream_app.store.seen import SeenNames
from stream_app.workforce.schedules import Shift, by_queue

_MOST_NAMED: Final = 5


def report(shifts: Sequence[Shift], zone: tzinfo) -> list[str]:
    """Return a line for each queue and channel, with times in ``zone``."""
    lines = []
    for (queue, channel), theirs in sorted(by_queue(shifts).items()):
        most = _most_at_once(theirs)
        begin, end = min(shift.start for shift in theirs), max(shift.end for shift in theirs)
        people = "person" if most == 1 else "people"
        lines.append(
            f"{queue} ({channel}): up to {most:,g} {people} at once, from {_said(begin, zone)} to {_said(end, zone)}"
        )
    return lines


def strangers(shifts: Sequence[Shift], seen: SeenNames) -> list[str]:
    """Return a line for each queue and channel that was never seen: its people would be in no plan."""
    if not seen.queues:
        return []
    places = sorted(by_queue(shifts))
    return [
        f"{queue} ({channel}): {why}" for queue, channel in places if (why := _strange(queue, channel, seen))
    ]


def doubts(shifts: Sequence[Shift], seen: SeenNames, now: float, zone: tzinfo) -> list[str]:
    """Return warnings for the person who imports the schedule.

    Args:
        shifts: the schedule.
        seen: queues and channels that the store knows.
        now: seconds since the epoch.
        zone: the zone of times in the warnings.
    """
    lines = strangers(shifts, seen)
    if shifts and not seen.queues:
        lines = ["no queue was seen yet, so the schedule's queue names can't be checked"]
    end = max((shift.end for shift in shifts), default=now + 1)
    if end <= now:
        lines.append(f"the schedule is entirely in the past: its last shift ended at {_said(end, zone)}")
    return lines


def left_out(former: Sequence[Shift], shifts: Sequence[Shift], now: float) -> list[str]:
    """Return a line if ``shifts`` have nobody for queues and channels for which the ``former`` schedule still has.

    A file of one team replaces the schedule of all.
    """
    ahead = {(shift.queue, shift.channel) for shift in former if shift.end > now}
    lost = sorted(ahead - set(by_queue(shifts)))
    if not lost:
        return []
    named = ", ".join(f"{queue} ({channel})" for queue, channel in lost[:_MOST_NAMED])
    more = f" and {len(lost) - _MOST_NAMED:,} more" if len(lost) > _MOST_NAMED else ""
    why = (
        "a file replaces the whole schedule, so it must have every queue (undo: stream-app schedules restore)"
    )
    return [f"no longer scheduled: {named}{more}; {why}"]


def version_line(version: int, shifts: Sequence[Shift], applied_at: float | None, zone: tzinfo) -> str:
    """Return a line on a version: when it was applied, how much it has, and from when to when."""
    when = f"applied {_said(applied_at, zone)}" if applied_at is not None else "applied at an unknown time"
    if not shifts:
        return f"{version}: {when}; no shifts"
    begin, end = min(shift.start for shift in shifts), max(shift.end for shift in shifts)
    queues = len(by_queue(shifts))
    places = f"{queues:,} queue-channel" + ("" if queues == 1 else "s")
    counted = f"{len(shifts):,} shift" + ("" if len(shifts) == 1 else "s")
    return f"{version}: {when}; {counted} for {places}, {_said(begin, zone)} to {_said(end, zone)}"


def _strange(queue: str, channel: str, seen: SeenNames) -> str:
    """Return why these people may never show up in a plan; empty if nothing is wrong."""
    if queue not in seen.queues:
        return f"unknown queue {queue!r}: it was never seen{_guess(queue, list(seen.queues))}"
    if channel not in seen.channels:
        return f"unknown channel {channel!r}: it was never seen{_guess(channel, sorted(seen.channels))}"
    theirs = seen.queues[queue]
    if theirs and channel not in theirs:
        return f"{queue} was only seen with other channels: {', '.join(sorted(theirs))}"
    return ""


def _guess(name: str, known: Sequence[str]) -> str:
    """Return a hint with the closest name, ignoring case."""
    folded = {one.casefold(): one for one in known}
    close = get_close_matches(name.casefold(), folded, n=1)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""


def _most_at_once(shifts: Sequence[Shift]) -> float:
    changes = sorted(
        [(shift.start, shift.people) for shift in shifts] + [(shift.end, -shift.people) for shift in shifts]
    )  # at the same moment, those who leave come before those who arrive
    there = most = 0.0
    for _, change in changes:
        there += change
        most = max(most, there)
    return most


def _said(moment: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(moment, zone).isoformat(timespec="minutes")
