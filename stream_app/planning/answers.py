"""Rows, forecasts and staffing of a queue → the answers of the HTTP interface. Pure: time is an argument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from stream_app.model.events import QueueChannel
from stream_app.model.intervals.columns import IntervalRow
from stream_app.model.targets import QueueTargets
from stream_app.views.plan import wire
from stream_app.workforce.assumptions import Assumptions
from stream_app.workforce.estimated import HandleTimeTrust, trust, trust_in_mean
from stream_app.workforce.volumes import Volume

from .history import at, day_of, midnight
from .jobs import Ahead, Forecasts, Staffed, StaffFound, Tested

METHOD: Final = "profile of the week x level, negative binomial intervals (docs/forecast.md)"
_S: Final = 1000


class Piece(Struct, frozen=True):
    """An interval of a day: the actual where it is final, otherwise the forecast.

    Attributes:
        offered: contacts; ``None``: unknown.
        expected: the forecast, whether there is an actual or not.
        aht_s: average handle time in seconds.
        volume: the input of the staffing; ``None`` without ``offered``.
    """

    start: int
    minutes: int
    actual: bool
    offered: float | None
    expected: float | None
    aht_s: float | None
    volume: Volume | None


def forecast(
    place: QueueChannel,
    now: int,
    found: Forecasts,
    actual: Mapping[int, IntervalRow],
    *,
    days: int,
    zone: ZoneInfo,
    own: ZoneInfo,
    cap_s: float,
) -> wire.Forecast:
    """Build the whole answer.

    Args:
        place: the queue and channel.
        now: ms.
        found: the forecasts.
        actual: final rows of today, by start.
        days: the number of local days from today on.
        zone: the zone of days and times.
        own: the queue's zone, in which the forecast was made.
        cap_s: the most work that one reply may have been, in seconds.
    """
    today = day_of(now, zone)
    begin, end = midnight(today, zone), midnight(today + timedelta(days=days), zone)
    morning = {one.start: one for one in found.morning or () if begin <= one.start < end}
    rest = {one.start: one for one in found.rest or ()}
    starts = sorted({*morning, *(start for start in actual if begin <= start < end)})
    return wire.Forecast(
        at=stamp(now, zone),
        queue=place[0],
        channel=place[1],
        tz=zone.key,
        method=f"{METHOD}; weeks of {own.key}",
        made_from=wire.MadeFrom(stamp(found.first, zone), stamp(found.last, zone), found.intervals),
        backtest=_backtest(found.tested),
        handle_time=basis(
            trust_in_mean(
                ((one.offered, one.aht_s) for one in found.morning or ()),
                next((one.aht_estimated for one in found.morning or ()), None),
                cap_s,
            )
        ),
        rows=[
            _forecast_row(start, morning.get(start), rest.get(start), actual.get(start), zone)
            for start in starts
        ],
    )


def _forecast_row(
    start: int, thought: Ahead | None, again: Ahead | None, came: IntervalRow | None, zone: ZoneInfo
) -> wire.ForecastRow:
    minutes = thought.minutes if thought else came.minutes if came else 0
    offered = low_80 = high_80 = low_95 = high_95 = aht_s = estimated = None
    if thought:
        offered, aht_s, estimated = thought.offered, thought.aht_s, thought.aht_estimated
        low_80, high_80, low_95, high_95 = thought.low_80, thought.high_80, thought.low_95, thought.high_95
    return wire.ForecastRow(
        stamp(start, zone),
        minutes,
        offered,
        low_80,
        high_80,
        low_95,
        high_95,
        aht_s,
        came.for_people if came else None,
        again.offered if again else None,
        estimated,
    )


def basis(trusted: HandleTimeTrust) -> wire.HandleTimeBasis:
    """Return how reliable handle times are, as it is sent."""
    return wire.HandleTimeBasis(rounded(trusted.estimated, 4), rounded(trusted.too_high, 4), trusted.doubt)


def basis_of(parts: Iterable[Piece], rule: QueueTargets) -> wire.HandleTimeBasis:
    """Return how reliable the handle times of a plan's intervals are."""
    return basis(trust([part.volume for part in parts if part.volume], rule.reply_work_cap / _S))


def _backtest(tested: Tested | None) -> wire.Backtest | None:
    if tested is None:
        return None
    return wire.Backtest(
        tested.origins,
        tested.weeks,
        tested.intervals,
        rounded(tested.wape, 4),
        rounded(tested.naive_wape, 4),
        rounded(tested.ratio, 4),
        rounded(tested.held_80, 4),
        rounded(tested.held_95, 4),
    )


def day_pieces(
    place: QueueChannel, found: Forecasts | None, actual: Mapping[int, IntervalRow], begin: int, end: int
) -> list[Piece]:
    """Return the intervals of ``[begin, end)``: final rows, and where there is none yet, the latest forecast.

    Handle times are not reforecast during the day.
    """
    expected = {one.start: one for one in found.morning or ()} if found else {}
    for one in (found and found.rest) or ():
        thought = expected.get(one.start, one)
        expected[one.start] = structs.replace(thought, offered=one.offered)
    starts = sorted(start for start in {*expected, *actual} if begin <= start < end)
    return [_piece(place, start, expected.get(start), actual.get(start)) for start in starts]


def _piece(place: QueueChannel, start: int, thought: Ahead | None, came: IntervalRow | None) -> Piece:
    expected = thought.offered if thought else None
    if came:
        talk_s, hold_s, wrap_s = (ms / _S for ms in (came.talk_ms, came.hold_ms, came.wrap_ms))
        volume = Volume(
            at(start, _UTC),
            came.minutes,
            *place,
            came.for_people,
            came.handled,
            talk_s,
            hold_s,
            wrap_s,
            estimated_s=came.estimated_ms / _S,
            replies=came.replies,
        )
        return Piece(start, came.minutes, True, came.for_people, expected, volume.handle_s, volume)
    assert thought is not None  # noqa: S101 - every start has one or the other
    if expected is None:
        return Piece(start, thought.minutes, False, None, None, thought.aht_s, None)
    handled = expected if thought.aht_s else 0.0
    spent = handled * (thought.aht_s or 0.0)
    estimated_s = None if thought.aht_estimated is None else thought.aht_estimated * spent
    volume = Volume(
        at(start, _UTC),
        thought.minutes,
        *place,
        expected,
        handled,
        spent,
        0.0,
        0.0,
        estimated_s=estimated_s,
    )
    return Piece(start, thought.minutes, False, expected, expected, thought.aht_s, volume)


_UTC: Final = ZoneInfo("UTC")


def staffing(
    place: QueueChannel,
    now: int,
    parts: Sequence[Piece],
    found: StaffFound,
    *,
    day: date,
    zone: ZoneInfo,
    rule: QueueTargets,
    assumptions: Assumptions,
    version: int | None,
) -> wire.Staffing:
    """Build the whole answer; ``version`` of the schedule, ``None``: there is none."""
    lines = {line.start: line for line in found.lines}
    waits = place[1] in assumptions.deferred
    return wire.Staffing(
        at=stamp(now, zone),
        queue=place[0],
        channel=place[1],
        date=day.isoformat(),
        tz=zone.key,
        model="deferred" if waits else assumptions.model,
        assumptions=assumed(rule, assumptions, place[1]),
        handle_time=basis_of(parts, rule),
        schedules=version,
        rows=[_staffing_row(one, lines.get(one.start), zone) for one in parts],
    )


def assumed(rule: QueueTargets, assumptions: Assumptions, channel: str) -> wire.PlanAssumptions:
    """Return the assumptions of a channel's plan."""
    own = assumptions.of(rule, channel)
    gives_up = not own.deferred and assumptions.model == "erlang-a"
    return wire.PlanAssumptions(
        answer_target_s=rule.answer_target / _S,
        service_level=rule.targets.get("service_level"),
        policy=rule.policy,
        short_abandon_s=rule.short_abandon / _S,
        abandonment=rule.targets.get("abandonment") if gives_up else None,
        occupancy_max=None if own.deferred else own.occupancy,
        asa_max_s=None if own.deferred else own.asa_s,
        shrinkage=own.shrinkage,
        patience_s=own.patience_s if gives_up else None,
        concurrency=own.concurrency.at_once,
        calendar=rule.calendar is not None,
        full_time_h=rule.full_time_h,
    )


def _staffing_row(piece: Piece, line: Staffed | None, zone: ZoneInfo) -> wire.StaffingRow:
    scheduled = line.scheduled if line else None
    # Without a schedule these belong to the required people.
    reached = line if scheduled is not None else None
    return wire.StaffingRow(
        start=stamp(piece.start, zone),
        minutes=piece.minutes,
        offered=piece.offered,
        average_handle_time_s=rounded(line.handle_s if line else piece.aht_s, 1),
        source="actual" if piece.actual else "forecast",
        required=line.to_schedule if line else None,
        required_at_work=line.required if line else None,
        staffed=rounded(scheduled, 2),
        gap=rounded(line.gap if line else None, 2),
        service_level=rounded(reached.service_level if reached else None, 4),
        asa_s=rounded(reached.asa_s if reached else None, 1),
        abandonment=rounded(reached.abandonment if reached else None, 4),
        occupancy=rounded(reached.occupancy if reached else None, 4),
        open=line.open if line else None,
        binds=line.binds if line else None,
    )


def stamp(moment: int, zone: ZoneInfo) -> str:
    """Format a moment, ms, as a local time."""
    return at(moment, zone).isoformat()


def rounded(value: float | None, digits: int) -> float | None:
    """Round a value, if there is one."""
    return None if value is None else round(value, digits)
