"""What comes, by intervals: rows with the names of the API's interval rows, from a file or from a program."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from msgspec import Struct

from stream_app.errors import InputError
from stream_app.model import row_files
from stream_app.model.row_files import INTERVAL_FIELDS, Row

NEEDED: Final = ("start", "minutes", "queue", "channel", "offered", "handled", "talk_s", "hold_s", "wrap_s")
MOST_ERLANG: Final = 1e6
"""More than any contact centre; so many digits are a mistake, and would take minutes."""
KNOWN: Final = (*INTERVAL_FIELDS, "patience_s")


class Volume(Struct, frozen=True):
    """One interval of one queue and channel, observed or forecast.

    Attributes:
        start: with its offset.
        minutes: how long; a local day that has 23 or 25 hours is 1380 or 1500.
        queue: its name.
        channel: voice, chat, email, ….
        offered: contacts that came; a forecast may have fractions.
        handled: contacts whose handling was completed.
        talk_s: of these, the sum in seconds.
        hold_s: same.
        wrap_s: same.
        patience_s: mean patience in seconds, if it was measured.
    """

    start: datetime
    minutes: float
    queue: str
    channel: str
    offered: float
    handled: float
    talk_s: float
    hold_s: float
    wrap_s: float
    patience_s: float | None = None

    @property
    def end(self) -> datetime:
        """The first moment behind it, with the same offset."""
        # By way of UTC: a sum in a zone is one of its wall clock, and wrong over a change of it.
        return (self.start.astimezone(UTC) + timedelta(minutes=self.minutes)).astimezone(self.start.tzinfo)

    @property
    def handle_s(self) -> float | None:
        """Average handle time in seconds; ``None`` if nothing was handled."""
        return (self.talk_s + self.hold_s + self.wrap_s) / self.handled if self.handled > 0 else None


def read(name: str, content: bytes) -> list[Volume]:
    """The rows of a CSV or JSON file, by queue, channel and time.

    Args:
        name: of the file, for messages.
        content: its bytes.

    Raises:
        InputError: one line that names file, line and field; nothing is imported then.
    """
    rows = [(_volume(row), row) for row in row_files.read(name, content, KNOWN, NEEDED)]
    rows.sort(key=lambda pair: (pair[0].queue, pair[0].channel, pair[0].start.timestamp()))
    for (before, first), (after, second) in pairwise(rows):
        if (before.queue, before.channel) == (
            after.queue,
            after.channel,
        ) and after.start.timestamp() < before.end.timestamp():
            later, other = (second, first) if second.line > first.line else (first, second)
            raise later.wrong("start", f"overlaps line {other.line} of the same queue and channel")
    return [volume for volume, _ in rows]


def handle_times(volumes: Iterable[Volume]) -> dict[tuple[str, str], float]:
    """Mean handle time of each queue and channel over all of its rows, in seconds: for intervals that handled nothing."""
    sums: dict[tuple[str, str], tuple[float, float]] = {}
    for v in volumes:
        seconds, handled = sums.get((v.queue, v.channel), (0.0, 0.0))
        sums[v.queue, v.channel] = (seconds + v.talk_s + v.hold_s + v.wrap_s, handled + v.handled)
    return {key: seconds / handled for key, (seconds, handled) in sums.items() if handled > 0}


def _volume(row: Row) -> Volume:
    minutes = row.number("minutes")
    if not 0 < minutes <= 1500:
        raise row.wrong("minutes", f"{minutes:g} must be more than 0 and at most 1500, a day of 25 hours")
    volume = Volume(
        start=row.moment("start"),
        minutes=minutes,
        queue=row.text("queue"),
        channel=row.text("channel"),
        offered=row.number("offered"),
        handled=row.number("handled"),
        talk_s=row.number("talk_s"),
        hold_s=row.number("hold_s"),
        wrap_s=row.number("wrap_s"),
        patience_s=row.number("patience_s") if row.said("patience_s") else None,
    )
    if volume.handled > 0 and volume.handle_s == 0:
        raise row.wrong("talk_s", f"{volume.handled:g} contacts were handled in no time at all")
    if volume.handled == 0 and volume.talk_s + volume.hold_s + volume.wrap_s > 0:
        raise row.wrong("handled", "is 0, but there is handle time")
    load = volume.offered * (volume.handle_s or 0.0) / (60 * minutes)
    if load > MOST_ERLANG:
        raise row.wrong(
            "offered", f"{load:.3g} people would be busy at once with that; the most is {MOST_ERLANG:g}"
        )
    return volume


__all__ = ["InputError", "Volume", "handle_times", "read"]
