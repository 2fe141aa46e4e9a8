"""Output of ``alerts test``: tables for people, JSON for programs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream_app.model.durations import MINUTE
from stream_app.model.intervals.columns import INTERVAL_MS, IntervalRow
from stream_app.views.intervals.spans import moment

from .tested import ABOUT_OTHERS, TestedFiring, TestResult

_FILE_WIDTH: Final = 160
_SHOWN: Final = 20
"""Firings of each alert in the table, the longest."""
_NONE: Final = "–"  # noqa: RUF001 - no data, not a minus
_PLACES: Final = 3


def write(
    results: Sequence[TestResult],
    *,
    rows: Sequence[IntervalRow],
    since: int,
    until: int,
    tz: str,
    as_json: bool,
) -> None:
    """Print what would have fired, and on stderr what the answer rests on."""
    zone = ZoneInfo(tz)
    if as_json:
        document = {
            "from": moment(since, zone).isoformat(),
            "to": moment(until, zone).isoformat(),
            "resolution_s": INTERVAL_MS // 1000,
            "rules": [_entry(result, zone) for result in results],
        }
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n")
    else:
        _tables(results, zone)
    places = len({(row.queue, row.channel) for row in rows})
    span = f"{moment(since, zone):%Y-%m-%d %H:%M} to {moment(until, zone):%Y-%m-%d %H:%M} {tz}"
    steps = f"in steps of {INTERVAL_MS // MINUTE} minutes: what lasted less is not seen"
    lines = [f"{_count(places, 'queue-channel')}, {span}, {steps}, and contacts count where they were queued"]
    if missing := sum(result.missing for result in results):
        lines.append(
            f"not judged: {_count(missing, 'interval')} with a missing row in the window; nothing fires there"
        )
    sys.stderr.write("".join(f"alerts: {line}\n" for line in lines))


def _entry(result: TestResult, zone: ZoneInfo) -> dict[str, Any]:
    """Return everything about one alert; numbers are null where it can't be judged."""
    unknown = result.unknown
    lengths = [one.firing.length // 1000 for one in result.firings]
    return {
        "name": result.alert.name,
        "severity": result.alert.severity,
        "not_judged": unknown or None,
        "fired": None if unknown else len(lengths),
        "total_s": None if unknown else sum(lengths),
        "longest_s": None if unknown else max(lengths, default=0),
        "intervals_judged": result.judged,
        "intervals_missing": result.missing,
        "firings": [
            {
                "queue": one.queue,
                "channel": one.channel,
                "from": moment(one.firing.start, zone).isoformat(),
                "to": moment(one.firing.end, zone).isoformat(),
                "seconds": one.firing.length // 1000,
                "over": one.firing.over,
            }
            for one in result.firings
        ],
    }


def _tables(results: Sequence[TestResult], zone: ZoneInfo) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    table = Table(box=None, pad_edge=False)
    for head, justify in (("rule", "left"), ("severity", "left"), ("fired", "right"), ("in all", "right")):
        table.add_column(head, justify=justify, no_wrap=True)  # type: ignore[arg-type] # a literal of these
    table.add_column("typically", justify="right", no_wrap=True)
    table.add_column("longest", justify="right", no_wrap=True)
    table.add_column("where, or why it can't be judged")
    others = [result for result in results if ABOUT_OTHERS & {*result.alert.unknown}]
    for result in (
        results if len(others) == len(results) else [each for each in results if each not in others]
    ):
        table.add_row(Text(result.alert.name), result.alert.severity, *_cells(result))
    console.print(table)
    if 0 < len(others) < len(results):
        names = ", ".join(result.alert.name for result in others)
        console.print(
            Text(f"\nAbout agents and the pipeline, on which interval rows say nothing: {names}"),
            soft_wrap=True,
        )
    for result in results:
        if result.firings:
            console.print()
            console.print(_firings(result, zone))


def _cells(result: TestResult) -> Iterator[str | Text]:
    if unknown := result.unknown:
        yield from (_NONE,) * 4
        yield Text("; ".join(unknown))
        return
    lengths = [one.firing.length for one in result.firings]
    yield f"{len(lengths):,}"
    yield _length(sum(lengths)) if lengths else _NONE
    yield _length(round(median(lengths))) if lengths else _NONE
    yield _length(max(lengths)) if lengths else _NONE
    yield Text(_where(result))


def _where(result: TestResult) -> str:
    if not result.places:
        return "no queue here is one of its"
    if not result.targeted:
        return "nowhere: no queue has a target for it"
    counted = Counter(f"{one.queue} ({one.channel})" for one in result.firings)
    shown = [f"{place} {n}" for place, n in counted.most_common(_PLACES)]
    more = [f"{len(counted) - _PLACES} more"] if len(counted) > _PLACES else []
    found = ", ".join([*shown, *more]) or "nowhere"
    total = result.judged + result.missing
    return (
        f"{found}; {result.missing:,} of {total:,} intervals not judged"
        if 10 * result.missing > total
        else found
    )


def _firings(result: TestResult, zone: ZoneInfo) -> Table:
    longest = sorted(result.firings, key=lambda one: -one.firing.length)[:_SHOWN]
    title = result.alert.name
    if len(result.firings) > _SHOWN:
        title += f": the {_SHOWN} longest of {len(result.firings):,}; --json has all"
    table = Table(box=None, pad_edge=False, title=Text(title, style="table.title"), title_justify="left")
    for head in ("from", "to", "for", "queue", "channel"):
        table.add_column(head, no_wrap=True)
    for one in sorted(longest, key=_start):
        end = f"{moment(one.firing.end, zone):%Y-%m-%d %H:%M:%S}" if one.firing.over else "still firing"
        table.add_row(
            f"{moment(one.firing.start, zone):%Y-%m-%d %H:%M:%S}",
            end,
            _length(one.firing.length),
            Text(one.queue),
            Text(one.channel),
        )
    return table


def _start(one: TestedFiring) -> int:
    return one.firing.start


def _length(ms: int) -> str:
    hours, minutes = divmod(round(ms / MINUTE), 60)
    return f"{hours:,} h {minutes:02} min" if hours else f"{minutes} min"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")
