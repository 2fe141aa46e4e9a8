"""What ``forecast`` runs: from a file to a forecast of each queue and channel in it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from stream_app.errors import BadSettingsError, InputError, StreamAppError
from stream_app.forecast.calendar import Calendar, parse_days, parse_spans
from stream_app.forecast.history import History, Volumes, read
from stream_app.forecast.picture import MOST, Bars, Panel, svg

from .forecast_output import Found, write

if TYPE_CHECKING:
    from stream_app.forecast.ahead import Forecast
    from stream_app.forecast.backtest import Horizon
    from stream_app.forecast.grid import Grid

EX_DATAERR: Final = 65
_PAST_DAYS: Final = 14


class Wishes(Struct, frozen=True, kw_only=True):
    """The command's options; see its help."""

    volumes: Path
    weeks: int = 2
    minutes: int = 15
    tz: str = "UTC"
    queues: list[str] = []
    holidays: str | None = None
    leave_out: list[str] = []
    back_test: bool = False
    plot: Path | None = None
    form: Literal["table", "csv", "json"] = "table"

    def calendar(self) -> Calendar:
        """What was said about days.

        Raises:
            BadSettingsError: one line that names the option.
        """
        try:
            zone = ZoneInfo(self.tz)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise BadSettingsError(f"--tz: {self.tz!r} is no IANA zone; write Europe/Berlin") from None
        return Calendar(zone, self._days(), parse_spans(self.leave_out, zone, "--leave-out"))

    def _days(self) -> dict[date, int]:
        if self.holidays is None:
            return {}
        try:
            path = Path(self.holidays)
            text, place = (
                (path.read_text("utf-8-sig"), self.holidays)
                if path.is_file()
                else (self.holidays, "--holidays")
            )
        except UnicodeDecodeError:
            raise BadSettingsError(f"--holidays: {self.holidays} is not UTF-8") from None
        except (OSError, ValueError):  # many dates are no name of a file
            text, place = self.holidays, "--holidays"
        return parse_days(text, place)


def forecast(wishes: Wishes) -> None:
    """Forecast, and write it to standard output.

    Raises:
        BadSettingsError: a wrong option, or the extra is not installed.
        StreamAppError: no queue has enough history.
        SystemExit: 65 for a file that can't be used.
    """
    calendar = wishes.calendar()
    try:
        with _progress(None) as tell:
            tell(f"reading {wishes.volumes}")
            volumes = read(*_bytes(wishes.volumes))
    except InputError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(EX_DATAERR) from None
    history = _chosen(volumes.history, wishes.queues)
    if wishes.plot:
        _writable(wishes.plot)
    found, panels = _work(history, calendar, wishes)
    for line in found.refused:
        sys.stderr.write(f"stream-app: {line}\n")
    if wishes.plot and panels:
        _draw(wishes.plot, panels)
        if len(panels) > MOST:
            sys.stderr.write(
                f"forecast: {wishes.plot} shows the first {MOST} of {len(panels)}; --queue chooses\n"
            )
    if not found.forecasts:
        raise StreamAppError("nothing could be forecast")
    write(found, wishes.form)
    sys.stderr.write(f"forecast: {_account(found, volumes, wishes)}\n")


def _draw(path: Path, panels: list[Panel]) -> None:
    try:
        path.write_text(svg(panels), encoding="utf-8")
    except OSError as error:
        raise BadSettingsError(f"--plot: {path}: {error.strerror}") from None


def _account(found: Found, volumes: Volumes, wishes: Wishes) -> str:
    what = f"{_count(len(found.forecasts), 'queue-channel')}, {_count(wishes.weeks, 'week')}"
    parts = [f"{what} by {wishes.minutes} minutes in {wishes.tz}"]
    if volumes.unfinished:
        parts.append(f"{volumes.unfinished:,} rows that are not final were passed over")
    if volumes.outages:
        parts.append(f"{volumes.outages:,} rows of outages were left out")
    if found.refused:
        parts.append(f"{len(found.refused)} refused")
    return "; ".join(parts)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")


def _bytes(path: Path) -> tuple[bytes, str]:
    if path == Path("-"):
        return sys.stdin.buffer.read(), "-"
    try:
        return path.read_bytes(), str(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def _writable(path: Path) -> None:
    """Before the work, not after it."""
    if path.suffix != ".svg":
        raise BadSettingsError(f"--plot: {path} must end in .svg")
    if not path.parent.is_dir():
        raise BadSettingsError(f"--plot: {path.parent} is no folder")


def _chosen(history: History, queues: list[str]) -> History:
    known = sorted({queue for queue, _ in history})
    for queue in queues:
        if queue not in known:
            raise BadSettingsError(
                f"--queue: {queue!r} is not in the file; there are {', '.join(known)[:200]}"
            )
    return {key: rows for key, rows in history.items() if not queues or key[0] in queues}


def _work(history: History, calendar: Calendar, wishes: Wishes) -> tuple[Found, list[Panel]]:
    _load_libraries()
    from stream_app.forecast import ahead, backtest, grid  # noqa: PLC0415 - they need the extra

    found, panels = Found(), []
    with _progress(len(history)) as tell:
        for key, rows in history.items():
            tell(f"{key[0]} {key[1]}")
            laid = grid.build(rows, wishes.minutes, calendar)
            try:
                made = ahead.forecast(laid, key, wishes.weeks)
            except ahead.TooLittleError as error:
                found.refused.append(str(error))
                continue
            horizons = []
            if wishes.back_test:
                try:
                    horizons = backtest.backtest(laid, key, wishes.weeks)
                except ahead.TooLittleError as error:
                    found.refused.append(str(error))
            found.forecasts.append(made)
            found.horizons += horizons
            if wishes.plot:
                panels.append(_panel(laid, made, horizons))
    return found, panels


def _panel(laid: Grid, made: Forecast, horizons: list[Horizon]) -> Panel:
    bars = [
        Bars(line.week, line.wape, line.naive_wape)
        for line in horizons
        if line.week is not None and line.wape is not None and line.naive_wape is not None
    ]
    return Panel(f"{made.queue} {made.channel}", laid.recent(_PAST_DAYS), made.points, bars)


def _load_libraries() -> None:
    """Load what the extra installs, or say in one line how to install it."""
    try:
        import numpy  # noqa: F401, ICN001, PLC0415 - takes seconds, and may not be there
        import scipy.stats  # noqa: F401, PLC0415 - same
        import statsforecast.models  # noqa: F401, PLC0415 - same
    except ModuleNotFoundError as error:
        raise BadSettingsError(f"forecast needs {error.name}: pip install 'stream-app[forecast]'") from None


@contextmanager
def _progress(total: int | None) -> Iterator[Callable[[str], None]]:
    """A bar on stderr, if somebody can see it; without a total one that says no more than that something is done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where somebody looks
    from rich.markup import escape  # noqa: PLC0415 - same
    from rich.progress import Progress  # noqa: PLC0415 - same

    with Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("forecast", total=total, completed=-1)  # each is told when it begins
        yield lambda what: shown.update(task, description=escape(what), advance=1)
