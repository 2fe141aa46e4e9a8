"""A session of ``stream-app simulate``: from its options to a centre, a pace and a sink."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager, nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

from msgspec import Struct, structs
from rich.console import Console

from stream_app.errors import BadSettingsError, StreamAppError
from stream_app.kafka.producer import Compression, Topic
from stream_app.model.durations import DAY, HOUR

from .centre import Centre
from .incidents import milliseconds, parse
from .out import EventFile, Stream
from .player import CentreClock, EventSink, PlayProgress, play
from .presets import brief, centre, with_week
from .settings import CentreSettings
from .wire import Stamps, canonical, rfc3339

FILES_START: Final = 1_767_607_200_000
"""2026-01-05T10:00:00Z, a Monday: files begin at the same moment each time, so that they are identical."""
TEN_O_CLOCK: Final = 10 * HOUR
_NO_LIMIT: Final = float("inf")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class SimulationOptions(Struct, frozen=True, kw_only=True):
    """The command's options; see its help."""

    rate: float = 20.0
    seed: int = 1
    speed: float | None = None
    duration: str | None = None
    history: str | None = None
    start: str | None = None
    time_of_day: str | None = None
    zone: str | None = None
    week: bool = False
    holidays: list[str] = []
    brief: bool = False
    incidents: list[str] = []
    out: Path | None = None
    stamps: Stamps = "epoch"
    compression: Compression = "none"


class Plan(Struct, frozen=True):
    """The plan of a session: the centre, from ``pace.start`` to ``end`` (milliseconds; ``None``: no end)."""

    centre: Centre
    pace: CentreClock
    end: int | None


def plan(options: SimulationOptions, now: int) -> Plan:
    """Turn the options into a plan.

    Args:
        options: the options.
        now: wall clock, milliseconds.

    Raises:
        BadSettingsError: one line that names the option.
    """
    speed = options.speed
    live = options.start is None and (options.out is None or speed is not None or options.history is not None)
    if live:
        default = HOUR if speed is not None and speed > 1 else 0
        history = _length("--history", options.history, default)
        begin, start = now, now - history
        pace = speed if speed is not None else _NO_LIMIT if history else 1.0
    else:
        if options.history is not None:
            raise BadSettingsError("--history: for live traffic only; with --start, begin earlier instead")
        begin = start = FILES_START if options.start is None else _moment(options.start)
        pace = _NO_LIMIT if speed is None else speed
    length = _length("--duration", options.duration, 0 if live else HOUR)
    settings = structs.replace(
        _centre(options), clock_offset_s=_clock_offset(options, begin, live=live) // 1000
    )
    incidents = [parse(text, begin) for text in options.incidents]
    return Plan(
        Centre(settings, options.seed, incidents),
        CentreClock(start, now, pace, live),
        begin + length if length else None,
    )


def _centre(options: SimulationOptions) -> CentreSettings:
    settings = centre(options.rate)
    if options.holidays and not options.week:
        raise BadSettingsError("--holiday: needs --week")
    if options.week:
        settings = with_week(settings, map(_date, options.holidays))
    return brief(settings) if options.brief else settings


def _clock_offset(options: SimulationOptions, begin: int, *, live: bool) -> int:
    """Return the centre's clock minus UTC, in milliseconds."""
    if options.zone is not None:
        if options.time_of_day is not None:
            raise BadSettingsError("--tz: the zone says the time of day; leave out --time-of-day")
        try:
            offset = datetime.fromtimestamp(begin / 1000, ZoneInfo(options.zone)).utcoffset()
        except (KeyError, ValueError, OSError):
            raise BadSettingsError(
                f"--tz: unknown time zone {options.zone!r}; use an IANA name like Europe/Berlin"
            ) from None
        return round(offset.total_seconds()) * 1000 if offset else 0
    shown = _time_of_day(options.time_of_day, TEN_O_CLOCK if live else None)
    return 0 if shown is None else (shown - begin + DAY // 2) % DAY - DAY // 2


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadSettingsError(f"--holiday: expected a date like 2026-12-25, got {text!r}") from None


def simulate(options: SimulationOptions, topic: Callable[[SimulationOptions], Topic]) -> None:
    """Play until the end, or until SIGINT or SIGTERM.

    Args:
        options: the options.
        topic: makes the sink, if it is not a file.

    Raises:
        BadSettingsError: a wrong option or setting.
        StreamAppError: the sink failed.
    """
    planned = plan(options, int(time.time() * 1000))
    try:
        asyncio.run(_until_told(_play(planned, options, topic)))
    except (
        BrokenPipeError
    ):  # the reader of `… --out - | head` is gone, and Python would flush once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def _until_told(play_it: Coroutine[None, None, None]) -> None:
    loop = asyncio.get_running_loop()
    playing = asyncio.create_task(play_it)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, playing.cancel)
    try:
        await playing
    except asyncio.CancelledError:
        return


async def _play(
    planned: Plan, options: SimulationOptions, topic: Callable[[SimulationOptions], Topic]
) -> None:
    events = planned.centre.events(planned.pace.start, planned.end)
    tell = canonical(options.stamps)
    async with AsyncExitStack() as stack:
        sink: EventSink
        if options.out is not None:
            sink = EventFile(stack.enter_context(_file(options.out)), tell)
        else:
            sink = Stream(await stack.enter_async_context(topic(options)), tell)
        with _progress() as told:
            await play(events, planned.pace, sink, told)


@contextmanager
def _file(path: Path) -> Iterator[BinaryIO]:
    if str(path) == "-":
        with nullcontext(sys.stdout.buffer) as file:
            yield file
        return
    try:
        opened = path.open("wb")
    except OSError as error:
        raise StreamAppError(f"--out: {error}") from None
    with opened:
        yield opened


@contextmanager
def _progress() -> Iterator[Callable[[PlayProgress], None]]:
    """Show the progress in a line on stderr, if it is a terminal; and the final state."""
    last = PlayProgress()

    def remember(progress: PlayProgress) -> None:
        nonlocal last
        last = progress

    if not sys.stderr.isatty():
        yield remember
        return

    began = time.monotonic()

    def line() -> str:
        rate = last.events / max(time.monotonic() - began, 0.001)
        late = f", {last.behind_ms / 1000:.1f} s behind" if last.behind_ms > 1000 else ""
        at = rfc3339(last.at) if last.at else "-"
        return f"{last.events:,} events, {rate:,.0f}/s, at {at}{late}"

    console = Console(stderr=True)
    try:
        with console.status("simulating", refresh_per_second=4) as status:

            def tell(progress: PlayProgress) -> None:
                remember(progress)
                status.update(line())

            yield tell
    finally:
        console.print(line())


def _length(option: str, text: str | None, default: int) -> int:
    if text is None:
        return default
    try:
        return milliseconds(text)
    except ValueError as error:
        raise BadSettingsError(f"{option}: {error}") from None


def _moment(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadSettingsError(f"--start: expected a time like 2026-01-05T10:00:00Z, got {text!r}") from None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _time_of_day(text: str | None, default: int | None) -> int | None:
    if text is None:
        return default
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise BadSettingsError(f"--time-of-day: expected a time of day like 10:00, got {text!r}")
    return (int(found[1]) * 60 + int(found[2])) * 60_000
