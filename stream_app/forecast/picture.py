"""A forecast and its back-test as SVG: plain text, a function of plain data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Final

from msgspec import Struct

from .points import Point

WIDTH: Final = 960
HEIGHT: Final = 300
"""The height of a panel, with its title."""
MOST: Final = 12
"""The most panels in one picture; more would not be looked at."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 44, 34
_BARS: Final = 190
_FONT: Final = 'font-family="system-ui, sans-serif" font-size="12"'
_INK, _PAST, _LINE, _NAIVE = "#1f2328", "#8b949e", "#0969da", "#c9d1d9"


class Bars(Struct, frozen=True):
    """One week ahead: the errors of the forecast and of the baseline, ratios."""

    week: int
    wape: float
    naive_wape: float


class QueuePanel(Struct, frozen=True):
    """The panel of one queue and channel.

    Attributes:
        title: the text above it.
        past: start and contacts of past intervals, in chronological order; ``None``: missing.
        points: intervals ahead, in chronological order.
        bars: the back-test, if there was one.
    """

    title: str
    past: Sequence[tuple[datetime, float | None]]
    points: Sequence[Point]
    bars: Sequence[Bars] = ()


def svg(panels: Sequence[QueuePanel]) -> str:
    """Draw panels one below the other, at most ``MOST``; equal data produces equal text."""
    shown = panels[:MOST]
    height = HEIGHT * max(1, len(shown))
    body = "".join(
        f'<g transform="translate(0 {HEIGHT * n})">{_panel(panel)}</g>\n' for n, panel in enumerate(shown)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" {_FONT} fill="{_INK}">\n'
        f"<title>{escape('Forecast of ' + ', '.join(panel.title for panel in shown))}</title>\n"
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n{body}</svg>\n'
    )


def _panel(panel: QueuePanel) -> str:
    times = [start for start, _ in panel.past] + [point.start for point in panel.points]
    head = f'<text x="{_LEFT}" y="20" font-weight="600">{escape(panel.title)}</text>'
    if not times:
        return head
    right = WIDTH - _RIGHT - (_BARS if panel.bars else 0)
    begin, end = min(times), max(times) + timedelta(minutes=1)
    values = [value for _, value in panel.past if value is not None]
    step, top = _scale(max([*values, *(point.high_95 or 0 for point in panel.points), 1]))

    axes = _Axes(begin, end, right, step, top)
    x, y = axes.x, axes.y
    parts = [head, _legend(right), _grid(axes)]
    for opacity, bounds in (
        (0.15, [(point.start, point.low_95, point.high_95) for point in panel.points]),
        (0.25, [(point.start, point.low_80, point.high_80) for point in panel.points]),
    ):
        known = [(x(at), y(low), y(high)) for at, low, high in bounds if low is not None and high is not None]
        outline = [(at, high) for at, _, high in known] + [(at, low) for at, low, _ in reversed(known)]
        if outline:
            parts.append(f'<path d="{_path([outline])}Z" fill="{_LINE}" fill-opacity="{opacity}"/>')
    lines = ((panel.past, _PAST), ([(point.start, point.offered) for point in panel.points], _LINE))
    for series, colour in lines:
        runs = _runs((x(at), None if value is None else y(value)) for at, value in series)
        if runs:
            parts.append(f'<path d="{_path(runs)}" fill="none" stroke="{colour}" stroke-width="1.2"/>')
    if panel.bars:
        parts.append(_bars(panel.bars, right + 40))
    return "\n".join(parts)


def _runs(points: Iterable[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Split a line at its gaps."""
    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in points:
        if value is None:
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if run]


def _path(runs: Iterable[Sequence[tuple[float, float]]]) -> str:
    return "".join("M" + "L".join(f"{at:.1f} {value:.1f}" for at, value in run) for run in runs)


def _scale(most: float) -> tuple[float, float]:
    """Return a round step, and the top of the axis."""
    step: float = 10.0 ** math.floor(math.log10(most))
    for part in (0.2, 0.5, 1):
        if most / (step * part) <= 5:
            step *= part
            break
    else:
        step *= 2
    return step, step * math.ceil(most / step)


class _Axes(Struct, frozen=True):
    """The positions of times and contacts in a panel."""

    begin: datetime
    end: datetime
    right: float
    step: float
    top: float

    def x(self, at: datetime) -> float:
        return _LEFT + (self.right - _LEFT) * ((at - self.begin) / (self.end - self.begin))

    def y(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / self.top


def _grid(axes: _Axes) -> str:
    parts = []
    for n in range(round(axes.top / axes.step) + 1):
        at, value = axes.y(n * axes.step), n * axes.step
        parts.append(f'<path d="M{_LEFT} {at:.1f}H{axes.right}" stroke="#eaeef2"/>')
        parts.append(
            f'<text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end" fill="#57606a">{value:g}</text>'
        )
    day = axes.begin.astimezone(axes.end.tzinfo or UTC).replace(hour=0, minute=0)
    every = max(1, math.ceil((axes.end - axes.begin) / timedelta(days=9)))
    while day < axes.end:
        if day >= axes.begin:
            at = axes.x(day)
            parts.append(f'<path d="M{at:.1f} {_TOP}V{HEIGHT - _BOTTOM}" stroke="#eaeef2"/>')
            parts.append(f'<text x="{at + 3:.1f}" y="{HEIGHT - 16}" fill="#57606a">{day:%a %d %b}</text>')
        day += timedelta(days=every)  # of the local clock: midnight stays midnight
    return "\n".join(parts)


def _legend(right: float) -> str:
    words = ((_PAST, "offered"), (_LINE, "forecast, 80 and 95 % intervals"))
    at, parts = right - 310.0, []
    for colour, word in words:
        parts.append(
            f'<path d="M{at} 16h18" stroke="{colour}" stroke-width="2"/><text x="{at + 24}" y="20">{word}</text>'
        )
        at += 90
    return "\n".join(parts)


def _bars(bars: Sequence[Bars], left: float) -> str:
    top = max(max(bar.wape, bar.naive_wape) for bar in bars) or 1.0
    parts = [f'<text x="{left}" y="20" font-weight="600">Error by week</text>']
    row = min(34.0, (HEIGHT - _TOP - _BOTTOM) / len(bars))
    for n, bar in enumerate(bars):
        at = _TOP + n * row
        parts.append(f'<text x="{left}" y="{at + row / 2:.1f}">{bar.week}</text>')
        for offset, value, colour in ((0.0, bar.wape, _LINE), (row * 0.36, bar.naive_wape, _NAIVE)):
            width = 70 * value / top
            parts.append(
                f'<rect x="{left + 14}" y="{at + offset:.1f}" width="{width:.1f}" height="{row * 0.32:.1f}" fill="{colour}"/>'
            )
            parts.append(
                f'<text x="{left + 20 + width:.1f}" y="{at + offset + row * 0.3:.1f}" font-size="10">{100 * value:.1f} %</text>'
            )
    parts.append(
        f'<text x="{left}" y="{HEIGHT - 16}" font-size="10" fill="#57606a">grey: the week before (WAPE)</text>'
    )
    return "\n".join(parts)
