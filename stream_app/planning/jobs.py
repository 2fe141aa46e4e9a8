"""The work of the planning process: bytes in, bytes out; it alone loads the forecasting libraries."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, structs

from stream_app.errors import BadSettingsError
from stream_app.model.targets import Targets
from stream_app.workforce.plan import Assumptions, plan
from stream_app.workforce.schedules import Shift
from stream_app.workforce.volumes import Volume

from .history import day_of, unpacked

if TYPE_CHECKING:
    from stream_app.forecast.backtest import Horizon
    from stream_app.forecast.grid import Grid
    from stream_app.forecast.history import HistoryRow
    from stream_app.forecast.points import Point

T = TypeVar("T")

WEEKS_AHEAD: Final = 6
"""Always as far as can be requested, so that a shorter answer is the beginning of a longer one."""
MINUTES: Final = 15


class Wanted(Struct, frozen=True, array_like=True):
    """A request for forecasts.

    Attributes:
        zone: the zone in which the queue's weeks resemble each other.
        rows: the history, packed.
        today: when the current local day began, ms.
        morning: whether to forecast today and later, from the rows before today.
        rest: whether to reforecast the rest of today, from the contacts so far.
        test: whether to back-test such forecasts.
        kinds: of days that differ from their weekday, by their ordinal; see ``forecast.calendar``.
    """

    queue: str
    channel: str
    zone: str
    rows: bytes
    today: int
    morning: bool
    rest: bool
    test: bool
    kinds: dict[int, int]


class Ahead(Struct, frozen=True, array_like=True):
    """A future interval, as a ``Point`` of the forecast; ``start`` in ms."""

    start: int
    minutes: int
    offered: float | None
    low_80: int | None
    high_80: int | None
    low_95: int | None
    high_95: int | None
    aht_s: float | None
    aht_estimated: float | None = None


class Tested(Struct, frozen=True, array_like=True):
    """A back-test's line over all weeks; ``weeks``: how many weeks ahead could be compared."""

    origins: int
    weeks: int
    intervals: int
    wape: float | None
    naive_wape: float | None
    ratio: float | None
    held_80: float | None
    held_95: float | None


class Refusal(Struct, frozen=True, array_like=True):
    """The reason for no forecast: text for people, days of history, and how many more are needed (``None``: not the reason)."""

    detail: str
    days: int
    more_days: int | None


class Forecasts(Struct, frozen=True, array_like=True):
    """The requested forecasts; ``None`` if not requested or not possible.

    Attributes:
        first: start of the first row before today, ms; ``last``: end of the last; ``intervals``: their number.
    """

    refusal: Refusal | None = None
    morning: list[Ahead] | None = None
    rest: list[Ahead] | None = None
    tested: Tested | None = None
    first: int = 0
    last: int = 0
    intervals: int = 0


class Staff(Struct, frozen=True, array_like=True):
    """A request for a staffing plan; ``shifts`` of this queue and channel, ``None``: there is no schedule.

    ``covers``: from when until when the schedule covers it, seconds.
    """

    volumes: list[Volume]
    targets: bytes
    assumptions: Assumptions
    shifts: list[Shift] | None
    covers: tuple[float, float] | None = None


class Staffed(Struct, frozen=True, array_like=True):
    """A line of the plan, by its start in ms; fields as in a ``PlanLine`` of the workforce."""

    start: int
    model: str
    handle_s: float | None
    required: int | None
    to_schedule: int | None
    scheduled: float | None
    gap: float | None
    service_level: float | None
    asa_s: float | None
    abandonment: float | None
    occupancy: float | None
    open: bool
    binds: str | None


class StaffFound(Struct, frozen=True, array_like=True):
    """The plan, or the reason for none."""

    lines: list[Staffed]
    refusal: str = ""


ForecastParts = dict[str, bytes]
"""``morning``, ``rest`` and ``test``: each part of ``Forecasts``, packed: each is cached for a time of its own."""

encode: Final = msgspec.msgpack.encode


def pack(answer: Struct) -> bytes:
    """Pack an answer for the cache, at about a fourth of its size."""
    return zlib.compress(encode(answer), 1)


def unpack(answer: bytes, kind: type[T]) -> T:
    """Unpack what ``pack`` packed."""
    return msgspec.msgpack.decode(zlib.decompress(answer), type=kind)


def forecast(question: bytes) -> bytes:
    """Compute ``Wanted`` → ``ForecastParts``, both packed: small enough that reading them holds nobody up."""
    wanted = msgspec.msgpack.decode(question, type=Wanted)
    found = _forecast(wanted)
    if found.refusal:
        refused = pack(Forecasts(found.refusal))
        return encode(dict.fromkeys(("morning", "rest", "test"), refused))
    return encode(
        {
            "morning": pack(structs.replace(found, rest=None, tested=None)),
            "rest": pack(Forecasts(rest=found.rest)),
            "test": pack(Forecasts(tested=found.tested)),
        }
    )


def _forecast(wanted: Wanted) -> Forecasts:
    from stream_app.forecast import ahead, grid  # noqa: PLC0415 - they need the extra, and seconds
    from stream_app.forecast.calendar import SpecialDays  # noqa: PLC0415 - same

    key, zone = (wanted.queue, wanted.channel), ZoneInfo(wanted.zone)
    rows = _rows(wanted)
    today = datetime.fromtimestamp(wanted.today / 1000, UTC)
    before = [row for row in rows if row.start < today]
    if not before:
        needs = (
            f"{key[0]} {key[1]}: a forecast needs {ahead.NEEDED_WEEKS} weeks of rows, found none before today"
        )
        return Forecasts(Refusal(needs, 0, ahead.NEEDED_DAYS))
    calendar = SpecialDays(zone, {date.fromordinal(n): kind for n, kind in wanted.kinds.items()})
    days = len({day_of(_ms(row.start), zone) for row in before})
    try:
        laid = grid.build(before, MINUTES, calendar)
    except BadSettingsError as error:  # rows that don't fit into the zone's hours
        return Forecasts(Refusal(str(error), days, None))
    morning = rest = tested = None
    try:
        if wanted.morning:
            morning = [_ahead(point) for point in ahead.forecast(laid, key, WEEKS_AHEAD).points]
        if wanted.rest and before[-1] is not rows[-1]:
            points = ahead.forecast(grid.build(rows, MINUTES, calendar), key, WEEKS_AHEAD).points
            rest = [_ahead(point) for point in points if point.today]
    except ahead.TooLittleError as error:
        return Forecasts(Refusal(str(error), days, ahead.more_days(laid)))
    if wanted.test:
        tested = _test(laid, key)
    ends = before[-1]
    return Forecasts(
        None,
        morning,
        rest,
        tested,
        _ms(before[0].start),
        _ms(ends.start) + ends.minutes * 60_000,
        len(before),
    )


def _rows(wanted: Wanted) -> list[HistoryRow]:
    from stream_app.forecast.history import HistoryRow  # noqa: PLC0415 - only the process needs it

    return [
        HistoryRow(
            start=datetime.fromtimestamp(row.start / 1000, UTC),
            minutes=row.minutes,
            queue=wanted.queue,
            channel=wanted.channel,
            offered=row.offered,
            handled=row.handled if row.handle_ms else 0,  # as in files: without any time it measures no work
            handle_s=row.handle_ms / 1000,
            estimated_s=row.estimated_ms / 1000,
        )
        for row in unpacked(wanted.rows)
    ]


def _test(laid: Grid, key: tuple[str, str]) -> Tested | None:
    from stream_app.forecast import ahead, backtest  # noqa: PLC0415 - they need the extra

    try:
        horizons: Sequence[Horizon] = backtest.backtest(laid, key, WEEKS_AHEAD)
    except ahead.TooLittleError:
        return None
    (line,) = (line for line in horizons if line.week is None)
    weeks = max((line.week for line in horizons if line.week is not None), default=0)
    held = (line.held_80, line.held_95)
    return Tested(line.origins, weeks, line.intervals, line.wape, line.naive_wape, line.ratio, *held)


def _ahead(point: Point) -> Ahead:
    bounds = (point.low_80, point.high_80, point.low_95, point.high_95)
    return Ahead(_ms(point.start), point.minutes, point.offered, *bounds, point.aht_s, point.aht_estimated)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp()) * 1000


def staff(question: bytes) -> bytes:
    """Compute ``Staff`` → ``StaffFound``, packed for the cache."""
    wanted = msgspec.msgpack.decode(question, type=Staff)
    try:
        targets = Targets.from_json(wanted.targets)
        covers = {(v.queue, v.channel): wanted.covers for v in wanted.volumes[:1] if wanted.covers}
        lines = plan(wanted.volumes, targets, wanted.assumptions, wanted.shifts, covers)
    except ValueError as error:
        return pack(StaffFound([], str(error)))
    found = [
        Staffed(
            _ms(line.volume.start),
            line.model,
            line.handle_s,
            line.required,
            line.to_schedule,
            line.scheduled,
            line.gap,
            line.service_level,
            line.asa_s,
            line.abandonment,
            line.occupancy,
            line.open,
            line.binds,
        )
        for line in lines
    ]
    return pack(StaffFound(found))
