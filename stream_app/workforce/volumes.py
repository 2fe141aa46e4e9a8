"""Contact volumes by interval: rows with the field names of the API's interval rows, from a file or a program."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from msgspec import Struct

from stream_app.errors import InputError
from stream_app.model.intervals.columns import WRITTEN
from stream_app.tables import reading
from stream_app.tables.mapping import ColumnMap
from stream_app.tables.row import TableRow

NEEDED: Final = ("start", "minutes", "queue", "channel", "offered")
_SPENT: Final = ("talk_s", "hold_s", "wrap_s")
_MEANS: Final = ("aht_s", "average_handle_time_s")
"""Fields that replace these sums: of a forecast, and of the API."""
MOST_ERLANG: Final = 1e6
"""More than any contact centre; a larger number is a mistake, and would take minutes to compute."""
SHARES: Final = ("aht_estimated", "average_handle_time_estimated")
"""Fields that say of a mean which share of it was estimated from replies: of a forecast, and of the API."""
KNOWN: Final = (*WRITTEN, "patience_s", "aht_s", *SHARES)
LONGEST: Final = 60
"""Minutes of a row of contacts that wait for somebody: the mean of more hides its busy hours, and plans too few for them."""
_LISTS: Final = (reading.ROWS, "forecast")


class Volume(Struct, frozen=True):
    """One interval of one queue and channel, observed or forecast.

    Attributes:
        start: with its offset.
        minutes: its length; a local day of 23 or 25 hours has 1380 or 1500.
        queue: its name.
        channel: voice, chat, email, ….
        offered: contacts offered to people: what a bot has does not wait for them. A forecast may have fractions.
        handled: contacts whose handling was completed.
        talk_s: their sum in seconds.
        hold_s: same.
        wrap_s: same.
        patience_s: mean patience in seconds, if measured.
        estimated_s: the part of the handling that was estimated from replies; ``None``: unknown.
        replies: messages of agents for which customers waited; ``None``: unknown, as in a forecast.
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
    estimated_s: float | None = None
    replies: float | None = None

    @property
    def end(self) -> datetime:
        """Its end (exclusive), with the same offset."""
        # Via UTC: a sum in a zone is by its local clock, and wrong across a clock change.
        return (self.start.astimezone(UTC) + timedelta(minutes=self.minutes)).astimezone(self.start.tzinfo)

    @property
    def spent_s(self) -> float:
        """Seconds of handling."""
        return self.talk_s + self.hold_s + self.wrap_s

    @property
    def handle_s(self) -> float | None:
        """Average handle time in seconds; ``None`` if nothing was handled, or without any time: that measures no work."""
        seconds = self.spent_s
        return seconds / self.handled if self.handled > 0 and seconds > 0 else None


class Volumes(Struct, frozen=True):
    """The content of a file.

    Attributes:
        rows: by queue, channel and time.
        unfinished: rows that may still change, which are ignored.
        left_out: rows of a forecast without a value, which are ignored too.
    """

    rows: list[Volume]
    unfinished: int = 0
    left_out: int = 0


def read(name: str, content: bytes) -> list[Volume]:
    """Return the rows of a file; see ``load``."""
    return load(name, content).rows


def load(
    name: str,
    content: bytes,
    zone: str | None = None,
    mapping: ColumnMap | None = None,
    deferred: Collection[str] | None = None,
) -> Volumes:
    """Read a CSV or JSON file: observed rows, or the output of ``stream-app forecast`` or ``/v1/forecast``.

    Args:
        name: the file's name, for messages.
        content: its bytes.
        zone: the zone of times without an offset. Of two rows at a time that the clock shows twice, the second is the later.
        mapping: where the file has the fields, if it names them differently.
        deferred: the channels whose rows may be longer than ``LONGEST``: their work is spread anyway. Default: all.

    Raises:
        InputError: one line that names file, line and field; nothing is imported in that case.
    """
    found = reading.read(
        name, content, KNOWN, NEEDED, lists=_LISTS, shared=("queue", "channel"), mapping=mapping
    )
    final = [row for row in found if row.truth("final", default=True)]
    if not final:
        raise InputError(f"{name}:1: found no final row")
    said = [row for row in final if not _says_nothing(row)]
    if not said:
        raise InputError(f"{name}:1: the forecast has no value in any row")
    rows = []
    taken: set[tuple[datetime, str, str]] = set()
    for row in said:
        minutes, starts = _minutes(row), row.moments("start", zone)
        place = row.text("queue"), row.text("channel", "voice" if mapping else None)
        if deferred is not None and minutes > LONGEST and place[1] not in deferred:
            raise row.wrong("minutes", _too_long(minutes, place[1]))
        start = next((one for one in starts if (one.astimezone(UTC), *place) not in taken), starts[0])
        taken.add((start.astimezone(UTC), *place))
        rows.append((_volume(row, minutes, start, place), row))
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
    """Return the mean handle time of each queue and channel over its rows, in seconds: for intervals without one."""
    sums: dict[tuple[str, str], tuple[float, float]] = {}
    for v in volumes:
        if v.handle_s is None:
            continue
        seconds, handled = sums.get((v.queue, v.channel), (0.0, 0.0))
        sums[v.queue, v.channel] = (seconds + v.spent_s, handled + v.handled)
    return {key: seconds / handled for key, (seconds, handled) in sums.items()}


def _says_nothing(row: TableRow) -> bool:
    """Return whether it is a forecast row (it has bounds) without a value."""
    return row.has("low_80") and not row.said("offered") and not row.said("reforecast")


def _handling(row: TableRow, offered: float) -> tuple[float, list[float]]:
    """Return the contacts handled, and their seconds of talk, hold and wrap-up."""
    if not any(row.said(field) for field in _SPENT):
        for mean in _MEANS:
            if row.said(mean):
                handled = row.number("handled", offered) if row.number(mean) else 0.0
                return handled, [handled * row.number(mean), 0.0, 0.0]
        if not row.said("handled") and any(row.has(mean) for mean in _MEANS):
            return 0.0, [0.0, 0.0, 0.0]
        if not row.said("handled"):
            raise row.wrong("handled", f"is missing; provide it, or {_MEANS[0]} instead")
    return row.number("handled"), [row.number(field) for field in _SPENT]


def _estimated(row: TableRow, seconds: float) -> float | None:
    """Return the part of the handling that was estimated from replies; ``None``: the file does not say."""
    if row.said("estimated_s"):
        return row.number("estimated_s")
    for share in SHARES:
        if row.said(share):
            return row.number(share, most=1) * seconds
    return None


def _too_long(minutes: float, channel: str) -> str:
    return (
        f"expected at most {LONGEST} on the channel {channel}, got {minutes:g}: the mean of so long a time hides its busy "
        "hours, for which too few people would be planned; write the rows with stream-app intervals … --interval 15m, 30m or 1h"
    )


def _minutes(row: TableRow) -> float:
    minutes = row.number("minutes")
    if not 0 < minutes <= 1500:
        raise row.wrong(
            "minutes", f"expected more than 0 and at most 1500 (a day of 25 hours), got {minutes:g}"
        )
    return minutes


def _volume(row: TableRow, minutes: float, start: datetime, place: tuple[str, str]) -> Volume:
    if row.said("reforecast"):
        offered = row.number("reforecast")
    else:
        offered = row.number("offered") - row.number("to_bot", 0.0) + row.number("from_bot", 0.0)
    if offered < 0:
        raise row.wrong("to_bot", "exceeds the contacts offered and those that bots handed off")
    handled, spent = _handling(row, offered)
    volume = Volume(
        start=start,
        minutes=minutes,
        queue=place[0],
        channel=place[1],
        offered=offered,
        handled=handled,
        talk_s=spent[0],
        hold_s=spent[1],
        wrap_s=spent[2],
        patience_s=row.number("patience_s") if row.said("patience_s") else None,
        estimated_s=_estimated(row, sum(spent)),
        replies=row.number("replies") if row.said("replies") else None,
    )
    if volume.handled == 0 and volume.spent_s > 0:
        raise row.wrong("handled", "is 0, but there is handle time")
    load = volume.offered * (volume.handle_s or 0.0) / (60 * minutes)
    if load > MOST_ERLANG:
        raise row.wrong(
            "offered", f"expected a load of at most {MOST_ERLANG:g} people busy at once, got {load:.3g}"
        )
    return volume


__all__ = ["InputError", "Volume", "Volumes", "handle_times", "load", "read"]
