"""Queries for the course of a KPI, checked, and the days and weeks of a time zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, Literal, cast
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from stream_app.model.durations import DAY, HOUR
from stream_app.model.kpis import BY_NAME as COUNTED, SERVICE_LEVELS
from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Derived, IntervalsMet, Level
from stream_app.model.ledger_numbers import HistoryQuery, TimeRange
from stream_app.views.intervals.query import BadQueryError, MisfitError, instant, whole
from stream_app.views.intervals.spans import ZoneClock, moment
from stream_app.views.ledger.query import BY_NAME as OF_LEDGER, GROUPS, POLICIES as OF_RESOLUTION

Every = Literal["day", "week"]
EVERY: Final[tuple[Every, ...]] = ("day", "week")
FORMATS: Final = ("json", "csv")
DEFAULT: Final[dict[Every, int]] = {"day": 14, "week": 13}
"""Days, or weeks, that are answered by default."""
MOST_DAYS: Final = 4_000
"""The longest range."""
DEFAULT_LIMIT: Final = 100
MOST_PERIODS: Final = 400
"""Days or weeks of a page."""
KPIS: Final[dict[str, Kpi | FromLedger]] = {
    **OF_LEDGER,
    **{
        kpi.name: kpi
        for kpi in COUNTED.values()
        if not isinstance(kpi.measure, Level | Derived | IntervalsMet)
    },
}
"""What has a history: KPIs of the ledger, and those whose counters it has."""
POLICIES: Final = (*OF_RESOLUTION, *SERVICE_LEVELS)
__all__ = ["GROUPS", "KPIS", "POLICIES", "AskedHistory", "parse_history"]


class HistoryPeriod(Struct, frozen=True):
    """A day or week of a zone: its name, and ``[start, end)``, ms."""

    name: str
    start: int
    end: int

    @property
    def stretch(self) -> TimeRange:
        """Its moments."""
        return self.start, self.end


class AskedHistory(Struct, frozen=True):
    """A query as it was asked.

    Attributes:
        query: what is looked for, on this page.
        periods: those of the page, with their names.
        more: when the next page begins, ms; ``None``: this is the last one.
        end: of the range, ms.
        by: day or week.
        zone: by whose clock these are.
        form: one of ``FORMATS``.
    """

    query: HistoryQuery
    periods: list[HistoryPeriod]
    more: int | None
    end: int
    by: Every
    zone: ZoneInfo
    form: str

    def following(self, done: int) -> int | None:
        """Return where the next page begins if so many periods of this one were answered; ``None``: nowhere."""
        return self.more if done == len(self.periods) else self.periods[done].start

    def rest(self, done: int) -> AskedHistory | None:
        """Return the question for what is left after so many periods; ``None``: nothing is."""
        begin = self.following(done)
        if begin is None:
            return None
        found = periods(begin, self.end, self.by, self.zone, len(self.periods) + 1)
        page, after = found[: len(self.periods)], found[len(self.periods) :]
        query = replace(self.query, periods=tuple(period.stretch for period in page))
        return replace(self, query=query, periods=page, more=after[0].start if after else None)


def parse_history(given: Mapping[str, Sequence[str]], now: int) -> AskedHistory:
    """Read parameters.

    Args:
        given: parameter → its values, which the route's description allows.
        now: ms since the epoch.

    Raises:
        BadQueryError: the first parameter that is wrong.
    """
    one = {name: values[0] for name, values in given.items() if name not in {"queue", "channel"}}
    if "kpi" not in one:
        raise BadQueryError("kpi", "expected a KPI", [*KPIS])
    kpi, by = KPIS[one["kpi"]], cast("Every", one.get("by", "day"))
    zone, named = ZoneInfo(one.get("tz", "UTC")), "tz" in one
    end = instant("to", one["to"], zone, named=named) if "to" in one else now + 1
    start = instant("from", one["from"], zone, named=named) if "from" in one else _back(end, by, zone)
    if start >= end:
        what = "from must be before to" if "to" in one else "from must be before to, which is now by default"
        raise MisfitError("from", what, ["a time before to"])
    if end - start > MOST_DAYS * DAY + HOUR:
        detail = f"{(end - start) / DAY:,.0f} days are too many"
        raise MisfitError("from", detail, [f"at most {MOST_DAYS} days"])
    limit = whole("limit", one["limit"], 1, MOST_PERIODS) if "limit" in one else DEFAULT_LIMIT
    found = periods(start, end, by, zone, limit + 1)
    page = found[:limit]
    query = HistoryQuery(
        kpi=kpi,
        periods=tuple(period.stretch for period in page),
        queues=frozenset(given["queue"]) if "queue" in given else None,
        channels=frozenset(given["channel"]) if "channel" in given else None,
        group=one.get("group"),
        now=now,
        policy=one.get("policy"),
    )
    more = found[limit].start if len(found) > limit else None
    return AskedHistory(query, page, more, end, by, zone, one.get("format", "json"))


def _back(end: int, by: Every, zone: ZoneInfo) -> int:
    """Return where the range begins that ends there, if nothing else is said."""
    last = _first_day(moment(end - 1, zone).date(), by)
    return ZoneClock("1d", zone).first_of(last - (DEFAULT[by] - 1) * _step(by))


def periods(start: int, end: int, by: Every, zone: ZoneInfo, most: int) -> list[HistoryPeriod]:
    """Return the days, or ISO weeks, of which a part is in ``[start, end)``: whole ones by the zone's clock, at most some."""
    clock, step = ZoneClock("1d", zone), _step(by)
    day = _first_day(moment(start, zone).date(), by)
    found = list[HistoryPeriod]()
    begin = clock.first_of(day)
    while begin < end and len(found) < most:
        after = clock.first_of(day + step)
        found.append(HistoryPeriod(_name(day, by), begin, after))
        day, begin = day + step, after
    return found


def _step(by: Every) -> timedelta:
    return timedelta(days=7 if by == "week" else 1)


def _first_day(day: date, by: Every) -> date:
    return day - timedelta(days=day.weekday()) if by == "week" else day


def _name(day: date, by: Every) -> str:
    if by == "day":
        return day.isoformat()
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"
