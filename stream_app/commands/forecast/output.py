"""Output of a forecast: a table of days for people, interval rows for programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Final, Literal

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream_app.forecast.ahead import QueueForecast
from stream_app.forecast.backtest import Horizon
from stream_app.forecast.points import ForecastDay

_FILE_WIDTH: Final = 120


@dataclass
class ForecastRun:
    """The results of a run.

    Attributes:
        forecasts: one for each queue and channel.
        horizons: lines of the back-tests.
        refused: why some queues could not be forecast or tested.
    """

    forecasts: list[QueueForecast] = field(default_factory=list)
    horizons: list[Horizon] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def write(found: ForecastRun, form: Literal["table", "csv", "json"]) -> None:
    """Write to standard output; with CSV, which holds one table, the back-test goes to standard error."""
    if form == "json":
        sys.stdout.write(as_json(found))
    elif form == "csv":
        sys.stdout.write(as_csv(found))
        if found.horizons:
            _show(_back_test(found.horizons), error=True)
    else:
        for forecast in found.forecasts:
            _show(_days(forecast))
        if found.horizons:
            _show(_back_test(found.horizons))


def as_json(found: ForecastRun) -> str:
    """Return one object: ``forecast`` (intervals), ``days``, ``today`` and ``back_test``, each a list."""
    today = [
        {"queue": one.queue, "channel": one.channel, **msgspec.to_builtins(one.today)}
        for one in found.forecasts
        if one.today is not None
    ]
    whole: dict[str, Sequence[Any]] = {
        "forecast": [point for one in found.forecasts for point in one.points],
        "days": [day for one in found.forecasts for day in one.days],
        "today": today,
        "back_test": found.horizons,
    }
    lists = [
        f'"{name}": [\n' + ",\n".join(f"  {msgspec.json.encode(row).decode()}" for row in rows) + "\n]"
        for name, rows in whole.items()
    ]
    return "{" + ",\n".join(lists) + "}\n"


def as_csv(found: ForecastRun) -> str:
    """Return one row per interval; an empty cell means no data."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    points = [point for one in found.forecasts for point in one.points]
    names = points[0].__struct_fields__ if points else ()
    writer.writerow(names)
    for point in points:
        writer.writerow([_cell(getattr(point, name)) for name in names])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if hasattr(value, "isoformat") else value


def _show(table: Table, *, error: bool = False) -> None:
    console = Console(stderr=error)
    if not console.is_terminal:  # a file is not limited to a window's width
        console.width = _FILE_WIDTH
    console.print(table)


def _days(forecast: QueueForecast) -> Table:
    table = Table(
        title=Text(f"{forecast.queue} {forecast.channel}", style="table.title"),
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    for n, head in enumerate(("day", "forecast", "80 % range", "busiest", "offered", "AHT")):
        table.add_column(head, justify="right" if n else "left", no_wrap=True)
    for day in forecast.days:
        table.add_row(*_day(day))
    return table


def _day(day: ForecastDay) -> tuple[str, ...]:
    name = f"{day.day:%a %d %b %Y}" + (" (remaining)" if day.today else "")
    if day.offered is None:
        return (name, "left out", "—", "—", "—", "—")
    return (
        name,
        f"{day.offered:,.0f}",
        f"{day.low_80:,} - {day.high_80:,}",
        f"{day.busiest:%H:%M}" if day.busiest else "—",
        f"{day.busiest_offered:,.1f}" if day.busiest_offered is not None else "—",
        f"{day.aht_s:,.0f} s" if day.aht_s is not None else "—",
    )


def _back_test(horizons: list[Horizon]) -> Table:
    title = "Back-test: weighted absolute error (WAPE), compared with repeating the week before"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    heads = (
        "queue",
        "week",
        "origins",
        "intervals",
        "error",
        "week before",
        "ratio",
        "within 80 %",
        "within 95 %",
    )
    for n, head in enumerate(heads):
        table.add_column(head, justify="right" if n else "left", no_wrap=True)
    for line in horizons:
        table.add_row(
            Text(f"{line.queue} {line.channel}"),  # not markup, whatever brackets it has
            "all" if line.week is None else str(line.week),
            str(line.origins),
            f"{line.intervals:,}",
            _percent(line.wape),
            _percent(line.naive_wape),
            "—" if line.ratio is None else f"{line.ratio:.2f}",
            _percent(line.held_80),
            _percent(line.held_95),
        )
    return table


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f} %"
