"""What may be asked of interval rows, checked: each wrong value is a problem that names its parameter and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from stream_app.model.kpis import SERVICE_LEVELS
from stream_app.model.targets import Targets

from .formats import IMPORTED_INTERVALS, IMPORTS
from .spans import DAY, INTERVALS, Clock, milliseconds

FORMATS: Final = ("json", "csv", "connect", "genesys", "parquet")
OUTAGES: Final = ("include", "leave_out")
MOST_DAYS: Final = {"15m": 62, "30m": 124, "1h": 400, "1d": 4000}
"""The longest range of each interval."""
DEFAULT_LIMIT: Final = 5_000
MOST_ROWS: Final = 10_000
MINUTE: Final = 60_000
_YEARS: Final = range(1971, 2200)
_EXAMPLES: Final = [
    "2026-01-05T08:00:00Z",
    "2026-01-05T09:00:00+01:00",
    "2026-01-05",
    "2026-01-05T09:00 with tz",
]
# A plus sign that nobody encoded arrives as a blank.
_LOST_PLUS: Final = re.compile(r"(.*T.*) (\d{2}:?\d{2})")


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


class Query(Struct, frozen=True, kw_only=True):
    """What is asked for.

    Attributes:
        interval: one of ``spans.INTERVALS``.
        tz: IANA zone, by whose clock intervals begin.
        start, end: rows begin in ``[start, end)``, ms; not of meaning with ``since``.
        queues: names; ``None`` is all, and nobody is none.
        channels: same.
        policy: a service-level policy instead of the queues' own.
        form: one of ``FORMATS``.
        outages: rows that overlap one are wanted, too.
        since: final rows whose revision is larger, in the order of revisions.
        limit: rows of a page.
        defaults: the range follows the clock.
        asked: a short hash of what makes rows others or fewer; what pages of one question have in common.
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
        """The zone."""
        return ZoneInfo(self.tz)

    @property
    def clock(self) -> Clock:
        """What says where intervals begin."""
        return Clock(self.interval, self.zone)

    @property
    def nobody(self) -> bool:
        """No queue or channel is wanted: a site that nobody works at, say."""
        return self.queues == frozenset() or self.channels == frozenset()


SINGLE: Final = ("from", "to", "interval", "tz", "policy", "format", "since", "limit", "cursor", "outages")
SEVERAL: Final = ("queue", "channel", "site", "unit")
PARAMETERS: Final = (*SINGLE, *SEVERAL)
Given = Mapping[str, Sequence[str]]


def parse(given: Given, now: int, targets: Targets) -> Query:
    """Read parameters.

    Args:
        given: parameter → its values.
        now: ms since the epoch; where the range ends if nobody says so, to the minute.
        targets: say which queues a site or a unit has.

    Raises:
        BadQueryError: the first that is wrong.
    """
    for name, values in given.items():
        if name not in PARAMETERS:
            close = get_close_matches(name, PARAMETERS, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise BadQueryError(name, f"no parameter is called so{hint}", sorted(PARAMETERS))
        if name in SINGLE and len(values) > 1:
            raise BadQueryError(name, f"is given {len(values)} times, and may be given once", [])
    one = {name: values[0] for name, values in given.items() if name in SINGLE}
    interval = _choice(one, "interval", tuple(INTERVALS), "15m")
    form = _choice(one, "format", FORMATS, "json")
    if form in IMPORTS and interval not in IMPORTED_INTERVALS:
        raise BadQueryError("interval", f"{form} takes no rows of {interval}", IMPORTED_INTERVALS)
    tz = one.get("tz", "UTC")
    check_zone(tz)
    since = whole("since", one["since"], 0, 1 << 53) if "since" in one else None
    if since is not None:
        _alone(one, interval)
    start, end = (0, 0) if since is not None else _range(one, interval, ZoneInfo(tz), now)
    policy = one.get("policy")
    if policy is not None and policy not in SERVICE_LEVELS:
        raise BadQueryError("policy", f"no policy is called {policy!r}", list(SERVICE_LEVELS))
    return Query(
        interval=interval,
        tz=tz,
        start=start,
        end=end,
        queues=_queues(given, targets),
        channels=frozenset(given["channel"]) if "channel" in given else None,
        policy=policy,
        form=form,
        outages=_choice(one, "outages", OUTAGES, "include") == "include",
        since=since,
        limit=whole("limit", one["limit"], 1, MOST_ROWS) if "limit" in one else DEFAULT_LIMIT,
        defaults=since is None and "to" not in one,
        asked=_asked(given, interval, tz),
    )


def _asked(given: Given, interval: str, tz: str) -> str:
    """Of the filters as they were said: which queues a site has may change between two pages."""
    filters = {name: sorted(set(given[name])) for name in (*SEVERAL, "policy", "outages") if name in given}
    said = msgspec.json.encode([interval, tz, filters], order="deterministic")
    return sha256(said).hexdigest()[:12]


def _choice(one: Mapping[str, str], name: str, allowed: Sequence[str], default: str) -> str:
    value = one.get(name, default)
    if value not in allowed:
        raise BadQueryError(name, f"no {name} is called {value!r}", allowed)
    return value


def whole(name: str, text: str, least: int, most: int) -> int:
    """A whole number of a parameter."""
    value = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else -1
    if not least <= value <= most:
        raise BadQueryError(
            name, f"{text[:40]!r} is no whole number from {least} to {most}", [f"{least}…{most}"]
        )
    return value


def _alone(one: Mapping[str, str], interval: str) -> None:
    """``since`` follows revisions, which quarters have, over all times."""
    if interval != "15m":
        raise BadQueryError("since", "revisions are those of quarters of an hour", ["interval=15m"])
    for name in ("from", "to", "cursor"):
        if name in one:
            raise BadQueryError(name, "can't go with since, which follows changes of all times", [])


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
    """All IANA names; those of the package that comes with us, so that it is the same everywhere."""
    return frozenset((files("tzdata") / "zones").read_text("utf-8").split())


def check_zone(tz: str) -> None:
    """Refuse what is no IANA zone."""
    if tz in zones():
        return
    lower = {zone.lower(): zone for zone in zones()}
    close = [lower[name] for name in get_close_matches(tz.lower(), lower, n=3, cutoff=0.6)]
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise BadQueryError("tz", f"no time zone is called {tz[:60]!r}{hint}", close or ["UTC", "Europe/Berlin"])


def _range(one: Mapping[str, str], interval: str, zone: ZoneInfo, now: int) -> tuple[int, int]:
    end = instant("to", one["to"], zone, named="tz" in one) if "to" in one else now - now % MINUTE
    start = instant("from", one["from"], zone, named="tz" in one) if "from" in one else end - DAY
    if start >= end:
        what = "from is not before to" if "to" in one else "from is not before now, which is to's default"
        raise BadQueryError("from", what, ["a time before to"])
    if end - start > _longest(interval):
        fitting = [name for name in MOST_DAYS if end - start <= _longest(name)]
        would = f"; interval={fitting[0]} would do" if fitting else ""
        raise BadQueryError(
            "from",
            f"{(end - start) / DAY:,.0f} days are too many for interval={interval}{would}",
            [f"{name}: {days} days" for name, days in MOST_DAYS.items()],
        )
    return start, end


def _longest(interval: str) -> int:
    """So many days, one of which may have an hour more."""
    return MOST_DAYS[interval] * DAY + 60 * MINUTE


def instant(name: str, text: str, zone: ZoneInfo, *, named: bool) -> int:
    """A moment, ms: a time with an offset, or a date or a time of the zone's clock.

    Args:
        name: of the parameter.
        text: as it was given.
        zone: of a date, which stands for its first moment, or a time without offset.
        named: somebody named the zone; a time without offset means nothing otherwise.

    Raises:
        BadQueryError: it is no such time, or the clock never shows it, or shows it twice.
    """
    if lost := _LOST_PLUS.fullmatch(text):
        text = f"{lost[1]}+{lost[2]}"
    try:
        is_date = len(text) == 10
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadQueryError(name, f"{text[:40]!r} is no time", _EXAMPLES) from None
    if at.year not in _YEARS:
        raise BadQueryError(name, f"{text[:40]!r} lies outside of {_YEARS[0]} to {_YEARS[-1]}", _EXAMPLES)
    if at.tzinfo is not None:
        return milliseconds(at)
    if is_date:
        return Clock("1d", zone).first_of(date(at.year, at.month, at.day))
    if not named:
        raise BadQueryError(name, f"{text[:40]!r} has neither an offset nor, in tz, a time zone", _EXAMPLES)
    return on_the_wall(name, at, zone)


def on_the_wall(name: str, wall: datetime, zone: ZoneInfo) -> int:
    """The moment at which a clock shows a time."""
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return milliseconds(first)
    shown = wall.isoformat()
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall:
        raise BadQueryError(
            name, f"the clock of {zone.key} skips {shown}", [_with_offset(first), _with_offset(second)]
        )
    raise BadQueryError(
        name,
        f"{shown} comes twice in {zone.key}; write it with its offset",
        [first.isoformat(), second.isoformat()],
    )


def _with_offset(at: datetime) -> str:
    """A time that a clock skips, as the clock shows that moment."""
    return at.astimezone(UTC).astimezone(at.tzinfo).isoformat()
