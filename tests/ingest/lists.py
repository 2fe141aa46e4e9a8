"""Lists of contacts in the shapes of other programs, and the ledger of what was meant by each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

QUEUES = ("Billing", "Sales + Service")
MEANT = ("answered", "transferred", "abandoned", "voicemail", "overflow")
"""What becomes of a contact."""


class Meant(NamedTuple):
    """A contact, in whole seconds."""

    id: str
    queued: datetime
    queue: str
    became: str
    wait: int
    talk: int
    hold: int
    wrap: int

    @property
    def is_answered(self) -> bool:
        return self.became in {"answered", "transferred"}

    @property
    def answered(self) -> datetime | None:
        return self.queued + timedelta(seconds=self.wait) if self.is_answered else None

    @property
    def ended(self) -> datetime:
        return self.queued + timedelta(seconds=self.wait + self.talk + self.hold)


class Shape(NamedTuple):
    """How a program writes its lists.

    ``times`` formats a wall clock's reading; ``parts`` are the names of the columns that its words, split at ``|``, go to.
    """

    zone: str
    times: str
    queued: tuple[str, ...]
    answered: str | None
    ended: str | None
    wait: str | None
    duration: Callable[[int], str]
    words: dict[str, str]
    names: dict[str, str]
    delimiter: str
    order: str
    """``oldest``, ``newest`` or ``ended``."""


def h_mm_ss(s: int) -> str:
    return f"{s // 3600}:{s // 60 % 60:02}:{s % 60:02}"


def mm_ss(s: int) -> str:
    return f"{s // 60}:{s % 60:02}"


def units(s: int) -> str:
    return f"{s // 60}m {s % 60}s"


DURATIONS: tuple[Callable[[int], str], ...] = (
    str,
    h_mm_ss,
    mm_ss,
    units,
    lambda s: f"{s}.0",
    lambda s: f"{s},0",
)
WORDS = (
    dict(zip(MEANT, ("Answered", "Transferred", "Abandoned", "Voicemail", "Overflow"), strict=True)),
    dict(
        zip(MEANT, ("angenommen", "weitergeleitet", "aufgelegt", "Anrufbeantworter", "Überlauf"), strict=True)
    ),
    dict(zip(MEANT, ("HANDLED", "TRANSFER", "MISSED", "VOICE_MAIL", "FLOW-OUT"), strict=True)),
)
NAMES = (
    {
        "id": "Contact ID",
        "queue": "Skill Name",
        "agent": "Agent Name",
        "talk": "Talk Time",
        "hold": "Hold Time",
    }
    | {"wrap": "After Call Work Time", "outcome": "Disposition"},
    {
        "id": "Anruf-ID",
        "queue": "Warteschlange",
        "agent": "Mitarbeiter",
        "talk": "Gesprächsdauer",
        "hold": "Haltezeit",
    }
    | {"wrap": "Nachbearbeitung", "outcome": "Ergebnis"},
    {"id": "conversation_id", "queue": "queue", "agent": "user", "talk": "talkTime", "hold": "total_hold"}
    | {"wrap": "ACW", "outcome": "Call Status"},
)
ONE: tuple[str, ...] = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
)
ONE += (
    "%b %d, %Y %I:%M:%S %p",
    "%d-%b-%Y %H:%M:%S",
    "%Y%m%d %H%M%S",
    "%a, %d %b %Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
)
TWO: tuple[str, ...] = (
    "%Y-%m-%d|%H:%M:%S",
    "%d.%m.%Y|%H:%M:%S",
    "%m/%d/%y|%I:%M:%S %p",
    "%d/%m/%Y 00:00:00|%H:%M:%S",
    "%Y%m%d|%H%M%S",
)


def contacts(chance: Random, n: int, begin: datetime, apart_s: int) -> list[Meant]:
    """Make contacts from ``begin`` (UTC) on, in the order of time."""
    found, at = [], begin
    for k in range(n):
        at += timedelta(seconds=chance.randrange(1, apart_s))
        became = chance.choice(MEANT)
        busy = became in {"answered", "transferred"}
        times = [chance.randrange(0, most) for most in (400, 1500, 300, 120)]
        found.append(
            Meant(
                f"c-{k}",
                at,
                chance.choice(("Billing", "Sales + Service")),
                became,
                times[0],
                *(times[1:] if busy else (0, 0, 0)),
            )
        )
    return found


def shape(chance: Random) -> Shape:
    """Make a shape."""
    split = chance.random() < 0.5
    by = chance.choice(("wait", "answered", "both"))
    return Shape(
        zone=chance.choice(("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")),
        times=chance.choice(TWO if split else ONE),
        queued=chance.choice((("Date", "Time"), ("Datum", "Uhrzeit"), ("Start Date", "Start Time")))
        if split
        else (chance.choice(("Queue Entry Time", "Call Start", "calldate", "Anrufbeginn", "timestamp")),),
        answered=chance.choice(("Answered At", "Answer Time")) if by != "wait" and not split else None,
        ended=chance.choice(("End Time", "hangup_time", None)) if not split else None,
        wait=chance.choice(("Wait Time", "Wartezeit", "Queue Wait Time"))
        if by != "answered" or split
        else None,
        duration=chance.choice(DURATIONS),
        words=chance.choice(WORDS),
        names=chance.choice(NAMES),
        delimiter=chance.choice((",", ";", "\t", "|")),
        order=chance.choice(("oldest", "oldest", "newest", "ended")),
    )


def wall(at: datetime, of: Shape) -> str:
    """Write a time."""
    return at.astimezone(ZoneInfo(of.zone)).strftime(of.times)


def columns(of: Shape) -> dict[str, tuple[str, ...]]:
    """Return the map: our field → their columns."""
    found = {"queued": of.queued, "queue": (of.names["queue"],), "outcome": (of.names["outcome"],)}
    found |= {"talk_s": (of.names["talk"],), "hold_s": (of.names["hold"],), "wrap_s": (of.names["wrap"],)}
    found |= {"agent": (of.names["agent"],), "contact_id": (of.names["id"],)}
    for field, name in (("answered", of.answered), ("ended", of.ended), ("wait_s", of.wait)):
        if name:
            found[field] = (name,)
    return found


def written(meant: Sequence[Meant], of: Shape, *, ids: bool = True) -> bytes:
    """Write a list."""
    rows = sorted(
        meant, key=lambda c: c.ended if of.order == "ended" else c.queued, reverse=of.order == "newest"
    )
    out = io.StringIO(newline="")
    head = [of.names["id"]] if ids else []
    head += [*of.queued, *filter(None, (of.answered, of.ended, of.wait))]
    head += [of.names[name] for name in ("queue", "agent", "outcome", "talk", "hold", "wrap")]
    table = csv.writer(out, delimiter=of.delimiter)
    table.writerow(head)
    for c in rows:
        cells = [c.id] if ids else []
        cells += wall(c.queued, of).split("|")
        if of.answered:
            cells.append(wall(c.answered, of) if c.answered else "")
        if of.ended:
            cells.append(wall(c.ended, of))
        if of.wait:
            cells.append(of.duration(c.wait))
        cells += [c.queue, "Ann" if c.is_answered else "", of.words[c.became]]
        cells += [of.duration(s) if c.is_answered else "" for s in (c.talk, c.hold, c.wrap)]
        table.writerow(cells)
    return out.getvalue().encode()


BEGIN = datetime(2026, 1, 14, 12, tzinfo=UTC)
"""A day whose number is not that of a month, in every zone."""
