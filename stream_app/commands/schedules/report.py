"""What is said of a roster that was imported: who is there from when to when, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from difflib import get_close_matches

from stream_app.store.schedules import Seen
from stream_app.workforce.schedules import Shift, by_queue


def report(shifts: Sequence[Shift], zone: tzinfo) -> list[str]:
    """A line for each queue and channel; times are said in ``zone``."""
    lines = []
    for (queue, channel), theirs in sorted(by_queue(shifts).items()):
        most = _most_at_once(theirs)
        begin, end = min(shift.start for shift in theirs), max(shift.end for shift in theirs)
        people = "person" if most == 1 else "people"
        lines.append(
            f"{queue} ({channel}): up to {most:,g} {people} at once, from {_said(begin, zone)} to {_said(end, zone)}"
        )
    return lines


def doubts(shifts: Sequence[Shift], seen: Seen, now: float, zone: tzinfo) -> list[str]:
    """Lines for whoever imports it.

    Args:
        shifts: the roster.
        seen: what the store knows of queues.
        now: seconds since the epoch.
        zone: in which times are said.
    """
    lines = []
    if shifts and not seen.queues:
        lines.append("no queue was seen yet: whether the roster's are called so can't be checked")
    elif seen.queues:
        places = sorted(by_queue(shifts))
        lines = [
            f"{queue} ({channel}): {why}"
            for queue, channel in places
            if (why := _strange(queue, channel, seen))
        ]
    end = max((shift.end for shift in shifts), default=now + 1)
    if end <= now:
        lines.append(f"the roster lies wholly in the past: its last stretch ended at {_said(end, zone)}")
    return lines


def _strange(queue: str, channel: str, seen: Seen) -> str:
    """Why nobody may ever ask for these people; nothing: nothing is strange."""
    if queue not in seen.queues:
        return f"no queue called {queue!r} was ever seen{_guess(queue, list(seen.queues))}"
    if channel not in seen.channels:
        return f"no channel called {channel!r} was ever seen{_guess(channel, sorted(seen.channels))}"
    theirs = seen.queues[queue]
    if theirs and channel not in theirs:
        return f"{queue} was seen with other channels only: {', '.join(sorted(theirs))}"
    return ""


def _guess(name: str, known: Sequence[str]) -> str:
    """The close name, whatever its case."""
    folded = {one.casefold(): one for one in known}
    close = get_close_matches(name.casefold(), folded, n=1)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""


def _most_at_once(shifts: Sequence[Shift]) -> float:
    changes = sorted(
        [(shift.start, shift.people) for shift in shifts] + [(shift.end, -shift.people) for shift in shifts]
    )  # at the same moment those who go before those who come
    there = most = 0.0
    for _, change in changes:
        there += change
        most = max(most, there)
    return most


def _said(moment: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(moment, zone).isoformat(timespec="minutes")
