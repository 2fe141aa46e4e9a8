"""Queries for interval rows, checked: each wrong value is a problem that names its parameter and what is allowed."""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from stream_app.model.durations import DAY, MINUTE
from stream_app.model.pieces import whole as whole_of
from stream_app.model.targets import Targets
from stream_app.views.nearest import nearest

from .formats import IMPORTED_INTERVALS, IMPORTS
from .spans import ZoneClock, milliseconds

FORMATS: Final = ("json", "csv", "connect", "genesys", "parquet")
OUTAGES: Final = ("include", "leave_out")
MOST_DAYS: Final = {"15m": 62, "30m": 124, "1h": 400, "1d": 4000}
"""The longest range of each interval."""
DEFAULT_LIMIT: Final = 5_000
MOST_ROWS: Final = 10_000
LAST_REVISION: Final = 1 << 53
_YEARS: Final = range(1971, 2200)
_EXAMPLES: Final = [
    "2026-01-05T08:00:00Z",
    "2026-01-05T09:00:00+01:00",
    "2026-01-05",
    "2026-01-05T09:00 with tz",
]
LONGEST_TIME: Final = 40
_LEAP_YEARS: Final = "|".join(str(year) for year in _YEARS if isleap(year))
TIME: Final = (
    r"^(?:(?:197[1-9]|19[89]\d|2[01]\d\d)-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])"
    rf"|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))|(?:{_LEAP_YEARS})-02-29)"
    r"(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?:Z|[+ -](?:[01]\d|2[0-3]):?[0-5]\d)?)?$"
)
"""A date, a local time or a time with an offset. A plus sign that was not encoded arrives as a space."""
_TIME: Final = re.compile(TIME.replace(r"\d", "[0-9]"))
_YEAR: Final = re.compile("[0-9]{4}-")


class BadQueryError(ValueError):
    """A parameter is wrong.

    Attributes:
        parameter: its name.
        detail: what is wrong, one line.
        allowed: what would be right, or examples of it.
    """

    def __init__(self, parameter: str, detail: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{parameter}: {detail}")
        self.parameter = parameter
        self.detail = detail
        self.allowed = list(allowed)


class MisfitError(BadQueryError):
    """A parameter is right by itself, but not with the others, or not now."""


class Query(Struct, frozen=True, kw_only=True):
    """A query for interval rows.

    Attributes:
        interval: one of ``spans.INTERVALS``.
        tz: IANA zone, by whose clock intervals begin.
        start, end: rows begin in ``[start, end)``, ms; without meaning if ``since`` is given.
        queues: names; ``None`` for all, an empty set for none.
        channels: likewise.
        policy: a service-level policy instead of the queues' own.
        form: one of ``FORMATS``.
        outages: whether rows that overlap an outage are included.
        since: only final rows with a larger revision, in order of revision.
        limit: rows per page.
        defaults: whether the range follows the clock.
        asked: a short hash of what selects and shapes rows; it is the same for all pages of one query.
    """

    interval: str = "15m"
    tz: str = "UTC"
    start: int = 0
    end: int = 0
    queues: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    policy: str | None = None
    form: str = "json"
    outages: bool = True
    since: int | None = None
    limit: int = DEFAULT_LIMIT
    defaults: bool = False
    asked: str = ""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.tz)

    @property
    def clock(self) -> ZoneClock:
        """The clock by which intervals begin."""
        return ZoneClock(self.interval, self.zone)

    @property
    def nobody(self) -> bool:
        """Whether no queue or channel matches: for example a site without queues."""
        return self.queues == frozenset() or self.channels == frozenset()


SINGLE: Final = ("from", "to", "interval", "tz", "policy", "format", "since", "limit", "cursor", "outages")
SEVERAL: Final = ("queue", "channel", "site", "unit")
PARAMETERS: Final = (*SINGLE, *SEVERAL)
Given = Mapping[str, Sequence[str]]


def parse(given: Given, now: int, targets: Targets) -> Query:
    """Read parameters.

    Args:
        given: parameter → its values, which the route's description allows.
        now: ms since the epoch; the default end of the range, to the minute.
        targets: define which queues a site or a unit has.

    Raises:
        BadQueryError: the first parameter that is wrong.
    """
    one = {name: values[0] for name, values in given.items() if name in SINGLE}
    interval, form = one.get("interval", "15m"), one.get("format", "json")
    if form in IMPORTS and interval not in IMPORTED_INTERVALS:
        raise MisfitError("interval", f"{form} does not accept rows of {interval}", IMPORTED_INTERVALS)
    tz = one.get("tz", "UTC")
    since = whole("since", one["since"], 0, LAST_REVISION) if "since" in one else None
    if since is not None:
        _alone(one, interval)
    start, end = (0, 0) if since is not None else _range(one, interval, ZoneInfo(tz), now)
    return Query(
        interval=interval,
        tz=tz,
        start=start,
        end=end,
        queues=_queues(given, targets),
        channels=frozenset(given["channel"]) if "channel" in given else None,
        policy=one.get("policy"),
        form=form,
        outages=one.get("outages") != "leave_out",
        since=since,
        limit=whole("limit", one["limit"], 1, MOST_ROWS) if "limit" in one else DEFAULT_LIMIT,
        defaults=since is None and "to" not in one,
        asked=_asked(given, interval, tz),
    )


def _asked(given: Given, interval: str, tz: str) -> str:
    """Hash the filters as they were given: which queues a site has may change between two pages."""
    filters = {name: sorted(set(given[name])) for name in (*SEVERAL, "policy", "outages") if name in given}
    key = msgspec.json.encode([interval, tz, filters], order="deterministic")
    return sha256(key).hexdigest()[:12]


def whole(name: str, text: str, least: int, most: int) -> int:
    """Read a whole number."""
    value = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else -1
    if not least <= value <= most:
        raise BadQueryError(
            name, f"expected a whole number from {least} to {most}, got {text[:40]!r}", [f"{least}…{most}"]
        )
    return value


def _alone(one: Mapping[str, str], interval: str) -> None:
    """Check that nothing contradicts ``since``, which follows revisions of 15-minute rows over all times."""
    if interval != "15m":
        raise MisfitError("since", "only 15-minute rows have revisions", ["interval=15m"])
    for name in ("from", "to", "cursor"):
        if name in one:
            raise MisfitError(name, "can't be combined with since, which follows changes of all times", [])


def _queues(given: Given, targets: Targets) -> frozenset[str] | None:
    chosen = frozenset(given["queue"]) if "queue" in given else None
    for name in ("site", "unit"):
        if name in given:
            values = set(given[name])
            here = frozenset(queue for queue, own in targets.queues.items() if getattr(own, name) in values)
            chosen = here if chosen is None else chosen & here
    return chosen


# --- time ---


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Return all IANA names, from the package that is installed with us, so that they are the same everywhere."""
    return frozenset((files("tzdata") / "zones").read_text("utf-8").split())


def check_zone(tz: str) -> None:
    """Reject anything but an IANA time zone."""
    if tz not in zones():
        close = whole_of(nearest(tz, sorted(zones())))
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise BadQueryError("tz", f"unknown time zone {tz[:60]!r}{hint}", close or ["UTC", "Europe/Berlin"])


def _range(one: Mapping[str, str], interval: str, zone: ZoneInfo, now: int) -> tuple[int, int]:
    end = instant("to", one["to"], zone, named="tz" in one) if "to" in one else now - now % MINUTE
    start = instant("from", one["from"], zone, named="tz" in one) if "from" in one else end - DAY
    if start >= end:
        what = "from must be before to" if "to" in one else "from must be before to, which is now by default"
        raise MisfitError("from", what, ["a time before to"])
    if end - start > _longest(interval):
        fitting = [name for name in MOST_DAYS if end - start <= _longest(name)]
        would = f"; use interval={fitting[0]}" if fitting else ""
        raise MisfitError(
            "from",
            f"{(end - start) / DAY:,.0f} days are too many for interval={interval}{would}",
            [f"{name}: {days} days" for name, days in MOST_DAYS.items()],
        )
    return start, end


def _longest(interval: str) -> int:
    """Return the longest range, ms: one of its days may have an hour more."""
    return MOST_DAYS[interval] * DAY + 60 * MINUTE


def instant(name: str, text: str, zone: ZoneInfo, *, named: bool) -> int:
    """Read a moment, ms: a time with an offset, or a date or a time by the zone's clock.

    Args:
        name: the parameter.
        text: its value as given.
        zone: the zone of a date, which means its first moment, or of a time without offset.
        named: whether the zone was given; otherwise a time without offset means nothing.

    Raises:
        BadQueryError: it is not such a time.
        MisfitError: the clock never shows it, or shows it twice.
    """
    if len(text) > LONGEST_TIME or not _TIME.fullmatch(text):
        what = "a time"
        if _YEAR.match(text) and int(text[:4]) not in _YEARS:
            what = f"a year from {_YEARS[0]} to {_YEARS[-1]}"
        raise BadQueryError(name, f"expected {what}, got {text[:LONGEST_TIME]!r}", _EXAMPLES)
    is_date = len(text) == 10
    at = datetime.fromisoformat(text[:11] + text[11:].replace(" ", "+"))
    if at.tzinfo is not None:
        return milliseconds(at)
    if is_date:
        return ZoneClock("1d", zone).first_of(date(at.year, at.month, at.day))
    if not named:
        raise MisfitError(name, f"expected an offset or, in tz, a time zone for {text!r}", _EXAMPLES)
    return on_the_wall(name, at, zone)


def on_the_wall(name: str, wall: datetime, zone: ZoneInfo) -> int:
    """Return the moment at which a clock shows a time, ms."""
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return milliseconds(first)
    shown = wall.isoformat()
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall:
        raise MisfitError(
            name, f"the clock of {zone.key} skips {shown}", [_with_offset(first), _with_offset(second)]
        )
    raise MisfitError(
        name,
        f"{shown} occurs twice in {zone.key}; write it with its offset",
        [first.isoformat(), second.isoformat()],
    )


def _with_offset(at: datetime) -> str:
    """Return a time that a clock skips as the clock shows that moment."""
    return at.astimezone(UTC).astimezone(at.tzinfo).isoformat()
