"""A session of ``stream-app simulate``: from what was asked for to a centre, a pace and a sink."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct, structs

from stream_app.errors import BadSettingsError, StreamAppError
from stream_app.producer import Compression, Topic

from .centre import Centre
from .incidents import milliseconds, parse
from .out import File, Stream
from .player import Pace, Progress, Sink, play
from .presets import centre
from .settings import DAY
from .wire import Stamps, canonical, rfc3339

FILES_START: Final = 1_767_607_200_000
"""2026-01-05T10:00:00Z, a Monday: files begin at the same moment each time, so that they are the same."""
HOUR: Final = 3_600_000
TEN_O_CLOCK: Final = 10 * HOUR
_NO_LIMIT: Final = float("inf")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class Wishes(Struct, frozen=True, kw_only=True):
    """The command's options; see its help."""

    rate: float = 20.0
    seed: int = 1
    speed: float | None = None
    duration: str | None = None
    history: str | None = None
    start: str | None = None
    time_of_day: str | None = None
    incidents: list[str] = []
    out: Path | None = None
    stamps: Stamps = "epoch"
    compression: Compression = "none"


class Plan(Struct, frozen=True):
    """What will be played: the centre, from ``pace.start`` to ``end`` (milliseconds; ``None``: no end)."""

    centre: Centre
    pace: Pace
    end: int | None


def plan(wishes: Wishes, now: int) -> Plan:
    """Make sense of the wishes.

    Args:
        wishes: the options.
        now: wall clock, milliseconds.

    Raises:
        BadSettingsError: one line that names the option.
    """
    speed = wishes.speed
    live = wishes.start is None and (wishes.out is None or speed is not None or wishes.history is not None)
    if live:
        default = HOUR if speed is not None and speed > 1 else 0
        history = _length("--history", wishes.history, default)
        begin, start = now, now - history
        pace = speed if speed is not None else _NO_LIMIT if history else 1.0
    else:
        if wishes.history is not None:
            raise BadSettingsError("--history: is for live traffic; with --start say when to begin")
        begin = start = FILES_START if wishes.start is None else _moment(wishes.start)
        pace = _NO_LIMIT if speed is None else speed
    length = _length("--duration", wishes.duration, 0 if live else HOUR)
    shown = _time_of_day(wishes.time_of_day, TEN_O_CLOCK if live else None)
    offset = 0 if shown is None else (shown - begin + DAY // 2) % DAY - DAY // 2
    settings = structs.replace(centre(wishes.rate), clock_offset_s=offset // 1000)
    incidents = [parse(text, begin) for text in wishes.incidents]
    return Plan(
        Centre(settings, wishes.seed, incidents),
        Pace(start, now, pace, live),
        begin + length if length else None,
    )


def simulate(wishes: Wishes, topic: Callable[[Wishes], Topic]) -> None:
    """Play until the end, or until SIGINT or SIGTERM.

    Args:
        wishes: the options.
        topic: makes the sink, if it is not a file.

    Raises:
        BadSettingsError: a wrong option or setting.
        StreamAppError: the sink failed.
    """
    planned = plan(wishes, int(time.time() * 1000))
    try:
        asyncio.run(_until_told(_play(planned, wishes, topic)))
    except BrokenPipeError:  # `… --out - | head` has seen enough, and Python would flush once more at its end
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


async def _play(planned: Plan, wishes: Wishes, topic: Callable[[Wishes], Topic]) -> None:
    events = planned.centre.events(planned.pace.start, planned.end)
    tell = canonical(wishes.stamps)
    async with AsyncExitStack() as stack:
        sink: Sink
        if wishes.out is not None:
            sink = File(stack.enter_context(_file(wishes.out)), tell)
        else:
            sink = Stream(await stack.enter_async_context(topic(wishes)), tell)
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
def _progress() -> Iterator[Callable[[Progress], None]]:
    """A line on stderr that says how far it is, if somebody can see it; and how far it came."""
    last = Progress()

    def remember(progress: Progress) -> None:
        nonlocal last
        last = progress

    if not sys.stderr.isatty():
        yield remember
        return
    from rich.console import Console  # noqa: PLC0415 - only where somebody looks

    began = time.monotonic()

    def line() -> str:
        rate = last.events / max(time.monotonic() - began, 0.001)
        late = f", {last.behind_ms / 1000:.1f} s behind" if last.behind_ms > 1000 else ""
        at = rfc3339(last.at) if last.at else "-"
        return f"{last.events:,} events, {rate:,.0f}/s, at {at}{late}"

    console = Console(stderr=True)
    try:
        with console.status("simulating", refresh_per_second=4) as status:

            def tell(progress: Progress) -> None:
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
        raise BadSettingsError(f"--start: {text!r} is no time; write 2026-01-05T10:00:00Z") from None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _time_of_day(text: str | None, default: int | None) -> int | None:
    if text is None:
        return default
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise BadSettingsError(f"--time-of-day: {text!r} is no time of day; write 10:00")
    return (int(found[1]) * 60 + int(found[2])) * 60_000
