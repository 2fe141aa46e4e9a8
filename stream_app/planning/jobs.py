"""What the planning process does: bytes in, bytes out; it alone loads what forecasts."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, structs

from stream_app.errors import BadSettingsError
from stream_app.model.targets import Targets
from stream_app.workforce.plan import Assumptions, plan
from stream_app.workforce.schedules import Shift
from stream_app.workforce.volumes import Volume

from .rows import day_of, unpacked

if TYPE_CHECKING:
    from stream_app.forecast.backtest import Horizon
    from stream_app.forecast.grid import Grid
    from stream_app.forecast.history import IntervalRow
    from stream_app.forecast.points import Point

T = TypeVar("T")

WEEKS_AHEAD: Final = 6
"""Always as far as can be asked for, so that a shorter answer is the beginning of a longer one."""
MINUTES: Final = 15


class Wanted(Struct, frozen=True, array_like=True):
    """A forecast to be made.

    Attributes:
        zone: in which the queue's weeks are alike.
        rows: of the past, packed.
        today: when the local day began that is under way, ms.
        morning: make the forecast of today and later, from what came before today.
        rest: make that of the rest of today, from what came so far.
        test: say how good such forecasts would have been.
    """

    queue: str
    channel: str
    zone: str
    rows: bytes
    today: int
    morning: bool
    rest: bool
    test: bool


class Ahead(Struct, frozen=True, array_like=True):
    """An interval to come, as a ``Point`` of the forecast; ``start`` in ms."""

    start: int
    minutes: int
    offered: float | None
    low_80: int | None
    high_80: int | None
    low_95: int | None
    high_95: int | None
    aht_s: float | None


class Tested(Struct, frozen=True, array_like=True):
    """The line of all weeks of a back-test; ``weeks``: so many ahead there was something to compare with."""

    origins: int
    weeks: int
    intervals: int
    wape: float | None
    naive_wape: float | None
    ratio: float | None
    held_80: float | None
    held_95: float | None


class Refusal(Struct, frozen=True, array_like=True):
    """Why there is no forecast: what for people, days of history, and how many more are needed (``None``: that is not it)."""

    detail: str
    days: int
    more_days: int | None


class Found(Struct, frozen=True, array_like=True):
    """What was wanted; ``None`` what was not, or can't be told.

    Attributes:
        first: start of the first row before today, ms; ``last``: end of the last; ``intervals``: how many.
    """

    refusal: Refusal | None = None
    morning: list[Ahead] | None = None
    rest: list[Ahead] | None = None
    tested: Tested | None = None
    first: int = 0
    last: int = 0
    intervals: int = 0


class Staff(Struct, frozen=True, array_like=True):
    """A staffing plan to be made; ``shifts`` of this queue and channel, ``None``: there is no roster."""

    volumes: list[Volume]
    targets: bytes
    assumptions: Assumptions
    shifts: list[Shift] | None


class Staffed(Struct, frozen=True, array_like=True):
    """A line of the plan, by its start in ms; fields as of a ``Line`` of the workforce."""

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


class StaffFound(Struct, frozen=True, array_like=True):
    """The plan, or why there is none."""

    lines: list[Staffed]
    refusal: str = ""


Parts = dict[str, bytes]
"""``morning``, ``rest`` and ``test``: what belongs to each of a ``Found``, packed, for each is kept for a time of its own."""

encode: Final = msgspec.msgpack.encode


def pack(answer: Struct) -> bytes:
    """An answer as it is kept: a quarter of its size."""
    return zlib.compress(encode(answer), 1)


def unpack(answer: bytes, kind: type[T]) -> T:
    """The inverse."""
    return msgspec.msgpack.decode(zlib.decompress(answer), type=kind)


def forecast(question: bytes) -> bytes:
    """``Wanted`` → ``Parts``, both packed: small enough that nobody waits while they are read."""
    wanted = msgspec.msgpack.decode(question, type=Wanted)
    found = _forecast(wanted)
    if found.refusal:
        refused = pack(Found(found.refusal))
        return encode(dict.fromkeys(("morning", "rest", "test"), refused))
    return encode(
        {
            "morning": pack(structs.replace(found, rest=None, tested=None)),
            "rest": pack(Found(rest=found.rest)),
            "test": pack(Found(tested=found.tested)),
        }
    )


def _forecast(wanted: Wanted) -> Found:
    from stream_app.forecast import ahead, grid  # noqa: PLC0415 - they need the extra, and seconds
    from stream_app.forecast.calendar import Calendar  # noqa: PLC0415 - same

    key, zone = (wanted.queue, wanted.channel), ZoneInfo(wanted.zone)
    rows = _rows(wanted)
    today = datetime.fromtimestamp(wanted.today / 1000, UTC)
    before = [row for row in rows if row.start < today]
    if not before:
        needs = f"{key[0]} {key[1]}: a forecast needs {ahead.NEEDED_WEEKS} weeks of rows, there are none before today"
        return Found(Refusal(needs, 0, ahead.NEEDED_DAYS))
    calendar = Calendar(zone)
    days = len({day_of(_ms(row.start), zone) for row in before})
    try:
        laid = grid.build(before, MINUTES, calendar)
    except BadSettingsError as error:  # rows that don't fit into the zone's hours
        return Found(Refusal(str(error), days, None))
    morning = rest = tested = None
    try:
        if wanted.morning:
            morning = [_ahead(point) for point in ahead.forecast(laid, key, WEEKS_AHEAD).points]
        if wanted.rest and before[-1] is not rows[-1]:
            points = ahead.forecast(grid.build(rows, MINUTES, calendar), key, WEEKS_AHEAD).points
            rest = [_ahead(point) for point in points if point.today]
    except ahead.TooLittleError as error:
        return Found(Refusal(str(error), days, ahead.more_days(laid)))
    if wanted.test:
        tested = _test(laid, key)
    ends = before[-1]
    return Found(
        None,
        morning,
        rest,
        tested,
        _ms(before[0].start),
        _ms(ends.start) + ends.minutes * 60_000,
        len(before),
    )


def _rows(wanted: Wanted) -> list[IntervalRow]:
    from stream_app.forecast.history import IntervalRow  # noqa: PLC0415 - only the process needs it

    return [
        IntervalRow(
            start=datetime.fromtimestamp(row.start / 1000, UTC),
            minutes=row.minutes,
            queue=wanted.queue,
            channel=wanted.channel,
            offered=row.offered,
            handled=row.handled,
            handle_s=row.handle_ms / 1000,
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
    return Ahead(_ms(point.start), point.minutes, point.offered, *bounds, point.aht_s)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp()) * 1000


def staff(question: bytes) -> bytes:
    """``Staff`` → ``StaffFound``, packed as it is kept."""
    wanted = msgspec.msgpack.decode(question, type=Staff)
    try:
        lines = plan(wanted.volumes, Targets.from_json(wanted.targets), wanted.assumptions, wanted.shifts)
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
        )
        for line in lines
    ]
    return pack(StaffFound(found))
