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

NEEDED: Final = ("start", "minutes", "queue", "channel", "offered")
_SPENT: Final = ("talk_s", "hold_s", "wrap_s")
_MEANS: Final = ("aht_s", "average_handle_time_s")
"""Where these sums are not there: of a forecast, and of the API."""
MOST_ERLANG: Final = 1e6
"""More than any contact centre; so many digits are a mistake, and would take minutes."""
KNOWN: Final = (*INTERVAL_FIELDS, "patience_s", "aht_s")
_LISTS: Final = (row_files.ROWS, "forecast")


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


class Volumes(Struct, frozen=True):
    """What was read.

    Attributes:
        rows: by queue, channel and time.
        unfinished: rows that may still change, which are not used.
        left_out: rows of a forecast that says nothing of their time, which are not used either.
    """

    rows: list[Volume]
    unfinished: int = 0
    left_out: int = 0


def read(name: str, content: bytes) -> list[Volume]:
    """The rows of a file; see ``load``."""
    return load(name, content).rows


def load(name: str, content: bytes) -> Volumes:
    """The rows of a CSV or JSON file: observed ones, or what ``stream-app forecast`` or ``/v1/forecast`` says.

    Args:
        name: of the file, for messages.
        content: its bytes.

    Raises:
        InputError: one line that names file, line and field; nothing is imported then.
    """
    found = row_files.read(name, content, KNOWN, NEEDED, lists=_LISTS, shared=("queue", "channel"))
    final = [row for row in found if row.truth("final", default=True)]
    if not final:
        raise InputError(f"{name}:1: has no row that is final")
    said = [row for row in final if not _says_nothing(row)]
    if not said:
        raise InputError(f"{name}:1: the forecast says nothing of any of its rows")
    rows = [(_volume(row), row) for row in said]
    rows.sort(key=lambda pair: (pair[0].queue, pair[0].channel, pair[0].start.timestamp()))
    for (before, first), (after, second) in pairwise(rows):
        if (before.queue, before.channel) == (
            after.queue,
            after.channel,
        ) and after.start.timestamp() < before.end.timestamp():
            later, other = (second, first) if second.line > first.line else (first, second)
            raise later.wrong("start", f"overlaps line {other.line} of the same queue and channel")
    return Volumes([volume for volume, _ in rows], len(found) - len(final), len(final) - len(said))


def handle_times(volumes: Iterable[Volume]) -> dict[tuple[str, str], float]:
    """Mean handle time of each queue and channel over all of its rows, in seconds: for intervals that handled nothing."""
    sums: dict[tuple[str, str], tuple[float, float]] = {}
    for v in volumes:
        seconds, handled = sums.get((v.queue, v.channel), (0.0, 0.0))
        sums[v.queue, v.channel] = (seconds + v.talk_s + v.hold_s + v.wrap_s, handled + v.handled)
    return {key: seconds / handled for key, (seconds, handled) in sums.items() if handled > 0}


def _says_nothing(row: Row) -> bool:
    """Whether it is of a forecast (it has bounds) that leaves this time out."""
    return row.has("low_80") and not row.said("offered") and not row.said("reforecast")


def _handling(row: Row, offered: float) -> tuple[float, list[float]]:
    """Contacts handled, and the seconds of talk, hold and wrap-up of these."""
    if not any(row.said(field) for field in _SPENT):
        for mean in _MEANS:
            if row.said(mean):
                handled = row.number("handled", offered) if row.number(mean) else 0.0
                return handled, [handled * row.number(mean), 0.0, 0.0]
        if not row.said("handled") and any(row.has(mean) for mean in _MEANS):
            return 0.0, [0.0, 0.0, 0.0]
        if not row.said("handled"):
            raise row.wrong("handled", f"is missing, and so is {_MEANS[0]}, which could stand for it")
    return row.number("handled"), [row.number(field) for field in _SPENT]


def _volume(row: Row) -> Volume:
    minutes = row.number("minutes")
    if not 0 < minutes <= 1500:
        raise row.wrong("minutes", f"{minutes:g} must be more than 0 and at most 1500, a day of 25 hours")
    start, queue, channel = row.moment("start"), row.text("queue"), row.text("channel")
    offered = row.number("reforecast" if row.said("reforecast") else "offered")
    handled, spent = _handling(row, offered)
    volume = Volume(
        start=start,
        minutes=minutes,
        queue=queue,
        channel=channel,
        offered=offered,
        handled=handled,
        talk_s=spent[0],
        hold_s=spent[1],
        wrap_s=spent[2],
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


__all__ = ["InputError", "Volume", "Volumes", "handle_times", "load", "read"]
