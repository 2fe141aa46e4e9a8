"""The course of a KPI as it is written. The order of a row's fields is that of CSV's columns."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.measures import Unit, WindowCount
from stream_app.model.ledger_numbers import HistoryPoint, KpiHistory
from stream_app.views.contacts.wire import UnknownRange
from stream_app.views.intervals.spans import moment
from stream_app.views.ledger.wire import CurrencyAmounts, PartValues, Settled, rounded
from stream_app.views.naming import parts_of
from stream_app.views.stamping import Time, stamp

from .query import AskedHistory, HistoryPeriod


class KpiHistoryRow(Struct, frozen=True):
    """A KPI in a day or week, or a group's part of it."""

    period: Annotated[str, Meta(description="The date, or the ISO week, as 2026-W05")]
    begin: Time
    end: Time
    final: Annotated[bool, Meta(description="It is over, and everything until its end was told")]
    known: Annotated[
        bool, Meta(description="No contact of it is missing; if not, numbers are of those that are known")
    ]
    name: Annotated[str | None, Meta(description="Of the group; null: unknown, or there are no groups")]
    policy: Annotated[str | None, Meta(description="By which formula, where there are several")]
    value: Annotated[float | None, Meta(description="In the KPI's unit; null: no data")]
    samples: Annotated[int | None, Meta(description="How much the value rests on")]
    settled_value: Settled | UnsetType = UNSET
    settled_samples: Annotated[int, Meta(description="How many these are")] | UnsetType = UNSET
    parts: PartValues | UnsetType = UNSET
    amounts: CurrencyAmounts | UnsetType = UNSET


class UnknownPart(Struct, frozen=True):
    """Stretches of a day or week of which contacts are missing."""

    period: str
    ranges: list[UnknownRange]


class HistoryAnswer(Struct, frozen=True):
    """The course of a KPI."""

    at: Annotated[Time, Meta(description="When the answer was made")]
    kpi: str
    title: str
    unit: str
    by: Annotated[str, Meta(description="day or week")]
    tz: str
    group: str | None
    known: Annotated[Time, Meta(description="Everything up to here was told")]
    unknown: Annotated[
        list[UnknownPart], Meta(description="When contacts were counted that are missing here, by period")
    ]
    rows: Annotated[
        list[KpiHistoryRow],
        Meta(description="In the order of time; without groups a period without data has a row, too"),
    ]
    next: Annotated[str | None, Meta(description="Path of the next page; null: this is the last one")]


def rows_of(asked: AskedHistory, found: KpiHistory) -> list[KpiHistoryRow]:
    """Return all rows; without groups one for each period, even where nothing was counted."""
    by_period: dict[int, list[HistoryPoint]] = {}
    for point in found.points:
        by_period.setdefault(point.period, []).append(point)
    rows = list[KpiHistoryRow]()
    for n, period in enumerate(asked.periods[: found.done]):
        points = by_period.get(n, [])
        if not points and asked.query.group is None:
            points = [_nothing(n, asked, found)]
        rows += [_row(asked, period, found, point) for point in points]
    return rows


def _nothing(n: int, asked: AskedHistory, found: KpiHistory) -> HistoryPoint:
    """Return the point of a period of which nothing was found: of what is counted 0, if nothing is missing."""
    kpi, known = asked.query.kpi, not found.unknown[n] and asked.periods[n].start < asked.query.now
    if isinstance(kpi, FromLedger):
        # Time of which nobody told is not known.
        counts, parts = kpi.counts and kpi.unit is not Unit.SECONDS, parts_of(kpi)
    else:
        counts, parts = isinstance(kpi.measure, WindowCount), ()
    if counts and known:
        return HistoryPoint(n, None, "", 0.0, 0, parts=dict.fromkeys(parts, 0))
    return HistoryPoint(n, None, "", None, 0)


def _row(asked: AskedHistory, period: HistoryPeriod, found: KpiHistory, point: HistoryPoint) -> KpiHistoryRow:
    begin, end = (moment(at, asked.zone).isoformat(timespec="milliseconds") for at in period.stretch)
    return KpiHistoryRow(
        period=period.name,
        begin=begin,
        end=end,
        final=period.end <= min(found.known, asked.query.now),
        known=not found.unknown[point.period],
        name=point.name,
        policy=point.policy or None,
        value=rounded(point.value),
        samples=point.samples,
        settled_value=UNSET if point.settled_samples is None else rounded(point.settled_value),
        settled_samples=UNSET if point.settled_samples is None else point.settled_samples,
        parts={**point.parts} or UNSET,
        amounts=UNSET if point.amounts is None else {**point.amounts},
    )


def unknown_of(asked: AskedHistory, found: KpiHistory) -> list[UnknownPart]:
    """Return the stretches of which contacts are missing, of each period that has any."""
    return [
        UnknownPart(
            period.name, [UnknownRange(stamp(since), stamp(until)) for since, until in found.unknown[n]]
        )
        for n, period in enumerate(asked.periods[: found.done])
        if found.unknown[n]
    ]
