"""The work of ``forecast``: from a file to a forecast of each queue and channel in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct, structs
from rich.markup import escape

from stream_app.commands.config import document as targets_document
from stream_app.commands.maps import call_map
from stream_app.commands.terminal import bar, column_map
from stream_app.errors import BadSettingsError, InputError, StreamAppError, how_to_install
from stream_app.forecast.ahead import QueueForecast
from stream_app.forecast.backtest import Horizon
from stream_app.forecast.calendar import SpecialDays, of_business_hours, parse_days, parse_spans
from stream_app.forecast.grid import Grid
from stream_app.forecast.history import KNOWN, History, ParsedHistory, SeriesKey, read
from stream_app.forecast.picture import MOST, Bars, QueuePanel, svg
from stream_app.model.durations import MINUTE
from stream_app.model.targets import Targets
from stream_app.workforce.assumptions import DEFERRED
from stream_app.workforce.estimated import trust_in_mean
from stream_app.zones import checked_zone

from .listed import read_calls
from .output import ForecastRun, write

_PAST_DAYS: Final = 14
_WORTH_SAYING: Final = 0.5


class ForecastOptions(Struct, frozen=True, kw_only=True):
    """The command's options; see its help."""

    volumes: Path
    weeks: int = 2
    minutes: int | None = None
    tz: str | None = None
    zone: str | None = None
    targets: Path | None = None
    mapping: list[str] = []
    calls: bool = False
    queues: list[str] = []
    holidays: str | None = None
    leave_out: list[str] = []
    back_test: bool = False
    plot: Path | None = None
    form: Literal["table", "csv", "json"] = "table"

    def check(self) -> None:
        """Check what does not depend on a queue; raise BadSettingsError with one line that names the option."""
        self.calendar("UTC", {})
        if self.zone is not None:
            if not self.calls:
                raise BadSettingsError("--zone: only works with --calls; of interval rows, use --tz")
            checked_zone(self.zone, "--zone")
        if self.tz is not None:
            try:
                ZoneInfo(self.tz)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise BadSettingsError(
                    f"--tz: unknown time zone {self.tz!r}; use an IANA name, e.g. Europe/Berlin"
                ) from None

    def calendar(self, zone: str, known: Mapping[date, int]) -> SpecialDays:
        """Return the special days: those of the options, and where these say nothing those already known.

        Raises:
            BadSettingsError: one line that names the option.
        """
        of = ZoneInfo(zone)
        return SpecialDays(of, {**known, **self._days()}, parse_spans(self.leave_out, of, "--leave-out"))

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
            raise BadSettingsError(f"--holidays: expected UTF-8 in {self.holidays}") from None
        except (OSError, ValueError):  # a long list of dates is not a valid file name
            text, place = self.holidays, "--holidays"
        return parse_days(text, place)


def forecast(options: ForecastOptions) -> None:
    """Forecast, and write it to standard output.

    Raises:
        BadSettingsError: a wrong option, or the extra is not installed.
        StreamAppError: no queue has enough history.
        SystemExit: 65 for an invalid file.
    """
    options.check()
    targets = targets_document.asked_for(options.targets)
    options, volumes, remedy = _read(options, targets)
    history = _chosen(volumes.history, options.queues)
    if options.plot:
        _writable(options.plot)
    found, panels = _work(history, targets, options)
    for line in found.refused:
        sys.stderr.write(f"stream-app: {line}\n")
    if options.plot and panels:
        _draw(options.plot, panels)
        if len(panels) > MOST:
            sys.stderr.write(
                f"forecast: {options.plot} shows the first {MOST} of {len(panels)} queue-channels; choose others with --queue\n"
            )
    if not found.forecasts:
        raise StreamAppError("no queue could be forecast; see the lines above for why")
    write(found, options.form)
    for forecast in found.forecasts:
        if note := _outside(forecast, targets):
            sys.stderr.write(f"stream-app: {note}\n")
        cap_s = targets.rule(forecast.queue, forecast.channel).reply_work_cap / 1000
        known = ((day.offered, day.aht_s) for day in forecast.days)
        trust = trust_in_mean(known, forecast.estimated, cap_s)
        for note in trust.notes(forecast.queue, forecast.channel):
            sys.stderr.write(f"stream-app: {note}\n")
    for line in filter(None, (_account(found, volumes, options), remedy)):
        sys.stderr.write(f"forecast: {line}\n")


def _read(options: ForecastOptions, targets: Targets) -> tuple[ForecastOptions, ParsedHistory, str | None]:
    """Read the file; return the options with the zone that is its, what it holds, and what mends rows that are wrong."""
    mapping = call_map(options.mapping) if options.calls else column_map(options.mapping, KNOWN)
    # Before a queue's zone is known, its times must be.
    zone = options.tz or (targets.rule("", "").zone if options.targets else None)
    remedy: str | None = None
    try:
        with _progress(None) as tell:
            tell(f"reading {options.volumes}")
            if options.calls:
                of_times = options.zone or (mapping.zone if mapping else None) or zone
                volumes, remedy = read_calls(options.volumes, mapping, of_times, zone or of_times or "UTC")
                options = structs.replace(options, tz=of_times) if zone is None else options
            else:
                volumes = read(*_bytes(options.volumes), zone, mapping)
    except InputError as error:
        sys.stderr.write(f"stream-app: {error}\n")
        raise SystemExit(os.EX_DATAERR) from None
    return options, volumes, remedy


def _draw(path: Path, panels: list[QueuePanel]) -> None:
    try:
        path.write_text(svg(panels), encoding="utf-8")
    except OSError as error:
        raise BadSettingsError(f"--plot: {path}: {error.strerror}") from None


def _account(found: ForecastRun, volumes: ParsedHistory, options: ForecastOptions) -> str:
    what = f"{_count(len(found.forecasts), 'queue-channel')}, {_count(options.weeks, 'week')}"
    lengths = sorted({point.minutes for one in found.forecasts for point in one.points[:1]})
    zones = sorted({str(point.start.tzinfo) for one in found.forecasts for point in one.points[:1]})
    parts = [f"{what} by {' and '.join(map(str, lengths))} minutes in {', '.join(zones)}"]
    if volumes.unfinished:
        parts.append(f"{volumes.unfinished:,} rows that are not final were skipped")
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
    """Check the path of the plot before the work, not after it."""
    if path.suffix != ".svg":
        raise BadSettingsError(f"--plot: expected a file that ends in .svg, got {path}")
    if not path.parent.is_dir():
        raise BadSettingsError(f"--plot: folder not found: {path.parent}")


def _chosen(history: History, queues: list[str]) -> History:
    known = sorted({queue for queue, _ in history})
    for queue in queues:
        if queue not in known:
            raise BadSettingsError(
                f"--queue: {queue!r} is not in the file; its queues are {', '.join(known)[:200]}"
            )
    return {key: rows for key, rows in history.items() if not queues or key[0] in queues}


def _outside(forecast: QueueForecast, targets: Targets) -> str:
    """Return what is forecast outside of business hours; nothing if that is less than half a contact."""
    hours = targets.rule(forecast.queue, forecast.channel).calendar
    if hours is None:
        return ""
    outside = 0.0
    for point in forecast.points:
        begin = round(point.start.timestamp() * 1000)
        if not hours.within(begin, begin + point.minutes * MINUTE):
            outside += point.offered or 0.0
    if outside < _WORTH_SAYING:
        return ""
    return (
        f"{forecast.queue} ({forecast.channel}): {outside:,.1f} contacts are forecast outside of its business hours; staffing "
        + (
            "plans their work from the next opening on"
            if forecast.channel in DEFERRED
            else "plans nobody then"
        )
    )


def _special(history: History, key: SeriesKey, targets: Targets) -> dict[date, int]:
    """Return what the queue's calendar says of days."""
    rule = targets.rule(*key)
    if rule.calendar is None:
        return {}
    today = history[key][-1].start.astimezone(ZoneInfo(rule.zone)).date()
    return of_business_hours(rule.calendar, today, arrives_closed=key[1] in DEFERRED)


def _work(
    history: History, targets: Targets, options: ForecastOptions
) -> tuple[ForecastRun, list[QueuePanel]]:
    _load_libraries()
    from stream_app.forecast import ahead, backtest, grid  # noqa: PLC0415 - they need the extra

    found, panels = ForecastRun(), []
    with _progress(len(history)) as tell:
        for key, rows in history.items():
            tell(f"{key[0]} {key[1]}")
            zone = options.tz or targets.rule(*key).zone
            calendar = options.calendar(zone, _special(history, key, targets))
            minutes = options.minutes or max(15, *(row.minutes for row in rows))
            laid = grid.build(rows, minutes, calendar)
            try:
                made = ahead.forecast(laid, key, options.weeks)
            except ahead.TooLittleError as error:
                found.refused.append(str(error))
                continue
            horizons = []
            if options.back_test:
                try:
                    horizons = backtest.backtest(laid, key, options.weeks)
                except ahead.TooLittleError as error:
                    found.refused.append(str(error))
            found.forecasts.append(made)
            found.horizons += horizons
            if options.plot:
                panels.append(_panel(laid, made, horizons))
    return found, panels


def _panel(laid: Grid, made: QueueForecast, horizons: list[Horizon]) -> QueuePanel:
    bars = [
        Bars(line.week, line.wape, line.naive_wape)
        for line in horizons
        if line.week is not None and line.wape is not None and line.naive_wape is not None
    ]
    return QueuePanel(f"{made.queue} {made.channel}", laid.recent(_PAST_DAYS), made.points, bars)


def _load_libraries() -> None:
    """Load what the extra installs, or report in one line how to install it."""
    try:
        import numpy  # noqa: F401, ICN001, PLC0415 - takes seconds, and may not be there
        import scipy.stats  # noqa: F401, PLC0415 - same
        import statsforecast.models  # noqa: F401, PLC0415 - same
    except ModuleNotFoundError as error:
        raise BadSettingsError(
            f"forecast needs {error.name}; install it: {how_to_install('forecast')}"
        ) from None


@contextmanager
def _progress(total: int | None) -> Iterator[Callable[[str], None]]:
    """Show a bar with the queue that is being forecast; yield a function to call as each one begins."""
    with bar("forecast", total, completed=-1) as move_on:
        yield lambda what: move_on(description=escape(what), advance=1)
